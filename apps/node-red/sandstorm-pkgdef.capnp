@0xf1e40dd96ffc6a1c;

using Spk = import "/sandstorm/package.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = "zramfakcwzj5qpkxck2j0jej1phqh6nk6mg7fs44x4dgv01jn0z0",

  manifest = (
    appTitle = (defaultText = "Node-RED"),
    appVersion = 1,
    appMarketingVersion = (defaultText = "5.0.7"),
    actions = [(
      title = (defaultText = "New flows", localizations = [(locale = "fr", text = "Nouveaux flux")]),
      nounPhrase = (defaultText = "flows", localizations = [(locale = "fr", text = "flux")]),
      description = (
        defaultText = "Little programs, drawn from boxes and wires",
        localizations = [(locale = "fr", text = "De petits programmes, dessinés en boîtes et en fils")]),
      command = .start,
    )],
    continueCommand = .start,
    metadata = (
      icons = (appGrid = (svg = embed "icon.svg")),
      website = "https://nodered.org",
      codeUrl = "https://github.com/node-red/node-red",
      license = (
        openSource = apache2,
        notices = (defaultText = "Node-RED is under the Apache License 2.0. The licences of Node.js and of Debian's libraries are in the package below /usr/share/doc, those of the npm packages beside them below /usr/lib/node-red/node_modules.")),
      categories = [developerTools, productivity],
      author = (upstreamAuthor = "OpenJS Foundation and other contributors"),
      shortDescription = (defaultText = "Programs from wires", localizations = [(locale = "fr", text = "Programmes en fils")]),
      description = (
        defaultText = "Draw a program: boxes take messages in, change them and pass them on along wires. Flows can answer HTTP requests and WebSockets, transform JSON, CSV, XML and YAML, keep files and remember values. Programs with an API key, and people with the role of a user, call them; msg.req.headers tells flows who asks. Flows run while the grain does: while somebody has it open or calls it. A grain has no network, so nodes that connect to elsewhere are left out, and no more can be installed.",
        localizations = [(locale = "fr", text = "Dessinez un programme : des boîtes reçoivent des messages, les changent et les passent le long de fils. Les flux répondent à des requêtes HTTP et à des WebSockets, transforment JSON, CSV, XML et YAML, gardent des fichiers et retiennent des valeurs. Les programmes munis d’une clé d’API, et les personnes qui ont le rôle d’utilisateur, les appellent ; msg.req.headers dit aux flux qui demande. Les flux tournent tant que le grain tourne : quand quelqu’un l’a ouvert ou l’appelle. Un grain n’a pas de réseau : les nœuds qui se connectent ailleurs manquent, et l’on ne peut pas en installer.")]),
    ),
  ),

  sourceMap = (searchPath = [(packagePath = "", sourcePath = "../../build/stage/node-red")]),
  alwaysInclude = ["."],

  bridgeConfig = (
    apiPath = "/http/",
    viewInfo = (
      permissions = [
        (name = "view", title = (defaultText = "see flows", localizations = [(locale = "fr", text = "voir les flux")])),
        (name = "edit", title = (defaultText = "change flows", localizations = [(locale = "fr", text = "modifier les flux")])),
        (name = "use", title = (defaultText = "call flows", localizations = [(locale = "fr", text = "appeler les flux")])),
      ],
      roles = [
        (
          title = (defaultText = "editor", localizations = [(locale = "fr", text = "éditeur")]),
          verbPhrase = (defaultText = "can change flows", localizations = [(locale = "fr", text = "peut modifier les flux")]),
          permissions = [true, true, true],
          default = true,
        ),
        (
          title = (defaultText = "reader", localizations = [(locale = "fr", text = "lecteur")]),
          verbPhrase = (defaultText = "can see and call flows", localizations = [(locale = "fr", text = "peut voir et appeler les flux")]),
          permissions = [true, false, true],
        ),
        (
          title = (defaultText = "user", localizations = [(locale = "fr", text = "utilisateur")]),
          verbPhrase = (defaultText = "can call flows", localizations = [(locale = "fr", text = "peut appeler les flux")]),
          permissions = [false, false, true],
        ),
      ],
    ),
  ),
);

const start :Spk.Manifest.Command = (
  argv = ["/sandstorm-http-bridge", "8000", "--", "/usr/bin/node", "--max-semi-space-size=2", "/usr/lib/sandstorm/start.js"],
  environ = [
    (key = "HOME", value = "/var"),
    (key = "LANG", value = "C.UTF-8"),
    (key = "NODE_ENV", value = "production"),
  ],
);
