@0xdf9bc20172856a3a;
# Packages: what an app's author writes down about it, and the file format.

using Util = import "util.capnp";
using Powerbox = import "powerbox.capnp";
using Grain = import "grain.capnp";
using ApiSession = import "api-session.capnp".ApiSession;

struct PackageDefinition @0x9f149fa71489be0b {
  # How to make a package: the constant in `sandstorm-pkgdef.capnp`.

  id @0 :Text;
  # The app id.

  manifest @1 :Manifest;
  sourceMap @2 :SourceMap;
  fileList @3 :Text;
  # Name of a file that lists what to pack.

  alwaysInclude @4 :List(Text);
  # Packed besides, with everything below.

  bridgeConfig @5 :BridgeConfig;
}

struct Manifest @0x855f296a69e6e1ca {
  # Lies in the package as `sandstorm-manifest`, a framed message.

  const sizeLimitInWords @0xd9bd68bd9dba918f :UInt64 = 1048576;

  minApiVersion @0 :UInt32;
  maxApiVersion @1 :UInt32;
  # Only version 0 exists.

  appVersion @4 :UInt32;
  # Orders the versions of an app; people see `appMarketingVersion`.

  minUpgradableAppVersion @5 :UInt32;
  # Grains of older versions cannot be upgraded to this one.

  appTitle @7 :Util.LocalizedText;
  appMarketingVersion @6 :Util.LocalizedText;

  actions @2 :List(Action);
  # Ways to make a new grain. Known by position.

  continueCommand @3 :Command;
  # What runs when a grain starts again.

  metadata @8 :Metadata;

  struct Command @0xc64951b2a02886cf {
    # Executed without a shell.

    argv @1 :List(Text);
    environ @2 :List(Util.KeyValue);
    # The whole environment.

    deprecatedExecutablePath @0 :Text;
    # If set, stands before `argv`.
  }

  struct Action @0xe5c59b9296375a00 {
    input :union {
      none @0 :Void;
      capability @1 :List(Powerbox.PowerboxDescriptor);
      # Not a way to make a grain from nothing; never used.
    }

    command @2 :Command;
    title @3 :Util.LocalizedText;
    nounPhrase @5 :Util.LocalizedText;
    # What the action makes, for example "notepad".

    description @4 :Util.LocalizedText;
  }
}

struct SourceMap @0xe3d7ba482b2e470b {
  # Where the packed files come from: the first mapping that has one wins.

  searchPath @0 :List(Mapping);

  struct Mapping @0x87dcf1b1edcb3eaf {
    packagePath @0 :Text;
    # Where in the package, without a leading "/"; empty is the root.

    sourcePath @1 :Text;
    hidePaths @2 :List(Text);
    # Below `sourcePath`; hidden with everything below.
  }
}

struct BridgeConfig @0xdd8c82383168c096 {
  # Lies in the package as `sandstorm-http-bridge-config`, a framed message.

  viewInfo @0 :Grain.UiView.ViewInfo;
  apiPath @1 :Text;
  # Prefix of the paths of API requests.

  saveIdentityCaps @2 :Bool;
  expectAppHooks @4 :Bool;
  powerboxApis @3 :List(PowerboxApi);

  struct PowerboxApi @0xc9702c7dbfc6d7e4 {
    # An HTTP API that the app offers to others.

    name @0 :Text;
    displayInfo @1 :Powerbox.PowerboxDisplayInfo;
    path @2 :Text;
    tag @3 :ApiSession.PowerboxTag;
    permissions @4 :List(Bool);
  }
}

struct Metadata @0xe0c5892a5448f4ee {
  # For people, and for the market.

  struct Icon @0xe492a2981208ad0b {
    union {
      unknown @0 :Void;
      svg @1 :Text;
      png :group {
        dpi1x @2 :Data;
        dpi2x @3 :Data;
      }
    }
  }

  struct Screenshot @0x8bc9f4365959348e {
    width @0 :UInt32;
    height @1 :UInt32;
    # As it is to be shown; the picture may be denser.

    union {
      unknown @2 :Void;
      png @3 :Data;
      jpeg @4 :Data;
    }
  }

  icons :group {
    appGrid @0 :Icon;    # 128 pixels square
    grain @1 :Icon;      # 24
    market @2 :Icon;     # 150
    marketBig @18 :Icon; # 300
  }

  website @3 :Text;
  codeUrl @4 :Text;

  license :group {
    union {
      none @5 :Void;
      openSource @6 :OpenSourceLicense;
      proprietary @7 :Util.LocalizedText;
      publicDomain @8 :Util.LocalizedText;
    }
    notices @9 :Util.LocalizedText;
  }

  categories @10 :List(Category);

  author :group {
    upstreamAuthor @19 :Text;
    contactEmail @11 :Text;
    pgpSignature @12 :Data;
  }

  pgpKeyring @13 :Data;
  description @14 :Util.LocalizedText;
  shortDescription @15 :Util.LocalizedText;
  screenshots @16 :List(Screenshot);
  changeLog @17 :Util.LocalizedText;
}

struct OsiLicenseInfo @0xb755d258845a4a8f {
  id @0 :Text;
  title @1 :Text;
  requireSource @2 :Bool;
  # The licence obliges the author to offer the source.
}

annotation osiInfo @0x9476412d0315d869 (enumerant) :OsiLicenseInfo;

enum OpenSourceLicense @0xd86e43f42c8b0f74 {
  invalid @0;
  mit @1 $osiInfo(id = "MIT", title = "MIT License");
  apache2 @2 $osiInfo(id = "Apache-2.0", title = "Apache License 2.0");
  gpl3 @3 $osiInfo(id = "GPL-3.0", title = "GNU GPL 3", requireSource = true);
  agpl3 @4 $osiInfo(id = "AGPL-3.0", title = "GNU Affero GPL 3", requireSource = true);
  bsd3Clause @5 $osiInfo(id = "BSD-3-Clause", title = "BSD 3-Clause");
  bsd2Clause @6 $osiInfo(id = "BSD-2-Clause", title = "BSD 2-Clause");
  gpl2 @7 $osiInfo(id = "GPL-2.0", title = "GNU GPL 2", requireSource = true);
  lgpl2 @8 $osiInfo(id = "LGPL-2.1", title = "GNU LGPL 2.1", requireSource = true);
  lgpl3 @9 $osiInfo(id = "LGPL-3.0", title = "GNU LGPL 3", requireSource = true);
  isc @10 $osiInfo(id = "ISC", title = "ISC License");
  artistic2 @11 $osiInfo(id = "Artistic-2.0", title = "Artistic License 2.0");
  python2 @12 $osiInfo(id = "Python-2.0", title = "Python License 2.0");
  php3 @13 $osiInfo(id = "PHP-3.0", title = "PHP License 3.0");
  mpl2 @14 $osiInfo(id = "MPL-2.0", title = "Mozilla Public License 2.0", requireSource = true);
  cddl @15 $osiInfo(id = "CDDL-1.0", title = "CDDL 1.0", requireSource = true);
  epl @16 $osiInfo(id = "EPL-1.0", title = "Eclipse Public License 1.0", requireSource = true);
  cpal @17 $osiInfo(id = "CPAL-1.0", title = "CPAL 1.0", requireSource = true);
  zlib @18 $osiInfo(id = "Zlib", title = "zlib License");
}

struct CategoryInfo @0xb9d2951d34ca391c {
  title @0 :Text;
}

annotation categoryInfo @0x8d51dd236606d205 (enumerant) :CategoryInfo;

enum Category @0x938e7e53b106e1c0 {
  other @0 $categoryInfo(title = "Other");
  productivity @1 $categoryInfo(title = "Productivity");
  communications @2 $categoryInfo(title = "Communications");
  social @3 $categoryInfo(title = "Social");
  webPublishing @4 $categoryInfo(title = "Web Publishing");
  office @5 $categoryInfo(title = "Office");
  developerTools @6 $categoryInfo(title = "DevTools");
  science @7 $categoryInfo(title = "Science");
  media @8 $categoryInfo(title = "Media");
  games @9 $categoryInfo(title = "Games");
  graphics @10 $categoryInfo(title = "Graphics");
}

struct AppId @0x880c6c7782a33310 {
  # 32 bytes: the public key, after replacements.

  id0 @0 :UInt64;
  id1 @1 :UInt64;
  id2 @2 :UInt64;
  id3 @3 :UInt64;
}

struct PackageId @0xe2e344d346ffda6b {
  # 16 bytes: the first half of the SHA-256 of the package file.

  id0 @0 :UInt64;
  id1 @1 :UInt64;
}

struct VerifiedInfo @0x987ef3040a0342a9 {
  # What a tool says of a package that it verified.

  appId @0 :AppId;
  packageId @1 :PackageId;
  title @2 :Util.LocalizedText;
  version @3 :UInt32;
  marketingVersion @4 :Util.LocalizedText;
  authorPgpKeyFingerprint @5 :Text;
  metadata @6 :Metadata;
}

struct KeyFile @0xe47ce2b3aab90f74 {
  # One key of a keyring.

  publicKey @0 :Data;
  privateKey @1 :Data;
  # The 32-byte seed, then the public key.
}

const magicNumber @0x82bdd60d2cf486c9 :Data = 0x"8fc6cdef451aea96";
# A package file is this, then xz data of a message Signature directly followed
# by a message Archive.

struct Signature @0xeca8b9277cb36488 {
  publicKey @0 :Data;
  # Ed25519, 32 bytes.

  signature @1 :Data;
  # 64 bytes of signature, then the 64 bytes that were signed: the SHA-512 of
  # all that follows this message.
}

struct Archive @0xf153ba7dee1c9118 {
  files @0 :List(File);

  struct File @0xd92313d72a1ab4d0 {
    name @0 :Text;

    union {
      regular @1 :Data;
      executable @2 :Data;
      symlink @3 :Text;
      directory @4 :List(File);
    }

    lastModificationTimeNs @5 :Int64;
  }
}
