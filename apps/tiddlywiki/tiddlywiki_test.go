package tiddlywiki_test

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
	"github.com/sandstorm-go/sandstorm/test/browsertest"
)

func TestMain(m *testing.M) { os.Exit(graintest.Main(m)) }

const csrf = "X-Requested-With: TiddlyWiki"

// The protocol that the page speaks, through the bridge and in the sandbox.
func TestTiddlers(t *testing.T) {
	g := graintest.Start(t, "tiddlywiki")
	writer, reader := g.As("Ann Öl", "view", "edit"), g.As("Bob", "view")
	want := func(code int, body string, wantCode int, part string) {
		t.Helper()
		if code != wantCode || !strings.Contains(body, part) {
			t.Errorf("%d %.300q, want %d and %q", code, body, wantCode, part)
		}
	}
	code, body := graintest.Do(t, writer, "GET", "/status", "")
	want(code, body, 200, `"username":"Ann Öl","anonymous":false,"read_only":false`)
	code, body = graintest.Do(t, reader, "GET", "/status", "")
	want(code, body, 200, `"read_only":true`)
	code, body = graintest.Do(t, writer, "PUT", "/recipes/default/tiddlers/Shopping", `{"title":"Shopping","text":"bread","tags":"list"}`, csrf)
	want(code, body, 204, "")
	code, body = graintest.Do(t, reader, "PUT", "/recipes/default/tiddlers/Shopping", `{"title":"Shopping","text":"gone"}`, csrf)
	want(code, body, 403, "")
	code, body = graintest.Do(t, reader, "DELETE", "/bags/default/tiddlers/Shopping", "", csrf, "X-Writer: Mallory")
	want(code, body, 403, "")
	code, body = graintest.Do(t, g.As("Nobody"), "GET", "/status", "")
	want(code, body, 403, "")

	g.Restart()
	code, body = graintest.Do(t, reader, "GET", "/recipes/default/tiddlers/Shopping", "")
	want(code, body, 200, `"text":"bread"`)
	code, body, header := graintest.DoHeader(t, reader, "GET", "/", "")
	want(code, body, 200, "TiddlyWiki")
	if code, _ := graintest.Do(t, reader, "GET", "/", "", "If-None-Match: "+header.Get("ETag")); code != 304 {
		t.Errorf("unchanged page: %d", code)
	}
}

// A person makes a tiddler in the page; another one sees it.
func TestPage(t *testing.T) {
	g := graintest.Start(t, "tiddlywiki")
	ctx := browsertest.Open(t)
	browsertest.Run(t, ctx, chromedp.Navigate(g.As("Ann", "view", "edit").URL+"/"))
	browsertest.WaitFor(t, ctx, `document.querySelector(".tc-sidebar-header button[aria-label^='new tiddler']")`)
	browsertest.Run(t, ctx, chromedp.Click(chromedp.CSS(`.tc-sidebar-header button[aria-label^='new tiddler']`)))
	browsertest.WaitFor(t, ctx, `document.querySelector("input.tc-titlebar")`)
	browsertest.Eval[bool](t, ctx, `(() => {
		const title = document.querySelector("input.tc-titlebar");
		title.value = "Garden";
		return title.dispatchEvent(new Event("input", {bubbles: true}));
	})()`)
	browsertest.Eval[bool](t, ctx, `(document.querySelector(".tc-tiddler-edit-frame .tc-image-done-button").closest("button").click(), true)`)
	browsertest.WaitFor(t, ctx, `document.querySelector(".tc-tiddler-frame[data-tiddler-title='Garden'] .tc-title")`)
	browsertest.Eval[bool](t, ctx, `(async () => {
		while (!(await fetch("/recipes/default/tiddlers/Garden")).ok) await new Promise((done) => setTimeout(done, 100));
		return true;
	})()`)
	code, body := graintest.Do(t, g.As("Bob", "view"), "GET", "/recipes/default/tiddlers/Garden", "")
	if code != 200 || !strings.Contains(body, `"creator":"Ann"`) {
		t.Errorf("%d %s", code, body)
	}
}
