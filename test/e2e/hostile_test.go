package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/sandstorm-go/sandstorm/test/browsertest"
	"github.com/sandstorm-go/sandstorm/test/harness"
)

// scene is a person with two grains open in one browser: one of a hostile app,
// and one that it is after.
type scene struct {
	*testing.T
	s            *harness.Server
	page         *browsertest.Page // the shell, showing the hostile grain
	evil, victim *browsertest.Page // the frames
	app          harness.App
	evilID       string
	victimID     string
	at           string // the victim's origin
	run          string // of the victim's app
}

// TestHostile lets a grain's page, and a page of a foreign site, attack the
// shell and another grain, over plain HTTP and over TLS.
func TestHostile(t *testing.T) {
	t.Run("http", func(t *testing.T) {
		t.Parallel()
		testHostile(t, harness.Start(t, false))
	})
	t.Run("https", func(t *testing.T) {
		t.Parallel()
		in := installServer(t, false, "", "ALLOW_DEV_ACCOUNTS=yes", "ALLOW_UNINVITED=yes")
		testHostile(t, in.Server)
	})
}

func testHostile(t *testing.T, s *harness.Server) {
	sc := setScene(t, s)
	sc.do("reads", sc.attackReads)
	sc.do("writes", sc.attackWrites)
	sc.do("forms", sc.attackForms)
	sc.do("frames", sc.attackFrames)
	sc.do("sockets", sc.attackSockets)
	sc.do("navigation", sc.attackNavigation)
	sc.do("messages", sc.attackMessages)
	sc.do("workers", sc.attackWorkers)
	sc.do("foreign site", sc.attackFromOutside)
	sc.do("cookies", sc.attackCookies)
}

func setScene(t *testing.T, s *harness.Server) *scene {
	t.Helper()
	sc := &scene{T: t, s: s, app: s.Install("probe")}
	sc.page = signedIn(t, s, "Alice")
	sc.page.ExpectAnything()
	sc.victimID = grain(t, s, sc.app, "Alice", "Victim")
	sc.evilID = grain(t, s, sc.app, "Alice", "Evil")
	sc.page.Visit("/grain")
	sc.victim = sc.show(sc.victimID)
	sc.page.Click(`#menu a[href="/grain"]`)
	sc.page.Wait(`location.pathname === "/grain" && document.querySelector("tbody tr")`)
	sc.evil = sc.show(sc.evilID)
	sc.at = browsertest.Value[string](sc.victim, `location.origin`)
	sc.run = sc.victimRun()
	return sc
}

// show opens a grain from the list without leaving the page.
func (sc *scene) show(id string) *browsertest.Page {
	sc.Helper()
	sc.page.Click(`main a[href="/grain/` + id + `"]`)
	sc.page.Wait(`document.querySelector(".grainbar")?.dataset.grain === %s`, id)
	f := frame(sc.page)
	f.ExpectAnything()
	f.Wait(`document.body?.innerText.includes('"run"')`)
	return f
}

func (sc *scene) victimRun() string {
	sc.Helper()
	return browsertest.Value[string](sc.victim, `fetch("/echo").then((r) => r.json()).then((e) => e.run)`)
}

// do runs an attack and looks at what became of the server and of the person.
func (sc *scene) do(name string, attack func(t *testing.T)) {
	sc.Run(name, func(t *testing.T) {
		attack(t)
		sc.unharmed(t)
	})
}

func (sc *scene) unharmed(t *testing.T) {
	t.Helper()
	var users []struct{ Name, Handle, Role string }
	if sc.s.JSON(&users, "user", "list"); len(users) > 2 || !strings.Contains(fmt.Sprint(users), "{Alice alice ") {
		t.Errorf("accounts: %v", users)
	}
	var grains []struct {
		ID, Title, Owner string
		Trashed          bool
	}
	sc.s.JSON(&grains, "grain", "list")
	if len(grains) != 2 {
		t.Errorf("%d grains: %v", len(grains), grains)
	}
	for _, g := range grains {
		want := map[string]string{sc.victimID: "Victim", sc.evilID: "Evil"}[g.ID]
		if g.Title != want || g.Trashed || g.Owner != "alice" {
			t.Errorf("grain %+v", g)
		}
	}
	if browsertest.Value[int](sc.victim, `fetch("/read?file=pwned").then((r) => r.status)`) != 404 {
		t.Error("the attacker wrote a file in the other grain")
	}
	if now := sc.victimRun(); now != sc.run {
		t.Error("the other grain was restarted")
	}
	if at := sc.page.Location(); strings.TrimSuffix(at, "/") != "/grain/"+sc.evilID {
		t.Errorf("the address bar shows %q", at)
	}
	who := browsertest.Value[string](sc.page, `fetch("/account").then((r) => r.text()).then((t) => /id="name"[^>]*value="([^"]*)"/.exec(t)?.[1] ?? "signed out")`)
	if who != "Alice" {
		t.Errorf("the person is %q now", who)
	}
}

// try evaluates a promise in a page and returns what it gave, or the error.
func try(p *browsertest.Page, script string, texts ...string) string {
	p.Helper()
	return browsertest.Value[string](p, `Promise.race([
		(async () => { try { return String(await (`+browsertest.Quoted(script, texts...)+`)); } catch (e) { return "error: " + e.name; } })(),
		new Promise((done) => setTimeout(() => done("error: nothing happens"), 3000)),
	])`)
}

func failed(outcome string) bool { return strings.HasPrefix(outcome, "error: ") }

func (sc *scene) attackReads(t *testing.T) {
	base := sc.s.BaseURL
	for _, target := range []string{
		base + "/account", base + "/grain", base + "/events", base + "/grainlog/" + sc.victimID, base + "/_static/x/main.js",
		sc.at + "/echo", sc.at + "/read?file=x", sc.at + "/_sandstorm-init?sessionid=x&path=/",
	} {
		for _, credentials := range []string{"include", "omit"} {
			if got := try(sc.evil, `fetch(%s, {credentials: %s}).then((r) => r.text())`, target, credentials); !failed(got) {
				t.Errorf("%s with credentials %s: read %.200q", target, credentials, got)
			}
		}
		// No picture, style or script of ours either.
		for _, load := range []string{
			`new Promise((ok, no) => { const s = document.createElement("script"); s.src = %s; s.onload = ok; s.onerror = () => no(new Error()); document.head.append(s); })`,
			`new Promise((ok, no) => { const s = new Image(); s.src = %s; s.onload = ok; s.onerror = () => no(new Error()); })`,
		} {
			if got := try(sc.evil, load, target); !failed(got) {
				t.Errorf("%s was loaded as a subresource: %s", target, got)
			}
		}
	}
	for _, script := range []string{
		`parent.document.body.innerText`, `top.location.href`, `top.document.cookie`, `parent.localStorage.length`,
		`[...Array(parent.frames.length).keys()].map((i) => parent.frames[i].document.body.innerText).join()`,
		`parent.frames[0].location.href`, `parent.history.length`,
	} {
		if got := try(sc.evil, script); !failed(got) {
			t.Errorf("%s gave %.200q", script, got)
		}
	}
}

// mutations are requests that would change something, were they believed.
func (sc *scene) mutations() map[string]string {
	base := sc.s.BaseURL
	return map[string]string{
		base + "/logout":                              "",
		base + "/grain/new":                           "package=" + sc.app.PackageID + "&action=0",
		base + "/grain/bulk":                          "do=trash&id=" + sc.victimID,
		base + "/grain/bulk?do=delete":                "do=delete&confirmed=1&id=" + sc.victimID,
		base + "/_grain/" + sc.victimID + "/rename":   "title=Owned",
		base + "/_grain/" + sc.victimID + "/restart":  "",
		base + "/account/profile":                     "name=Owned&handle=owned&pronoun=robot",
		base + "/account/preferences":                 "language=fr&theme=dark",
		base + "/apps/" + sc.app.AppID + "/uninstall": "confirmed=1",
		base + "/login/dev":                           "other=Mallory",
		base + "/install":                             "url=" + url.QueryEscape("http://127.0.0.1:1/x.spk"),
		sc.at + "/write?file=pwned&bytes=3":           "x",
		sc.at + "/crash?code=3":                       "",
		sc.at + "/_sandstorm-init?sessionid=" + strings.Repeat("0", 64) + "&path=/": "",
	}
}

func (sc *scene) attackWrites(t *testing.T) {
	for target, body := range sc.mutations() {
		for _, mode := range []string{"cors", "no-cors"} {
			try(sc.evil, `fetch(%s, {method: "POST", credentials: "include", mode: %s, body: new URLSearchParams(%s)})`, target, mode, body)
			try(sc.evil, `fetch(%s, {method: "POST", credentials: "include", mode: %s, headers: {"Content-Type": "text/plain"}, body: '{"path":"/"}'})`, target, mode)
			try(sc.evil, `fetch(%s, {credentials: "include", mode: %s})`, target, mode)
		}
		try(sc.evil, `navigator.sendBeacon(%s, new URLSearchParams(%s))`, target, body)
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "PROPFIND"} {
		try(sc.evil, `fetch(%s, {method: %s, credentials: "include"})`, sc.at+"/write?file=pwned&bytes=3", method)
	}
}

// submit posts a form from a page to a window of that name, with the rights
// that a click gives.
func submit(p *browsertest.Page, target, action, body string) {
	p.Helper()
	script := browsertest.Quoted(`(() => {
		const form = document.createElement("form");
		form.method = "post"; form.target = %s; form.action = %s;
		for (const [k, v] of new URLSearchParams(%s)) {
			const field = document.createElement("input");
			field.name = k; field.value = v;
			form.append(field);
		}
		document.body.append(form);
		form.submit();
		form.remove();
		return true;
	})()`, target, action, body)
	_, err := chromedp.Run(p.Ctx, chromedp.Evaluate[bool](script, func(e *runtime.EvaluateParams) { yes := true; e.UserGesture = &yes }))
	if err != nil {
		p.Fatal(err)
	}
}

// frameURLs are the addresses of the frames within a frame, once they loaded
// something.
func frameURLs(p *browsertest.Page) (urls []string) {
	p.Helper()
	r, err := chromedp.Call(p.Ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		p.Fatal(err)
	}
	for _, child := range r.FrameTree.ChildFrames {
		urls = append(urls, child.Frame.URL)
	}
	return urls
}

func (sc *scene) attackForms(t *testing.T) {
	sc.postForms(t, sc.evil)
}

// postForms sends every mutation as a form into a frame of the attacker's page,
// and waits until each got its answer.
func (sc *scene) postForms(t *testing.T, from *browsertest.Page) {
	t.Helper()
	for target, body := range sc.mutations() {
		from.Do(`(() => {
			document.getElementById("sink")?.remove();
			const f = document.createElement("iframe");
			f.id = f.name = "sink";
			document.body.append(f);
			window.sunk = new Promise((done) => { f.onload = () => done(true); });
		})()`)
		submit(from, "sink", target, body)
		try(from, `window.sunk`)
	}
}

// attackFrames puts the shell and the other grain into a frame of the attacker's.
func (sc *scene) attackFrames(t *testing.T) {
	sc.frameOurs(t, sc.evil)
}

func (sc *scene) frameOurs(t *testing.T, from *browsertest.Page) {
	t.Helper()
	for _, target := range []string{sc.s.BaseURL + "/account", sc.s.BaseURL + "/grain/" + sc.victimID, sc.s.BaseURL + "/login", sc.at + "/echo"} {
		from.Do(`new Promise((done) => {
			document.querySelectorAll("iframe").forEach((f) => f.remove());
			const f = document.createElement("iframe");
			f.onload = () => done(true);
			f.src = %s;
			document.body.append(f);
			setTimeout(() => done(false), 5000);
		})`, target)
		for _, at := range append(frameURLs(from), iframesAt(from, target)...) {
			if !strings.HasPrefix(at, "chrome-error:") && at != "about:blank" {
				t.Errorf("%s can be framed: the frame is at %s", target, at)
			}
		}
	}
	from.Do(`document.querySelectorAll("iframe").forEach((f) => f.remove())`)
}

// iframesAt says where frames of other processes really are that were to show
// an address.
func iframesAt(p *browsertest.Page, address string) (found []string) {
	all, err := chromedp.Targets(p.Ctx)
	if err != nil {
		p.Fatal(err)
	}
	for _, info := range all {
		if info.Type == "iframe" && info.URL == address && info.BrowserContextID == chromedp.FromContext(p.Ctx).BrowserContextID {
			f := p.Target("iframe", address)
			f.ExpectAnything()
			found = append(found, browsertest.Value[string](f, `location.href`))
		}
	}
	return found
}

func (sc *scene) attackSockets(t *testing.T) { sc.openSockets(t, sc.evil) }

func (sc *scene) openSockets(t *testing.T, from *browsertest.Page) {
	t.Helper()
	const open = `new Promise((ok, no) => {
		const w = new WebSocket(%s);
		w.onopen = () => ok("open");
		w.onerror = w.onclose = () => no(new Error("closed"));
	})`
	for _, origin := range []string{sc.at, sc.s.BaseURL} {
		for _, path := range []string{"/ws", "/", "/events"} {
			if got := try(from, open, "ws"+strings.TrimPrefix(origin, "http")+path); !failed(got) {
				t.Errorf("a WebSocket to %s%s: %s", origin, path, got)
			}
		}
	}
	if from == sc.evil { // its own is fine
		if got := try(from, open, "ws"+strings.TrimPrefix(browsertest.Value[string](from, `location.origin`), "http")+"/ws"); got != "open" {
			t.Errorf("a WebSocket of its own: %s", got)
		}
	}
}
