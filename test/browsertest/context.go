package browsertest

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The functions of this file are for tests of one page, such as those of the
// example apps: they take the context of a tab.

// Open starts a Chromium of its own and returns the context of its first tab.
// What the page's scripts throw fails the test.
func Open(t testing.TB) context.Context {
	t.Helper()
	ctx := Start(t, Options{}).ctx
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
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// Eval runs an expression in the page, waits for it if it is a promise, and
// returns its value.
func Eval[T any](t testing.TB, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// WaitFor returns once the expression is true in the page, whatever the page
// does meanwhile: a navigation only starts the wait anew.
func WaitFor(t testing.TB, ctx context.Context, expression string) {
	t.Helper()
	for deadline := time.Now().Add(Patience); ; {
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

// Check runs axe-core over the page in each of the looks and, if
// SCREENSHOTS names a folder, saves pictures there.
func Check(t testing.TB, ctx context.Context, name string) {
	t.Helper()
	for _, look := range Looks {
		wear(t, ctx, look)
		axe(t, ctx, name+", "+look.Name)
		if wide := Eval[int64](t, ctx, `Math.max(document.documentElement.scrollWidth, innerWidth)`); wide > look.Width {
			t.Errorf("%s, %s: the page scrolls sideways", name, look.Name)
		}
		shot(t, ctx, name+"-"+look.Name)
	}
	call(t, ctx, emulation.ClearDeviceMetricsOverride, cdp.Empty{})
	Eval[bool](t, ctx, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}
