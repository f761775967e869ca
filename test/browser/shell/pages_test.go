//go:build browser

package shell_test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/sandstorm-go/sandstorm/internal/locale"
	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

// stop is one page of the tour.
type stop struct {
	name, path string
	prepare    func(*tab)
}

// tour is every page of a server in use.
func tour(b *tab) []stop {
	notes, wiki := b.world.AppByTitle("Notes"), b.world.AppByTitle("DokuWiki")
	newer := shelltest.NewPackage("DokuWiki", 5)
	newer.Manifest.Metadata = wiki.Manifest.Metadata
	older := shelltest.NewPackage("Notes", 2)
	older.Manifest.Metadata = notes.Manifest.Metadata
	b.world.Lock()
	b.world.Packages[older.ID] = older
	b.world.Unlock()
	grain := "/grain/" + string(b.world.GrainByTitle("Garden plan 2027").ID)
	trashed := "/grain/" + string(b.world.GrainByTitle("Old shopping list").ID)
	loaded := func(b *tab) {
		b.wait(`document.querySelector('grain-frames iframe') && !document.querySelector('.overlay')`)
	}
	return []stop{
		{"grains", "/grain", nil},
		{"grains-selected", "/grain", func(b *tab) {
			b.click(`tbody tr:nth-child(2) .pick input`)
			b.click(`tbody tr:nth-child(3) .pick input`)
		}},
		{"grains-search", "/grain?q=no", nil},
		{"grains-nohit", "/grain?q=zebra", nil},
		{"grains-rename", "/grain?rename=" + string(b.world.GrainByTitle("House handbook").ID), nil},
		{"trash", "/grain/trash", nil},
		{"trash-confirm", "/grain/trash", func(b *tab) {
			b.click(`tbody tr:nth-child(1) .pick input`)
			b.click(`.bulk-bar .danger`)
			b.visible(`dialog[open] h1`)
		}},
		{"apps", "/apps", nil},
		{"app", "/apps/" + string(notes.AppID), nil},
		{"app-dev", "/apps/" + string(b.world.AppByTitle("File Drop").AppID), nil},
		{"grain-dev", "/grain/" + string(b.world.GrainByTitle("Photos from the lake").ID), loaded},
		{"install-downgrade", "/install/" + string(older.ID), nil},
		{"install-download", "/install/0123456789abcdef0123456789abcdef?url=https://apps.example.com/x.spk", nil},
		{"account", "/account", nil},
		{"about", "/about", nil},
		{"grain", grain + "/page?x=1#there", loaded},
		{"grain-rename", grain, func(b *tab) {
			loaded(b)
			b.click(`.title-button`)
			b.visible(`#new-title`)
		}},
		{"grain-trashed", trashed, nil},
		{"grainlog", "/grainlog/" + string(b.world.GrainByTitle("Garden plan 2027").ID), nil},
		{"notfound", "/no/such/page", nil},
	}
}

// looks are the ways in which each page is looked at.
var looks = []struct {
	name          string
	width, height int64
	dark, phone   bool
}{
	{"light", 1280, 800, false, false},
	{"dark", 1280, 800, true, false},
	{"phone", 390, 844, false, true},
}

func (b *tab) look(i int) {
	l := looks[i]
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	var opts []chromedp.EmulateViewportOption
	if l.phone {
		opts = append(opts, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	b.run(
		chromedp.EmulateViewport(l.width, l.height, opts...),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
			}})
			return err
		}),
	)
}

// Every page, in light and dark and on a phone, passes axe-core and does not
// scroll sideways.
func TestEveryPage(t *testing.T) {
	for i, l := range looks {
		t.Run(l.name, func(t *testing.T) {
			b := open(t, shelltest.New(), "Alice")
			b.look(i)
			for _, s := range tour(b) {
				b.inspect(l.name, s)
			}
		})
	}
}

// The same for the pages of somebody who is not signed in, and for the first run.
func TestEveryPageSignedOut(t *testing.T) {
	for i, l := range looks {
		t.Run(l.name, func(t *testing.T) {
			b := open(t, shelltest.New(), "")
			b.look(i)
			b.inspect(l.name, stop{"login", "/login", nil})
			b.inspect(l.name, stop{"login-code", "/login/code?email=alice@example.com", nil})
			b.inspect(l.name, stop{"login-link", "/_emailLogin/alice@example.com/" + shelltest.Code, nil})
			b.inspect(l.name, stop{"about-out", "/about", nil})

			b = open(t, shelltest.Fresh(), "")
			b.look(i)
			b.inspect(l.name, stop{"setup", "/", nil})
			b.inspect(l.name, stop{"setup-server", "/setup/token/" + shelltest.AdminToken, func(b *tab) {
				b.click(`main .primary`)
				b.visible(`#testTo`)
			}})
			b.inspect(l.name, stop{"setup-user", "/setup/user", nil})
			b.inspect(l.name, stop{"setup-admin", "/setup/user", func(b *tab) {
				b.click(`button[value=Alice]`)
				b.visible(`.person`)
			}})
			b.inspect(l.name, stop{"setup-success", "/setup/user", func(b *tab) {
				b.click(`main .primary`)
				b.visible(`.next`)
			}})
			b.inspect(l.name, stop{"apps-empty", "/apps", nil})
			b.inspect(l.name, stop{"grains-empty", "/grain", nil})
		})
	}
}

// Every page holds longer texts, and ones that run from right to left, without
// breaking its layout.
func TestLanguages(t *testing.T) {
	for _, lang := range []string{"fr", locale.PseudoTag, locale.PseudoRTLTag} {
		for _, look := range []int{0, 2} {
			t.Run(lang+" "+looks[look].name, func(t *testing.T) {
				world := shelltest.New()
				b := open(t, world, "Alice")
				b.look(look)
				for _, a := range world.Accounts {
					a.Language = lang
				}
				for _, s := range tour(b) {
					b.inspect(lang+"-"+looks[look].name, s)
				}
			})
		}
	}
}

func (b *tab) inspect(look string, s stop) {
	b.Helper()
	b.visit(s.path)
	if s.prepare != nil {
		s.prepare(b)
	}
	b.wait(`document.fonts.status === 'loaded'`)
	b.shot(look + "-" + s.name)
	b.axe(look + " " + s.name)
	if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		b.Errorf("%s %s: %d pixels wider than the window", look, s.name, over)
	}
}
