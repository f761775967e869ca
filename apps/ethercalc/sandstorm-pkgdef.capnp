@0xe5d47a3b91c06f2e;

using Spk = import "/sandstorm/package.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = "vwr0a51xndvd5tnc8270pw293z2vkfkxx26ffhaf5egwfpzxv1ph",

  manifest = (
    appTitle = (defaultText = "EtherCalc", localizations = [(locale = "fr", text = "EtherCalc")]),
    appVersion = 1,
    appMarketingVersion = (defaultText = "0.20200127.0"),

    actions = [
      (
        title = (defaultText = "New spreadsheet", localizations = [(locale = "fr", text = "Nouvelle feuille de calcul")]),
        nounPhrase = (defaultText = "spreadsheet", localizations = [(locale = "fr", text = "feuille de calcul")]),
        description = (defaultText = "A sheet in which several people calculate at once", localizations = [(locale = "fr", text = "Une feuille où l’on calcule à plusieurs")]),
        command = .start,
      ),
    ],
    continueCommand = .start,

    metadata = (
      icons = (
        appGrid = (svg = embed "icon.svg"),
      ),
      website = "https://ethercalc.net",
      codeUrl = "https://github.com/audreyt/ethercalc",
      license = (openSource = cpal),
      categories = [office, productivity],
      author = (upstreamAuthor = "Audrey Tang, Dan Bricklin and contributors"),
      shortDescription = (defaultText = "A sheet for everybody", localizations = [(locale = "fr", text = "Calculer ensemble")]),
      description = (
        defaultText = "EtherCalc is a spreadsheet that several people fill in at the same time: formulas, formats, sorting, named ranges and charts. It can be taken away as CSV, Excel, OpenDocument or HTML. In this package a small server that was made for it stands in the place of EtherCalc's own.",
        localizations = [(locale = "fr", text = "EtherCalc est une feuille de calcul que l’on remplit à plusieurs en même temps : formules, formats, tris, plages nommées et graphiques. Elle s’exporte en CSV, Excel, OpenDocument ou HTML. Dans ce paquet, un petit serveur fait pour lui remplace celui d’EtherCalc.")],
      ),
    ),
  ),

  # build.sh fills this directory; all of it is packed.
  sourceMap = (searchPath = [(sourcePath = "../../build/stage/ethercalc")]),
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
  argv = ["/sandstorm-http-bridge", "8000", "--", "/usr/bin/node", "/usr/lib/ethercalc/start.js"],
  environ = [
    (key = "HOME", value = "/var"),
    (key = "LANG", value = "C.UTF-8"),
  ],
);
