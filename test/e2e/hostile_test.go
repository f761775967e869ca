package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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

// attackNavigation leads windows elsewhere that are not the attacker's. The
// whole page is: frames have no sandbox attribute, which would keep PDFs from
// showing, and Chromium lets a frame of the page's own site lead it away. So
// what counts is that the attacker gains nothing by it.
func (sc *scene) attackNavigation(t *testing.T) {
	tab := sc.page.Tab()
	tab.ExpectAnything()
	f := openGrain(tab, sc.evilID, "/")
	f.ExpectAnything()
	for _, script := range []string{
		`window.open("javascript:window.pwned = 1", "_parent")`, `window.open("javascript:window.pwned = 1", "_top")`,
		`parent.location = "javascript:window.pwned = 1"`, `top.location.href = "javascript:window.pwned = 1"`,
		`top.location = "data:text/html,<h1>Sign in</h1>"`, `top.location = "blob:" + location.origin + "/x"`,
		`parent.frames[0].location = "javascript:window.pwned = 1"`,
	} {
		try(f, script)
		if got := browsertest.Value[string](tab, `String(window.pwned) + location.pathname`); !strings.HasPrefix(got, "undefined/grain/"+sc.evilID) {
			t.Errorf("%s: the page is at %s", script, got)
		}
	}
	// Another grain's frame is not the attacker's to lead elsewhere.
	try(sc.evil, `[...Array(parent.frames.length).keys()].forEach((i) => { if (parent.frames[i] !== window) parent.frames[i].location = "about:blank"; })`)
	sc.unharmed(t)

	for _, to := range []string{sc.s.BaseURL + "/logout", sc.s.BaseURL + "/grain/bulk", sc.at + "/write?file=pwned&bytes=3", sc.at + "/crash?code=3"} {
		submit(f, "_blank", to, "do=trash&id="+sc.victimID)
		submit(f, "_top", to, "do=trash&id="+sc.victimID)
		tab.Wait(`document.readyState === "complete" && document.body.innerText.includes("You may not") || location.pathname !== "/grain/" + %s + "/"`, sc.evilID)
		f = openGrain(tab, sc.evilID, "/")
		f.ExpectAnything()
	}
}

func (sc *scene) attackMessages(t *testing.T) {
	for _, message := range []string{
		`null`, `undefined`, `0`, `"setPath"`, `[]`, `{}`, `{setPath: null}`, `{setPath: {}}`, `{setPath: ["/x"]}`,
		`{setPath: "javascript:alert(document.domain)"}`, `{setPath: "//evil.example/"}`, `{setPath: "/\\evil.example/"}`,
		`{setPath: "http://evil.example/"}`, `{setPath: "/../../logout"}`, `{setPath: "/%2e%2e/%2e%2e/account"}`, `{setPath: "/..\\..\\account"}`,
		`{setPath: "/" + "x".repeat(5e6)}`, `{setTitle: {toString: null}}`, `{setTitle: "y".repeat(5e6)}`,
		`{getGrainTitle: {}, rpcId: {a: 1}}`, `{getGrainTitle: {}, rpcId: "z".repeat(1e6)}`, `{powerboxRequest: "x"}`,
		`{powerboxRequest: {rpcId: null, query: "javascript:alert(1)"}}`, `{renderTemplate: null}`,
		`{renderTemplate: {rpcId: "r", template: "<script>alert(1)</"+"script>", petname: {}}}`,
		`{startSharing: {}, grainId: ` + fmt.Sprintf("%q", sc.victimID) + `}`,
		`{showConnectionGraph: {}}`, `{rpcId: 1, grainTitle: "forged"}`, `{type: "setTitle", grainId: ` + fmt.Sprintf("%q", sc.victimID) + `, title: "Owned"}`,
		`{__proto__: {setPath: "/proto"}}`, `new Map([["setPath", "/map"]])`, `new Error("setPath")`,
	} {
		try(sc.evil, `parent.postMessage(`+message+`, "*")`)
		// The other grain's frame believes nothing of this either.
		try(sc.evil, `[...Array(parent.frames.length).keys()].forEach((i) => { if (parent.frames[i] !== window) parent.frames[i].postMessage(`+message+`, "*"); })`)
	}
	// A flood is survived.
	sc.evil.Do(`(() => { for (let i = 0; i < 20000; i++) parent.postMessage({setTitle: "flood " + i}, "*"); parent.postMessage({setTitle: "over"}, "*"); })()`)
	sc.page.Wait(`document.title.startsWith("over · ")`)
	sc.evil.Do(`parent.postMessage({setTitle: "<img src=x onerror=alert(1)>"}, "*")`)
	sc.page.Wait(`document.title.startsWith("<img src=x")`)
	if browsertest.Value[int](sc.page, `document.querySelectorAll("img[src='x']").length`) != 0 {
		t.Error("a title became markup")
	}
	if got := try(sc.evil, `new Promise((ok) => {
		addEventListener("message", (e) => { if (e.data.rpcId === "last") ok(e.data.grainTitle); });
		parent.postMessage({getGrainTitle: {}, rpcId: "last"}, "*");
	})`); got != "Evil" {
		t.Errorf("the shell answers an honest question by %q", got)
	}
}

func (sc *scene) attackWorkers(t *testing.T) {
	script := "/status/200?type=text/javascript&body=" + url.QueryEscape(`onfetch = (e) => e.respondWith(new Response("taken over")); onmessage = () => postMessage(1); postMessage(1)`)
	for _, attempt := range []string{
		`navigator.serviceWorker.register(%s)`,
		`navigator.serviceWorker.register(%s, {scope: "/"})`,
		`new Promise((ok, no) => { const w = new SharedWorker(%s); w.onerror = () => no(new Error()); w.port.onmessage = ok; })`,
	} {
		if got := try(sc.evil, attempt, script); !failed(got) {
			t.Errorf("%s: %s", attempt, got)
		}
	}
	if got := try(sc.evil, `navigator.serviceWorker.getRegistrations().then((r) => { if (!r.length) throw new Error(); return r.length; })`); !failed(got) {
		t.Errorf("%s service workers are registered", got)
	}
}

// attackFromOutside is a page of another site in the same browser.
func (sc *scene) attackFromOutside(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><html lang=en><title>Evil</title><body><h1>Evil</h1></body></html>`)
	}))
	defer web.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(web.URL, "http://"), ":")
	for _, host := range []string{"evil.example", strings.Split(strings.TrimPrefix(strings.TrimPrefix(sc.s.BaseURL, "http://"), "https://"), ":")[0]} {
		// The second is a page on another port of our own name, to which
		// browsers send our cookies.
		outside := sc.page.Tab()
		outside.ExpectAnything()
		outside.Visit("http://" + host + ":" + port + "/")
		for target, body := range sc.mutations() {
			try(outside, `fetch(%s, {method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams(%s)})`, target, body)
		}
		for _, target := range []string{sc.s.BaseURL + "/account", sc.at + "/echo"} {
			if got := try(outside, `fetch(%s, {credentials: "include"}).then((r) => r.text())`, target); !failed(got) {
				t.Errorf("%s from %s: read %.200q", target, host, got)
			}
		}
		sc.postForms(t, outside)
		sc.frameOurs(t, outside)
		sc.openSockets(t, outside)
		submit(outside, "_self", sc.s.BaseURL+"/logout", "")
		outside.Wait(`location.pathname === "/logout" && document.querySelector("h1")?.textContent === "You may not do this"`)
	}
}

// attackCookies plants cookies for the domain that all hosts share. It comes
// last: what it plants stays.
func (sc *scene) attackCookies(t *testing.T) {
	// The attacker has an account of his own here, whose cookies he knows.
	mallory := signedIn(t, sc.s, "Mallory")
	known := map[string]string{"sandstorm-sid": strings.Repeat("A", 43)}
	for _, c := range mallory.Cookies() {
		known[c.Name] = c.Value
	}
	host := strings.Split(strings.TrimPrefix(strings.TrimPrefix(sc.s.BaseURL, "http://"), "https://"), ":")[0]
	for name, value := range known {
		for _, path := range []string{"/", "/grain", "/account", "/echo", "/_grain"} {
			sc.evil.Do(`document.cookie = %s`, name+"="+value+"; domain="+host+"; path="+path)
			sc.evil.Do(`document.cookie = %s`, name+"="+value+"; domain="+host+"; path="+path+"; Secure; SameSite=None")
		}
	}
	planted := 0
	for _, c := range sc.page.Cookies() {
		if strings.TrimPrefix(c.Domain, ".") == host && known[c.Name] == c.Value {
			planted++
		}
	}
	if planted == 0 {
		t.Error("no cookie was planted: the test proves nothing")
	}
	// The other grain works and does not see them as its session.
	got := try(sc.victim, `fetch("/echo").then((r) => r.json()).then((e) => JSON.stringify(e.headers))`)
	if failed(got) || strings.Contains(got, "sandstorm-sid") {
		t.Errorf("the other grain with planted cookies: %.500s", got)
	}
	// The person is nobody else at any time, and soon rid of them.
	for _, path := range []string{"/grain", "/account", "/_grain/x", "/apps"} {
		sc.page.Visit(path)
		if text := browsertest.Value[string](sc.page, `document.body.innerText`); strings.Contains(text, "Mallory") {
			t.Errorf("at %s the person is somebody else: %s", path, text)
		}
	}
	sc.page.Visit("/grain")
	sc.victim = sc.show(sc.victimID)
	sc.page.Click(`#menu a[href="/grain"]`)
	sc.page.Wait(`location.pathname === "/grain" && document.querySelector("tbody tr")`)
	sc.evil = sc.show(sc.evilID)
	if got := try(sc.victim, `fetch("/echo").then((r) => r.json()).then((e) => e.headers.find((h) => h[0].toLowerCase() === "x-sandstorm-username")[1])`); got != "Alice" {
		t.Errorf("a session of %q", got)
	}
}
