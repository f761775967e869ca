package gateway

import (
	"net/http"
	"net/netip"
	"strings"
)

// ClientAddr is the address of the client of r. X-Real-IP is believed only from
// front proxies, which are on this machine or in a private network (gateway.md
// §1). The zero Addr means unknown.
func ClientAddr(r *http.Request) netip.Addr {
	peer := netip.AddrPort{}
	if p, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		peer = p
	}
	addr := peer.Addr().Unmap().WithZone("")
	if trusted(addr) {
		if v := r.Header["X-Real-Ip"]; len(v) == 1 {
			if real, err := netip.ParseAddr(strings.TrimSpace(v[0])); err == nil {
				return real.Unmap().WithZone("")
			}
		}
	}
	return addr
}

// trusted reports whether a peer may speak for others. A Unix socket has no
// address.
func trusted(a netip.Addr) bool {
	return !a.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}

// setClientAddr leaves the shell with a single X-Real-IP that is right.
func setClientAddr(r *http.Request) {
	if addr := ClientAddr(r); addr.IsValid() {
		r.Header["X-Real-Ip"] = []string{addr.String()}
	} else {
		delete(r.Header, "X-Real-Ip")
	}
}
