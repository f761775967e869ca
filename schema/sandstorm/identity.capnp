@0xc822108a5c3d7d25;
# The people that an app sees.

using Util = import "util.capnp";

interface Identity @0xc084987aa951dd18 {
  # A person, as a capability.

  struct PowerboxTag @0xf35052cfb1d3bbe8 {
    permissions @0 :List(Bool);
    # What the person must be allowed to do in the asking grain.
  }

  getProfile @0 () -> (profile :Profile);
}

struct Profile @0xd3d0c34d7201fcef {
  # What a person shows of themself.

  displayName @0 :Util.LocalizedText;
  preferredHandle @1 :Text;
  # A short name out of a-z, 0-9 and "_", not unique.

  picture @2 :Util.StaticAsset;
  pronouns @3 :Pronouns;

  enum Pronouns @0x84752dcf8539ab01 {
    neutral @0;
    male @1;
    female @2;
    robot @3;
  }
}

struct UserInfo @0x94b9d1efb35d11d3 {
  # Who opened a session, and what they may do there.

  displayName @0 :Util.LocalizedText;
  deprecatedPermissionsBlob @1 :Data;
  # Bit i (byte i/8, lowest bit first) is permission i. Still filled for old apps.

  identityId @2 :Data;
  # 32 bytes that stay the same for this person in this grain; null if anonymous.

  permissions @3 :List(Bool);
  preferredHandle @4 :Text;
  pronouns @5 :Profile.Pronouns;
  pictureUrl @6 :Text;
  identity @7 :Identity;
}
