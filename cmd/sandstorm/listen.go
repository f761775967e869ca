package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/config"
	"github.com/sandstorm-go/sandstorm/internal/gateway"
)

// listen opens all ports of the configuration, while the server still may.
func listen(ctx context.Context, cfg *config.Config, log *slog.Logger) ([]gateway.Listener, error) {
	var certs *gateway.Certificates
	if cfg.TLSCertFile != "" {
		var err error
		certs, err = gateway.LoadCertificates([]gateway.KeyPair{{Cert: cfg.TLSCertFile, Key: cfg.TLSKeyFile}}, log)
		if err != nil {
			return nil, err
		}
	}
	var out []gateway.Listener
	for i, port := range cfg.Ports {
		l, err := listenPort(ctx, netip.AddrPortFrom(cfg.BindIP, uint16(port)))
		if err != nil {
			closeAll(out)
			return nil, sandstorm.Errorf(sandstorm.Unavailable, "gateway.listen", "port %d: %w", port, err)
		}
		entry := gateway.Listener{Listener: l, Alternate: i > 0}
		if port == cfg.HTTPSPort {
			entry.TLS = certs
		}
		out = append(out, entry)
	}
	return out, nil
}

// listenPort waits a moment for a server that was just killed to let go of the
// port.
func listenPort(ctx context.Context, addr netip.AddrPort) (net.Listener, error) {
	var lc net.ListenConfig
	for deadline := time.Now().Add(2 * time.Second); ; {
		l, err := lc.Listen(ctx, "tcp", addr.String())
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func closeAll(listeners []gateway.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

// listenUnix opens a socket for those whom mode lets write. What an earlier
// server left is replaced.
func listenUnix(path string, mode os.FileMode) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	// Nobody else may connect in the moment before the mode is set.
	defer syscall.Umask(syscall.Umask(0o177))
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, mode); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}
