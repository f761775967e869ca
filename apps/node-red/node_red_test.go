package nodered_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
	"github.com/sandstorm-go/sandstorm/test/browsertest"
)

func TestMain(m *testing.M) { os.Exit(graintest.Main(m)) }

// greeting is a flow: GET /hello answers, through a function and a template.
const greeting = `[
	{"id":"tab1","type":"tab","label":"Greetings"},
	{"id":"in1","type":"http in","z":"tab1","name":"","url":"/hello","method":"get","upload":false,"x":120,"y":120,"wires":[["fn1"]]},
	{"id":"fn1","type":"function","z":"tab1","name":"who","func":"msg.payload = {name: decodeURIComponent(msg.req.headers['x-sandstorm-username'] || ''), secret: Object.keys(msg.req.headers).join()};\nreturn msg;","outputs":1,"timeout":0,"x":280,"y":120,"wires":[["t1"]]},
	{"id":"t1","type":"template","z":"tab1","name":"greet","field":"payload","fieldType":"msg","format":"handlebars","syntax":"mustache","template":"Hello {{payload.name}}, {{payload.secret}}","output":"str","x":430,"y":120,"wires":[["out1"]]},
	{"id":"out1","type":"http response","z":"tab1","name":"","statusCode":"","headers":{},"x":580,"y":120,"wires":[]}
]`

// deploy replaces the flows, as the editor's button does.
func deploy(t *testing.T, s *httptest.Server, flows string) (int, string) {
	t.Helper()
	return graintest.Do(t, s, "POST", "/flows", flows, "Content-Type: application/json", "X-Sandstorm-App-Node-RED-Deployment-Type: full")
}

func want(t *testing.T, s *httptest.Server, method, path string, code int, part string) {
	t.Helper()
	if got, body := graintest.Do(t, s, method, path, ""); got != code || !strings.Contains(body, part) {
		t.Errorf("%s %s: %d %.300q, want %d and %q", method, path, got, body, code, part)
	}
}

// until is want for what becomes true a moment after a deployment was answered.
func until(t *testing.T, s *httptest.Server, method, path string, code int, part string) {
	t.Helper()
	for deadline := time.Now().Add(browsertest.Patience); ; {
		got, body := graintest.Do(t, s, method, path, "")
		if got == code && strings.Contains(body, part) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s %s: still %d %.300q, want %d and %q", method, path, got, body, code, part)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// asInFrame serves s with the policy that the gateway gives all pages of grains:
// the editor must do without workers.
func asInFrame(t *testing.T, s *httptest.Server) string {
	t.Helper()
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = func(r *http.Response) error {
		r.Header.Set("Content-Security-Policy", "worker-src 'none'")
		return nil
	}
	outside := httptest.NewServer(proxy)
	t.Cleanup(outside.CloseClientConnections)
	return outside.URL
}

// A person imports and deploys a flow, and changes one of its nodes; programs
// call it, also right after the grain was killed.
func TestFlowInTheBrowser(t *testing.T) {
	g := graintest.Start(t, "node-red")
	ctx := browsertest.Open(t)
	editor := g.As("Ann Öl", "view", "edit", "use")
	browsertest.Run(t, ctx, chromedp.Navigate(asInFrame(t, editor)+"/"))
	browsertest.WaitFor(t, ctx, `!!document.querySelector("#red-ui-palette-container .red-ui-palette-node[data-palette-type='http in']")`)
	browsertest.WaitFor(t, ctx, `RED.nodes.getWorkspaceOrder().length === 1 && !document.querySelector("#red-ui-loading-progress")?.checkVisibility()`)
	if browsertest.Eval[bool](t, ctx, `!!document.querySelector(".red-ui-palette-node[data-palette-type='exec']")`) {
		t.Error("there is a node to start programs with")
	}
	browsertest.Eval[bool](t, ctx, `(RED.actions.invoke("core:show-import-dialog"), true)`)
	browsertest.WaitFor(t, ctx, `document.querySelector("#red-ui-clipboard-dialog-import-text")?.checkVisibility()`)
	text, _ := json.Marshal(greeting)
	browsertest.Eval[bool](t, ctx, `(() => {
		const area = document.querySelector("#red-ui-clipboard-dialog-import-text");
		area.value = `+string(text)+`;
		return $(area).trigger("change").trigger("keyup").length === 1;
	})()`)
	browsertest.WaitFor(t, ctx, `!$("#red-ui-clipboard-dialog-ok").button("option", "disabled")`)
	browsertest.Run(t, ctx, chromedp.Click(chromedp.CSS("#red-ui-clipboard-dialog-ok")))
	browsertest.WaitFor(t, ctx, `RED.nodes.getWorkspaceOrder().some(id => RED.nodes.workspace(id).label === "Greetings")`)
	browsertest.WaitFor(t, ctx, `!document.querySelector("#red-ui-header-button-deploy").classList.contains("disabled")`)
	browsertest.Run(t, ctx, chromedp.Click(chromedp.CSS("#red-ui-header-button-deploy")))
	browsertest.WaitFor(t, ctx, `document.querySelector("#red-ui-header-button-deploy").classList.contains("disabled") && !RED.nodes.dirty() && RED.nodes.version()`)
	until(t, editor, "GET", "/http/hello", 200, "Hello Ann Öl")
	want(t, g.API("use"), "GET", "/hello", 200, "Hello ")

	browsertest.Eval[bool](t, ctx, `(RED.editor.edit(RED.nodes.filterNodes({type: "function"})[0]), true)`)
	browsertest.WaitFor(t, ctx, `[...document.querySelectorAll(".red-ui-tray .ace_line")].some(line => line.textContent.includes("msg.payload"))`)
	browsertest.Eval[bool](t, ctx, `(() => {
		const code = ace.edit([...document.querySelectorAll(".red-ui-tray .ace_editor")].find(e => e.textContent.includes("msg.payload")));
		code.setValue(code.getValue().replace("return msg", "msg.payload.secret = 'changed';\nreturn msg"));
		return true;
	})()`)
	// The tray is still sliding in: a click at a place might miss.
	browsertest.Eval[bool](t, ctx, `(document.querySelector("#node-dialog-ok").click(), true)`)
	browsertest.WaitFor(t, ctx, `!document.querySelector(".red-ui-tray") && RED.nodes.dirty()`)
	browsertest.Run(t, ctx, chromedp.Click(chromedp.CSS("#red-ui-header-button-deploy")))
	until(t, editor, "GET", "/http/hello", 200, "Hello Ann Öl, changed")

	g.Restart()
	want(t, g.API("use"), "GET", "/hello", 200, "changed")
	browsertest.Run(t, ctx, chromedp.Navigate(g.As("Bob", "view").URL+"/"))
	browsertest.WaitFor(t, ctx, `RED.nodes.getWorkspaceOrder().length === 2 && RED.nodes.filterNodes({type: "function"}).length === 1`)
	browsertest.WaitFor(t, ctx, `RED.settings.user?.username === "Bob" && RED.settings.user.permissions === "read"`)
	browsertest.WaitFor(t, ctx, `!!document.querySelector(".red-ui-deploy-button-group.readOnly #red-ui-header-button-deploy.disabled")`)
}

func TestRights(t *testing.T) {
	g := graintest.Start(t, "node-red")
	editor, viewer, user, nobody := g.As("Ann", "view", "edit", "use"), g.As("Bob", "view"), g.As("Cleo", "use"), g.As("Dan")
	if code, body := deploy(t, editor, greeting); code != 204 {
		t.Fatalf("deploy: %d %s", code, body)
	}
	until(t, editor, "GET", "/http/hello", 200, "Hello Ann")
	want(t, user, "GET", "/http/hello", 200, "Hello Cleo")
	if _, body := graintest.Do(t, editor, "GET", "/http/hello", ""); strings.Contains(body, "x-grain-visitor") {
		t.Errorf("a flow sees how visitors are told to Node-RED: %s", body)
	}
	want(t, viewer, "GET", "/flows", 200, `"/hello"`)
	want(t, viewer, "GET", "/http/hello", 403, "")
	want(t, viewer, "GET", "/HTTP/hello", 403, "")
	want(t, user, "GET", "/flows", 403, "")
	want(t, user, "GET", "/HTTP/../flows", 403, "")
	want(t, user, "GET", "/http/../flows", 404, "")
	want(t, user, "GET", "/http/%2e%2e/flows", 404, "")
	want(t, nobody, "GET", "/", 403, "")
	want(t, nobody, "GET", "/http/hello", 403, "")
	want(t, g.API("edit", "view"), "GET", "/hello", 403, "")
	want(t, g.API("edit", "view", "use"), "GET", "/../flows", 404, "")
	if code, body := graintest.Do(t, user, "GET", "/", ""); code != 303 {
		t.Errorf("who may only use flows: %d %.200s", code, body)
	}
	if code, _ := deploy(t, viewer, `[]`); code != 403 {
		t.Errorf("a viewer deploys: %d", code)
	}
	if code, _ := graintest.Do(t, viewer, "POST", "/flows", `[]`, "Content-Type: application/json", "X-Grain-Visitor: x", "Authorization: Bearer x"); code != 403 {
		t.Errorf("a viewer deploys: %d", code)
	}
	if code, _ := graintest.Do(t, editor, "POST", "/nodes", `{"module":"node-red-dashboard"}`, "Content-Type: application/json"); code < 400 {
		t.Errorf("a node is installed from nowhere: %d", code)
	}
	want(t, viewer, "GET", "/flows", 200, `"/hello"`)
	_, nodes := graintest.Do(t, editor, "GET", "/nodes", "", "Accept: application/json")
	for _, absent := range []string{`"exec"`, `"mqtt in"`, `"tcp in"`, `"udp in"`} {
		if strings.Contains(nodes, absent) {
			t.Errorf("there is a node %s", absent)
		}
	}
	for _, present := range []string{`"function"`, `"http in"`, `"inject"`, `"debug"`, `"template"`, `"json"`, `"csv"`, `"html"`, `"xml"`, `"yaml"`, `"file"`, `"websocket in"`, `"http request"`} {
		if !strings.Contains(nodes, present) {
			t.Errorf("there is no node %s", present)
		}
	}
	if strings.Contains(nodes, `"err"`) {
		t.Errorf("a node does not load: %s", nodes)
	}
}

// The editor's WebSocket takes a visitor by message, too: nobody can say there
// to be more than they are.
func TestSocket(t *testing.T) {
	g := graintest.Start(t, "node-red")
	ctx := browsertest.Open(t)
	// talk opens the socket, sends a message and returns all that came until it
	// closed, or until the first answer.
	const talk = `new Promise((done) => {
		const s = new WebSocket(location.origin.replace("http", "ws") + "/comms");
		let heard = "";
		s.onopen = () => s.send(%s);
		s.onmessage = (e) => { heard += e.data; s.close(); };
		s.onclose = (e) => done(heard || "closed");
		s.onerror = () => { heard ||= "refused"; };
	})`
	for _, tt := range []struct {
		who     *httptest.Server
		message string
		want    string
	}{
		{g.As("Bob", "view"), `JSON.stringify({auth: JSON.stringify({username: "root", permissions: "*"})})`, `{"auth":"fail"}`},
		{g.As("Bob", "view"), `JSON.stringify({auth: "0".repeat(64) + btoa(JSON.stringify({username: "root", permissions: "*"}))})`, `{"auth":"fail"}`},
		{g.As("Cleo", "use"), `JSON.stringify({subscribe: "notification/#"})`, "refused"},
		{g.As("Dan"), `JSON.stringify({subscribe: "notification/#"})`, "refused"},
	} {
		browsertest.Run(t, ctx, chromedp.Navigate(tt.who.URL+"/favicon.ico"))
		if got := browsertest.Eval[string](t, ctx, strings.Replace(talk, "%s", tt.message, 1)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.message, got, tt.want)
		}
	}
}

// A flow that ends the process does not keep people out: the next start leaves
// flows alone until somebody deploys again.
func TestCrash(t *testing.T) {
	g := graintest.Start(t, "node-red")
	editor := g.As("Ann", "view", "edit", "use")
	crash := strings.Replace(greeting, `"func":"`, `"func":"Promise.reject(new Error('ouch'));\n`, 1)
	if code, body := deploy(t, editor, crash); code != 204 {
		t.Fatalf("deploy: %d %s", code, body)
	}
	for deadline := time.Now().Add(browsertest.Patience); !strings.Contains(g.Log(), "ouch"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the flow does not end Node-RED")
		}
		// The answer may come before the process ends, or not at all.
		if resp, err := editor.Client().Get(editor.URL + "/http/hello"); err == nil {
			resp.Body.Close()
		}
	}
	g.Restart()
	editor = g.As("Ann", "view", "edit", "use")
	want(t, editor, "GET", "/flows", 200, "ouch")
	want(t, editor, "GET", "/http/hello", 404, "")
	if code, body := deploy(t, editor, greeting); code != 204 {
		t.Fatalf("deploy: %d %s", code, body)
	}
	until(t, editor, "GET", "/http/hello", 200, "Hello Ann")
	g.Restart()
	want(t, g.API("use"), "GET", "/hello", 200, "Hello")
}
