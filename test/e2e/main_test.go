package e2e

import (
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/sandstorm-go/sandstorm/test/browsertest"
	"github.com/sandstorm-go/sandstorm/test/harness"
)

// authority vouches for the certificates of servers that tests start; the
// browser of the tests trusts it.
var authority = sync.OnceValue(newAuthority)

var chromium struct {
	sync.Mutex
	*browsertest.Browser
	stop func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	os.Exit(code)
}

// browser is one Chromium for all tests; each page has cookies of its own.
func browser(t *testing.T) *browsertest.Browser {
	t.Helper()
	chromium.Lock()
	defer chromium.Unlock()
	if chromium.Browser == nil {
		var err error
		chromium.Browser, chromium.stop, err = browsertest.Launch(browsertest.Options{
			Trusted: []*x509.Certificate{authority().cert},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return chromium.Browser
}

// signedIn opens a page of a development server, signed in under a name.
func signedIn(t *testing.T, s *harness.Server, name string) *browsertest.Page {
	t.Helper()
	p := browser(t).Page(t, s.BaseURL)
	p.Visit("/login?return=/apps")
	p.Fill("#other", name)
	p.Keys("\r")
	p.Wait(`location.pathname === "/apps" && document.querySelector(".me")?.textContent.includes(%s)`, name)
	return p
}

// shown is the frame that can be seen.
const shown = `document.querySelector("grain-frames iframe:not([hidden])")`

// frame waits until the frame of the shown grain is there and attaches to it.
func frame(p *browsertest.Page) *browsertest.Page {
	p.Helper()
	p.Wait(shown + ` && !document.querySelector(".overlay:not([hidden])")`)
	return p.Target("iframe", browsertest.Value[string](p, `new URL(`+shown+`.src).origin`))
}

// openGrain opens a grain in a page and waits until its app is shown.
func openGrain(p *browsertest.Page, id, path string) *browsertest.Page {
	p.Helper()
	p.Visit(fmt.Sprintf("/grain/%s%s", id, path))
	return frame(p)
}
