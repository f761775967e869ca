package gateway

import (
	"net/netip"
	"strings"
)

// maxHostName is DNS's limit; longer ones are not looked at.
const maxHostName = 253

// splitHost takes host and port apart, without DNS and without a guess: the
// host comes back in lower case without its trailing dot and without brackets.
func splitHost(hostport string) (host, port string, ok bool) {
	if hostport == "" || len(hostport) > maxHostName+7 {
		return "", "", false
	}
	host = hostport
	if hostport[0] == '[' {
		end := strings.IndexByte(hostport, ']')
		if end < 0 {
			return "", "", false
		}
		host, port = hostport[:end+1], hostport[end+1:]
	} else if i := strings.IndexByte(hostport, ':'); i >= 0 {
		host, port = hostport[:i], hostport[i:]
	}
	if port != "" {
		if port = port[1:]; !isPort(port) || hostport[len(host)] != ':' {
			return "", "", false
		}
	}
	host = strings.TrimSuffix(lower(host), ".")
	return host, port, host != ""
}

func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}

func isPort(s string) bool {
	if s == "" || len(s) > 5 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isLabel reports whether s is one part of a host name that we give out.
func isLabel(s string) bool {
	if s == "" || len(s) > 63 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return true
}

func isHostName(s string) bool {
	if len(s) > maxHostName {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

func isAddressLiteral(s string) bool {
	_, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return err == nil
}
