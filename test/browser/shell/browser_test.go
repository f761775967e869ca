//go:build browser

// Package shell_test drives the shell's pages in Chromium over invented data:
// run it with make test-browser, or
//
//	go test -tags browser ./test/browser/...
package shell_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

// patience is how long a step in the browser may take on a busy machine.
const patience = 20 * time.Second

var browser context.Context

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run starts one browser for all tests; each test has a context of its own in
// it, with its own cookies.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "chromium")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a directory in the temporary place
	opts := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	opts = append(opts,
		chromedp.UserDataDir(dir), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("headless", "new"), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("lang", "en-US"),
		// No name that a page asks for leaves the machine.
		chromedp.Flag("host-resolver-rules", "MAP * 127.0.0.1"),
	)
	if path, err := exec.LookPath("chromium"); err == nil {
		opts = append(opts, chromedp.ExecPath(path))
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	defer stop()
	ctx, cancel := chromedp.NewContext(alloc)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		panic(err)
	}
	browser = ctx
	return m.Run()
}

// tab is one tab on one server.
type tab struct {
	*testing.T
	ctx    context.Context
	server *shelltest.Server
	world  *shelltest.World
}

// open starts a server over a world and a fresh tab on it, signed in as who
// unless that is empty. Script errors and CSP violations fail the test.
func open(t *testing.T, world *shelltest.World, who string) *tab {
	t.Helper()
	server, err := shelltest.Serve(world, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	b := &tab{t, ctx, server, world}
	// The tab lives as long as the context of its first use.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	t.Cleanup(func() { cancel(); <-read })
	go func() {
		defer close(read)
		for m, err := range chromedp.Console(ctx) {
			if err != nil {
				return
			}
			// Refused requests that a page shows to people are in the log too.
			if m.IsException() || m.Type == chromedp.ConsoleError && m.Source != "network" {
				t.Errorf("browser: %s (%s:%d)", m.Text, m.URL, m.Line)
			}
		}
	}()
	b.run(chromedp.EmulateViewport(1280, 800))
	if who != "" {
		b.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{
				Name: "sandstorm-session", Value: world.SignIn(who), URL: server.URL, SameSite: network.CookieSameSiteLax,
			})
			return err
		}))
	}
	return b
}

func (b *tab) run(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.shot("failure-" + b.Name())
		b.Fatal(err)
	}
}

// visit loads a page.
func (b *tab) visit(path string) {
	b.Helper()
	b.run(chromedp.Navigate(b.server.URL+path), chromedp.WaitReady(chromedp.CSS("main")))
}

// click clicks the first element that a CSS selector finds.
func (b *tab) click(selector string) {
	b.Helper()
	b.visible(selector)
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
		if err == nil {
			return
		}
		// The page was drawn anew between finding the element and clicking it.
		if ctx.Err() != nil || !strings.Contains(err.Error(), "find node") {
			b.shot("failure-" + b.Name())
			b.Fatalf("click %s: %v", selector, err)
		}
	}
}

// visible waits until an element can be seen.
func (b *tab) visible(selector string) {
	b.Helper()
	b.wait(`document.querySelector(` + strconv.Quote(selector) + `)?.checkVisibility()`)
}

// keys types into whatever has the focus.
func (b *tab) keys(keys string) {
	b.Helper()
	b.run(chromedp.KeyEvent(keys))
}

// eval evaluates script in the page.
func eval[T any](b *tab, js string) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.shot("failure-" + b.Name())
		b.Fatalf("%s: %v", js, err)
	}
	return v
}

// eval evaluates script for what it does.
func (b *tab) eval(js string) {
	b.Helper()
	eval[chromedp.Void](b, js)
}

// wait polls until a condition in the page holds, over navigations if need be.
func (b *tab) wait(js string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](js, chromedp.WithPollingTimeout(patience), chromedp.WithPollingInterval(30*time.Millisecond)))
		if err == nil {
			return
		}
		if ctx.Err() != nil || !strings.Contains(err.Error(), "navigated") && !strings.Contains(err.Error(), "context") {
			b.shot("failure-" + b.Name())
			b.Fatalf("waiting for %s: %v", js, err)
		}
	}
}

// shot writes a picture of the page if SHOTS names a directory.
func (b *tab) shot(name string) {
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.Logf("no picture: %v", err)
		return
	}
	file := filepath.Join(dir, strings.NewReplacer("/", "_", " ", "-").Replace(name)+".png")
	if err := os.WriteFile(file, png, 0o644); err != nil {
		b.Logf("no picture: %v", err)
	}
}
