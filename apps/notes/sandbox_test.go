package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/chromedp/chromedp"
	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
	"github.com/sandstorm-go/sandstorm/test/browsertest"
)

func TestMain(m *testing.M) { os.Exit(graintest.Main(m)) }

// The app in its real sandbox, behind the real bridge: two people, and the
// grain is killed between them.
func TestInTheSandbox(t *testing.T) {
	g := graintest.Start(t, "notes")
	ctx := browsertest.Open(t)
	ann := g.As("Ann", "view", "edit")
	browsertest.Run(t, ctx, chromedp.Navigate(ann.URL+"/"))
	browsertest.WaitFor(t, ctx, `document.querySelector("#people li")?.title === "Ann (you)"`)
	browsertest.Run(t, ctx, chromedp.SendKeys(chromedp.CSS("#text"), "kept"))
	browsertest.WaitFor(t, ctx, `document.querySelector("#state").textContent === "Saved"`)
	g.Restart()
	// The page finds its way back by itself and loses nothing.
	browsertest.Run(t, ctx, chromedp.SendKeys(chromedp.CSS("#text"), " and more"))
	browsertest.WaitFor(t, ctx, `document.querySelector("#state").textContent === "Saved"`)
	g.Restart()
	code, body := graintest.Do(t, g.As("Bob", "view"), http.MethodGet, "/note.md", "")
	if code != http.StatusOK || body != "kept and more" {
		t.Errorf("%d %q", code, body)
	}
	if code, _ = graintest.Do(t, g.As("Eve"), http.MethodGet, "/note.md", ""); code != http.StatusForbidden {
		t.Errorf("without permission: %d", code)
	}
	c, _, err := websocket.Dial(context.Background(), strings.Replace(g.As("Bob", "view").URL, "http", "ws", 1)+"/live?key=0123456789abcdef&rev=-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	_, r, err := c.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if hello, _ := io.ReadAll(r); !strings.Contains(string(hello), `"text":"kept and more"`) {
		t.Errorf("welcome: %s", hello)
	}
}
