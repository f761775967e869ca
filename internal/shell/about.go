package shell

import (
	"encoding/json"
	"net/http"
)

// aboutData is what the about page shows.
type aboutData struct{ Release string }

func (s *Shell) about(q *request) error {
	return s.render(q, page{Name: "about", Title: q.loc.T("about.title"), Nav: "about", Data: aboutData{s.Release}})
}

// robots keeps search engines out: what is here is people's own.
func robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("User-agent: *\nDisallow: /\n")) // the reader may have gone away
}

// manifest lets phones keep the server among their apps.
func (s *Shell) manifest(q *request) error {
	settings, err := s.Settings.Get(q.r.Context())
	if err != nil {
		return err
	}
	title := settings.Title
	if title == "" {
		title = s.base.Hostname()
	}
	buf, err := json.Marshal(map[string]any{
		"name": title, "short_name": title, "start_url": "/", "display": "standalone",
		"background_color": "#faf9f7", "theme_color": "#faf9f7",
		"icons": []map[string]string{{"src": s.assets.url("logo.svg"), "sizes": "any", "type": "image/svg+xml"}},
	})
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "application/manifest+json")
	_, _ = q.w.Write(buf) // the reader may have gone away
	return nil
}
