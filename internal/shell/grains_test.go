package shell_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

func TestGrainList(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	a := s.want(s.get("/grain"), 200)
	if n := len(a.all("[data-grain]")); n != 8 {
		t.Fatalf("%d rows", n)
	}
	s.has(a, "3 minutes ago", "48.2 KB", "2 in the trash")
	a = s.get("/grain?q=wiki+hand")
	if a.text(".row-title") != "House handbook" {
		t.Errorf("found %q", a.text(".row-title"))
	}
	s.leads(s.get("/grain?q=hand&go=1"), "/grain/"+string(s.world.GrainByTitle("House handbook").ID))
	s.want(s.get("/grain?q=o&go=1"), 200)
	a = s.get("/grain?sort=title")
	if !strings.HasPrefix(a.text(".row-title"), "Family calendar Garden plan") {
		t.Errorf("by title: %q", a.text(".row-title"))
	}
	for _, th := range a.all("th[aria-sort]") {
		if attr(th, "aria-sort") != "ascending" {
			t.Error("aria-sort")
		}
	}
	s.want(s.get("/grain?sort=evil&desc=x&page=-4"), 200)

	id := string(s.world.GrainByTitle("Reading list").ID)
	a = s.follow("/grain/bulk", url.Values{"trash": {id}, "id": {"grainGrainGrainGrain20"}})
	s.has(a, "Moved to the trash.", "Undo")
	if s.world.GrainByTitle("Garden plan 2027").Trashed != nil {
		t.Error("a ticked row went along with a row's own button")
	}
	s.has(s.get("/grain/trash"), "Reading list", "30 days")
	s.has(s.follow("/grain/bulk", url.Values{"do": {"restore"}, "id": {id}}), "Restored.")
	s.want(s.post("/grain/bulk", url.Values{"do": {"explode"}, "id": {id}}), 400)
	s.want(s.post("/grain/bulk", url.Values{"do": {"trash"}, "id": {"../../etc"}}), 400)

	a = s.want(s.post("/grain/bulk", url.Values{"do": {"delete"}, "id": {id}}), 200)
	s.has(a, "Delete this grain permanently?")
	if s.world.GrainByTitle("Reading list") == nil {
		t.Fatal("deleted without asking")
	}
	s.follow("/grain/bulk", url.Values{"do": {"delete"}, "id": {id}, "confirmed": {"1"}})
	if s.world.GrainByTitle("Reading list") != nil {
		t.Error("not deleted")
	}
}

func TestManyGrains(t *testing.T) {
	world := shelltest.New()
	for range 450 {
		g := *world.GrainByTitle("Reading list")
		g.ID = sandstorm.NewGrainID()
		world.Grains[g.ID] = &g
	}
	s := newSite(t, world, "Alice")
	if n := len(s.get("/grain").all("[data-grain]")); n != 200 {
		t.Errorf("%d rows on the first page", n)
	}
	if n := len(s.get("/grain?page=3").all("[data-grain]")); n != 58 {
		t.Errorf("%d rows on the third page", n)
	}
}

func TestGrainPage(t *testing.T) {
	world := shelltest.New()
	s := newSite(t, world, "Alice")
	id := string(world.GrainByTitle("Garden plan 2027").ID)
	a := s.want(s.get("/grain/"+id+"/a%2Fb//c/../d?q=1&r=%26"), 200)
	if got := attr(a.all(".grainbar")[0], "data-path"); got != "/a%2Fb//c/../d?q=1&r=%26" {
		t.Errorf("path %q", got)
	}
	for deep, want := range map[string]string{"": "/", "/": "/", "//evil.example": "/evil.example", "/%5Cevil": "/%5Cevil", "///x": "/x"} {
		if got := attr(s.get("/grain/" + id + deep).all(".grainbar")[0], "data-path"); got != want {
			t.Errorf("%q: path %q", deep, got)
		}
	}
	s.want(s.get("/grain/short"), 404)
	s.want(s.get("/grain/notAGrainAtAll"), 404)
	s.want(newSite(t, world, "Bob").get("/grain/"+id), 404)

	s.want(s.json("/_grain/"+id+"/open", `{"path":"/a b&c"}`), 400)
	a = s.want(s.json("/_grain/"+id+"/open", `{"path":"/a%20b?x=1&y=a+b#no"}`), 200)
	body := a.Body.String()
	if !strings.Contains(body, `/_sandstorm-init?sessionid=`) || !strings.Contains(body, `path=%2Fa%2520b%3Fx%3D1%26y%3Da%2Bb%23no"`) {
		t.Errorf("frame: %s", body)
	}
	for _, evil := range []string{"//evil", `/\\evil`, "evil", `/a\r\nb`} {
		s.want(s.json("/_grain/"+id+"/open", `{"path":"`+evil+`"}`), 400)
	}
	// Without script the page comes with the frame in it.
	a = s.want(s.post("/_grain/"+id+"/open", url.Values{"path": {"/x"}}), 200)
	frames := a.all("iframe")
	if len(frames) != 1 || !strings.HasPrefix(attr(frames[0], "src"), "https://ui-") {
		t.Errorf("%d frames", len(frames))
	}
	// Why it could not be opened is said in words.
	world.Fail["open"] = &sandstorm.Error{Kind: sandstorm.Unavailable, Key: "grain.start-failed", Err: &host.StartError{Step: "mount", Hint: "Enable user namespaces."}}
	a = s.want(s.post("/_grain/"+id+"/open", url.Values{"path": {"/x"}}), 503)
	s.has(a, "could not be opened", "Enable user namespaces.")
	a = s.want(s.json("/_grain/"+id+"/open", `{"path":"/"}`), 503)
	if !strings.Contains(a.Body.String(), `"hint":"Enable user namespaces."`) {
		t.Errorf("JSON: %s", a.Body)
	}

	s.leads(s.post("/_grain/"+id+"/rename", url.Values{"title": {"  New\n name "}}), "/grain/"+id)
	if world.GrainByTitle("New name") == nil {
		t.Error("not renamed")
	}
	s.want(s.post("/_grain/"+id+"/rename", url.Values{"title": {" "}}), 400)
	s.want(s.post("/_grain/"+id+"/rename", url.Values{"title": {strings.Repeat("x", 600)}}), 400)
	s.want(s.json("/_grain/"+id+"/keepalive", `{"host":"../"}`), 400)
	s.want(s.json("/_grain/"+id+"/keepalive", `{"host":"0123456789abcdef0123456789abcdef"}`), 404)
	s.has(s.get("/grain/"+string(world.GrainByTitle("Old shopping list").ID)), "in the trash")
}

func TestGrainLog(t *testing.T) {
	world := shelltest.New()
	s := newSite(t, world, "Alice")
	g := world.GrainByTitle("Garden plan 2027")
	world.Logs[g.ID] = strings.Repeat("x", 20000) + "\xff<b>end"
	a := s.want(s.get("/grainlog/"+string(g.ID)), 200)
	if text := a.text(".log"); len(text) > 8200 || !strings.HasSuffix(text, "\uFFFD<b>end") {
		t.Errorf("%d bytes, ends %q", len(text), text[len(text)-20:])
	}
	s.want(newSite(t, world, "Bob").get("/grainlog/"+string(g.ID)), 404)
}

func TestCreateGrain(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	notes := s.world.AppByTitle("Notes")
	a := s.get("/apps/" + string(notes.AppID))
	s.has(a, "New notes pad", "New checklist", "Garden plan 2027", "Apache-2.0", "nothing to set up")
	a = s.follow("/grain/new", url.Values{"package": {string(notes.ID)}, "action": {"1"}})
	s.has(a, "Untitled Notes checklist")
	s.want(s.post("/grain/new", url.Values{"package": {string(notes.ID)}, "action": {"-1"}}), 400)
	s.want(s.post("/grain/new", url.Values{"package": {"zz"}, "action": {"0"}}), 400)
}

// An app under development is marked wherever it shows, in the person's language,
// and makes grains without a package that could be named.
func TestAppUnderDevelopment(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	drop := s.world.AppByTitle("File Drop")
	g := s.world.GrainByTitle("Photos from the lake")
	app, bar := "/apps/"+string(drop.AppID), "/grain/"+string(g.ID)
	for page, marks := range map[string]int{"/apps": 1, "/grain": 1, bar: 1, "/apps/" + string(s.world.AppByTitle("Notes").AppID): 0} {
		if found := s.get(page).all(".dev"); len(found) != marks {
			t.Errorf("%s has %d marks, want %d", page, len(found), marks)
		}
	}
	if got := s.get(bar).text(".dev"); got != "In development" {
		t.Errorf("the grain's bar says %q", got)
	}
	a := s.get(app)
	s.has(a, "In development", "dora is developing this app")
	named := map[string]string{}
	for _, input := range a.all("input[name]") {
		named[attr(input, "name")] = attr(input, "value")
	}
	if _, ok := named["package"]; ok || named["app"] != string(drop.AppID) {
		t.Errorf("the forms name %v", named)
	}
	if got := s.json("/_grain/"+string(g.ID)+"/open", `{}`); !strings.Contains(got.Body.String(), `"revision":"dev-abc234.1"`) {
		t.Errorf("opening answers %s", got.Body.String())
	}
	form := url.Values{"app": {string(drop.AppID)}, "action": {"0"}}
	s.has(s.follow("/grain/new", form), "Untitled File Drop")
	s.want(s.post("/grain/new", url.Values{"package": {"dev-abc234"}, "action": {"0"}}), 400)
	s.want(s.post("/grain/new", url.Values{"app": {"dev-abc234"}, "action": {"0"}}), 400)
	s.want(s.get("/install/dev-abc234"), 404)
	delete(s.world.Dev, drop.AppID)
	s.want(s.post("/grain/new", form), http.StatusConflict)
	if strings.Contains(s.get(app).Body.String(), "In development") {
		t.Error("the mark stays")
	}
}
