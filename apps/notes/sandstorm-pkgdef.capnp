@0x9db4c6f1447834d3;

using Spk = import "/sandstorm/package.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = "qge9xcp93q79h6pgyc6wvscftkfpz65vp8v975za4mykj2wdkay0",

  manifest = (
    appTitle = (defaultText = "Notes", localizations = [(locale = "fr", text = "Notes")]),
    appVersion = 1,
    appMarketingVersion = (defaultText = "1.0.0"),

    actions = [
      (
        title = (defaultText = "New note", localizations = [(locale = "fr", text = "Nouvelle note")]),
        nounPhrase = (defaultText = "note", localizations = [(locale = "fr", text = "note")]),
        description = (defaultText = "A page that several people can write at once", localizations = [(locale = "fr", text = "Une page que l’on peut écrire à plusieurs")]),
        command = .start,
      ),
    ],
    continueCommand = .start,

    metadata = (
      icons = (
        appGrid = (svg = embed "static/icon.svg"),
      ),
      website = "https://github.com/sandstorm-go/sandstorm",
      codeUrl = "https://github.com/sandstorm-go/sandstorm",
      license = (openSource = apache2),
      categories = [productivity],
      shortDescription = (defaultText = "Write together, in plain text", localizations = [(locale = "fr", text = "Écrire ensemble, en texte simple")]),
      description = (
        defaultText = "A page of text that several people write at the same time. Everything is saved while you type, and nobody overwrites anybody. Markdown shows as headings, lists, tables and tasks to tick; the text stays plain and can be downloaded.",
        localizations = [(locale = "fr", text = "Une page de texte que plusieurs personnes écrivent en même temps. Tout est enregistré à mesure, et personne n’écrase personne. Le Markdown devient titres, listes, tableaux et tâches à cocher ; le texte reste simple et se télécharge.")],
      ),
    ),
  ),

  # build.sh fills this directory; all of it is packed.
  sourceMap = (searchPath = [(sourcePath = "../../build/stage/notes")]),
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
  argv = ["/sandstorm-http-bridge", "8000", "--", "/app"],
);
