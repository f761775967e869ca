@0x89c7d794573ea92f;

using Spk = import "/sandstorm/package.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = "855nkev2xvzsekduh5d1wkwzs050tf0ph1x5j0pke8m2ud8hpcmh",

  manifest = (
    appTitle = (defaultText = "Radicale", localizations = [(locale = "fr", text = "Radicale")]),
    appVersion = 1,
    appMarketingVersion = (defaultText = "3.1.8"),

    actions = [
      (
        title = (defaultText = "New calendars and contacts", localizations = [(locale = "fr", text = "Nouveaux agendas et contacts")]),
        nounPhrase = (defaultText = "calendar server", localizations = [(locale = "fr", text = "serveur d’agendas")]),
        description = (defaultText = "Calendars, tasks and address books for your programs", localizations = [(locale = "fr", text = "Agendas, tâches et carnets d’adresses pour vos programmes")]),
        command = .start,
      ),
    ],
    continueCommand = .start,

    metadata = (
      icons = (
        appGrid = (svg = embed "icon.svg"),
      ),
      website = "https://radicale.org",
      codeUrl = "https://github.com/Kozea/Radicale",
      license = (openSource = gpl3),
      categories = [productivity, communications],
      author = (upstreamAuthor = "Guillaume Ayoub and contributors"),
      shortDescription = (defaultText = "Calendars and contacts, for any program", localizations = [(locale = "fr", text = "Agendas et contacts, pour tout programme")]),
      description = (
        defaultText = "Radicale keeps calendars, task lists and address books and speaks CalDAV and CardDAV, so that the programs on your computer and phone can use them. A small page makes, names and removes them.",
        localizations = [(locale = "fr", text = "Radicale garde agendas, listes de tâches et carnets d’adresses et parle CalDAV et CardDAV, pour que les programmes de votre ordinateur et de votre téléphone s’en servent. Une petite page les crée, les nomme et les supprime.")],
      ),
    ),
  ),

  # build.sh fills this directory; all of it is packed.
  sourceMap = (searchPath = [(sourcePath = "../../build/stage/radicale")]),
  alwaysInclude = ["."],

  bridgeConfig = (
    apiPath = "/",
    viewInfo = (
      permissions = [
        (name = "view", title = (defaultText = "read", localizations = [(locale = "fr", text = "lire")])),
        (name = "edit", title = (defaultText = "change", localizations = [(locale = "fr", text = "modifier")])),
      ],
      roles = [
        (
          title = (defaultText = "editor", localizations = [(locale = "fr", text = "éditeur")]),
          verbPhrase = (defaultText = "can change entries", localizations = [(locale = "fr", text = "peut modifier")]),
          permissions = [true, true],
          default = true,
        ),
        (
          title = (defaultText = "reader", localizations = [(locale = "fr", text = "lecteur")]),
          verbPhrase = (defaultText = "can read entries", localizations = [(locale = "fr", text = "peut lire")]),
          permissions = [true, false],
        ),
      ],
    ),
  ),
);

const start :Spk.Manifest.Command = (
  argv = ["/sandstorm-http-bridge", "8000", "--", "/usr/bin/python3.11", "-S", "/usr/lib/sandstorm/start.py"],
  environ = [
    (key = "HOME", value = "/var"),
    (key = "LANG", value = "C.UTF-8"),
    (key = "PYTHONDONTWRITEBYTECODE", value = "1"),
    (key = "PYTHONPATH", value = "/usr/lib/python3/dist-packages"),
    (key = "PYTHONUNBUFFERED", value = "1"),
  ],
);
