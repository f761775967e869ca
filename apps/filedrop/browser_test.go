package main

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sandstorm-go/sandstorm/test/browsertest"
)

// start serves the app with the headers that a bridge would set.
func start(t *testing.T, permissions string) (*httptest.Server, context.Context) {
	t.Helper()
	h, _ := newTestApp(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Sandstorm-Permissions", permissions)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	do(h, "PUT", "/files/Photos/sea.png", picture(t))
	do(h, "PUT", "/files/Photos/2024/notes.txt", "Sunny all week.")
	do(h, "PUT", "/files/Letter%20to%20the%20council.pdf", string(make([]byte, 230000)))
	do(h, "PUT", "/files/budget.csv", "a,b\n1,2\n")
	do(h, "PUT", "/files/%3Cb%3Ebold.bin", "x")
	return server, browsertest.Open(t)
}

func picture(t testing.TB) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 320, 200))
	for y := range 200 {
		for x := range 320 {
			img.Set(x, y, color.RGBA{uint8(60 + y/2), uint8(120 + y/3), uint8(220 - x/4), 255})
		}
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "p.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(list string) string {
	return `[...document.querySelectorAll("#entries .name")].map(e => e.textContent).join("|") === ` + strconv.Quote(list)
}

func TestPersonManagesFiles(t *testing.T) {
	server, ctx := start(t, "view,edit")
	click := func(selector string) {
		t.Helper()
		browsertest.Run(t, ctx, chromedp.Click(chromedp.CSS(selector)))
	}
	browsertest.Run(t, ctx, chromedp.Navigate(server.URL+"/"))
	browsertest.WaitFor(t, ctx, names("Photos|<b>bold.bin|budget.csv|Letter to the council.pdf"))
	browsertest.Check(t, ctx, "filedrop-list")

	click(`#entries [data-name="Photos"] a`)
	browsertest.WaitFor(t, ctx, names("2024|sea.png")+` && location.pathname === "/in/Photos" && document.title === "Photos"`)
	click(`#entries [data-name="sea.png"] a`)
	browsertest.WaitFor(t, ctx, `document.querySelector("#stage img")?.naturalWidth === 320`)
	browsertest.Check(t, ctx, "filedrop-viewer")
	browsertest.Run(t, ctx, chromedp.KeyEvent("\u001b"))
	browsertest.WaitFor(t, ctx, `!document.querySelector("#viewer").open`)

	dir := t.TempDir()
	for name, body := range map[string]string{"new.txt": "new", "sea.png": "second"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	browsertest.Run(t, ctx, chromedp.SetUploadFiles(chromedp.CSS("#picker"), []string{filepath.Join(dir, "new.txt"), filepath.Join(dir, "sea.png")}))
	browsertest.WaitFor(t, ctx, names("2024|new.txt|sea (2).png|sea.png")) // by the event stream
	browsertest.Check(t, ctx, "filedrop-uploads")

	click(`#entries [data-name="new.txt"] .menu > button`)
	browsertest.WaitFor(t, ctx, `document.querySelector("[popover]:popover-open")`)
	browsertest.Check(t, ctx, "filedrop-menu")
	click(`[popover]:popover-open button:nth-of-type(1)`)
	browsertest.WaitFor(t, ctx, `document.querySelector("#ask").open`)
	browsertest.Check(t, ctx, "filedrop-rename")
	browsertest.Run(t, ctx, chromedp.SetValue(chromedp.CSS("#ask-input"), "sea.png"))
	click("#ask-ok")
	browsertest.WaitFor(t, ctx, `document.querySelector("#ask-error").textContent !== ""`)
	browsertest.Run(t, ctx, chromedp.SetValue(chromedp.CSS("#ask-input"), "a.txt"))
	click("#ask-ok")
	browsertest.WaitFor(t, ctx, names("2024|a.txt|sea (2).png|sea.png")+` && !document.querySelector("#ask").open`)

	click(`#entries [data-name="a.txt"] .menu > button`)
	click(`[popover]:popover-open button:nth-of-type(2)`) // move
	browsertest.WaitFor(t, ctx, `document.querySelector("#ask-select").options.length === 2`)
	browsertest.Run(t, ctx, chromedp.SetValue(chromedp.CSS("#ask-select"), "Photos/2024"))
	click("#ask-ok")
	browsertest.WaitFor(t, ctx, names("2024|sea (2).png|sea.png"))

	click(`#entries [data-name="sea (2).png"] .menu > button`)
	click(`[popover]:popover-open button:nth-of-type(3)`) // delete
	browsertest.WaitFor(t, ctx, `document.querySelector("#ask").open`)
	click("#ask-ok")
	browsertest.WaitFor(t, ctx, names("2024|sea.png"))
	browsertest.Run(t, ctx, chromedp.NavigateBack())
	browsertest.WaitFor(t, ctx, `location.pathname === "/" && document.querySelectorAll("#entries li").length === 4`)
}

func TestReaderCannotChange(t *testing.T) {
	server, ctx := start(t, "view")
	browsertest.Run(t, ctx, chromedp.Navigate(server.URL+"/in/Photos/2024"))
	browsertest.WaitFor(t, ctx, `document.querySelectorAll("#crumbs li").length === 3`)
	if browsertest.Eval[bool](t, ctx, `[...document.querySelectorAll(".edit")].some(e => e.checkVisibility())`) {
		t.Error("a reader sees controls that would fail")
	}
	browsertest.Run(t, ctx, chromedp.Navigate(server.URL+"/in/gone"))
	browsertest.WaitFor(t, ctx, `location.pathname === "/" && document.querySelectorAll("#entries li").length > 0`)
	browsertest.Check(t, ctx, "filedrop-reader")
}
