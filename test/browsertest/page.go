package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// Page is a tab, or a frame of another origin in it.
type Page struct {
	testing.TB
	Ctx  context.Context
	Base string // scheme://host[:port], put before paths

	mu       sync.Mutex
	expected []string
	complain bool
	said     []string
}

// Page opens a tab with cookies and storage of its own.
func (b *Browser) Page(t testing.TB, base string) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	return newPage(t, ctx, cancel, base)
}

// Tab opens another tab that shares cookies and storage with p.
func (p *Page) Tab() *Page {
	p.Helper()
	ctx, cancel := chromedp.NewContext(p.Ctx)
	return newPage(p.TB, ctx, cancel, p.Base)
}

func newPage(t testing.TB, ctx context.Context, cancel context.CancelFunc, base string) *Page {
	t.Helper()
	p := &Page{TB: t, Ctx: ctx, Base: base, complain: true}
	// The tab lives as long as the context of its first use.
	if err := chromedp.Do(ctx); err != nil {
		cancel()
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
			p.hear(m)
		}
	}()
	return p
}

func (p *Page) hear(m chromedp.ConsoleMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf("%s (%s:%d)", m.Text, m.URL, m.Line)
	p.said = append(p.said, text)
	// Refused requests that a page shows to people are in the log too.
	if !m.IsException() && (m.Type != chromedp.ConsoleError || m.Source == "network") {
		return
	}
	for _, e := range p.expected {
		if strings.Contains(text, e) {
			return
		}
	}
	if p.complain {
		p.Errorf("browser: %s", text)
	}
}

// Expect names parts of errors in the console that are part of the test.
func (p *Page) Expect(parts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = append(p.expected, parts...)
}

// ExpectAnything is for pages that misbehave on purpose.
func (p *Page) ExpectAnything() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complain = false
}

// Console is what the browser's console shows so far.
func (p *Page) Console() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.said...)
}

// Run does steps one after the other and ends the test if one fails.
func (p *Page) Run(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.fail("%v", err)
	}
}

// fail takes a picture and ends the test.
func (p *Page) fail(format string, args ...any) {
	p.Helper()
	p.Shot("failure-" + p.Name())
	where, text, _ := p.state()
	p.Fatalf(format+"\nat %s\n%s", append(args, where, text)...)
}

func (p *Page) state() (where, text string, err error) {
	ctx, cancel := context.WithTimeout(p.Ctx, 5*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[location.href, document.body.innerText]`))
	if err != nil || len(s) != 2 {
		return "", "", err
	}
	return s[0], s[1], nil
}

// Visit loads a page of the server, or any address.
func (p *Page) Visit(path string) {
	p.Helper()
	if strings.HasPrefix(path, "/") {
		path = p.Base + path
	}
	p.Run(chromedp.Navigate(path))
}

// Click waits for the first element that a CSS selector finds, and clicks it.
func (p *Page) Click(selector string) {
	p.Helper()
	for deadline := time.Now().Add(Patience); ; {
		p.Visible(selector)
		p.steady(selector)
		ctx, cancel := context.WithTimeout(p.Ctx, Patience)
		err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
		cancel()
		if err == nil {
			return
		}
		// The page refreshed itself between looking and clicking: the element
		// that was found is gone, and nothing was clicked.
		if !strings.Contains(err.Error(), "Could not find node") || time.Now().After(deadline) {
			p.fail("click %s: %v", selector, err)
		}
	}
}

// steady waits until an element stands still: a click goes to where it was when
// its place was asked for, and menus slide in.
func (p *Page) steady(selector string) {
	p.Helper()
	p.Wait(`(() => {
		const r = document.querySelector(%s)?.getBoundingClientRect();
		const now = r ? [r.x, r.y, r.width, r.height].join() : "", before = window.stoodAt;
		window.stoodAt = now;
		return now !== "" && now === before;
	})()`, selector)
}

// Fill puts text into a field, as if typed.
func (p *Page) Fill(selector, text string) {
	p.Helper()
	p.Visible(selector)
	p.Do(`(() => { const el = document.querySelector(%s); el.focus(); el.select?.(); })()`, selector)
	p.Keys(text)
}

// Keys types into whatever has the focus.
func (p *Page) Keys(keys string, opts ...chromedp.KeyOption) {
	p.Helper()
	p.Run(chromedp.KeyEvent(keys, opts...))
}

// Upload chooses files in an input.
func (p *Page) Upload(selector string, files ...string) {
	p.Helper()
	p.Run(chromedp.SetUploadFiles(chromedp.CSS(selector), files))
}

// Quoted puts texts, as script literals, in the places of a format.
func Quoted(format string, texts ...string) string {
	args := make([]any, len(texts))
	for i, text := range texts {
		b, err := json.Marshal(text)
		if err != nil {
			panic(err) // a string always has a JSON form
		}
		args[i] = string(b)
	}
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// Do runs script for what it does; texts are quoted into the places of %s.
func (p *Page) Do(script string, texts ...string) {
	p.Helper()
	Value[chromedp.Void](p, script, texts...)
}

// Value runs an expression, waits for it if it is a promise, and returns what
// it is; texts are quoted into the places of %s.
func Value[T any](p *Page, expression string, texts ...string) T {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](Quoted(expression, texts...), chromedp.EvalAwaitPromise))
	if err != nil {
		p.fail("%s: %v", expression, err)
	}
	return v
}

// Visible waits until an element can be seen.
func (p *Page) Visible(selector string) {
	p.Helper()
	p.Wait(`document.querySelector(%s)?.checkVisibility()`, selector)
}

// Wait asks until an expression is true, over navigations if need be.
func (p *Page) Wait(expression string, texts ...string) {
	p.Helper()
	if err := p.Await(Patience, expression, texts...); err != nil {
		p.fail("waiting for %s: %v", Quoted(expression, texts...), err)
	}
}

// Await is Wait that returns what it waited for in vain.
func (p *Page) Await(patience time.Duration, expression string, texts ...string) error {
	ctx, cancel := context.WithTimeout(p.Ctx, patience)
	defer cancel()
	script := "Boolean(" + Quoted(expression, texts...) + ")"
	var last error
	for {
		// A page that is being replaced answers with an error; the next answers.
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise))
		if err == nil && ok {
			return nil
		}
		if ctx.Err() != nil {
			if last != nil {
				return last
			}
			return ctx.Err()
		}
		last = err
		select {
		case <-ctx.Done():
		case <-time.After(25 * time.Millisecond):
		}
	}
}

// Location is the address bar, from the path on.
func (p *Page) Location() string {
	p.Helper()
	return Value[string](p, `location.pathname + location.search + location.hash`)
}

// Language makes the tab ask for a language, in the form of Accept-Language.
func (p *Page) Language(accept string) {
	p.Helper()
	agent := Value[string](p, `navigator.userAgent`)
	call(p.TB, p.Ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent, AcceptLanguage: accept})
}

// SetCookie gives the browser a cookie for the page's server.
func (p *Page) SetCookie(name, value string) {
	p.Helper()
	call(p.TB, p.Ctx, network.SetCookie, network.SetCookieParams{
		Name: name, Value: value, URL: p.Base, SameSite: network.CookieSameSiteLax,
	})
}

// Cookies are all that the tab's browser context holds, of all hosts.
func (p *Page) Cookies() []*network.Cookie {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	r, err := chromedp.CallBrowser(ctx, storage.GetCookies, storage.GetCookiesParams{
		BrowserContextID: chromedp.FromContext(p.Ctx).BrowserContextID,
	})
	if err != nil {
		p.Fatal(err)
	}
	return r.Cookies
}
