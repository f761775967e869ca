@0xd33c68f8f2d3a9b1;

using Spk = import "/sandstorm/package.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = "5he54qj290144ewwz7trcuy6yu2d4tzvhya0zv34pw0uuetv439h",

  manifest = (
    appTitle = (defaultText = "Git"),
    appVersion = 1,
    appMarketingVersion = (defaultText = "2.39.5"),
    actions = [(
      title = (defaultText = "New repository", localizations = [(locale = "fr", text = "Nouveau dépôt")]),
      nounPhrase = (defaultText = "repository", localizations = [(locale = "fr", text = "dépôt")]),
      description = (
        defaultText = "One Git repository, to clone, push and browse",
        localizations = [(locale = "fr", text = "Un dépôt Git, à cloner, remplir et parcourir")]),
      command = .start,
    )],
    continueCommand = .start,
    metadata = (
      icons = (appGrid = (svg = embed "static/icon.svg")),
      website = "https://git-scm.com",
      codeUrl = "https://github.com/git/git",
      license = (
        openSource = gpl2,
        notices = (defaultText = "git and cgit are under the GNU General Public License, version 2. The copyright files of all parts are in the package, below /usr/share/doc.")),
      categories = [developerTools],
      author = (upstreamAuthor = "Linus Torvalds, Junio C Hamano and contributors; cgit: Lars Hjemli, Jason A. Donenfeld and contributors"),
      shortDescription = (defaultText = "A Git repository", localizations = [(locale = "fr", text = "Un dépôt Git")]),
      description = (
        defaultText = "Each grain is one Git repository. Clone it, fetch from it and push to it with the git on your computer; read its commits, files, differences and branches in the page. Who may only read can clone but not push. The list of pushes says who changed which branch.",
        localizations = [(locale = "fr", text = "Chaque grain est un dépôt Git. Clonez-le, mettez-le à jour et envoyez-y vos commits avec le git de votre ordinateur ; lisez commits, fichiers, différences et branches dans la page. Qui ne peut que lire peut cloner, mais pas envoyer. La liste des envois dit qui a changé quelle branche.")]),
    ),
  ),

  sourceMap = (searchPath = [(packagePath = "", sourcePath = "../../build/stage/git")]),
  alwaysInclude = ["."],

  bridgeConfig = (
    apiPath = "/",
    viewInfo = (
      permissions = [
        (name = "read", title = (defaultText = "read and clone", localizations = [(locale = "fr", text = "lire et cloner")])),
        (name = "write", title = (defaultText = "push", localizations = [(locale = "fr", text = "envoyer")])),
      ],
      roles = [
        (
          title = (defaultText = "committer", localizations = [(locale = "fr", text = "contributeur")]),
          verbPhrase = (defaultText = "can push", localizations = [(locale = "fr", text = "peut envoyer des commits")]),
          permissions = [true, true],
          default = true,
        ),
        (
          title = (defaultText = "reader", localizations = [(locale = "fr", text = "lecteur")]),
          verbPhrase = (defaultText = "can read and clone", localizations = [(locale = "fr", text = "peut lire et cloner")]),
          permissions = [true, false],
        ),
      ],
    ),
  ),
);

const start :Spk.Manifest.Command = (
  argv = ["/sandstorm-http-bridge", "8000", "--", "/usr/lib/sandstorm/git-grain"],
  environ = [
    (key = "HOME", value = "/tmp"),
    (key = "LANG", value = "C.UTF-8"),
    (key = "PATH", value = "/usr/bin"),
    (key = "GIT_CONFIG_GLOBAL", value = "/dev/null"),
  ],
);
