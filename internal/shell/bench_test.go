package shell_test

import (
	"net/http/httptest"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

// BenchmarkGrainList is a whole page of a list of eight grains.
func BenchmarkGrainList(b *testing.B) {
	world := shelltest.New()
	sh, err := shelltest.NewShell(world, baseURL, wildcard, nil)
	if err != nil {
		b.Fatal(err)
	}
	cookie := world.SignIn("Alice")
	for b.Loop() {
		r := httptest.NewRequest("GET", baseURL+"/grain", nil)
		r.Header.Set("Cookie", "__Host-sandstorm-session="+cookie)
		w := httptest.NewRecorder()
		sh.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
