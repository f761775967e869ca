package e2e

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/sandstorm-go/sandstorm/test/browsertest"
	"github.com/sandstorm-go/sandstorm/test/harness"
)

// TestTrouble: a page says why an app stopped or does not start, and helps.
func TestTrouble(t *testing.T) {
	t.Parallel()
	s, apps := development(t, "probe")
	p := signedIn(t, s, "Alice")
	id := grain(t, s, apps["probe"], "Alice", "Clumsy")
	f := openGrain(p, id, "/kept?path=1")
	f.ExpectAnything()
	f.Wait(`JSON.parse(document.body.innerText).path === "/kept?path=1"`)
	run := browsertest.Value[string](f, `JSON.parse(document.body.innerText).run`)
	f.Do(`fetch("/crash?code=7", {method: "POST"}).catch(() => null).then(() => 0)`)
	p.Visible(`.overlay.trouble [data-do=restart]`)
	p.Wait(`document.querySelector(".overlay.trouble").innerText.includes("exit status 7")`)
	if href := browsertest.Value[string](p, `document.querySelector(".overlay.trouble [data-do=log]").getAttribute("href")`); href != "/grainlog/"+id {
		t.Errorf("the log is at %q", href)
	}
	p.Inspect("grain-crashed", browsertest.Looks[:2]...)
	p.Click(`.overlay.trouble [data-do=restart]`)
	again := frame(p)
	again.Wait(`JSON.parse(document.body.innerText).path === "/kept?path=1"`)
	if now := browsertest.Value[string](again, `JSON.parse(document.body.innerText).run`); now == run {
		t.Error("the app did not crash")
	}

	// The server goes and comes back while the page is open: it says nothing,
	// because nothing happened to the grain.
	again.ExpectAnything()
	again.Do(`window.mark = 1`)
	s.Kill()
	s.Run()
	again.Wait(`window.mark === 1 && fetch("/echo").then((r) => r.ok)`)
	if browsertest.Value[int](p, `document.querySelectorAll(".overlay.trouble").length`) != 0 {
		t.Error("a restart of the server disturbed the page")
	}

	// Grains that are deleted elsewhere.
	if _, errs, exit := s.Command("grain", "delete", id); exit != 0 {
		t.Fatal(errs)
	}
	p.Visit("/grain/" + id)
	p.Wait(`document.querySelector("main .empty-icon.bad")`)
}

// TestCannotStart: an app whose program is missing.
func TestCannotStart(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, false)
	var app harness.App
	s.JSON(&app, "app", "install", brokenPackage(t))
	p := signedIn(t, s, "Alice")
	p.ExpectAnything()
	p.Visit("/apps/" + app.AppID)
	p.Click(`form[action="/grain/new"] button`)
	p.Wait(`location.pathname.startsWith("/grain/")`)
	p.Wait(shown + ` && !document.querySelector(".overlay:not([hidden])")`)
	p.Do(`document.querySelector("h1").focus()`)
	p.Inspect("grain-cannot-start", browsertest.Looks[:2]...)
	p.Click(`.grainbar a[href^="/grainlog/"]`)
	p.Wait(`document.querySelector(".log")`)

	// What the frame shows.
	origin, client := s.Session(strings.Split(p.Location(), "/")[2])
	resp, err := client.Get(origin + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 503 || !strings.Contains(string(text), "could not be started") {
		t.Errorf("%s: %s", resp.Status, text)
	}
}

// TestPages: what the other tests do not come by.
func TestPages(t *testing.T) {
	t.Parallel()
	s, _ := development(t, "notes", "filedrop")
	out := browser(t).Page(t, s.BaseURL)
	out.Visit("/apps") // leads to the sign-in
	out.Wait(`location.pathname === "/login"`)
	out.Inspect("login-dev")
	out.Visit("/about")
	out.Inspect("about-signed-out", browsertest.Looks[:2]...)
	out.Visit("/setup")
	out.Inspect("setup-again", browsertest.Looks[:2]...)

	p := signedIn(t, s, "Alice")
	p.Inspect("apps")
	for name, path := range map[string]string{
		"account": "/account", "about": "/about", "notfound": "/no/such/page", "grain-notfound": "/grain/aaaaaaaaaaaaaaaaaaaaaa", "trash-empty": "/grain/trash",
	} {
		p.Visit(path)
		p.Inspect(name, browsertest.Looks[:2]...)
	}
	// A session's host without its cookie, and a host that is nobody's.
	for name, host := range map[string]string{"session-denied": "ui-" + strings.Repeat("0", 32), "host-unknown": "nobody"} {
		p.Visit(strings.Replace(s.BaseURL, "://", "://"+host+".", 1) + "/x")
		p.Inspect(name, browsertest.Looks[:2]...)
	}
}

// TestLanguages: French by the browser's wish, and by the account's.
func TestLanguages(t *testing.T) {
	t.Parallel()
	s, _ := development(t, "notes")
	p := browser(t).Page(t, s.BaseURL)
	p.Visit("/about")
	p.Wait(`document.documentElement.lang === "en"`)
	p.Language("fr-CA,fr,en")
	p.Visit("/login")
	p.Wait(`document.documentElement.lang === "fr" && document.querySelector("h1").textContent.includes("Bienvenue")`)
	p.Inspect("login-fr", browsertest.Looks[0], browsertest.Looks[2])
	p.Language("en")

	p = signedIn(t, s, "Alice")
	p.Visit("/account")
	p.Do(`document.querySelector("#language").value = "fr"`)
	p.Do(`document.querySelector("#language").form.requestSubmit()`)
	p.Wait(`document.documentElement.lang === "fr"`)
	for name, path := range map[string]string{"account-fr": "/account", "apps-fr": "/apps", "grains-fr": "/grain"} {
		p.Visit(path)
		p.Wait(`document.documentElement.lang === "fr"`)
		p.Inspect(name, browsertest.Looks[0], browsertest.Looks[2])
	}
	// Wherever the person signs in.
	other := signedIn(t, s, "Alice")
	other.Wait(`document.documentElement.lang === "fr"`)
	other.Click(`.app-card`)
	other.Click(`form[action="/grain/new"] button`)
	f := frame(other)
	f.Wait(`document.documentElement.lang`)
}

// TestKeyboard walks through the main job without a mouse.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s, apps := development(t, "notes")
	p := signedIn(t, s, "Alice")
	grain(t, s, apps["notes"], "Alice", "By hand")
	p.Visit("/grain")
	p.Keys(kb.Tab)
	p.Wait(`document.activeElement.className === "skip" && document.activeElement.checkVisibility()`)
	p.Keys(kb.Enter)
	p.Wait(`document.activeElement.id === "main"`)

	// Tab reaches everything, in the order of the page, and each stop shows it.
	p.Visit("/grain")
	var order []string
	for range 40 {
		p.Keys(kb.Tab)
		at := browsertest.Value[[]string](p, `(() => {
			const el = document.activeElement, style = getComputedStyle(el.closest("tr:has(.row-title:focus)") ?? el), box = el.getBoundingClientRect();
			const shows = style.outlineStyle !== "none" || style.boxShadow !== "none" || el.matches("input[type=checkbox]") || el.closest(".search:focus-within");
			return [el === document.body ? "" : (el.getAttribute("aria-label") || el.textContent.trim() || el.id || el.tagName), shows ? "" : "no focus ring", box.width && box.height ? "" : "invisible"];
		})()`)
		if at[0] == "" {
			break
		}
		if at[1]+at[2] != "" {
			t.Errorf("%s: %s %s", at[0], at[1], at[2])
		}
		order = append(order, at[0])
	}
	walk := strings.Join(order, " → ")
	for _, want := range []string{"Skip to content", "Grains", "Apps", "Trash", "Sign out", "Search grains", "New grain", "By hand", "Rename By hand"} {
		if !strings.Contains(walk, want) && !(want == "Search grains" && strings.Contains(walk, "search")) {
			t.Errorf("%s cannot be reached: %s", want, walk)
		}
	}

	p.Do(`document.querySelector(".row-title").focus()`)
	p.Keys(kb.Enter)
	f := frame(p)
	p.Wait(`document.activeElement.tagName === "IFRAME"`)
	f.Wait(`document.querySelector("#text") && !document.querySelector("#text").readOnly`)
	p.Do(`document.querySelector(".title-button").focus()`)
	p.Keys(kb.Enter)
	p.Wait(`document.activeElement.id === "new-title"`)
	p.Keys(kb.Escape)
	p.Wait(`document.activeElement.className === "title-button" && !document.querySelector(":popover-open")`)

	// A dialog keeps the focus, and gives it back.
	p.Visit("/grain")
	p.Do(`document.querySelector("button[name=trash]").focus()`)
	p.Keys(kb.Enter)
	p.Wait(`document.querySelector(".flash button")`)
	p.Visit("/grain/trash")
	p.Do(`document.querySelector("[data-all]").focus()`)
	p.Keys(" ")
	p.Wait(`document.querySelector("[data-all]").checked`)
	p.Do(`document.querySelector(".bulk-bar .danger").focus()`)
	p.Keys(kb.Enter)
	p.Wait(`document.querySelector("dialog[open]")?.contains(document.activeElement)`)
	for range 6 {
		p.Keys(kb.Tab)
		if !browsertest.Value[bool](p, `document.activeElement === document.body || document.querySelector("dialog").contains(document.activeElement)`) {
			t.Error("Tab leaves the dialog")
		}
	}
	p.Keys(kb.Escape)
	p.Wait(`!document.querySelector("dialog[open]") && document.activeElement.matches(".danger")`)
}

// TestPhone: the menu of a phone, and a grain on it.
func TestPhone(t *testing.T) {
	t.Parallel()
	s, apps := development(t, "notes")
	p := signedIn(t, s, "Alice")
	id := grain(t, s, apps["notes"], "Alice", "A rather long title that does not fit on the bar of a phone")
	p.Look(browsertest.Looks[2])
	p.Visit("/grain")
	p.Click(`.phonebar .icon-button`)
	p.Visible(`#side .menu.foot`)
	p.Axe("menu of a phone")
	p.Shot("phone-menu")
	p.Click(`#side a[href="/apps"]`)
	p.Wait(`location.pathname === "/apps" && !document.querySelector("#side").matches(":popover-open")`)
	p.Visit("/grain/" + id)
	f := frame(p)
	f.Wait(`document.querySelector("#text") && !document.querySelector("#text").readOnly`)
	p.Shot("phone-grain")
	p.Axe("grain on a phone")
	if over := browsertest.Value[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		t.Errorf("%d pixels wider than the phone", over)
	}
	p.Click(`.grainbar .phone-only`)
	p.Visible(`#grain-actions .action`)
	p.Shot("phone-grain-actions")
	p.Click(`#grain-actions a[href^="/grainlog/"]`)
	p.Wait(`location.pathname.startsWith("/grainlog/")`)
}

// TestPicture: a profile picture, which the account page and apps show.
func TestPicture(t *testing.T) {
	t.Parallel()
	s, apps := development(t, "probe")
	p := signedIn(t, s, "Alice")
	file := filepath.Join(t.TempDir(), "face.png")
	png := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
	if err := os.WriteFile(file, []byte(png), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Visit("/account")
	p.Upload("#picture", file)
	p.Wait(`document.querySelector("button[name=remove]") && document.querySelector(".picture .face").naturalWidth === 1`)
	id := grain(t, s, apps["probe"], "Alice", "Sees me")
	f := openGrain(p, id, "/echo")
	f.Wait(`document.body.innerText.includes('"path"')`)
	picture := browsertest.Value[string](f, `JSON.parse(document.body.innerText).headers.find((h) => h[0].toLowerCase() === "x-sandstorm-user-picture")?.[1] ?? ""`)
	if !strings.Contains(picture, "static.") {
		t.Errorf("the app is given the picture %q", picture)
	}
	status, _ := s.Get(s.Client(), picture)
	if status != 200 {
		t.Errorf("the picture: %d", status)
	}
}
