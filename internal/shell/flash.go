package shell

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// flash is what the page after a redirect says of what was just done. It
// travels in a cookie; a forged one can only say one of our own messages.
type flash struct {
	Key   string   `json:"k"`           // message of the flash area
	Count int      `json:"n,omitempty"` // for plurals
	Undo  []string `json:"u,omitempty"` // grains that can be restored

	Text string `json:"-"`
}

// maxUndo is how many grains a flash can name; with more there is no undo
// button, and the trash has them.
const maxUndo = 25

func (s *Shell) setFlash(q *request, f flash) {
	if len(f.Undo) > maxUndo {
		f.Undo = nil
	}
	buf, err := json.Marshal(f)
	if err != nil {
		return
	}
	s.setCookie(q.w, cookieFlash, sandstorm.Secret(base64.RawURLEncoding.EncodeToString(buf)), s.Now().Add(time.Minute))
}

// takeFlash reads the message for this page and removes it.
func (s *Shell) takeFlash(q *request) *flash {
	raw := s.cookie(q.r, cookieFlash)
	if raw == "" {
		return nil
	}
	s.clearCookie(q.w, cookieFlash)
	var f flash
	buf, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil || json.Unmarshal(buf, &f) != nil || strings.Contains(f.Key, ".") || !q.loc.Has("flash."+f.Key) {
		return nil
	}
	f.Text = q.loc.N("flash."+f.Key, f.Count)
	for _, id := range f.Undo {
		if _, err := sandstorm.ParseGrainID(id); err != nil {
			f.Undo = nil
			break
		}
	}
	return &f
}

// theme is the colours that the browser asked for: "light", "dark" or empty for
// the system's.
func (s *Shell) theme(r *http.Request) string {
	switch t := s.cookie(r, cookieTheme); t {
	case "light", "dark":
		return t
	}
	return ""
}
