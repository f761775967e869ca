@0xb89fe9bda2d0a74b;

using Spk = import "/sandstorm/package.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = "ggg6qakhw0mv527r7wtg9g5de0wh7kf11qvk4u27n927xnpe39c0",

  manifest = (
    appTitle = (defaultText = "Probe", localizations = [(locale = "fr", text = "Sonde")]),
    appVersion = 1,
    appMarketingVersion = (defaultText = "1.0.0"),

    actions = [
      (
        title = (defaultText = "New probe", localizations = [(locale = "fr", text = "Nouvelle sonde")]),
        nounPhrase = (defaultText = "probe", localizations = [(locale = "fr", text = "sonde")]),
        command = .start,
      ),
      (
        title = (defaultText = "New second probe", localizations = [(locale = "fr", text = "Nouvelle deuxième sonde")]),
        nounPhrase = (defaultText = "second probe", localizations = [(locale = "fr", text = "deuxième sonde")]),
        command = .start,
      ),
    ],
    continueCommand = .start,

    metadata = (
      icons = (
        appGrid = (svg = embed "icon.svg"),
      ),
      codeUrl = "https://github.com/sandstorm-go/sandstorm",
      license = (openSource = apache2),
      categories = [developerTools],
      shortDescription = (defaultText = "Tells what it received and saw", localizations = [(locale = "fr", text = "Dit ce qu’elle a reçu et vu")]),
      description = (
        defaultText = "An app for tests. It answers with what it received and what it sees of its sandbox, and misbehaves on request.",
        localizations = [(locale = "fr", text = "Une application pour les tests. Elle répond par ce qu’elle a reçu et voit de son bac à sable, et se conduit mal sur demande.")],
      ),
    ),
  ),

  # build.sh fills this directory; all of it is packed.
  sourceMap = (searchPath = [(sourcePath = "../../build/stage/probe")]),
  alwaysInclude = ["."],

  bridgeConfig = (
    apiPath = "/api/",
    viewInfo = (
      permissions = [
        (name = "view", title = (defaultText = "look", localizations = [(locale = "fr", text = "voir")])),
        (name = "edit", title = (defaultText = "change", localizations = [(locale = "fr", text = "modifier")])),
        (name = "admin", title = (defaultText = "manage", localizations = [(locale = "fr", text = "gérer")])),
      ],
      roles = [
        (
          title = (defaultText = "editor", localizations = [(locale = "fr", text = "éditeur")]),
          verbPhrase = (defaultText = "can change", localizations = [(locale = "fr", text = "peut modifier")]),
          permissions = [true, true, false],
          default = true,
        ),
        (
          title = (defaultText = "viewer", localizations = [(locale = "fr", text = "lecteur")]),
          verbPhrase = (defaultText = "can look", localizations = [(locale = "fr", text = "peut voir")]),
          permissions = [true, false, false],
        ),
      ],
    ),
  ),
);

const start :Spk.Manifest.Command = (
  argv = ["/sandstorm-http-bridge", "8000", "--", "/app"],
  environ = [
    (key = "PATH", value = "/bin"),
    (key = "PROBE", value = "1"),
  ],
);
