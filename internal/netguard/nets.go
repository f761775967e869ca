package netguard

import "net/netip"

// private are networks that may be the server's own (shell.md §8). They can be
// allowed one by one.
var private = prefixes(
	"10.0.0.0/8",
	"127.0.0.0/8",
	"169.254.0.0/16", // link-local; cloud providers keep credentials at 169.254.169.254
	"172.16.0.0/12",
	"192.168.0.0/16",
	"::1/128",
	"fc00::/7",
	"fe80::/10",
)

// never are addresses that no public server has (shell.md §8, and the IANA
// special-purpose registries for those that came later). Some of them are
// translated into private ones on the way.
var never = prefixes(
	"0.0.0.0/8", // reaches this machine
	"100.64.0.0/10",
	"192.0.0.0/24",
	"192.0.2.0/24",
	"192.88.99.0/24",
	"198.18.0.0/15",
	"198.51.100.0/24",
	"203.0.113.0/24",
	"224.0.0.0/4",
	"240.0.0.0/4", // and 255.255.255.255
	"::/128",
	"64:ff9b::/96", // an IPv4 address behind a translator
	"64:ff9b:1::/48",
	"::ffff:0:0/96", // only if it was not unmapped
	"::ffff:0:0:0/96",
	"100::/64",
	"2001::/23", // Teredo too, which carries an IPv4 address
	"2001:db8::/32",
	"2002::/16", // 6to4, the same
	"3fff::/20",
	"5f00::/16",
	"fec0::/10",
	"ff00::/8",
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}
