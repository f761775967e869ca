//go:build browser

package shell_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/shell"
	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

// shown is the frame that can be seen.
const shown = `document.querySelector('grain-frames iframe:not([hidden])')`

// ready waits until the shown grain's frame is loaded.
func (b *tab) ready() {
	b.Helper()
	b.wait(shown + ` && !document.querySelector('.overlay:not([hidden])')`)
}

// app is what the fake app in a frame tells of itself.
type app struct {
	Born  string           `json:"born"` // changes when the frame is loaded again
	At    string           `json:"at"`
	Heard []map[string]any `json:"heard"`
}

// ask talks to the app in the shown frame; send, if not empty, is a message
// that the app then posts to the shell, as JSON.
func (b *tab) ask(send string) app {
	b.Helper()
	if send != "" {
		send = ", send: " + send
	}
	// A frame that is being loaded hears nothing, so a bare question is asked
	// until it is answered.
	return eval[app](b, `new Promise((done) => {
		const n = Math.random();
		const post = () => `+shown+`?.contentWindow.postMessage({ask: n`+send+`}, '*');
		const again = setInterval(post, `+strconv.Itoa(map[bool]int{true: 100, false: 100000}[send == ""])+`);
		addEventListener('message', function got(e) {
			if (e.data?.answer !== n) return;
			removeEventListener('message', got);
			clearInterval(again);
			done(e.data.value);
		});
		post();
	})`)
}

func (b *tab) bar() string {
	b.Helper()
	return eval[string](b, `location.pathname + location.search + location.hash`)
}

func (b *tab) grain(title string) string {
	return "/grain/" + string(b.world.GrainByTitle(title).ID)
}

// A grain's frame survives moving around in the shell, and opening others.
func TestFramesStayAlive(t *testing.T) {
	b := open(t, shelltest.New(), "Alice")
	b.visit("/grain")
	b.click(`a[href="` + b.grain("Garden plan 2027") + `"]`)
	b.ready()
	garden := b.ask("")

	b.click(`#menu a[href="/apps"]`)
	b.wait(`location.pathname === '/apps' && document.querySelector('h1').textContent === 'Apps'`)
	if n := eval[int](b, `document.querySelectorAll('grain-frames iframe').length`); n != 1 {
		t.Fatalf("%d frames after leaving the grain", n)
	}
	if !eval[bool](b, `document.querySelector('grain-frames').inert && document.querySelector('iframe').inert`) {
		t.Error("the hidden frame can still be reached by keyboard")
	}
	b.click(`#menu a[href="/grain"]`)
	b.wait(`location.pathname === '/grain' && document.querySelector('.grain-table')`)
	b.click(`main a[href="` + b.grain("House handbook") + `"]`)
	b.wait(`document.querySelectorAll('iframe').length === 2`)
	b.ready()
	house := b.ask("")
	if house.Born == garden.Born {
		t.Fatal("two grains show one frame")
	}
	b.click(`#open-grains a[href="` + b.grain("Garden plan 2027") + `"]`)
	b.wait(`document.querySelector('.grainbar')?.dataset.title === 'Garden plan 2027' && ` + shown + `.title === 'Garden plan 2027'`)
	if again := b.ask(""); again.Born != garden.Born {
		t.Error("the first grain was loaded again")
	}
	b.run(chromedp.NavigateBack())
	b.wait(`document.querySelector('.grainbar')?.dataset.title === 'House handbook' && ` + shown + `.title === 'House handbook'`)
	if again := b.ask(""); again.Born != house.Born {
		t.Error("the second grain was loaded again by the back button")
	}

	b.click(`#open-grains li:first-child button`)
	b.wait(`document.querySelectorAll('iframe').length === 1 && document.querySelectorAll('#open-grains li').length === 1`)
}

// Deep links reach the app with query and fragment, and the app's path reaches
// the address bar.
func TestPaths(t *testing.T) {
	b := open(t, shelltest.New(), "Alice")
	id := b.grain("Garden plan 2027")
	b.visit(id + "/a%20b/c?q=1&r=%26+x#frag")
	b.ready()
	first := b.ask("")
	if first.At != "/a%20b/c?q=1&r=%26+x#frag" {
		t.Fatalf("the app is at %q", first.At)
	}
	b.ask(`{setPath: '/moved?to=1#here'}`)
	b.wait(`location.pathname.endsWith('/moved')`)
	if got := b.bar(); got != id+"/moved?to=1#here" {
		t.Errorf("address bar %q", got)
	}
	b.ask(`{setPath: ''}`)
	b.wait(`location.pathname.endsWith('` + id + `/')`)

	// Away and back by the sidebar: as it was left.
	b.ask(`{setPath: '/left'}`)
	b.wait(`location.pathname.endsWith('/left')`)
	b.click(`#menu a[href="/apps"]`)
	b.wait(`location.pathname === '/apps'`)
	b.click(`#open-grains a`)
	b.wait(`location.pathname === '` + id + `/left'`)
	if again := b.ask(""); again.Born != first.Born {
		t.Error("loaded again")
	}

	// Another fragment in the address bar goes to the app.
	b.eval(`location.hash = '#two'`)
	b.wait(`location.hash === '#two'`)
	b.ready()
	for range 100 {
		if b.ask("").At == "/left#two" {
			return
		}
	}
	t.Errorf("the app is at %q", b.ask("").At)
}

// What a hostile app posts leads nowhere.
func TestHostileMessages(t *testing.T) {
	b := open(t, shelltest.New(), "Alice")
	id := b.grain("Garden plan 2027")
	b.visit(id)
	b.ready()
	before := b.bar()
	for _, message := range []string{
		`{setPath: '/../../account'}`, `{setPath: '/%2e%2e/%2e%2e/account'}`, `{setPath: '//evil.example/'}`,
		`{setPath: 'javascript:alert(1)'}`, `{setPath: 5}`, `{setPath: {toString: 1}}`, `{setPath: '/' + 'x'.repeat(9000)}`,
		`null`, `[1]`, `'text'`, `{setTitle: {a: 1}}`, `{getGrainTitle: {}, rpcId: {a: 1}}`, `{powerboxRequest: 7}`,
		`{renderTemplate: {rpcId: 5, template: 'x'}}`,
	} {
		b.ask(message)
	}
	got := b.ask("")
	if bar := b.bar(); bar != before {
		t.Errorf("address bar moved from %q to %q", before, bar)
	}
	if len(got.Heard) != 0 {
		t.Errorf("the shell answered: %v", got.Heard)
	}
	// Another window, even ours, is not the frame.
	b.eval(`postMessage({setPath: '/forged'}, '*')`)
	b.ask("")
	if bar := b.bar(); bar != before {
		t.Errorf("a message from another window moved the address bar to %q", bar)
	}
	b.ask(`{setTitle: '<img src=x onerror=alert(1)>'}`)
	b.wait(`document.title.startsWith('<img src=x')`)
}

// Apps hear the grain's title, and of new ones if they asked.
func TestTitles(t *testing.T) {
	b := open(t, shelltest.New(), "Alice")
	b.visit(b.grain("Garden plan 2027"))
	b.ready()
	b.ask(`{setTitle: 'Beds'}`)
	b.wait(`document.title === 'Beds · Willow Street'`)
	b.ask(`{getGrainTitle: {}, rpcId: 7, subscribe: true}`)
	b.heard(map[string]any{"rpcId": 7, "grainTitle": "Garden plan 2027"})
	b.ask(`{powerboxRequest: {rpcId: 'p', query: []}}`)
	b.heard(map[string]any{"rpcId": "p", "canceled": true})
	b.ask(`{renderTemplate: {rpcId: 't', template: 'x'}}`)
	b.wait(`document.querySelector('.toast')`)

	b.click(`.title-button`)
	b.visible(`#new-title`)
	b.keys("Vegetables" + kb.Enter)
	b.wait(`document.querySelector('.title-button')?.textContent.trim() === 'Vegetables'`)
	b.wait(`document.querySelector('#open-grains a').textContent.trim() === 'Vegetables'`)
	b.heard(map[string]any{"rpcId": 7, "grainTitle": "Vegetables"})
	if b.world.GrainByTitle("Vegetables") == nil {
		t.Error("not renamed")
	}
}

// heard waits until the app was told something.
func (b *tab) heard(want map[string]any) {
	b.Helper()
	text, _ := json.Marshal(want)
	for range 200 {
		for _, m := range b.ask("").Heard {
			if got, _ := json.Marshal(m); string(got) == string(text) {
				return
			}
		}
	}
	b.Errorf("the app never heard %s", text)
}

// When the app ends, or the session does, the page says so and helps.
func TestTrouble(t *testing.T) {
	b := open(t, shelltest.New(), "Alice")
	id := b.world.GrainByTitle("Garden plan 2027").ID
	b.visit("/grain/" + string(id))
	b.ready()
	b.world.Lock()
	b.world.Health[id] = shell.GrainHealth{Crash: "grain.exited", Detail: "exit status 1"}
	b.world.Unlock()
	b.world.Publish("grain:" + string(id))
	b.visible(`.trouble [data-do=restart]`)
	b.axe("crashed")
	b.shot("light-grain-crashed")
	b.click(`.trouble [data-do=restart]`)
	b.ready()

	b.world.Lock()
	clear(b.world.Sessions)
	b.world.Unlock()
	b.world.Publish("grain:" + string(id))
	b.visible(`.trouble [data-do=reopen]`)
	b.shot("light-grain-ended")

	b.world.Lock()
	b.world.Fail["open"] = sandstorm.Errorf(sandstorm.Unavailable, "grain.start", "no room")
	b.world.Unlock()
	b.click(`.trouble [data-do=reopen]`)
	b.visible(`.trouble [data-do=log]`)
	b.shot("light-grain-failed")
	b.axe("failed")
	b.world.Lock()
	delete(b.world.Fail, "open")
	b.world.Unlock()
	b.click(`.trouble [data-do=reopen]`)
	b.ready()
}

// No more than twelve frames live at once; the oldest goes.
func TestFrameLimit(t *testing.T) {
	world := shelltest.New()
	for i := range 14 {
		g := *world.GrainByTitle("Reading list")
		g.ID, g.Title = sandstorm.NewGrainID(), "Grain "+string(rune('A'+i))
		world.Grains[g.ID] = &g
	}
	b := open(t, world, "Alice")
	b.visit("/grain?q=Grain")
	for i := range 14 {
		id := string(world.GrainByTitle("Grain " + string(rune('A'+i))).ID)
		b.eval(`import(document.querySelector('script[type=module]').src.replace('main.js', 'nav.js')).then((nav) => nav.navigate('/grain/` + id + `'))`)
		b.wait(`document.querySelector('.grainbar')?.dataset.grain === '` + id + `'`)
		b.ready()
	}
	if n := eval[int](b, `document.querySelectorAll('iframe').length`); n != 12 {
		t.Errorf("%d frames", n)
	}
	if n := eval[int](b, `document.querySelectorAll('#open-grains li').length`); n != 14 {
		t.Errorf("%d in the sidebar", n)
	}
}
