package etherpad_test

import (
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
	"github.com/sandstorm-go/sandstorm/test/browsertest"
)

// inner is the document in which one writes.
const inner = `document.querySelector("iframe[name=ace_outer]").contentDocument.querySelector("iframe[name=ace_inner]").contentDocument`

// open waits until the pad can be used.
func open(p *browsertest.Page) {
	p.Helper()
	p.Visit("/")
	p.Wait(`document.querySelector("#editorcontainer.initialized") && window.pad?.collabClient && ` + inner + `.body.isConnected`)
}

// write types at the end of the pad.
func write(p *browsertest.Page, text string) {
	p.Helper()
	p.Do(`(() => {
		const doc = ` + inner + `;
		doc.defaultView.parent.focus();
		doc.defaultView.focus();
		doc.body.focus();
		doc.getSelection().selectAllChildren(doc.body);
		doc.getSelection().collapseToEnd();
	})()`)
	p.Keys(text)
}

func waitForText(p *browsertest.Page, text string) {
	p.Helper()
	p.Wait(inner+`.body.innerText.replaceAll("\u00a0", " ").includes(%s)`, text)
}

// Two people write in two browsers, a third reads; all is still there after the
// grain was killed.
func TestWritingTogether(t *testing.T) {
	g := graintest.Start(t, "etherpad")
	b := browsertest.Start(t, browsertest.Options{})
	ann, bob, eve := b.Page(t, g.As("Ann Öl", "view", "edit").URL), b.Page(t, g.As("Bob", "view", "edit").URL), b.Page(t, g.As("Eve", "view").URL)
	open(ann)
	open(bob)
	open(eve)
	write(ann, "Dear all, ")
	waitForText(bob, "Dear all,")
	write(bob, "here is Bob.")
	for _, p := range []*browsertest.Page{ann, bob, eve} {
		waitForText(p, "Dear all, here is Bob.")
		p.Wait(`document.querySelector("#online_count")?.textContent === "3"`)
	}
	// Their names come from the platform, and stay what they are.
	ann.Click(`[data-key="showusers"] a`)
	ann.Wait(`document.querySelector("#otheruserstable").innerText.includes("Bob") && document.querySelector("#otheruserstable").innerText.includes("Eve")`)
	ann.Wait(`document.querySelector("#myusernameedit").value === "Ann Öl" && document.querySelector("#myusernameform").inert`)
	bob.Do(`pad.collabClient.updateUserInfo({...pad.myUserInfo, name: "Ann Öl", colorId: "#123456"})`)
	ann.Wait(`[...document.querySelectorAll("#otheruserstable .usertdswatch div")].some((e) => e.style.background.includes("rgb(18, 52, 86)"))`)
	if names := browsertest.Value[string](ann, `document.querySelector("#otheruserstable").innerText`); strings.Contains(names, "Ann") {
		t.Errorf("Bob took another name: %q", names)
	}
	if browsertest.Value[bool](eve, `Boolean(document.querySelector('[data-key="bold"]')) || document.querySelector("#chaticon").checkVisibility() || `+inner+`.body.isContentEditable`) {
		t.Error("a reader is offered what only writers can do")
	}
	ann.Shot("etherpad-ann")
	eve.Shot("etherpad-eve")

	g.Restart()
	// The pages come back by themselves, with what was written.
	write(ann, " Welcome back!")
	waitForText(bob, "Dear all, here is Bob. Welcome back!")
	ann.Do(`chat.show()`)
	ann.Click("#chatinput")
	ann.Keys("Tee für zwei?\r")
	bob.Do(`chat.show()`)
	bob.Wait(`document.querySelector("#chattext").innerText.includes("Ann Öl") && document.querySelector("#chattext").innerText.includes("Tee für zwei?")`)
	// A reader goes through the history.
	eve.Visit("/p/pad/timeslider")
	eve.Wait(`document.querySelector("#innerdocbody")?.innerText.replaceAll("\u00a0", " ").includes("Welcome back!") && document.querySelector("#authorsList")?.innerText.includes("Bob")`)
	eve.Shot("etherpad-history")
	code, body := graintest.Do(t, g.As("Eve", "view"), "GET", "/p/pad/export/txt", "")
	if code != 200 || !strings.HasPrefix(body, "Dear all, here is Bob. Welcome back!") {
		t.Errorf("%d %q", code, body)
	}
}

// What a page of a reader could send by hand changes nothing, and nobody can say
// to be somebody else.
func TestForgedMessages(t *testing.T) {
	g := graintest.Start(t, "etherpad")
	b := browsertest.Start(t, browsertest.Options{})
	ann, bob, eve := b.Page(t, g.As("Ann", "view", "edit").URL), b.Page(t, g.As("Bob", "view").URL), b.Page(t, g.As("Eve", "view").URL)
	open(ann)
	open(bob)
	open(eve)
	annID := browsertest.Value[string](ann, `pad.getUserId()`)
	for _, message := range []string{
		`{type: "COLLABROOM", component: "pad", data: {type: "USER_CHANGES", baseRev: 0, changeset: "Z:1>4*0+4$evil", apool: {numToAttrib: {0: ["author", pad.getUserId()]}, nextNum: 1}}}`,
		`{type: "COLLABROOM", component: "pad", data: {type: "CHAT_MESSAGE", text: "evil"}}`,
		`{type: "COLLABROOM", component: "pad", data: {type: "SAVE_REVISION"}}`,
		`{type: "COLLABROOM", component: "pad", data: null}`,
		`{type: "SWITCH_TO_PAD", component: "pad", padId: "other", token: "t.x"}`,
		`{type: "CLIENT_READY", component: "pad", padId: "__proto__", token: {}, protocolVersion: 2}`,
		`{type: "CLIENT_READY", component: "pad", padId: "other", token: "t.x", sessionID: "s.x", protocolVersion: 2}`,
		`[1]`, `"text"`, `null`,
	} {
		eve.Do(`void pad.socket.json.send(` + message + `)`)
	}
	// The server answered the last greeting: Eve is here twice, as herself.
	eve.Wait(`document.querySelector("#connectivity .userdup")?.checkVisibility()`)
	write(ann, "still here")
	waitForText(bob, "still here")
	if id := browsertest.Value[string](eve, `pad.getUserId()`); id == annID || id == "" {
		t.Errorf("Eve is %q, Ann %q", id, annID)
	}
	code, body := graintest.Do(t, g.As("Ann", "view", "edit"), "GET", "/p/pad/export/etherpad", "")
	if code != 200 || strings.Contains(body, "evil") || strings.Contains(body, `"pad:other`) || strings.Contains(body, `"savedRevisions":[{`) {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := graintest.Do(t, g.As("Ann", "view", "edit"), "GET", "/p/other/export/txt", ""); code != 404 {
		t.Errorf("there is another pad: %d", code)
	}
}
