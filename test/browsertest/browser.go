// Package browsertest drives Debian's Chromium in tests: pages with cookies of
// their own, the frames of grains, axe-core, pictures. A test has either a
// Browser with Pages, or, in a package with a single page, Open and the functions
// that take a context.
//
// What a page's scripts throw, and what Chromium reports against its policies,
// fails the test. No name that a page asks for leaves the machine: all of them
// lead to 127.0.0.1.
package browsertest

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Patience is how long a step in the browser may take on a busy machine.
const Patience = 30 * time.Second

// Options say how a browser runs.
type Options struct {
	// Trusted are certificates that Chromium believes although it knows nobody
	// who vouches for them; a chain that holds one is good.
	Trusted []*x509.Certificate
	// Language is what the browser asks pages for; empty means "en-US".
	Language string
}

// Browser is a running Chromium.
type Browser struct{ ctx context.Context }

// Launch starts a browser for several tests; call stop at the end.
func Launch(o Options) (b *Browser, stop func(), err error) {
	dir, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return nil, nil, err
	}
	alloc, end := chromedp.NewExecAllocator(context.Background(), o.flags(dir)...)
	ctx, cancel := chromedp.NewContext(alloc)
	stop = sync.OnceFunc(func() {
		cancel()
		end()
		os.RemoveAll(dir) //nolint:errcheck // a directory in the temporary place
	})
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, nil, fmt.Errorf("start Chromium: %w", err)
	}
	return &Browser{ctx}, stop, nil
}

// Start starts a browser until the test ends.
func Start(t testing.TB, o Options) *Browser {
	t.Helper()
	b, stop, err := Launch(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return b
}

func (o Options) flags(dir string) []chromedp.ExecAllocatorOption {
	language := o.Language
	if language == "" {
		language = "en-US"
	}
	flags := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	flags = append(flags,
		chromedp.UserDataDir(dir), chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.NoSandbox, // tests may run as root, and load only our own pages
		chromedp.WindowSize(1200, 850),
		chromedp.Flag("headless", "new"), chromedp.Flag("lang", language),
		chromedp.Flag("accept-lang", language),
		chromedp.Flag("host-resolver-rules", "MAP * 127.0.0.1"),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	)
	var pins []string
	for _, c := range o.Trusted {
		sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
		pins = append(pins, base64.StdEncoding.EncodeToString(sum[:]))
	}
	if len(pins) > 0 {
		flags = append(flags, chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(pins, ",")))
	}
	return flags
}
