package shell

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/grain"
	"github.com/sandstorm-go/sandstorm/internal/locale"
)

// grainsData is what the grain list and the trash show.
type grainsData struct {
	Rows    []GrainRow
	Search  string
	Sort    string
	Desc    bool
	Trash   bool
	Total   int      // before the search
	InTrash int      // grains in the trash
	Columns []column // that can be sorted by
	May     bool
	Size    int64 // of all rows
	Days    int   // that a grain stays in the trash
	Hits    int   // found by the search, on all pages

	Here           string            // this page's address
	Renaming       sandstorm.GrainID // whose title is being edited
	Previous, Next string            // addresses of the neighbouring pages
}

// RenameHref is this page with a form in the place of a grain's title.
func (d grainsData) RenameHref(id sandstorm.GrainID) string {
	return withQuery(d.Here, "rename", string(id))
}

// withQuery is an address of ours with one parameter more.
func withQuery(path, name, value string) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	v := u.Query()
	v.Set(name, value)
	u.RawQuery = v.Encode()
	return u.String()
}

// pageSize is how many grains one page of the list shows.
const pageSize = 200

// column is a header that sorts.
type column struct {
	Key, Label, Href string
	Direction        string // for aria-sort, empty if the list is sorted otherwise
}

var sortKeys = []string{grain.SortTitle, grain.SortApp, grain.SortUsed, grain.SortSize}

func (s *Shell) grains(q *request) error { return s.listGrains(q, false) }

func (s *Shell) trash(q *request) error { return s.listGrains(q, true) }

func (s *Shell) listGrains(q *request, trash bool) error {
	v := q.r.URL.Query()
	query := GrainQuery{Search: bounded(v.Get("q")), Sort: v.Get("sort"), Desc: v.Get("desc") == "1", Trash: trash}
	if !slices.Contains(sortKeys, query.Sort) {
		query.Sort, query.Desc = grain.SortUsed, true
	}
	rows, err := s.Grains.List(q.r.Context(), q.account, query)
	if err != nil {
		return err
	}
	// Enter in the search box opens the only hit.
	if v.Get("go") != "" && !trash && query.Search != "" && len(rows) == 1 {
		q.redirect("/grain/" + string(rows[0].Grain.ID))
		return nil
	}
	data := grainsData{
		Rows: rows, Hits: len(rows), Search: query.Search, Sort: query.Sort, Desc: query.Desc, Trash: trash, Total: len(rows),
		Columns: columns(q, query), May: q.account.Role.MayCreate(), Days: int(grain.TrashRetention.Hours() / 24),
		Here: hereWithout(q, "rename"), Renaming: sandstorm.GrainID(v.Get("rename")),
	}
	for _, r := range rows {
		data.Size += r.Grain.Size
	}
	data.paginate(v)
	if query.Search != "" || !trash {
		if err := s.countGrains(q, &data, query); err != nil {
			return err
		}
	}
	title, name := q.loc.T("grains.title"), "grains"
	if trash {
		title, name = q.loc.T("grains.trashTitle"), "trash"
	}
	return s.render(q, page{Name: "grains", Title: title, Nav: name, Live: "grains", Data: data})
}

// hereWithout is the address of this page without one parameter.
func hereWithout(q *request, name string) string {
	v := q.r.URL.Query()
	v.Del(name)
	if len(v) == 0 {
		return q.r.URL.Path
	}
	return q.r.URL.Path + "?" + v.Encode()
}

// paginate cuts the rows to one page.
func (d *grainsData) paginate(v url.Values) {
	n, err := strconv.Atoi(v.Get("page"))
	if err != nil || n < 1 || (n-1)*pageSize >= len(d.Rows) {
		n = 1
	}
	if n > 1 {
		d.Previous = withQuery(d.Here, "page", strconv.Itoa(n-1))
	}
	if n*pageSize < len(d.Rows) {
		d.Next = withQuery(d.Here, "page", strconv.Itoa(n+1))
	}
	d.Rows = d.Rows[min((n-1)*pageSize, len(d.Rows)):min(n*pageSize, len(d.Rows))]
}

// countGrains finds out how many grains there are beyond those on the list.
func (s *Shell) countGrains(q *request, data *grainsData, query GrainQuery) error {
	if query.Search != "" {
		all, err := s.Grains.List(q.r.Context(), q.account, GrainQuery{Trash: query.Trash})
		if err != nil {
			return err
		}
		data.Total = len(all)
	}
	if !query.Trash {
		gone, err := s.Grains.List(q.r.Context(), q.account, GrainQuery{Trash: true})
		if err != nil {
			return err
		}
		data.InTrash = len(gone)
	}
	return nil
}

// columns are the headers: a click sorts by that column, another one turns the
// order round. Times and sizes start with the largest.
func columns(q *request, query GrainQuery) []column {
	var out []column
	for _, key := range sortKeys {
		c := column{Key: key, Label: q.loc.T("grains.column." + key)}
		desc := key == grain.SortUsed || key == grain.SortSize
		if key == query.Sort {
			c.Direction = "ascending"
			if query.Desc {
				c.Direction = "descending"
			}
			desc = !query.Desc
		}
		v := url.Values{"sort": {key}}
		if desc {
			v.Set("desc", "1")
		}
		if query.Search != "" {
			v.Set("q", query.Search)
		}
		c.Href = q.r.URL.Path + "?" + v.Encode()
		out = append(out, c)
	}
	return out
}

// maxBulk is how many grains one form may name.
const maxBulk = 10000

// bulk moves grains to the trash, back, or away for good.
func (s *Shell) bulk(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	op, ctx := q.field("do"), q.r.Context()
	// A button in a row names its grain itself, whatever else is ticked.
	for _, one := range []string{"trash", "restore"} {
		if id := q.field(one); id != "" {
			op = one
			q.r.PostForm["id"] = []string{id}
		}
	}
	ids, err := formIDs(q)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		q.redirect(q.returnPath("/grain"))
		return nil
	}
	f := flash{Count: len(ids)}
	switch op {
	case "trash":
		err = s.Grains.Trash(ctx, q.account, ids...)
		f.Key = "trashed"
		for _, id := range ids {
			f.Undo = append(f.Undo, string(id))
		}
	case "restore":
		err = s.Grains.Restore(ctx, q.account, ids...)
		f.Key = "restored"
	case "delete":
		if q.field("confirmed") != "1" {
			return s.confirmDelete(q, ids)
		}
		err = s.Grains.Delete(ctx, q.account, ids...)
		f.Key = "deleted"
	default:
		err = sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "bulk operation %.40q", op)
	}
	if err != nil {
		return err
	}
	s.setFlash(q, f)
	q.redirect(q.returnPath("/grain"))
	return nil
}

// formIDs are the grains that a form names.
func formIDs(q *request) ([]sandstorm.GrainID, error) {
	values := q.r.PostForm["id"]
	if len(values) > maxBulk {
		return nil, sandstorm.Errorf(sandstorm.TooLarge, "request.too-large", "%d grains in one form", len(values))
	}
	var ids []sandstorm.GrainID
	for _, v := range values {
		id, err := sandstorm.ParseGrainID(v)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (s *Shell) confirmDelete(q *request, ids []sandstorm.GrainID) error {
	data := confirmData{
		Heading: q.loc.N("grains.deleteTitle", len(ids)), Text: q.loc.N("grains.deleteText", len(ids)),
		Button: q.loc.T("grains.deleteForever"), Action: "/grain/bulk", Back: q.returnPath("/grain/trash"),
		Fields: []field{{"do", "delete"}, {"return", q.returnPath("/grain/trash")}},
	}
	for _, id := range ids {
		data.Fields = append(data.Fields, field{"id", string(id)})
	}
	return s.confirm(q, data)
}

// createGrain makes a grain and opens it. The form names a package or, for an app
// under development, which has no package that could be named, the app.
func (s *Shell) createGrain(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	action, err := parseAction(q.field("action"))
	if err != nil {
		return err
	}
	create := s.createOf
	if q.field("app") != "" {
		create = s.createDev
	}
	g, err := create(q, action)
	if err != nil {
		return err
	}
	q.redirect("/grain/" + string(g.ID))
	return nil
}

// createOf makes a grain of an installed package.
func (s *Shell) createOf(q *request, action int) (*sandstorm.Grain, error) {
	id, err := sandstorm.ParsePackageID(q.field("package"))
	if err != nil {
		return nil, err
	}
	title := q.field("title")
	if title == "" {
		pkg, err := s.Apps.Package(q.r.Context(), q.account, id)
		if err != nil {
			return nil, err
		}
		title = untitled(q.loc, pkg, action)
	}
	return s.Grains.Create(q.r.Context(), q.account, id, action, title)
}

// createDev makes a grain of an app under development.
func (s *Shell) createDev(q *request, action int) (*sandstorm.Grain, error) {
	id, err := sandstorm.ParseAppID(q.field("app"))
	if err != nil {
		return nil, err
	}
	title := q.field("title")
	if title == "" {
		a, err := s.Apps.Get(q.r.Context(), q.account, id)
		if err != nil {
			return nil, err
		}
		title = untitled(q.loc, &a.Package, action)
	}
	return s.Grains.CreateDev(q.r.Context(), q.account, id, action, title)
}

// untitled is what a new grain is called, in the person's language: "Untitled
// Notes note". It is empty, which leaves it to the rules, if the package does
// not say what its grains are.
func untitled(loc *locale.Locale, p *sandstorm.Package, action int) string {
	i := slices.IndexFunc(p.Manifest.Actions, func(a sandstorm.Action) bool { return a.Index == action })
	if i < 0 {
		return "" // Create says that there is no such action
	}
	app, noun := p.Manifest.AppTitle, p.Manifest.Actions[i].NounPhrase
	if noun.Default == "" {
		return ""
	}
	return loc.T("grains.untitled", "App", loc.Pick(app.Default, app.Localizations),
		"Noun", loc.Pick(noun.Default, noun.Localizations))
}
