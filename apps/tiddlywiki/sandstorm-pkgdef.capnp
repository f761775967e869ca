@0xf9ad9e6963f4f438;

using Spk = import "/sandstorm/package.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = "me3899f93m5ncz2h8sm9tuye870356sd6s83davksm659cxyzjy0",

  manifest = (
    appTitle = (defaultText = "TiddlyWiki", localizations = [(locale = "fr", text = "TiddlyWiki")]),
    appVersion = 1,
    appMarketingVersion = (defaultText = "5.4.1"),

    actions = [
      (
        title = (defaultText = "New wiki", localizations = [(locale = "fr", text = "Nouveau wiki")]),
        nounPhrase = (defaultText = "wiki", localizations = [(locale = "fr", text = "wiki")]),
        description = (defaultText = "A notebook of small linked pieces", localizations = [(locale = "fr", text = "Un carnet de petits textes liés entre eux")]),
        command = .start,
      ),
    ],
    continueCommand = .start,

    metadata = (
      icons = (
        appGrid = (svg = embed "icon.svg"),
      ),
      website = "https://tiddlywiki.com",
      codeUrl = "https://github.com/TiddlyWiki/TiddlyWiki5",
      license = (openSource = bsd3Clause),
      categories = [productivity],
      author = (upstreamAuthor = "Jeremy Ruston and contributors"),
      shortDescription = (defaultText = "A non-linear notebook", localizations = [(locale = "fr", text = "Un carnet non linéaire")]),
      description = (
        defaultText = "TiddlyWiki keeps what you know in small pieces, called tiddlers, that link to each other, carry tags and can be arranged in any way. This package runs its own server, so that several people can use one wiki; each sees the others’ changes after a moment.",
        localizations = [(locale = "fr", text = "TiddlyWiki garde ce que vous savez en petits textes, les tiddlers, qui se lient, portent des étiquettes et s’arrangent à volonté. Ce paquet fait tourner son propre serveur : plusieurs personnes peuvent partager un wiki, et chacune voit bientôt les changements des autres.")],
      ),
    ),
  ),

  # build.sh fills this directory; all of it is packed.
  sourceMap = (searchPath = [(sourcePath = "../../build/stage/tiddlywiki")]),
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
  argv = ["/sandstorm-http-bridge", "8000", "--", "/usr/bin/node", "/usr/lib/sandstorm/start.js"],
  environ = [
    (key = "HOME", value = "/var"),
    (key = "LANG", value = "C.UTF-8"),
    (key = "NODE_ENV", value = "production"),
    (key = "TIDDLYWIKI_PLUGIN_PATH", value = "/usr/lib/sandstorm"),
  ],
);
