@0xb7c3d0e1f2a6a88a;
# A package definition with most of what such definitions use.

using Spk = import "/sandstorm/package.capnp";
using Util = import "/sandstorm/util.capnp";
using Powerbox = import "/sandstorm/powerbox.capnp";
using Grain = import "/sandstorm/grain.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = "0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0",
  manifest = (
    appTitle = (defaultText = "Rowing log"),
    appVersion = 12,
    appMarketingVersion = (defaultText = "1.2.0-beta"),
    minUpgradableAppVersion = 3,
    actions = [
      (
        title = .newLog,
        nounPhrase = (defaultText = "log"),
        description = (defaultText = "A log of one boat."),
        command = .startCommand
      ),
      ( title = (defaultText = "New empty log"), command = (argv = ["/bin/rowing", "--empty"]), input = (none = void) ),
    ],
    continueCommand = .continueCommand,
    metadata = (
      icons = (
        appGrid = (svg = embed "files/note.txt"),
        grain = (png = (dpi1x = embed "files/bytes.bin", dpi2x = embed "files/bytes.bin")),
        market = (svg = embed "files/note.txt"),
        marketBig = (unknown = void),
      ),
      website = "https://example.com/",
      codeUrl = "https://example.com/code",
      license = (openSource = agpl3, notices = (defaultText = embed "files/note.txt")),
      categories = [productivity, other, webPublishing],
      author = (upstreamAuthor = "A. Rower", contactEmail = "rower@example.com", pgpSignature = embed "files/bytes.bin"),
      pgpKeyring = embed "files/bytes.bin",
      description = (defaultText = embed "files/note.txt"),
      shortDescription = (defaultText = "Rowing log"),
      screenshots = [(width = 448, height = 279, png = embed "files/bytes.bin"), (width = 1, height = 2, jpeg = 0x"ffd8")],
      changeLog = (defaultText = embed "files/note.txt", localizations = [(locale = "de", text = "Neu")]),
    ),
  ),
  sourceMap = (
    searchPath = [
      (sourcePath = ".meteor-spk/deps"),
      (sourcePath = "/", hidePaths = ["home", "proc", "sys", "etc/passwd"]),
      (packagePath = "server/index.html", sourcePath = "dist/index.html"),
    ]
  ),
  fileList = "sandstorm-files.list",
  alwaysInclude = ["opt/app", "."],
  bridgeConfig = (
    viewInfo = (
      permissions = [
        (name = "edit", title = (defaultText = "edit"), description = (defaultText = "may write")),
        (name = "read", title = (defaultText = "read"), obsolete = true),
      ],
      roles = [
        (title = (defaultText = "rower"), permissions = [true, false], verbPhrase = (defaultText = "can row"), default = true),
        (title = (defaultText = "guest"), permissions = [false, true], verbPhrase = (defaultText = "can look")),
      ],
      deniedPermissions = [false, true],
      matchRequests = [(tags = [(id = 0xdeadbeefdeadbeef, value = .tag)], quality = preferred), (tags = [])],
      appTitle = (defaultText = "Rowing log"),
      eventTypes = [(name = "row", requiredPermission = (permissionIndex = 1), verbPhrase = (defaultText = "rowed"))],
    ),
    apiPath = "/api",
    saveIdentityCaps = true,
    powerboxApis = [(name = "boats", path = "/boats", displayInfo = (title = (defaultText = "Boats")), tag = (canonicalUrl = "https://example.com/boats"), permissions = [true])],
  ),
);

const newLog :Util.LocalizedText = (defaultText = "New log", localizations = [(locale = "fi", text = "Uusi loki")]);
const tag :Util.KeyValue = (key = "k", value = "v");

const environ :List(Util.KeyValue) = [
  (key = "PATH", value = "/usr/local/bin:/usr/bin:/bin"),
  (key = "SANDSTORM", value = "1"),
];

const startCommand :Spk.Manifest.Command = (
  argv = ["/sandstorm-http-bridge", "8000", "--", "/bin/bash", "/opt/app/.sandstorm/launcher.sh"],
  environ = .environ
);
const continueCommand :Spk.Manifest.Command = (
  deprecatedExecutablePath = "/bin/true",
  argv = ["/sandstorm-http-bridge", "8000", "--", "/bin/bash"],
  environ = .environ
);
