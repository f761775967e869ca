package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/sandstorm-go/sandstorm/test/browsertest"
	"github.com/sandstorm-go/sandstorm/test/harness"
)

// development starts a development server with installed apps.
func development(t *testing.T, apps ...string) (*harness.Server, map[string]harness.App) {
	t.Helper()
	s := harness.Start(t, false)
	installed := map[string]harness.App{}
	for _, app := range apps {
		installed[app] = s.Install(app)
	}
	return s, installed
}

// grain makes a grain by command.
func grain(t *testing.T, s *harness.Server, app harness.App, user, title string) string {
	t.Helper()
	var g struct{ ID string }
	s.JSON(&g, "grain", "create", "--app", app.AppID, "--user", user, "--title", title)
	return g.ID
}

// TestInstallInBrowser: a package by upload and by address, and one that is none.
func TestInstallInBrowser(t *testing.T) {
	t.Parallel()
	s, _ := development(t)
	p := signedIn(t, s, "Alice")
	p.Inspect("apps-empty", browsertest.Looks[0])
	bad := filepath.Join(t.TempDir(), "bad.spk")
	if err := os.WriteFile(bad, []byte("no package"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Upload("#package", bad)
	p.Visible(".drop .alert-text")
	p.Wait(`document.querySelector(".drop .alert-text").textContent.length > 10 && document.querySelector(".drop .progress").hidden`)

	// The progress is gone too quickly to be asked for: what was seen is kept.
	p.Do(`(() => {
		window.seen = [];
		const box = document.querySelector(".drop .progress");
		new MutationObserver(() => window.seen.push(box.hidden ? "hidden" : box.innerText)).observe(box, {attributes: true, subtree: true, childList: true});
	})()`)
	p.Upload("#package", harness.Package(t, "notes"))
	p.Wait(`document.querySelector("h1").textContent === "Install Notes?" && location.pathname.startsWith("/install/")`)
	if seen := browsertest.Value[string](p, `window.seen.join("|")`); !strings.Contains(seen, "Uploading") || !strings.Contains(seen, "Checking") {
		t.Errorf("progress showed %q", seen)
	}
	p.Inspect("install-confirm")
	p.Click("main .primary")
	p.Wait(`location.pathname.startsWith("/apps/") && document.querySelector("h1").textContent === "Notes" && document.querySelector(".flash")`)
	p.Inspect("app-details")

	testInstallByAddress(t, p)
	other := signedIn(t, s, "Bob") // what one person installs is not for everybody
	other.Visible(".empty")
}

func testInstallByAddress(t *testing.T, p *browsertest.Page) {
	content, err := os.ReadFile(harness.Package(t, "probe"))
	if err != nil {
		t.Fatal(err)
	}
	half := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/probe.spk" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		if _, err := w.Write(content[:len(content)/2]); err != nil {
			return
		}
		http.NewResponseController(w).Flush() //nolint:errcheck // the rest fails too
		select {
		case <-half:
		case <-r.Context().Done():
			return
		}
		w.Write(content[len(content)/2:]) //nolint:errcheck // the server notices
	}))
	defer web.Close()

	p.Visit("/apps")
	p.Fill("#url", web.URL+"/nothing.spk")
	p.Keys(kb.Enter)
	p.Wait(`document.querySelector("main [role=alert]") && location.pathname.startsWith("/install/attempt/")`)
	p.Inspect("install-failed", browsertest.Looks[:2]...)

	p.Visit("/apps")
	p.Fill("#url", web.URL+"/probe.spk")
	p.Keys(kb.Enter)
	p.Wait(`document.querySelector("main progress")?.value > 100000`)
	p.Inspect("install-attempt", browsertest.Looks[:2]...)
	p.Click("main form .button") // cancel
	p.Wait(`document.querySelector("h1").textContent === "Installation canceled"`)

	p.Visit("/apps")
	p.Fill("#url", web.URL+"/probe.spk")
	p.Keys(kb.Enter)
	p.Wait(`document.querySelector("main progress")?.value > 100000`)
	// The download ends while the page of its progress is on its way: what was
	// missed meanwhile is made up for.
	attempt := p.Location()
	p.Click(`#menu a[href="/apps"]`)
	p.Wait(`document.querySelector("h1").textContent === "Apps"`)
	p.Do(`(() => {
		const real = window.fetch;
		window.fetch = async (...args) => {
			const answer = await real(...args);
			window.fetch = real;
			await new Promise((done) => { window.release = done; });
			return answer;
		};
		window.release = null;
		history.back();
	})()`)
	p.Wait(`window.release`)
	close(half)
	other := p.Tab()
	other.Visit(attempt)
	other.Wait(`document.querySelector("h1").textContent === "Install Probe?"`)
	p.Do(`release()`)
	p.Wait(`document.querySelector("h1").textContent === "Install Probe?"`)
	p.Click("main .primary")
	p.Wait(`document.querySelector("h1").textContent === "Probe" && location.pathname.startsWith("/apps/")`)
}

// TestFrames: several grains open at once, deep links both ways, titles.
func TestFrames(t *testing.T) {
	t.Parallel()
	s, _ := development(t, "notes", "probe")
	p := signedIn(t, s, "Alice")
	p.Click(`.app-card[href^="/apps/"]`)
	p.Click(`form[action="/grain/new"] button`)
	p.Wait(`location.pathname.startsWith("/grain/")`)
	notes := strings.Split(p.Location(), "/")[2]
	note := frame(p)
	note.Wait(`document.querySelector("#text") && !document.querySelector("#text").readOnly`)
	note.Do(`window.mark = "still the same"; document.querySelector("#text").focus()`)
	note.Keys("# Written once")
	note.Wait(`document.querySelector("#text").value === "# Written once"`)

	// Away, to another grain by the same means, and back.
	p.Click(`#menu a[href="/apps"]`)
	p.Wait(`document.querySelector("h1").textContent === "Apps"`)
	p.Do(`[...document.querySelectorAll(".app-card")].find((a) => a.textContent.includes("Probe")).click()`)
	p.Wait(`document.querySelector("h1").textContent === "Probe"`)
	p.Click(`form[action="/grain/new"] button`)
	p.Wait(`document.querySelectorAll("grain-frames iframe").length === 2 && document.querySelector(".grainbar")?.dataset.grain !== %s`, notes)
	probe := frame(p)
	probe.Wait(`document.body.innerText.includes('"path"')`)
	p.Click(`#open-grains a[href="/grain/` + notes + `"]`)
	p.Wait(`document.querySelector(".grainbar")?.dataset.grain === %s`, notes)
	if browsertest.Value[string](note, `window.mark + document.querySelector("#text").value`) != "still the same# Written once" {
		t.Error("the note was loaded again")
	}
	p.Inspect("grain-notes")
	p.Run(chromedp.NavigateBack())
	p.Wait(`document.querySelector(".grainbar")?.dataset.grain !== %s`, notes)
	p.Run(chromedp.NavigateForward())
	p.Wait(`document.querySelector(".grainbar")?.dataset.grain === %s`, notes)
	if browsertest.Value[string](note, `window.mark`) != "still the same" {
		t.Error("the note was loaded again by the history")
	}
	var st struct{ Running []any }
	if s.JSON(&st, "status"); len(st.Running) != 2 {
		t.Errorf("%d grains run", len(st.Running))
	}
}

// TestDeepLinks: the address bar and the app agree.
func TestDeepLinks(t *testing.T) {
	t.Parallel()
	s, apps := development(t, "probe")
	p := signedIn(t, s, "Alice")
	id := grain(t, s, apps["probe"], "Alice", "Links")
	f := openGrain(p, id, "/a%20b/c%2Fd?q=1&r=%26+x#frag%20ment")
	f.Wait(`document.body.innerText.includes('"path"')`)
	echo := browsertest.Value[string](f, `JSON.parse(document.body.innerText).path`)
	if echo != "/a%20b/c%2Fd?q=1&r=%26+x" {
		t.Errorf("the app got %q", echo)
	}
	if at := browsertest.Value[string](f, `location.pathname + location.search + location.hash`); at != "/a%20b/c%2Fd?q=1&r=%26+x#frag%20ment" {
		t.Errorf("the frame is at %q", at)
	}
	if at := p.Location(); at != "/grain/"+id+"/a%20b/c%2Fd?q=1&r=%26+x#frag%20ment" {
		t.Errorf("the address bar is at %q", at)
	}
	f.Do(`parent.postMessage({setPath: "/new/place?x=%2F#y"}, "*")`)
	p.Wait(`location.pathname + location.search + location.hash === %s`, "/grain/"+id+"/new/place?x=%2F#y")
	f.Do(`parent.postMessage({setTitle: "From the app"}, "*")`)
	p.Wait(`document.title.startsWith("From the app · ")`)

	// Another path in the address bar of the same tab reaches the app.
	f = openGrain(p, id, "/two")
	f.Wait(`JSON.parse(document.body.innerText).path === "/two"`)
	p.Do(`location.hash = "#three"`)
	f.Wait(`location.hash === "#three"`)
}

// TestTitles: an app hears the grain's title, also the one that is given later,
// by keyboard.
func TestTitles(t *testing.T) {
	t.Parallel()
	s, apps := development(t, "probe")
	p := signedIn(t, s, "Alice")
	id := grain(t, s, apps["probe"], "Alice", "First")
	f := openGrain(p, id, "/page?script=")
	f.Do(`window.heard = []; addEventListener("message", (e) => heard.push(JSON.stringify(e.data)));
		parent.postMessage({getGrainTitle: {}, rpcId: "t1", subscribe: true}, "*")`)
	f.Wait(`heard.length === 1`)
	if got := browsertest.Value[string](f, `heard[0]`); got != `{"rpcId":"t1","grainTitle":"First"}` {
		t.Errorf("the app heard %s", got)
	}
	p.Do(`document.querySelector(".title-button").focus()`)
	p.Keys(kb.Enter)
	p.Wait(`document.activeElement.id === "new-title"`)
	p.Keys("Second & <b>" + kb.Enter)
	p.Wait(`document.querySelector(".title-button")?.textContent.trim() === "Second & <b>"`)
	f.Wait(`heard.length === 2`)
	if got := browsertest.Value[string](f, `heard[1]`); got != `{"rpcId":"t1","grainTitle":"Second & <b>"}` {
		t.Errorf("the app heard %s", got)
	}
	var grains []struct{ Title string }
	if s.JSON(&grains, "grain", "list"); grains[0].Title != "Second & <b>" {
		t.Errorf("title %q", grains[0].Title)
	}

	// Another tab of the same person shows it without being touched.
	other := p.Tab()
	other.Visit("/grain")
	other.Wait(`document.querySelector(".row-title")?.textContent === "Second & <b>"`)
	p.Click(".title-button")
	p.Wait(`document.activeElement.id === "new-title"`)
	p.Keys("Third" + kb.Enter)
	other.Wait(`document.querySelector(".row-title")?.textContent === "Third"`)
}

// TestGrainList: search, order, trash, restore, delete for good.
func TestGrainList(t *testing.T) {
	t.Parallel()
	s, apps := development(t, "probe")
	p := signedIn(t, s, "Alice")
	p.Visit("/grain")
	p.Visible(".empty")
	ids := map[string]string{}
	for _, title := range []string{"Banana bread", "Élan", "Cherry pie", "apple tart"} {
		ids[title] = grain(t, s, apps["probe"], "Alice", title)
	}
	// Without being asked to, with all that an empty list lacks.
	p.Wait(`document.querySelectorAll("tbody tr").length === 4 && document.querySelector("#search")`)
	p.Inspect("grains")
	p.Click(`th.col-title a`)
	p.Wait(`document.querySelector("th.col-title").ariaSort`)
	order := browsertest.Value[string](p, `[...document.querySelectorAll(".row-title")].map((a) => a.textContent).join(", ")`)
	if order != "apple tart, Banana bread, Cherry pie, Élan" {
		t.Errorf("by title: %s", order)
	}
	p.Fill("#search", "APPLE")
	p.Wait(`document.querySelectorAll("tbody tr").length === 1 && location.search.includes("q=APPLE")`)
	p.Keys(kb.Enter)
	p.Wait(`location.pathname.startsWith("/grain/") || document.querySelectorAll("tbody tr").length === 1`)

	p.Visit("/grain")
	p.Click(`tr[data-grain="` + ids["Cherry pie"] + `"] button[name=trash]`)
	p.Wait(`document.querySelectorAll("tbody tr").length === 3 && document.querySelector(".flash button")`)
	p.Click(`.flash button`) // undo
	p.Wait(`document.querySelectorAll("tbody tr").length === 4`)
	for _, title := range []string{"Cherry pie", "Banana bread"} {
		p.Do(`document.querySelector("tr[data-grain='" + %s + "'] .pick input").click()`, ids[title])
	}
	p.Wait(`document.querySelector(".bulk-bar .count").textContent === "2 selected"`)
	p.Click(`.bulk-bar button`)
	p.Wait(`document.querySelectorAll("tbody tr").length === 2`)

	p.Visit("/grain/trash")
	p.Wait(`document.querySelectorAll("tbody tr").length === 2`)
	p.Inspect("trash", browsertest.Looks[:2]...)
	p.Click(`button[name=restore][value="` + ids["Cherry pie"] + `"]`)
	p.Wait(`document.querySelectorAll("tbody tr").length === 1`)
	p.Visit("/grain/" + ids["Banana bread"])
	p.Visible(`button[value=restore]`)
	p.Inspect("grain-trashed", browsertest.Looks[:2]...)
	p.Visit("/grain/trash")
	p.Click(`[data-all]`)
	p.Click(`.bulk-bar .danger`)
	p.Visible(`dialog[open] .danger`)
	p.Inspect("delete-confirm")
	p.Click(`dialog[open] .danger`)
	p.Visible(`.empty`)
	var grains []struct {
		ID      string
		Trashed bool
	}
	if s.JSON(&grains, "grain", "list"); len(grains) != 3 {
		t.Errorf("%d grains are left: %v", len(grains), grains)
	}
	if _, err := os.Stat(filepath.Join(s.Data, "grains", ids["Banana bread"])); !os.IsNotExist(err) {
		t.Errorf("the deleted grain's files: %v", err)
	}
}

// TestLogAndRestart: the log page follows the app; restart starts it anew.
func TestLogAndRestart(t *testing.T) {
	t.Parallel()
	s, apps := development(t, "probe")
	p := signedIn(t, s, "Alice")
	id := grain(t, s, apps["probe"], "Alice", "Talkative")
	f := openGrain(p, id, "/page?script=")
	run := browsertest.Value[string](f, `fetch("/echo").then(r => r.json()).then(e => e.run)`)
	f.Do(`fetch("/log?text=" + encodeURIComponent("<img src=x onerror=alert(1)> hello")).then(r => r.text())`)
	log := p.Tab()
	log.Visit("/grainlog/" + id)
	log.Wait(`document.querySelector(".log").textContent.includes("onerror=alert(1)> hello")`)
	f.Do(`fetch("/log?text=live-line").then(r => r.text())`)
	log.Wait(`document.querySelector(".log").textContent.includes("live-line")`)
	if browsertest.Value[int](log, `document.querySelectorAll(".log *").length`) != 0 {
		t.Error("the log became markup")
	}
	log.Inspect("grainlog")

	p.Click(`form[data-restart] button`)
	p.Wait(`document.querySelector(".flash") || ` + shown + ` !== null`)
	again := frame(p)
	again.Wait(`document.querySelector("h1") || document.body.innerText.includes('"run"')`)
	if now := browsertest.Value[string](again, `fetch("/echo").then(r => r.json()).then(e => e.run)`); now == run {
		t.Error("the same run after a restart")
	}
}
