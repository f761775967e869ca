package shell

import (
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/locale"
)

// appsData is what the app list shows.
type appsData struct {
	Apps   []App
	Search string
	Total  int
	May    bool // install apps and make grains
}

func (s *Shell) apps(q *request) error {
	all, err := s.Apps.List(q.r.Context(), q.account)
	if err != nil {
		return err
	}
	search := bounded(q.r.URL.Query().Get("q"))
	data := appsData{Search: search, Total: len(all), May: q.account.Role.MayCreate()}
	for _, a := range all {
		if matches(q.loc, a, search) {
			data.Apps = append(data.Apps, a)
		}
	}
	return s.render(q, page{Name: "apps", Title: q.loc.T("apps.title"), Nav: "apps", Live: "apps", Data: data})
}

// matches reports whether every word of a search is in what the app says of
// itself.
func matches(loc *locale.Locale, a App, search string) bool {
	m := a.Package.Manifest
	texts := []sandstorm.LocalizedText{m.AppTitle, m.Metadata.ShortDescription}
	for _, action := range m.Actions {
		texts = append(texts, action.NounPhrase, action.Title)
	}
	var all strings.Builder
	for _, t := range texts {
		all.WriteString(strings.ToLower(loc.Pick(t.Default, t.Localizations)) + "\n" + strings.ToLower(t.Default) + "\n")
	}
	for _, word := range strings.Fields(strings.ToLower(search)) {
		if !strings.Contains(all.String(), word) {
			return false
		}
	}
	return true
}

// bounded cuts a search to a length that is worth looking for.
func bounded(search string) string {
	search = strings.TrimSpace(search)
	if len(search) > 200 {
		search = strings.ToValidUTF8(search[:200], "")
	}
	return search
}

// appData is what an app's own page shows.
type appData struct {
	App     *App
	Actions []actionView
	Rows    []GrainRow
	May     bool
}

// actionView is one way to make a grain, with the words on its button.
type actionView struct {
	Index       int
	Label       string
	Description string
}

func (s *Shell) app(q *request) error {
	a, err := s.findApp(q)
	if err != nil {
		return err
	}
	rows, err := s.Grains.List(q.r.Context(), q.account, GrainQuery{App: a.ID, Desc: true})
	if err != nil {
		return err
	}
	data := appData{App: a, Actions: actions(q.loc, a.Package), Rows: rows, May: q.account.Role.MayCreate()}
	title := a.Package.Manifest.AppTitle
	return s.render(q, page{
		Name: "app", Title: q.loc.Pick(title.Default, title.Localizations), Nav: "apps", Live: "apps grains", Data: data,
	})
}

// findApp is the app that the address names. Only its canonical id is one
// address.
func (s *Shell) findApp(q *request) (*App, error) {
	id, err := sandstorm.ParseAppID(q.r.PathValue("app"))
	if err != nil {
		return nil, errNoPage(q.r)
	}
	return s.Apps.Get(q.r.Context(), q.account, id)
}

// actions are the create buttons of a package.
func actions(loc *locale.Locale, p sandstorm.Package) []actionView {
	var out []actionView
	for _, a := range p.Manifest.Actions {
		out = append(out, actionView{
			Index: a.Index, Label: loc.T("apps.new", "Noun", noun(loc, p, a)),
			Description: loc.Pick(a.Description.Default, a.Description.Localizations),
		})
	}
	return out
}

// noun is what an action makes: its noun phrase, else its title without "New"
// and the app's name, else "grain" (shell.md §7).
func noun(loc *locale.Locale, p sandstorm.Package, a sandstorm.Action) string {
	if n := strings.TrimSpace(loc.Pick(a.NounPhrase.Default, a.NounPhrase.Localizations)); n != "" {
		return n
	}
	title := loc.Pick(a.Title.Default, a.Title.Localizations)
	app := loc.Pick(p.Manifest.AppTitle.Default, p.Manifest.AppTitle.Localizations)
	title = strings.TrimSpace(strings.TrimPrefix(title, "New "))
	title = strings.TrimSpace(strings.TrimPrefix(title, app))
	if title != "" {
		return title
	}
	return loc.T("apps.grain")
}

func (s *Shell) uninstall(q *request) error {
	a, err := s.findApp(q)
	if err != nil {
		return err
	}
	if err := q.form(); err != nil {
		return err
	}
	if q.field("confirmed") != "1" {
		title := a.Package.Manifest.AppTitle
		name := q.loc.Pick(title.Default, title.Localizations)
		return s.confirm(q, confirmData{
			Heading: q.loc.T("apps.uninstallTitle", "App", name), Text: q.loc.T("apps.uninstallText"),
			Button: q.loc.T("apps.uninstall"), Action: q.r.URL.Path, Back: "/apps/" + string(a.ID),
		})
	}
	if err := s.Apps.Uninstall(q.r.Context(), q.account, a.ID); err != nil {
		return err
	}
	s.setFlash(q, flash{Key: "uninstalled", Count: 1})
	q.redirect("/apps")
	return nil
}

// confirmData asks before something that cannot be undone. Browsers with script
// ask in a dialog instead and send confirmed=1 at once.
type confirmData struct {
	Heading, Text, Button string
	Action, Back          string
	Fields                []field
}

type field struct{ Name, Value string }

func (s *Shell) confirm(q *request, data confirmData) error {
	return s.render(q, page{Name: "confirm", Title: data.Heading, Nav: "confirm", Data: data})
}
