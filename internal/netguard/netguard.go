// Package netguard is the only way to addresses that people choose. It keeps
// them out of the server's own network (CVE-2017-6201): a name is resolved, an
// allowed address is picked, and exactly that address is connected to, so that
// a second answer of the name server cannot change the target. Redirects go
// through the same door.
package netguard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

const (
	resolveTimeout = 10 * time.Second
	connectTimeout = 10 * time.Second
	// maxAddresses bounds how many addresses of one name are tried.
	maxAddresses = 8
)

// Options make exceptions to the rule.
type Options struct {
	// Allow are private networks that may be reached all the same. It cannot
	// open what is never a server: multicast, documentation, translation.
	Allow []netip.Prefix
	// Resolve looks a name up; nil asks the system.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Guard decides which addresses may be reached, and connects to them.
type Guard struct{ o Options }

// New makes a Guard.
func New(o Options) *Guard {
	o.Allow = slices.Clone(o.Allow)
	if o.Resolve == nil {
		o.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	return &Guard{o: o}
}

// Allowed reports whether the address may be reached. An IPv4 address inside an
// IPv6 one is judged as what it is.
func (g *Guard) Allowed(ip netip.Addr) bool {
	// A zone names an interface of this machine.
	if !ip.IsValid() || ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	if inside(ip, never) {
		return false
	}
	return !inside(ip, private) || inside(ip, g.o.Allow)
}

func inside(ip netip.Addr, nets []netip.Prefix) bool {
	return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(ip) })
}

// DialContext connects to host:port. It is Denied if the host has no allowed
// address, Unavailable if it has none at all or none answers.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "net.bad-address", "connect: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 || network != "tcp" {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "net.bad-address", "connect to %.200q over %s: not a TCP port", address, network)
	}
	ips, err := g.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, ip := range ips {
		conn, err := g.dial(ctx, netip.AddrPortFrom(ip, uint16(port)))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, sandstorm.Errorf(sandstorm.Unavailable, "net.unreachable", "connect to %.200q: %w", address, errors.Join(errs...)).With("host", host)
}

// lookup returns the allowed addresses of a host, at least one.
func (g *Guard) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	ips := make([]netip.Addr, 1)
	var err error
	if ips[0], err = netip.ParseAddr(host); err != nil {
		ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
		defer cancel()
		if ips, err = g.o.Resolve(ctx, host); err != nil || len(ips) == 0 {
			return nil, sandstorm.Errorf(sandstorm.Unavailable, "net.no-such-host", "look up %.200q: %w", host, err).With("host", host)
		}
	}
	found := len(ips)
	ips = slices.DeleteFunc(slices.Clone(ips), func(ip netip.Addr) bool { return !g.Allowed(ip) })
	if len(ips) == 0 {
		return nil, sandstorm.Errorf(sandstorm.Denied, "net.blocked", "none of the %d addresses of %.200q may be reached", found, host).With("host", host)
	}
	return ips[:min(len(ips), maxAddresses)], nil
}

func (g *Guard) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{
		Timeout: connectTimeout,
		// The last look, at the address that the socket really gets.
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !g.Allowed(at.Addr()) {
				return sandstorm.Errorf(sandstorm.Denied, "net.blocked", "%s may not be reached", address)
			}
			return nil
		},
	}
	return d.DialContext(ctx, "tcp", to.String())
}

// DialTrusted connects to an address that the administrator chose, such as the
// mail server, which often stands in the same private network. It is here so
// that all connections to the outside are made in one package.
func DialTrusted(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: connectTimeout}
	return d.DialContext(ctx, network, address)
}
