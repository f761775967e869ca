package main

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sandstorm-go/sandstorm/test/browsertest"
)

// visit opens the pad as somebody; the cookie stands for the bridge's headers.
func visit(t testing.TB, ctx context.Context, server *httptest.Server, as, path string) {
	t.Helper()
	browsertest.Run(t, ctx,
		chromedp.Navigate(server.URL+"/static/icon.svg"), // any page of this origin can set the cookie
		chromedp.Evaluate[chromedp.Void](`document.cookie = "as=`+as+`; path=/"`),
		chromedp.Navigate(server.URL+path))
	browsertest.WaitFor(t, ctx, `document.querySelector("#people li")`)
}

func setUp(t *testing.T) (*httptest.Server, context.Context) {
	t.Helper()
	return startApp(t, filepath.Join(t.TempDir(), "note.log")), browsertest.Open(t)
}

func TestTwoBrowsersWriteTogether(t *testing.T) {
	server, alice := setUp(t)
	open(t, alice, server)
	visit(t, alice, server, "Alice:view+edit", "/")
	bob := browsertest.Tab(t, alice)
	visit(t, bob, server, "Bob%20B:view+edit", "/both")
	browsertest.WaitFor(t, alice, `document.querySelectorAll("#people li").length === 2`)

	browsertest.Run(t, alice, chromedp.SendKeys(chromedp.CSS("#text"), "# Shopping\n- [ ] bread\n"))
	browsertest.WaitFor(t, bob, `document.querySelector("#preview .task input")`)
	// Both type at once, far from each other and on the same line.
	browsertest.Eval[bool](t, bob, `(() => { const a = document.querySelector("#text"); a.focus(); a.setSelectionRange(0, 0); return true })()`)
	done := make(chan error, 2)
	go func() { done <- chromedp.Do(alice, chromedp.SendKeys(chromedp.CSS("#text"), "- [ ] milk 😀")) }()
	go func() { done <- chromedp.Do(bob, chromedp.KeyEvent("Dear all, ")) }()
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	want := "Dear all, # Shopping\n- [ ] bread\n- [ ] milk 😀"
	for _, ctx := range []context.Context{alice, bob} {
		browsertest.WaitFor(t, ctx, `document.querySelector("#text").value === `+strconv.Quote(want))
	}
	browsertest.WaitFor(t, alice, `document.querySelector("#mirror .caret[data-name='Bob B']")`)
	browsertest.WaitFor(t, bob, `document.querySelector("#mirror .caret[data-name='Alice']")`)

	// Bob ticks a task in the preview; Alice sees it in her text.
	browsertest.Eval[bool](t, bob, `(document.querySelector("#preview .task input").click(), true)`)
	browsertest.WaitFor(t, alice, `document.querySelector("#text").value.includes("- [x] bread")`)
	// Undo takes back one's own words, not the other's.
	browsertest.Run(t, alice, chromedp.Click(chromedp.CSS(`[data-do="undo"]`)))
	browsertest.WaitFor(t, bob, `(v => v.includes("Dear all") && v.includes("[x] bread") && !v.includes("milk"))(document.querySelector("#text").value)`)
	browsertest.WaitFor(t, alice, `document.querySelector("#state").textContent === "Saved"`)
	browsertest.Check(t, bob, "notes-both")
	browsertest.Check(t, alice, "notes-write")
}

// open makes sure that the first tab has loaded something.
func open(t testing.TB, ctx context.Context, server *httptest.Server) {
	browsertest.Run(t, ctx, chromedp.Navigate(server.URL+"/static/icon.svg"))
}

func TestReaderSeesThePage(t *testing.T) {
	server, writer := setUp(t)
	visit(t, writer, server, "W:view+edit", "/")
	browsertest.Run(t, writer, chromedp.SendKeys(chromedp.CSS("#text"), sample))
	browsertest.WaitFor(t, writer, `document.querySelector("#state").textContent === "Saved"`)
	reader := browsertest.Tab(t, writer)
	visit(t, reader, server, "R:view", "/")
	browsertest.WaitFor(t, reader, `location.pathname === "/read" && document.querySelector("#preview h1")`)
	for expression, want := range map[string]string{
		`document.title`: "A <b>page</b>",
		`document.querySelector("h1#note-a-b-page-b").textContent`:                                                  "A <b>page</b>",
		`document.querySelectorAll("#preview b, #preview script").length + ""`:                                      "0",
		`document.querySelector("#preview a").getAttribute("href")`:                                                 "https://example.org/x_y",
		`[...document.querySelectorAll("#preview a")].some(a => /script/i.test(a.href)) + ""`:                       "false",
		`document.querySelector("#preview ol > li > ul > li").textContent`:                                          "inner",
		`document.querySelector("#preview td.end").textContent`:                                                     "2",
		`document.querySelector("#preview pre").textContent`:                                                        "x < y\n",
		`document.querySelector("#preview em").textContent + document.querySelector("#preview strong").textContent`: "slantedbold",
		`document.querySelector("#text").readOnly + ""`:                                                             "true",
	} {
		if got := browsertest.Eval[string](t, reader, expression); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
	browsertest.Check(t, reader, "notes-read")
}

const sample = `# A <b>page</b>
See https://example.org/x_y, [bad](javascript:alert) and *slanted* **bold** snake_case_name.

1. one
   - inner
2. two

| a | b |
|---|--:|
| 1 | 2 |

> quoted <script>

` + "```\nx < y\n\n```\n"

// The same laws as in ot_test.go hold for the JavaScript side, and both sides
// come to the same results.
func TestChangesInJavaScript(t *testing.T) {
	server, ctx := setUp(t)
	visit(t, ctx, server, "A:view+edit", "/")
	if problem := browsertest.Eval[string](t, ctx, `import("/static/ot.js").then(({apply, transform, compose, invert, diff}) => {
		const pick = (...x) => x[Math.floor(Math.random() * x.length)];
		const text = () => Array.from({length: pick(0, 1, 5, 12)}, () => pick("a", "b", "😀", "😁", "\n")).join("");
		for (let i = 0; i < 5000; i++) {
			const base = text(), a = diff(base, text()), b = diff(base, text(), pick(0, 1, 2));
			const ta = apply(base, a), tb = apply(base, b), [a2, b2] = transform(a, b);
			if (apply(ta, b2) !== apply(tb, a2)) return "transform " + JSON.stringify([base, a, b]);
			if (apply(base, compose(a, b2)) !== apply(ta, b2)) return "compose " + JSON.stringify([base, a, b2]);
			if (apply(ta, invert(base, a)) !== base) return "invert " + JSON.stringify([base, a]);
			if (a.some((s) => typeof s === "string" && !s.isWellFormed())) return "diff " + JSON.stringify([base, a]);
		}
		return "";
	})`); problem != "" {
		t.Error(problem)
	}
	for _, pair := range [][2]string{{`[1,"x",-2,1]`, `[2,"y",2]`}, {`["a",4]`, `["b",-4]`}, {`[-4]`, `[1,-2,1]`}, {`[2,"q",-1,1]`, `[2,"p",-1,1]`}} {
		a2, b2, err := transform(parseOp(t, pair[0]), parseOp(t, pair[1]))
		if err != nil {
			t.Fatal(err)
		}
		ja, _ := a2.MarshalJSON()
		jb, _ := b2.MarshalJSON()
		want := "[" + string(ja) + "," + string(jb) + "]"
		if got := browsertest.Eval[string](t, ctx, `import("/static/ot.js").then(m => JSON.stringify(m.transform(`+pair[0]+`,`+pair[1]+`)))`); got != want {
			t.Errorf("%v: JavaScript %s, Go %s", pair, got, want)
		}
	}
}
