package gateway

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// KeyPair names the files of a certificate chain and its key, both PEM.
type KeyPair struct{ Cert, Key string }

// recheck is how often changed files are looked for.
const recheck = 10 * time.Second

// Certificates are the server's certificates. They are read from files and read
// again when these change; a broken new file leaves the old certificate in use.
type Certificates struct {
	log   *slog.Logger
	now   func() time.Time
	mu    sync.Mutex
	pairs []*loadedPair
	next  time.Time // when to look at the files again
}

type loadedPair struct {
	files KeyPair
	stamp [2]fileStamp
	cert  *tls.Certificate
}

type fileStamp struct {
	modified time.Time
	size     int64
}

// LoadCertificates reads all pairs; log may be nil.
func LoadCertificates(pairs []KeyPair, log *slog.Logger) (*Certificates, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if len(pairs) == 0 {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "gateway.no-certificate", "HTTPS without a certificate")
	}
	c := &Certificates{log: log, now: time.Now}
	for _, files := range pairs {
		p := &loadedPair{files: files}
		if err := p.load(); err != nil {
			return nil, err
		}
		c.pairs = append(c.pairs, p)
	}
	c.next = c.now().Add(recheck)
	return c, nil
}

func (p *loadedPair) load() error {
	stamp := p.look()
	cert, err := tls.LoadX509KeyPair(p.files.Cert, p.files.Key)
	if err != nil {
		return sandstorm.Errorf(sandstorm.Invalid, "gateway.bad-certificate",
			"certificate %s with key %s: %w", p.files.Cert, p.files.Key, err).With("file", p.files.Cert)
	}
	p.cert, p.stamp = &cert, stamp
	return nil
}

func (p *loadedPair) look() (s [2]fileStamp) {
	for i, name := range []string{p.files.Cert, p.files.Key} {
		if info, err := os.Stat(name); err == nil {
			s[i] = fileStamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// refresh reads changed files again.
func (c *Certificates) refresh() {
	now := c.now()
	if now.Before(c.next) {
		return
	}
	c.next = now.Add(recheck)
	for _, p := range c.pairs {
		if p.look() == p.stamp {
			continue
		}
		if err := p.load(); err != nil {
			c.log.Error("cannot read the changed certificate; the old one stays in use", "err", err)
			continue
		}
		c.log.Info("certificate renewed", "file", p.files.Cert)
	}
}

// pick returns the first certificate that is good for the name, else the first.
func (c *Certificates) pick(name string) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refresh()
	for _, p := range c.pairs {
		if name != "" && p.cert.Leaf.VerifyHostname(name) == nil {
			return p.cert
		}
	}
	return c.pairs[0].cert
}

func (c *Certificates) config() *tls.Config {
	return &tls.Config{
		MinVersion: minTLS,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.pick(hello.ServerName), nil
		},
	}
}

// guard answers 421 where a browser reuses an HTTP/2 connection for a host that
// the connection's certificate does not name but another of ours may (RFC 9110
// §15.5.20), so that it opens a connection of its own.
func (c *Certificates) guard(next http.Handler) http.Handler {
	if len(c.pairs) < 2 {
		return next // any connection would present the same certificate
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, ok := splitHost(r.Host)
		if r.ProtoMajor >= 2 && ok && host != lower(r.TLS.ServerName) && c.pick(host) != c.pick(r.TLS.ServerName) {
			w.WriteHeader(http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
