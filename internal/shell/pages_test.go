package shell_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

// The first run, from the bare server to the administrator's first page.
func TestSetup(t *testing.T) {
	s := newSite(t, shelltest.Fresh(), "")
	s.leads(s.get("/"), "/setup")
	s.has(s.get("/setup"), "Welcome to Sandstorm", "sandstorm admin-token")
	for _, step := range []string{"/setup/email", "/setup/user"} {
		s.leads(s.get(step), "/setup")
	}
	s.leads(s.post("/setup/email", nil), "/setup")

	a := s.want(s.post("/setup/token", url.Values{"token": {"wrong"}}), http.StatusForbidden)
	if len(a.all(".alert")) != 1 {
		t.Error("nothing said of the wrong token")
	}
	a = s.want(s.get("/setup/token/"+shelltest.AdminToken), 200)
	if s.cookies["__Host-sandstorm-setup"] != "" {
		t.Fatal("a GET used the token up")
	}
	if got := attr(a.all("#token")[0], "value"); got != shelltest.AdminToken {
		t.Errorf("token field %q", got)
	}
	s.has(s.follow("/setup/token", url.Values{"token": {" " + shelltest.AdminToken + "\n"}}), "Your server")

	mail := url.Values{"title": {"Our house"}, "emailLogin": {"on"}, "host": {"smtp.example.com"}, "user": {"u"}, "password": {"p"}, "from": {"s@example.com"}}
	with := func(key, value string) url.Values {
		v := url.Values{}
		for k := range mail {
			v.Set(k, mail.Get(k))
		}
		v.Set(key, value)
		return v
	}
	s.has(s.want(s.post("/setup/email", with("port", "70000")), 400), "The port is a number")
	s.has(s.want(s.post("/setup/email", with("from", "a@example.com, b@example.com")), 400), "one e-mail address")
	test := with("do", "test")
	test.Set("testTo", "me@example.com")
	s.has(s.want(s.post("/setup/email", test), 200), "on its way to me@example.com")
	if s.world.Server.Title != "" || len(s.world.Mails) != 1 {
		t.Error("the test mail stored the settings, or was not sent")
	}
	s.has(s.follow("/setup/email", mail), "Who is the administrator?", "Alice")
	if got := s.world.Server.SMTP; got.Port != 587 || got.Password.Reveal() != "p" {
		t.Errorf("stored %+v", got)
	}
	// An empty password keeps the stored one, but never for another server.
	s.post("/setup/email", with("password", ""))
	if s.world.Server.SMTP.Password.Reveal() != "p" {
		t.Error("password lost")
	}
	other := with("password", "")
	other.Set("host", "evil.example")
	s.post("/setup/email", other)
	if s.world.Server.SMTP.Password != "" {
		t.Error("the stored password went to another server")
	}

	s.has(s.follow("/login/dev", url.Values{"name": {"Alice"}, "return": {"/setup/user"}}), "Make Alice the administrator")
	s.has(s.follow("/setup/user", nil), "All set", "Install an app")
	if s.cookies["__Host-sandstorm-setup"] != "" {
		t.Error("the set-up session stays")
	}
	s.leads(s.get("/"), "/apps")
}

func TestLoginByCode(t *testing.T) {
	s := newSite(t, shelltest.New(), "")
	s.leads(s.get("/"), "/login")
	a := s.follow("/login/email", url.Values{"email": {"zoe@example.com"}, "return": {"/apps"}})
	s.has(a, "Check your mail", "zoe@example.com")
	s.has(s.want(s.post("/login/code", url.Values{"email": {"zoe@example.com"}, "code": {"nope"}}), http.StatusForbidden), "not right")
	s.leads(s.post("/login/code", url.Values{"email": {"zoe@example.com"}, "code": {" abcd2345\nefgh "}, "return": {"/apps"}}), "/apps")
	s.want(s.get("/account"), 200)
	s.leads(s.post("/logout", nil), "/login")
	s.leads(s.get("/account"), "/login?return=%2Faccount")
	if len(s.world.Cookies) != 0 {
		t.Error("the session stays on the server")
	}
	// The mailed link asks first: mail scanners follow links.
	a = s.want(s.get("/_emailLogin/zoe%40example.com/"+shelltest.Code), 200)
	if len(s.world.Cookies) != 0 {
		t.Error("a GET signed in")
	}
	s.has(a, "Sign in now?")
}

func TestHomeLeadsOn(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	s.leads(s.get("/"), "/grain")
	s = newSite(t, shelltest.New(), "Bob")
	s.leads(s.get("/"), "/apps")
	s.leads(s.get("/grain/new"), "/apps")
}

func TestApps(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	if n := len(s.get("/apps").all(".app-card")); n != 6 {
		t.Errorf("%d apps", n)
	}
	if got := s.get("/apps?q=caldav").text(".app-card"); !strings.HasPrefix(got, "Radicale") {
		t.Errorf("found %q", got)
	}
	id := string(s.world.AppByTitle("Boards").AppID)
	s.has(s.want(s.post("/apps/"+id+"/uninstall", nil), 200), "Uninstall Boards?")
	s.has(s.follow("/apps/"+id+"/uninstall", url.Values{"confirmed": {"1"}}), "removed from your list")
	s.want(s.get("/apps/nonsense"), 404)
}

func TestInstall(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	for version, want := range map[uint32]string{3: "Go back to an older Notes?", 5: "Upgrade Notes?"} {
		p := shelltest.NewPackage("Notes", version)
		s.world.Packages[p.ID] = p
		s.has(s.get("/install/"+string(p.ID)), want)
		delete(s.world.Packages, p.ID)
	}
	s.has(s.get("/install/"+string(s.world.AppByTitle("Notes").ID)), "Notes is installed")
	p := shelltest.NewPackage("Fresh", 1)
	s.want(s.get("/install/"+string(p.ID)), 404)
	s.want(s.get("/install/"+string(p.ID)+"?url=javascript:x"), 404)
	a := s.get("/install/" + strings.ToUpper(string(p.ID)) + "?url=https%3A%2F%2Fapps.example%2Ff.spk")
	s.has(a, "Download this app?", "apps.example")
	if len(s.world.Attempts) != 0 {
		t.Error("a GET began a download")
	}
	a = s.post("/install/"+string(p.ID), url.Values{"url": {"https://apps.example/f.spk"}})
	at := a.Header().Get("Location")
	a = s.want(s.get(at), 200)
	s.has(a, "Downloading", "31.4 MB of 84 MB")
	if a.Header().Get("Refresh") == "" {
		t.Error("the page does not refresh itself without script")
	}
	var id string
	for id = range s.world.Attempts {
		s.world.Attempts[id].State, s.world.Attempts[id].Err = app.StateFailed, sandstorm.Errorf(sandstorm.Invalid, "package.bad-magic", "x")
	}
	a = s.want(s.get(at), 200)
	if a.Header().Get("Refresh") != "" || len(a.all(".alert")) != 1 {
		t.Error("failed attempt")
	}
	s.world.Attempts[id].State, s.world.Packages[p.ID] = app.StateReady, p
	s.leads(s.get(at), "/install/"+string(p.ID))
	s.has(s.get("/install/"+string(p.ID)), "Install Fresh?")
	s.has(s.follow("/install/"+string(p.ID), nil), "The app is installed.", "Fresh")
	for _, bad := range []string{"", "ftp://x/", "https://", "https://user:pw@host/x", "file:///etc/passwd"} {
		s.want(s.post("/install", url.Values{"url": {bad}}), 400)
	}
	s.leads(s.post("/install/attempt/"+id+"/cancel", nil), "/install/attempt/"+id)
	s.has(s.get("/install/attempt/"+id), "canceled")
}

func TestUpload(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	raw := func(body, accept string) answer {
		return s.do("POST", "/upload", body, func(r *http.Request) {
			r.Header.Set("Content-Type", "application/octet-stream")
			r.Header.Set("Accept", accept)
		})
	}
	a := s.want(raw("app One", "application/json"), 200)
	if !strings.Contains(a.Body.String(), `"location":"/install/`) {
		t.Errorf("%s", a.Body)
	}
	s.want(raw("junk", "application/json"), 400)

	form := func(field, name, content string) answer {
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		w, _ := m.CreateFormFile(field, name)
		_, _ = w.Write([]byte(content))
		_ = m.Close()
		return s.do("POST", "/upload", body.String(), func(r *http.Request) { r.Header.Set("Content-Type", m.FormDataContentType()) })
	}
	if a := form("package", "x.spk", "app Two"); a.Code != 303 {
		t.Errorf("form: %d", a.Code)
	}
	s.has(s.want(form("package", "x.spk", "junk"), 400), "could not be installed")
	s.want(form("other", "x.spk", "app Two"), 400)
}

func TestAccount(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	s.has(s.get("/account"), "Development", "As the browser says")
	s.has(s.follow("/account/profile", url.Values{"name": {"Alice B."}, "handle": {"alice"}, "pronoun": {"female"}}), "Saved.", "Alice B.")
	s.follow("/account/preferences", url.Values{"language": {"fr"}, "theme": {"dark"}})
	a := s.get("/grain")
	if html := a.all("html")[0]; attr(html, "lang") != "fr" || attr(html, "data-theme") != "dark" {
		t.Errorf("lang %q, theme %q", attr(html, "lang"), attr(html, "data-theme"))
	}
	s.has(a, "Nouveau grain", "il y a 3 minutes")
	s.want(s.post("/account/preferences", url.Values{"language": {"tlh"}}), 400)

	picture := func(content string) answer {
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		w, _ := m.CreateFormFile("picture", "p.png")
		_, _ = w.Write([]byte(content))
		_ = m.Close()
		return s.do("POST", "/account/picture", body.String(), func(r *http.Request) { r.Header.Set("Content-Type", m.FormDataContentType()) })
	}
	s.leads(picture("\x89PNG\r\n\x1a\n..."), "/account")
	s.want(picture("<svg onload=x>"), 400)
	s.want(picture("\x89PNG\r\n\x1a\n"+strings.Repeat("x", 64<<10)), 413)
	s.want(picture("\x89PNG\r\n\x1a\n"+strings.Repeat("x", 200<<10)), 413)
}

func TestLanguages(t *testing.T) {
	for header, want := range map[string]string{"fr-CA,fr;q=0.9,en;q=0.5": "fr", "de, fr;q=0.2": "fr", "ja": "en", "": "en", strings.Repeat("x", 5000): "en", "fr;q=": "en"} {
		s := newSite(t, shelltest.New(), "")
		s.lang = header
		if got := attr(s.get("/login").all("html")[0], "lang"); got != want {
			t.Errorf("%.40q: %s", header, got)
		}
	}
}

func TestNotFoundAndFriends(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	s.has(s.want(s.get("/no/such/page"), 404), "There is nothing here")
	if got := s.get("/robots.txt").Body.String(); got != "User-agent: *\nDisallow: /\n" {
		t.Errorf("robots: %q", got)
	}
	if ct := s.get("/manifest.json").Header().Get("Content-Type"); ct != "application/manifest+json" {
		t.Errorf("manifest: %s", ct)
	}
	s.has(s.get("/about"), "0.0-test")
	r := s.do("HEAD", "/grain", "", nil)
	if r.Code != 200 || r.Body.Len() != 0 {
		t.Errorf("HEAD: %d with %d bytes", r.Code, r.Body.Len())
	}
}
