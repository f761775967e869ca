@0xb0429f9140e38e34;

using Spk = import "/sandstorm/package.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = "dmtdwcz2wsk909tfj0raxaq0kvhu6r05kud5urxkz1txz2gv6vuh",

  manifest = (
    appTitle = (defaultText = "DokuWiki", localizations = [(locale = "fr", text = "DokuWiki")]),
    appVersion = 1,
    appMarketingVersion = (defaultText = "2022-07-31a"),

    actions = [
      (
        title = (defaultText = "New DokuWiki", localizations = [(locale = "fr", text = "Nouveau DokuWiki")]),
        nounPhrase = (defaultText = "wiki", localizations = [(locale = "fr", text = "wiki")]),
        description = (defaultText = "A wiki of plain text files", localizations = [(locale = "fr", text = "Un wiki de simples fichiers texte")]),
        command = .start,
      ),
    ],
    continueCommand = .start,

    metadata = (
      icons = (
        appGrid = (svg = embed "icon.svg"),
      ),
      website = "https://www.dokuwiki.org",
      codeUrl = "https://github.com/dokuwiki/dokuwiki",
      license = (openSource = gpl2),
      categories = [productivity, webPublishing],
      author = (upstreamAuthor = "Andreas Gohr and contributors"),
      shortDescription = (defaultText = "A wiki that is easy to read and to write", localizations = [(locale = "fr", text = "Un wiki facile à lire et à écrire")]),
      description = (
        defaultText = "DokuWiki keeps its pages as plain text files, with every older version, pictures and files beside them, full-text search and rights for parts of the wiki. Whoever opens the grain is signed in already.",
        localizations = [(locale = "fr", text = "DokuWiki garde ses pages en simples fichiers texte, avec toutes les versions passées, images et fichiers à côté, recherche plein texte et droits par partie du wiki. Qui ouvre le grain est déjà connecté.")],
      ),
    ),
  ),

  # build.sh fills this directory; all of it is packed.
  sourceMap = (searchPath = [(sourcePath = "../../build/stage/dokuwiki")]),
  alwaysInclude = ["."],

  bridgeConfig = (
    viewInfo = (
      permissions = [
        (name = "view", title = (defaultText = "read", localizations = [(locale = "fr", text = "lire")])),
        (name = "edit", title = (defaultText = "write", localizations = [(locale = "fr", text = "écrire")])),
        (name = "admin", title = (defaultText = "manage", localizations = [(locale = "fr", text = "gérer")])),
      ],
      roles = [
        (
          title = (defaultText = "manager", localizations = [(locale = "fr", text = "gestionnaire")]),
          verbPhrase = (defaultText = "can manage the wiki", localizations = [(locale = "fr", text = "peut gérer le wiki")]),
          permissions = [true, true, true],
        ),
        (
          title = (defaultText = "writer", localizations = [(locale = "fr", text = "auteur")]),
          verbPhrase = (defaultText = "can write", localizations = [(locale = "fr", text = "peut écrire")]),
          permissions = [true, true, false],
          default = true,
        ),
        (
          title = (defaultText = "reader", localizations = [(locale = "fr", text = "lecteur")]),
          verbPhrase = (defaultText = "can read", localizations = [(locale = "fr", text = "peut lire")]),
          permissions = [true, false, false],
        ),
      ],
    ),
  ),
);

const start :Spk.Manifest.Command = (
  argv = ["/sandstorm-http-bridge", "8000", "--", "/usr/bin/php8.2", "-c", "/etc/php.ini", "-q", "-S", "127.0.0.1:8000", "-t", "/usr/share/dokuwiki", "/usr/lib/sandstorm/router.php"],
  environ = [
    (key = "HOME", value = "/var"),
    (key = "LANG", value = "C.UTF-8"),
    (key = "PHP_CLI_SERVER_WORKERS", value = "4"),
    (key = "PHP_INI_SCAN_DIR", value = ""),
  ],
);
