@0xd8309536932500d4;

using Spk = import "/sandstorm/package.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = "wetvnxwdzx7qe1weu1mt5u01m4g9md87wa3m0y69z6mgnd5n1760",

  manifest = (
    appTitle = (defaultText = "File drop", localizations = [(locale = "fr", text = "Dépôt de fichiers")]),
    appVersion = 1,
    appMarketingVersion = (defaultText = "1.0.0"),

    actions = [
      (
        title = (defaultText = "New shared folder", localizations = [(locale = "fr", text = "Nouveau dossier partagé")]),
        nounPhrase = (defaultText = "folder", localizations = [(locale = "fr", text = "dossier")]),
        description = (defaultText = "A folder to drop files into", localizations = [(locale = "fr", text = "Un dossier où déposer des fichiers")]),
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
      categories = [productivity, office],
      shortDescription = (defaultText = "A folder to share", localizations = [(locale = "fr", text = "Un dossier à partager")]),
      description = (
        defaultText = "Drop files and whole folders into the page and share them. Pictures, music, films and texts open at once; anything can be downloaded, alone or as one archive. Programs that speak WebDAV can use the folder as a drive.",
        localizations = [(locale = "fr", text = "Déposez fichiers et dossiers dans la page et partagez-les. Images, musique, films et textes s’ouvrent aussitôt ; tout se télécharge, seul ou en une archive. Les programmes qui parlent WebDAV voient le dossier comme un disque.")],
      ),
    ),
  ),

  # build.sh fills this directory; all of it is packed.
  sourceMap = (searchPath = [(sourcePath = "../../build/stage/filedrop")]),
  alwaysInclude = ["."],

  bridgeConfig = (
    apiPath = "/dav/",
    viewInfo = (
      permissions = [
        (name = "view", title = (defaultText = "look and download", localizations = [(locale = "fr", text = "voir et télécharger")])),
        (name = "edit", title = (defaultText = "upload and change", localizations = [(locale = "fr", text = "envoyer et modifier")])),
      ],
      roles = [
        (
          title = (defaultText = "editor", localizations = [(locale = "fr", text = "éditeur")]),
          verbPhrase = (defaultText = "can add and change files", localizations = [(locale = "fr", text = "peut ajouter et modifier des fichiers")]),
          permissions = [true, true],
          default = true,
        ),
        (
          title = (defaultText = "viewer", localizations = [(locale = "fr", text = "lecteur")]),
          verbPhrase = (defaultText = "can download files", localizations = [(locale = "fr", text = "peut télécharger des fichiers")]),
          permissions = [true, false],
        ),
      ],
    ),
  ),
);

const start :Spk.Manifest.Command = (
  argv = ["/sandstorm-http-bridge", "8000", "--", "/app"],
);
