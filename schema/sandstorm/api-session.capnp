@0xeb014c0c3413cbfb;
# HTTP for programs instead of browsers.

using Ip = import "ip.capnp";
using WebSession = import "web-session.capnp".WebSession;

interface ApiSession @0xc879e379c625cdc7 extends(WebSession) {
  struct Params @0xfee82d8d4c4ff597 {
    # `sessionParams` of a new session of this type.

    remoteAddress @0 :Ip.IpAddress;
    # Set only if the client asked for its address to be passed on.
  }

  struct PowerboxTag @0x93e1f7ca567dee32 {
    # Which API a session speaks.

    canonicalUrl @0 :Text;
    oauthScopes @1 :List(OAuthScope);
    authentication @2 :Text;

    struct OAuthScope @0xbb95f31093b1fd88 {
      name @0 :Text;
    }
  }
}
