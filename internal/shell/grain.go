package shell

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

// grainData is what the page around a grain's frame shows.
type grainData struct {
	Row   *GrainRow
	Path  string // within the grain, as the address bar has it
	frame *frame
	Error *problem // why it could not be opened
}

func (d grainData) embedded() *frame { return d.frame }

// frame is a grain's frame: its address opens the session and is a secret.
type frame struct {
	Grain  sandstorm.GrainID `json:"-"`
	Title  string            `json:"-"`
	URL    string            `json:"url"`
	Origin string            `json:"origin"`
	Host   sandstorm.HostID  `json:"host"`
	// Revision is of an app under development; see grain.Row.
	Revision string `json:"revision,omitempty"`
}

// grain shows the bar of a grain; script opens the frame beside it, or a button
// does. The rest of the address is the path within the grain.
func (s *Shell) grain(q *request) error {
	rest := strings.TrimPrefix(q.r.URL.EscapedPath(), "/grain/")
	idText, _, _ := strings.Cut(rest, "/")
	id, err := sandstorm.ParseGrainID(idText)
	if err != nil {
		return errNoPage(q.r)
	}
	inner := strings.TrimPrefix(rest, idText)
	if q.r.URL.RawQuery != "" {
		inner += "?" + q.r.URL.RawQuery
	}
	return s.renderGrain(q, id, grainPath(inner), nil)
}

// grainPath makes the rest of a deep link a path that the gateway accepts: one
// slash, then anything but another slash or a backslash.
func grainPath(inner string) string {
	if inner == "" || inner[0] != '/' {
		inner = "/" + inner
	}
	for len(inner) > 1 && (inner[1] == '/' || inner[1] == '\\') {
		inner = "/" + inner[2:]
	}
	if !isLocalPath(inner) {
		return "/"
	}
	return inner
}

func (s *Shell) renderGrain(q *request, id sandstorm.GrainID, path string, open *openResult) error {
	row, err := s.Grains.Get(q.r.Context(), q.account, id)
	if err != nil {
		return err
	}
	data := grainData{Row: row, Path: path}
	if open != nil {
		data.frame, data.Error = open.frame, open.problem
	}
	name := "grain"
	if row.Grain.Trashed != nil {
		name = "grain-trashed"
	}
	return s.render(q, page{
		Name: name, Title: row.Grain.Title, Nav: name, Live: "grain:" + string(id), Data: data,
	})
}

// openResult is what opening a grain led to.
type openResult struct {
	frame   *frame
	problem *problem
}

// openGrain mints a session. Script asks with JSON and gets the frame's address;
// a form gets the page with the frame in it.
func (s *Shell) openGrain(q *request) error {
	id, err := q.grainID()
	if err != nil {
		return err
	}
	var body struct {
		Path string `json:"path"`
	}
	if q.wantsJSON() {
		if err := q.readJSON(&body); err != nil {
			return err
		}
	} else {
		if err := q.form(); err != nil {
			return err
		}
		body.Path = q.field("path")
	}
	path := body.Path
	if path == "" {
		path = "/"
	}
	if !isLocalPath(path) {
		return sandstorm.Errorf(sandstorm.Invalid, "grain.bad-path", "path %.200q", path)
	}
	session, err := s.Grains.Open(q.r.Context(), q.account, id)
	if err != nil {
		if q.wantsJSON() {
			return err
		}
		p := s.explain(q, err)
		q.status = p.Status
		return s.renderGrain(q, id, path, &openResult{problem: &p})
	}
	f := s.newFrame(id, session, path)
	if q.wantsJSON() {
		// After the session was made: an older revision loads once too often, a
		// newer one would be missed.
		row, err := s.Grains.Get(q.r.Context(), q.account, id)
		if err != nil {
			return err
		}
		f.Revision = row.Revision
		return q.writeJSON(http.StatusOK, f)
	}
	return s.renderGrain(q, id, path, &openResult{frame: f})
}

// newFrame is the address of a session's frame (gateway.md §3): the two
// parameters in this order, the path percent-encoded throughout.
func (s *Shell) newFrame(id sandstorm.GrainID, session sandstorm.SessionID, path string) *frame {
	host := session.HostID()
	origin := s.base.Scheme + "://" + s.host("ui-"+string(host))
	escaped := strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
	return &frame{
		Grain: id, Origin: origin, Host: host,
		URL: origin + "/_sandstorm-init?sessionid=" + session.Reveal() + "&path=" + escaped,
	}
}

// keepAlive is called once a minute by a page that shows the grain.
func (s *Shell) keepAlive(q *request) error {
	if _, err := q.grainID(); err != nil {
		return err
	}
	var body struct {
		Host string `json:"host"`
	}
	if err := q.readJSON(&body); err != nil {
		return err
	}
	host, ok := sandstorm.ParseHostID(body.Host)
	if !ok {
		return sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "host id is malformed")
	}
	health, err := s.Grains.KeepAlive(q.r.Context(), q.account, host)
	if err != nil {
		return err
	}
	answer := struct {
		Running  bool   `json:"running"`
		Revision string `json:"revision,omitempty"`
		Crash    string `json:"crash,omitempty"` // in words
		Detail   string `json:"detail,omitempty"`
	}{Running: health.Running, Revision: health.Revision, Detail: health.Detail}
	if health.Crash != "" {
		answer.Crash = q.loc.ErrorKey(health.Crash, sandstorm.Unavailable, map[string]string{"detail": health.Detail})
	}
	return q.writeJSON(http.StatusOK, answer)
}

// maxTitle bounds a grain's title, in bytes.
const maxTitle = 500

func (s *Shell) rename(q *request) error {
	id, err := q.grainID()
	if err != nil {
		return err
	}
	if err := q.form(); err != nil {
		return err
	}
	title := strings.Join(strings.Fields(q.field("title")), " ")
	if title == "" || len(title) > maxTitle {
		return sandstorm.Errorf(sandstorm.Invalid, "grain.bad-title", "title of %d bytes", len(title))
	}
	if err := s.Grains.Rename(q.r.Context(), q.account, id, title); err != nil {
		return err
	}
	q.redirect(q.returnPath("/grain/" + string(id)))
	return nil
}

func (s *Shell) restart(q *request) error {
	id, err := q.grainID()
	if err != nil {
		return err
	}
	if err := q.form(); err != nil && !q.wantsJSON() {
		return err
	}
	if err := s.Grains.Restart(q.r.Context(), q.account, id); err != nil {
		return err
	}
	if q.wantsJSON() {
		return q.writeJSON(http.StatusOK, struct{}{})
	}
	s.setFlash(q, flash{Key: "restarted", Count: 1})
	q.redirect(q.returnPath("/grain/" + string(id)))
	return nil
}

func parseAction(v string) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > 1000 {
		return 0, sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "action %.20q", v)
	}
	return n, nil
}
