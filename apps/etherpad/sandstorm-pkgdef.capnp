@0xb1c69f0f4d2ea3c8;

using Spk = import "/sandstorm/package.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = "8ck2dq6c8u4scn6eksjsfx9dr4c0w0gftwft6h17cge5yzemakph",

  manifest = (
    appTitle = (defaultText = "Etherpad", localizations = [(locale = "fr", text = "Etherpad")]),
    appVersion = 1,
    appMarketingVersion = (defaultText = "1.8.14"),

    actions = [
      (
        title = (defaultText = "New pad", localizations = [(locale = "fr", text = "Nouveau pad")]),
        nounPhrase = (defaultText = "pad", localizations = [(locale = "fr", text = "pad")]),
        description = (defaultText = "A text that several people write at once", localizations = [(locale = "fr", text = "Un texte écrit à plusieurs en même temps")]),
        command = .start,
      ),
    ],
    continueCommand = .start,

    metadata = (
      icons = (
        appGrid = (svg = embed "icon.svg"),
      ),
      website = "https://etherpad.org",
      codeUrl = "https://github.com/ether/etherpad-lite",
      license = (openSource = apache2),
      categories = [productivity, communications],
      author = (upstreamAuthor = "The Etherpad Foundation and contributors"),
      shortDescription = (defaultText = "Write together, live", localizations = [(locale = "fr", text = "Écrire ensemble")]),
      description = (
        defaultText = "Etherpad is a text that several people write at the same time. Everybody has a colour, so that one sees who wrote what; a slider goes back through all of the text's history; beside it people chat. Plain text and HTML can be brought in and taken out.",
        localizations = [(locale = "fr", text = "Etherpad est un texte que plusieurs personnes écrivent en même temps. Chacun a sa couleur : on voit qui a écrit quoi ; un curseur remonte toute l’histoire du texte ; on discute à côté. Texte brut et HTML s’importent et s’exportent.")],
      ),
    ),
  ),

  # build.sh fills this directory; all of it is packed.
  sourceMap = (searchPath = [(sourcePath = "../../build/stage/etherpad")]),
  alwaysInclude = ["."],

  bridgeConfig = (
    viewInfo = (
      permissions = [
        (name = "view", title = (defaultText = "read", localizations = [(locale = "fr", text = "lire")])),
        (name = "edit", title = (defaultText = "write", localizations = [(locale = "fr", text = "écrire")])),
      ],
      roles = [
        (
          title = (defaultText = "writer", localizations = [(locale = "fr", text = "auteur")]),
          verbPhrase = (defaultText = "can write", localizations = [(locale = "fr", text = "peut écrire")]),
          permissions = [true, true],
          default = true,
        ),
        (
          title = (defaultText = "reader", localizations = [(locale = "fr", text = "lecteur")]),
          verbPhrase = (defaultText = "can read", localizations = [(locale = "fr", text = "peut lire")]),
          permissions = [true, false],
        ),
      ],
    ),
  ),
);

const start :Spk.Manifest.Command = (
  argv = ["/sandstorm-http-bridge", "8000", "--", "/usr/bin/node", "--disable-warning=DEP0169", "/usr/lib/etherpad/start.js"],
  environ = [
    (key = "HOME", value = "/var"),
    (key = "LANG", value = "C.UTF-8"),
  ],
);
