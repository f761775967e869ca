package visitor_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/apps/internal/visitor"
)

func TestFrom(t *testing.T) {
	for _, tt := range []struct {
		name, username, permissions string
		wantName                    string
		can, cannot                 string
	}{
		{"plain", "Alice%20Dev", "view,edit", "Alice Dev", "edit", "admin"},
		{"unicode", "J%C3%BCrgen", "view", "Jürgen", "view", "edit"},
		{"no headers", "", "", "Anonymous", "", "view"},
		{"bad encoding", "%zz", "view", "Anonymous", "view", "edit"},
		{"bad UTF-8", "%ff%fe", "", "Anonymous", "", "view"},
		{"direction override", "%E2%80%AEecilA", "", "ecilA", "", "view"},
		{"only controls", "%00%0A", "", "Anonymous", "", "view"},
		{"too long", strings.Repeat("x", 500), "", strings.Repeat("x", 80), "", "view"},
		{"part of a word", "A", "viewer,readedit", "A", "viewer", "view"},
		{"spaces", "A", " view , edit ", "A", "edit", "view "},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Sandstorm-Username", tt.username)
		r.Header.Set("X-Sandstorm-Permissions", tt.permissions)
		v := visitor.From(r)
		if v.Name != tt.wantName {
			t.Errorf("%s: name %q, want %q", tt.name, v.Name, tt.wantName)
		}
		if tt.can != "" && !v.Can(tt.can) {
			t.Errorf("%s: should hold %q", tt.name, tt.can)
		}
		if v.Can(tt.cannot) {
			t.Errorf("%s: should not hold %q", tt.name, tt.cannot)
		}
	}
}

func TestRequire(t *testing.T) {
	h := visitor.Require("edit", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for permissions, want := range map[string]int{"": 403, "view": 403, "view,edit": 204} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("X-Sandstorm-Permissions", permissions)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("permissions %q: %d, want %d", permissions, w.Code, want)
		}
	}
}
