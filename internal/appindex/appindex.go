// Package appindex submits packages to an app index: a service that reviews
// packages and lists them for an app market (packages.md §12). An index is named
// by a webkey, and there is no default one.
//
// The index is somebody else's server: its replies are bounded, it cannot send
// the token elsewhere, and what it says is cleaned before people see it.
package appindex

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/blake2b"
)

// Webkey is the address of an index and the right to submit to it.
type Webkey struct {
	url string // without a slash at the end
	// A function, as fmt prints a field of a struct without asking its type.
	token func() string
}

// ParseWebkey reads "https://host/path#TOKEN". Plain http is accepted, for an
// index in one's own network: see Plain.
func ParseWebkey(s string) (Webkey, error) {
	address, token, ok := strings.Cut(s, "#")
	switch {
	case !ok || token == "":
		return Webkey{}, fmt.Errorf("the webkey has no token: it looks like https://index.example.com#TOKEN")
	case len(s) > 2000 || !isToken(token):
		return Webkey{}, fmt.Errorf("the webkey's token, the part behind #, has characters that no token has")
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery {
		// Not %w: it would repeat what may be a password.
		return Webkey{}, fmt.Errorf("the webkey's address, the part before #, is not like https://index.example.com")
	}
	return Webkey{strings.TrimRight(address, "/"), func() string { return token }}, nil
}

// isToken follows RFC 6750 §2.1, so that a token cannot break a header.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune("-._~+/=", rune(c)) {
			return false
		}
	}
	return true
}

// URL is the index's address, without the token.
func (k Webkey) URL() string { return k.url }

// Plain tells that the token would cross the network unencrypted.
func (k Webkey) Plain() bool { return strings.HasPrefix(k.url, "http://") }

// String is the address: the token is a secret.
func (k Webkey) String() string { return k.url }

// hash ties a request to this index (appIndexWebkeyHash).
func (k Webkey) hash() []byte {
	h, err := blake2b.New(16, nil)
	if err != nil {
		panic(err) // only for a wrong length
	}
	h.Write([]byte(k.url + "#" + k.token()))
	return h.Sum(nil)
}

// Client talks to one index. It needs a Webkey of ParseWebkey; the rest may be
// zero.
type Client struct {
	Webkey Webkey
	// Progress, if set, is called during Upload with the number of bytes that
	// were sent.
	Progress func(sent int64)
	// Stall is for how long an upload may make no progress and a request may go
	// unanswered; zero means two minutes.
	Stall time.Duration

	transport http.RoundTripper // for tests
}

func (c *Client) stall() time.Duration {
	if c.Stall > 0 {
		return c.Stall
	}
	return 2 * time.Minute
}
