package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/test/browsertest"
)

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
