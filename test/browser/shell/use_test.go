//go:build browser

package shell_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

// The main job by keyboard alone: from the skip link to a grain and back.
func TestKeyboard(t *testing.T) {
	b := open(t, shelltest.New(), "Alice")
	b.visit("/grain")
	b.keys(kb.Tab)
	b.wait(`document.activeElement.className === 'skip'`)
	b.keys(kb.Enter)
	b.wait(`document.activeElement.id === 'main' || location.hash === '#main'`)
	b.slash()
	b.wait(`document.activeElement.id === 'search'`)
	b.keys("handbook")
	b.wait(`document.querySelectorAll('tbody tr').length === 1`)
	b.keys(kb.Enter)
	b.wait(`document.querySelector('.grainbar')?.dataset.title === 'House handbook'`)
	b.ready()
	b.wait(`document.activeElement.tagName === 'IFRAME'`)

	b.eval(`document.querySelector('.title-button').focus()`)
	b.keys(kb.Enter)
	b.wait(`document.activeElement.id === 'new-title'`)
	b.keys(kb.Escape)
	b.wait(`document.activeElement.className === 'title-button' && !document.querySelector(':popover-open')`)

	b.visit("/grain")
	b.slash()
	b.keys(kb.ArrowDown)
	b.wait(`document.activeElement.textContent === 'Garden plan 2027'`)
	b.keys(kb.ArrowDown)
	b.wait(`document.activeElement.textContent === 'House handbook'`)
	b.keys(kb.ArrowUp + kb.ArrowUp)
	b.wait(`document.activeElement.id === 'search'`)

	b.visit("/grain?rename=" + string(b.world.GrainByTitle("House handbook").ID))
	b.wait(`document.activeElement.name === 'title'`)
	b.keys(kb.Escape)
	b.wait(`!document.querySelector('.rename')`)
}

// slash presses the key that leads to the search box. The protocol's own key
// event types the character even where the page took the key.
func (b *tab) slash() {
	b.Helper()
	b.eval(`document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: '/', bubbles: true, cancelable: true}))`)
}

// The grain list: rename, trash with undo, several at once, delete for good.
func TestGrainList(t *testing.T) {
	b := open(t, shelltest.New(), "Alice")
	b.visit("/grain")
	b.click(`tbody tr:nth-child(2) a.icon-button`)
	b.visible(`.rename [name=title]`)
	b.keys("Manual" + kb.Enter)
	b.wait(`[...document.querySelectorAll('.row-title')].some((a) => a.textContent === 'Manual')`)

	b.click(`tbody tr:nth-child(1) button.icon-button`)
	b.visible(`.flash button`)
	b.click(`.flash button`)
	b.wait(`document.querySelector('.flash')?.textContent.includes('Restored')`)

	b.eval(`document.querySelectorAll('tbody tr')[0].querySelector('input').click()`)
	b.eval(`document.querySelectorAll('tbody tr')[2].querySelector('input').dispatchEvent(new MouseEvent('click', {bubbles: true, shiftKey: true}))`)
	b.wait(`document.querySelector('.bulk-bar .count').textContent === '3 selected'`)
	b.click(`.bulk-bar button`)
	b.wait(`document.querySelector('.flash')?.textContent.includes('3 grains moved')`)
	b.wait(`document.querySelectorAll('tbody tr').length === 5`)

	b.visit("/grain#trash")
	b.wait(`location.pathname === '/grain/trash' && document.querySelectorAll('tbody tr').length === 5`)
	b.click(`[data-all]`)
	b.click(`.bulk-bar .danger`)
	b.visible(`dialog[open] .danger`)
	b.keys(kb.Escape)
	b.wait(`!document.querySelector('dialog[open]')`)
	b.click(`.bulk-bar .danger`)
	b.visible(`dialog[open] .danger`)
	b.click(`dialog[open] .danger`)
	b.wait(`document.querySelector('.empty') && document.querySelector('.flash')?.textContent.includes('5 grains deleted')`)
}

// Installing an app by upload, making a grain, and seeing changes from elsewhere.
func TestInstallAndLive(t *testing.T) {
	b := open(t, shelltest.New(), "Alice")
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.spk"), filepath.Join(dir, "bad.spk")
	for file, text := range map[string]string{good: "app Sketches", bad: "nothing"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.visit("/apps")
	b.run(chromedp.SetUploadFiles(chromedp.CSS(`#package`), []string{bad}))
	b.visible(`.drop .alert-text`)
	b.run(chromedp.SetUploadFiles(chromedp.CSS(`#package`), []string{good}))
	b.wait(`document.querySelector('h1').textContent === 'Install Sketches?'`)
	b.click(`main .primary`)
	b.wait(`document.querySelector('.flash') && document.querySelector('h1').textContent === 'Sketches'`)
	b.click(`main .primary`)
	b.wait(`document.querySelector('.grainbar')?.dataset.title === 'Untitled Sketches document'`)
	b.ready()

	b.visit("/grain")
	b.wait(`document.querySelectorAll('tbody tr').length === 9`)
	world := b.world
	world.Lock()
	for _, g := range world.Grains {
		if g.Title == "Kitchen renovation" {
			g.Title = "Bathroom renovation"
		}
	}
	world.Unlock()
	b.eval(`document.querySelector('tbody tr .pick input').click()`)
	for range 100 { // until the page listens
		world.Publish("grains")
		if eval[bool](b, `document.body.textContent.includes('Bathroom renovation')`) {
			break
		}
		b.eval(`new Promise(requestAnimationFrame)`)
	}
	b.wait(`document.body.textContent.includes('Bathroom renovation')`)
	if !eval[bool](b, `document.querySelector('tbody tr .pick input').checked`) {
		t.Error("a tick was lost")
	}
}

// A grain's log is followed as text.
func TestLog(t *testing.T) {
	world := shelltest.New()
	id := world.GrainByTitle("Garden plan 2027").ID
	world.Logs[id] = "<script>alert(1)</script><img src=x onerror=alert(2)>\n"
	b := open(t, world, "Alice")
	b.visit("/grainlog/" + string(id))
	b.wait(`document.querySelector('.log').textContent.includes('<script>alert(1)')`)
	if eval[bool](b, `Boolean(document.querySelector('.log *'))`) {
		t.Error("log became markup")
	}
}

// The menu of a phone is a sheet that opens and closes.
func TestPhoneMenu(t *testing.T) {
	b := open(t, shelltest.New(), "Alice")
	b.look(2)
	b.visit("/grain")
	b.click(`.phonebar .icon-button`)
	b.visible(`#side .menu.foot`)
	b.shot("phone-menu")
	b.axe("phone menu")
	b.click(`#side a[href="/apps"]`)
	b.wait(`location.pathname === '/apps' && !document.querySelector('#side').matches(':popover-open')`)
	small := eval[[]string](b, `[...document.querySelectorAll('button, .button, .menu a, input')].filter((el) => el.checkVisibility() && !el.closest('.visually-hidden, label') && el.type !== 'checkbox' && el.getBoundingClientRect().height > 1 && el.getBoundingClientRect().height < 42).map((el) => el.outerHTML.slice(0, 100))`)
	for _, el := range small {
		t.Errorf("too small for a finger: %s", el)
	}
}

// Signing in and out by a development account.
func TestSignIn(t *testing.T) {
	b := open(t, shelltest.New(), "")
	b.visit("/apps")
	b.wait(`location.pathname === '/login'`)
	b.click(`button[value=Alice]`)
	b.wait(`location.pathname === '/apps' && document.querySelector('.me')?.textContent.includes('Alice')`)
	b.click(`.me button`)
	b.wait(`location.pathname === '/login'`)
	b.run(chromedp.SendKeys(chromedp.CSS(`#email`), "zoe@example.com"+kb.Enter))
	b.visible(`#code`)
	b.keys(shelltest.Code + kb.Enter)
	b.wait(`document.querySelector('.me')?.textContent.includes('zoe')`)
}
