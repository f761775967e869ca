@0xf44732d435305f86;
# Networks as capabilities.

using Util = import "util.capnp";

interface IpNetwork @0xa982576b7a2a2040 {
  # Permission to connect to hosts of a network.

  struct PowerboxTag @0xcf9e3f33950df819 {
    encryption @0 :Encryption;

    struct Encryption @0xe2d94cf90fe4078d {
      union {
        none @0 :Void;
        tls @1 :Void;
      }
    }
  }

  getRemoteHost @0 (address :IpAddress) -> (host :IpRemoteHost);
  getRemoteHostByName @1 (address :Text) -> (host :IpRemoteHost);
}

struct IpAddress @0xeeb98f9937d32c0b {
  # An IPv6 address; IPv4 addresses are mapped (::ffff:a.b.c.d).

  lower64 @0 :UInt64;
  upper64 @1 :UInt64;
}

interface IpInterface @0xe32c506ee93ed6fa {
  # Permission to listen.

  listenTcp @0 (portNum :UInt16, port :TcpPort) -> (handle :Util.Handle);
  listenUdp @1 (portNum :UInt16, port :UdpPort) -> (handle :Util.Handle);
}

interface IpRemoteHost @0x905dd76b298b3130 {
  getTcpPort @0 (portNum :UInt16) -> (port :TcpPort);
  getUdpPort @1 (portNum :UInt16) -> (port :UdpPort);
}

interface TcpPort @0xeab20e1af07806b4 {
  connect @0 (downstream :Util.ByteStream) -> (upstream :Util.ByteStream);
}

interface UdpPort @0xc6212e1217d001ce {
  send @0 (message :Data, returnPort :UdpPort);
}
