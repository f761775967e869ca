package ethercalc_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
	"github.com/sandstorm-go/sandstorm/test/browsertest"
)

func TestMain(m *testing.M) { os.Exit(graintest.Main(m)) }

// open waits until the sheet is there.
func open(p *browsertest.Page) {
	p.Helper()
	p.Visit("/")
	p.Wait(`window.spreadsheet?.editor && SocialCalc.hadSnapshot && !document.querySelector(".loader") && document.querySelector("#people li")`)
}

// waitFor waits until a cell has a value.
func waitFor(p *browsertest.Page, cell, value string) {
	p.Helper()
	p.Wait(`String(spreadsheet.sheet.cells[%s]?.datavalue) === %s`, cell, value)
}

// Two people fill in one sheet in two browsers, a third looks on; all is still
// there after the grain was killed.
func TestCalculatingTogether(t *testing.T) {
	g := graintest.Start(t, "ethercalc")
	b := browsertest.Start(t, browsertest.Options{})
	ann, bob, eve := b.Page(t, g.As("Ann Öl", "view", "edit").URL), b.Page(t, g.As("Bob", "view", "edit").URL), b.Page(t, g.As("Eve", "view").URL)
	for _, p := range []*browsertest.Page{ann, bob, eve} {
		open(p)
	}
	ann.Wait(`document.querySelector("#people").innerText.split("\n").sort().join() === "Ann Öl,Bob,Eve"`)
	ann.Keys("6\r7\r")
	ann.Keys("=A1*A2\r")
	waitFor(bob, "A3", "42")
	bob.Do(`spreadsheet.editor.MoveECell("B1")`)
	bob.Keys("Tee für zwei\r")
	bob.Do(`spreadsheet.editor.MoveECell("A1")`)
	bob.Keys("10\r")
	for _, p := range []*browsertest.Page{ann, bob, eve} {
		waitFor(p, "A3", "70")
		waitFor(p, "B1", "Tee für zwei")
	}
	if browsertest.Value[bool](ann, `spreadsheet.tabs.some((tab) => tab.name === "form")`) {
		t.Error("the page offers forms, which are sheets of their own")
	}
	ann.Shot("ethercalc-ann")
	eve.Shot("ethercalc-eve")

	g.Restart()
	// The pages come back by themselves.
	bob.Do(`spreadsheet.editor.MoveECell("A2")`)
	bob.Keys("5\r")
	waitFor(ann, "A3", "50")
	waitFor(eve, "A3", "50")
	code, body := graintest.Do(t, g.As("Eve", "view"), "GET", "/sheet.csv", "")
	if code != 200 || !strings.Contains(body, "10,Tee für zwei\n5,\n50,") {
		t.Errorf("%d %q", code, body)
	}
	for _, kind := range []string{"xlsx", "ods"} {
		code, body := graintest.Do(t, g.As("Eve", "view"), "GET", "/sheet."+kind, "")
		if text := unzip(t, body); code != 200 || !strings.Contains(text, "A1*A2") && !strings.Contains(text, "[.A1]*[.A2]") {
			t.Errorf("%s: %d %.2000q", kind, code, text)
		}
	}
}

func unzip(t *testing.T, content string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader([]byte(content)), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return all.String()
}

// Many commands become a snapshot; nothing is lost by it, and a command that
// means nothing breaks nothing.
func TestSnapshot(t *testing.T) {
	g := graintest.Start(t, "ethercalc")
	b := browsertest.Start(t, browsertest.Options{})
	ann := b.Page(t, g.As("Ann", "view", "edit").URL)
	open(ann)
	ann.Do(`(() => {
		for (let i = 1; i <= 1200; i++) SocialCalc.Callbacks.broadcast("execute", {cmdstr: i === 7 ? "set nonsense \u0000\nname define" : "set A" + i + " value n " + i, saveundo: true});
	})()`)
	// The last command is kept: then a kill can come.
	eve := b.Page(t, g.As("Eve", "view").URL)
	open(eve)
	eve.Wait(`spreadsheet.sheet.cells.A1200?.datavalue === 1200`)
	g.Restart()
	for range 2 {
		eve := b.Page(t, g.As("Eve", "view").URL)
		open(eve)
		eve.Wait(`spreadsheet.sheet.cells.A1200?.datavalue === 1200 && spreadsheet.sheet.cells.A8?.datavalue === 8`)
		g.Restart()
	}
	open(ann)
	if left := browsertest.Value[int](ann, `new Promise((done) => {
		const socket = new WebSocket(location.origin.replace("http", "ws") + "/live");
		socket.onopen = () => socket.send(JSON.stringify({type: "ask.log", user: "x", room: "sheet"}));
		socket.onmessage = ({data}) => {
			const {type, log, snapshot} = JSON.parse(data);
			if (type === "log") { socket.close(); done(snapshot === "" ? -1 : log.length); }
		};
	})`); left < 0 || left > 1000 {
		t.Errorf("%d commands are left beside the snapshot", left)
	}
	code, body := graintest.Do(t, g.As("Eve", "view"), "GET", "/sheet.csv", "")
	if code != 200 || !strings.HasSuffix(strings.TrimSpace(body), "\n1199\n1200") {
		t.Errorf("%d %.300q", code, body)
	}
}

// What a page of a reader could send by hand changes nothing.
func TestForgedMessages(t *testing.T) {
	g := graintest.Start(t, "ethercalc")
	b := browsertest.Start(t, browsertest.Options{})
	ann, eve := b.Page(t, g.As("Ann", "view", "edit").URL), b.Page(t, g.As("Eve", "view").URL)
	open(ann)
	open(eve)
	eve.Do(`new Promise((done) => {
		const socket = new WebSocket(location.origin.replace("http", "ws") + "/live");
		socket.onopen = () => {
			const user = SocialCalc._username, room = "sheet";
			for (const message of [
				{type: "execute", user, room, cmdstr: "set A1 text t evil", saveundo: true}, {type: "execute", room, cmdstr: "set A1 text t evil"},
				{type: "execute", user, room: "other", cmdstr: "set A1 text t evil"}, {type: "execute", user, room, cmdstr: {}},
				{type: "stopHuddle", user, room}, {type: "snapshot", user, room, snapshot: "evil"}, {type: "log", user, room, log: ["set A1 text t evil"]},
				{type: "ecell", user, room, ecell: "<b>"}, {type: "__proto__", user, room}, {type: "constructor", user, room}, [], null, "text", 1,
			]) socket.send(JSON.stringify(message));
			socket.send("{");
			socket.send(JSON.stringify({type: "ask.log", user, room}));
		};
		socket.onmessage = ({data}) => { if (JSON.parse(data).type === "log") { socket.close(); done(); } };
	})`)
	// All that was sent has been dealt with by now.
	ann.Keys("good\r")
	waitFor(eve, "A1", "good")
	code, body := graintest.Do(t, g.As("Ann", "view", "edit"), "GET", "/sheet.csv", "")
	if code != 200 || strings.Contains(body, "evil") || !strings.Contains(body, "good") {
		t.Errorf("%d %q", code, body)
	}
	nobody := g.As("Nobody")
	for _, path := range []string{"/", "/sheet", "/sheet.csv", "/static/ethercalc.js", "/live"} {
		if code, body := graintest.Do(t, nobody, "GET", path, ""); code != 403 {
			t.Errorf("%s shows %d %.100q to somebody without permissions", path, code, body)
		}
	}
	for _, path := range []string{"/other", "/_rooms", "/sheet.pdf", "/=sheet", "/_new", "/index.json", "/static/../server.js", "/static/%2e%2e/%2e%2e/server.js"} {
		if code, body := graintest.Do(t, g.As("Ann", "view", "edit"), "GET", path, ""); code != 404 {
			t.Errorf("%s: %d %.100q", path, code, body)
		}
	}
}
