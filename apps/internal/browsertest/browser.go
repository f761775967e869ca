// Package browsertest drives Chromium in the tests of the example apps.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"golang.org/x/sys/unix"
)

// axeVersion is the accessibility checker that the pages must satisfy.
const axeVersion = "4.14.1"

// Open starts a Chromium of its own and returns the context of its first tab.
// What the page's scripts throw fails the test.
func Open(t testing.TB) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // tests may run as root, and load only our own pages
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.WindowSize(1200, 850))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	watch(t, ctx)
	return ctx
}

// Tab opens another tab in the same browser.
func Tab(t testing.TB, ctx context.Context) context.Context {
	t.Helper()
	tab, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	watch(t, tab)
	return tab
}

func watch(t testing.TB, ctx context.Context) {
	t.Helper()
	Run(t, ctx)
	if err := chromedp.Listen(ctx, func(event any) {
		if thrown, ok := event.(*cdpruntime.EventExceptionThrown); ok && t.Context().Err() == nil {
			t.Errorf("the page's script: %+v", thrown.ExceptionDetails)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// Run does steps one after the other and ends the test if one fails.
func Run(t testing.TB, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	// The first call's context is the browser's: it must not end early.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := chromedp.Do(limited, steps...); err != nil {
		t.Fatal(err)
	}
}

// patience is how long a step may take on a busy machine.
const patience = 30 * time.Second

// Eval runs an expression in the page, waits for it if it is a promise, and
// returns its value.
func Eval[T any](t testing.TB, ctx context.Context, expression string) T {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	v, err := chromedp.Run(limited, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// WaitFor returns once the expression is true in the page, whatever the page
// does meanwhile: a navigation only starts the wait anew.
func WaitFor(t testing.TB, ctx context.Context, expression string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(time.Until(deadline))))
		if err == nil {
			return
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			page, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
			t.Fatalf("waiting for %s: %v\n%s", expression, err, page)
		}
	}
}

// Look is how a page is shown.
type Look struct {
	Name          string
	Width, Height int64
	Dark          bool
}

// Looks are those in which each page is checked: a desk and a phone, by day
// and by night.
var Looks = []Look{
	{Name: "light", Width: 1200, Height: 850},
	{Name: "dark", Width: 1200, Height: 850, Dark: true},
	{Name: "phone", Width: 390, Height: 800},
	{Name: "phone-dark", Width: 390, Height: 800, Dark: true},
}

// Check runs axe-core over the page in each of the looks and, if
// SCREENSHOTS names a folder, saves pictures there.
func Check(t testing.TB, ctx context.Context, name string) {
	t.Helper()
	source := axe(t)
	for _, look := range Looks {
		theme := "light"
		if look.Dark {
			theme = "dark"
		}
		call(t, ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: look.Width, Height: look.Height, DeviceScaleFactor: 1, Mobile: look.Width < 600,
		})
		call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: theme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		Run(t, ctx, chromedp.Evaluate[chromedp.Void](source))
		found := Eval[string](t, ctx, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.map(v => ({id: v.id, nodes: v.nodes.map(n => n.html.slice(0, 160) + " " + n.failureSummary)}))))`)
		var violations []any
		if err := json.Unmarshal([]byte(found), &violations); err != nil || len(violations) > 0 {
			t.Errorf("%s, %s: axe-core: %s", name, look.Name, found)
		}
		if wide := Eval[bool](t, ctx, `document.documentElement.scrollWidth > innerWidth`); wide {
			t.Errorf("%s, %s: the page scrolls sideways", name, look.Name)
		}
		if dir := os.Getenv("SCREENSHOTS"); dir != "" {
			picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name+"-"+look.Name+".png"), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	call(t, ctx, emulation.ClearDeviceMetricsOverride, cdp.Empty{})
	Eval[bool](t, ctx, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

func call[P, R any](t testing.TB, ctx context.Context, command cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		t.Fatal(err)
	}
}

// axe returns the source of axe-core, which npm fetches once into build/.
func axe(t testing.TB) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "..", "..", "..", "build", "axe-core-"+axeVersion)
	file := filepath.Join(dir, "node_modules", "axe-core", "axe.min.js")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// Tests of several packages run at once.
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		npm := exec.Command("npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", dir, "axe-core@"+axeVersion)
		if out, err := npm.CombinedOutput(); err != nil {
			t.Fatalf("npm: %v\n%s", err, strings.TrimSpace(string(out)))
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s\n;undefined", b)
}
