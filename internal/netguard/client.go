package netguard

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

const (
	headerTimeout = 30 * time.Second
	// idleTimeout is how long a server may say nothing in the middle of an
	// answer.
	idleTimeout = time.Minute
	// totalTimeout bounds a whole download, however slowly it drips.
	totalTimeout = 2 * time.Hour
	maxRedirects = 5
	maxHeader    = 64 << 10
)

// Client fetches over HTTP and HTTPS from addresses that people choose. It
// follows up to five redirects, none of them from https to http; sends no
// cookies and no referrer; does not unpack compressed answers. The body's size
// is for the caller to bound, see LimitBody.
func (g *Guard) Client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := g.DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return &idleConn{Conn: conn}, nil
			},
			Proxy:                  nil, // one from the environment would be a way around
			TLSHandshakeTimeout:    connectTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			ExpectContinueTimeout:  time.Second,
			MaxResponseHeaderBytes: maxHeader,
			DisableCompression:     true,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        10 * time.Second,
		},
		CheckRedirect: checkRedirect,
		Timeout:       totalTimeout,
	}
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	from := via[len(via)-1].URL
	switch {
	case len(via) > maxRedirects:
		return sandstorm.Errorf(sandstorm.Invalid, "net.redirects", "more than %d redirects", maxRedirects)
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return sandstorm.Errorf(sandstorm.Denied, "net.redirects", "redirect to scheme %.20q", req.URL.Scheme)
	case from.Scheme == "https" && req.URL.Scheme != "https":
		return sandstorm.Errorf(sandstorm.Denied, "net.redirects", "redirect from https to http")
	}
	// The address that people typed may hold a secret.
	req.Header.Del("Referer")
	return nil
}

// idleConn fails a read or write that makes no progress for idleTimeout.
type idleConn struct{ net.Conn }

func (c *idleConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c *idleConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(idleTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// LimitBody reads at most limit bytes of r; a longer one ends in a TooLarge
// error instead of being cut off silently.
func LimitBody(r io.Reader, limit int64) io.Reader {
	return &limitBody{r: r, left: limit, limit: limit}
}

type limitBody struct {
	r           io.Reader
	left, limit int64
}

func (l *limitBody) Read(b []byte) (int, error) {
	if l.left < 0 {
		return 0, l.tooLarge()
	}
	// One byte more than is left tells an end from a cut.
	if int64(len(b)) > l.left+1 {
		b = b[:l.left+1]
	}
	n, err := l.r.Read(b)
	if l.left -= int64(n); l.left < 0 {
		return n - 1, l.tooLarge()
	}
	return n, err
}

func (l *limitBody) tooLarge() error {
	return sandstorm.Errorf(sandstorm.TooLarge, "net.too-large", "the answer has more than %d bytes", l.limit)
}
