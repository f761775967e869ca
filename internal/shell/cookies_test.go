package shell_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

// Over plain HTTP a grain can plant a cookie of our name for the domain that it
// shares with us. It must not make its visitor somebody else, and goes away.
func TestPlantedCookies(t *testing.T) {
	world := shelltest.New()
	sh, err := shelltest.NewShell(world, "http://box.example.com", "*.box.example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := world.SignIn("Alice"), world.SignIn("Bob")
	visit := func(cookies ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "http://box.example.com/grain/trash", nil)
		for _, value := range cookies {
			r.AddCookie(&http.Cookie{Name: "sandstorm-session", Value: value})
		}
		w := httptest.NewRecorder()
		sh.ServeHTTP(w, r)
		return w
	}
	if w := visit(alice); w.Code != 200 || len(w.Result().Cookies()) != 0 {
		t.Errorf("one cookie: %d, %v", w.Code, w.Result().Cookies())
	}
	if w := visit(alice, alice); w.Code != 200 {
		t.Errorf("the same twice: %d", w.Code)
	}
	for _, order := range [][]string{{alice, bob}, {bob, alice}, {bob, alice, bob}} {
		w := visit(order...)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/login?return=%2Fgrain%2Ftrash" {
			t.Errorf("planted: %d to %s", w.Code, w.Header().Get("Location"))
		}
		var gone []string
		for _, c := range w.Result().Cookies() {
			if c.MaxAge < 0 && c.Value == "" && c.Name == "sandstorm-session" {
				gone = append(gone, c.Domain+c.Path)
			}
		}
		for _, want := range []string{
			"box.example.com/", "box.example.com/grain", "box.example.com/grain/", "box.example.com/grain/trash", "example.com/", "example.com/grain",
		} {
			if !slices.Contains(gone, want) {
				t.Errorf("%s stays: %v", want, gone)
			}
		}
	}
}
