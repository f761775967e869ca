package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

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

func (l Look) phone() bool { return l.Width < 600 }

// Look shows the tab in a look from now on.
func (p *Page) Look(l Look) {
	p.Helper()
	wear(p.TB, p.Ctx, l)
}

func wear(t testing.TB, ctx context.Context, l Look) {
	t.Helper()
	theme := "light"
	if l.Dark {
		theme = "dark"
	}
	call(t, ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: l.Width, Height: l.Height, DeviceScaleFactor: 1, Mobile: l.phone(),
	})
	call(t, ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: l.phone()})
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: theme},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// Inspect checks the page as it stands in each of the looks (all, if none are
// given): axe-core finds nothing, it does not scroll sideways. Pictures are
// named after it.
func (p *Page) Inspect(name string, looks ...Look) {
	p.Helper()
	if len(looks) == 0 {
		looks = Looks
	}
	for _, l := range looks {
		p.Look(l)
		p.Wait(`document.fonts.status === "loaded"`)
		p.settle()
		p.Shot(name + "-" + l.Name)
		axe(p.TB, p.Ctx, name+", "+l.Name)
		// Not innerWidth: a phone zooms out until all fits.
		if over := Value[int64](p, `Math.max(document.documentElement.scrollWidth, innerWidth)`) - l.Width; over > 0 {
			p.Errorf("%s, %s: %d pixels wider than the window", name, l.Name, over)
		}
	}
	p.Look(Looks[0])
	p.settle()
}

// settle waits until the page was drawn again.
func (p *Page) settle() {
	p.Helper()
	Value[bool](p, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// Shot saves a picture of the page if SCREENSHOTS names a folder.
func (p *Page) Shot(name string) {
	p.Helper()
	shot(p.TB, p.Ctx, name)
}

func shot(t testing.TB, ctx context.Context, name string) {
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Logf("no picture: %v", err)
		return
	}
	file := filepath.Join(dir, strings.NewReplacer("/", "_", " ", "-").Replace(name)+".png")
	if err := os.WriteFile(file, png, 0o644); err != nil {
		t.Logf("no picture: %v", err)
	}
}

func call[P, R any](t testing.TB, ctx context.Context, command cdp.Command[P, R], params P) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		t.Fatal(err)
	}
}
