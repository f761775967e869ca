package shelltest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

func lt(s string) sandstorm.LocalizedText { return sandstorm.LocalizedText{Default: s} }

// sample is an app to show.
type sample struct {
	title, short, noun, author, colour, letter, licence string
}

var samples = []sample{
	{"Notes", "Write together: plain notes that everyone sees while you type.", "notes pad", "Willow Labs", "#2f7d6d", "N", "apache2"},
	{"DokuWiki", "A simple wiki that needs no database, for teams and their handbooks.", "wiki", "Andreas Gohr", "#5c7fb8", "D", "gpl2"},
	{"TiddlyWiki", "A non-linear personal notebook.", "notebook", "Jeremy Ruston", "#b5613f", "T", "bsd3Clause"},
	{"Radicale", "Calendars and contacts for your phone, by CalDAV and CardDAV.", "collection", "Guillaume Ayoub", "#a4345c", "R", "gpl3"},
	{"File Drop", "Hand files to somebody, or collect them from many.", "drop box", "Willow Labs", "#8a6d1f", "F", "apache2"},
	{"Boards", "Cards on lists, for plans of any size.", "board", "Willow Labs", "", "", "mit"},
}

const description = `Everything is saved as you type. There is **nothing to set up**.

- works offline for a while and catches up later
- keeps the last 500 versions
- exports to [Markdown](https://commonmark.org/) and plain text

> A notes pad is one grain: share it, and nothing else of yours is shared.
`

const changeLog = `## 1.4.0
- Faster start
- Headings can be folded

## 1.3.2
- Fixed pasting of very long lines
`

// NewPackage makes a package of an app, for tests.
func NewPackage(title string, version uint32) *sandstorm.Package {
	key := sha256.Sum256([]byte(title))
	sum := sha256.Sum256(fmt.Append(nil, title, version))
	return &sandstorm.Package{
		ID: sandstorm.PackageID(hex.EncodeToString(sum[:16])), AppID: sandstorm.AppIDFromKey(key),
		SHA256: hex.EncodeToString(sum[:]), Size: 12_400_000,
		Manifest: sandstorm.Manifest{
			AppTitle: lt(title), AppVersion: version, MarketingVersion: lt(fmt.Sprintf("1.%d.0", version)),
			Actions: []sandstorm.Action{{Index: 0, Title: lt("New " + title), NounPhrase: lt("document")}},
		},
	}
}

func (w *World) fill() {
	for i, s := range samples {
		p := NewPackage(s.title, 4)
		p.Size = int64(3_100_000 * (i + 2))
		m := &p.Manifest
		m.Actions[0].NounPhrase = lt(s.noun)
		m.Metadata = sandstorm.Metadata{
			Website: "https://example.com/" + s.title, CodeURL: "https://example.com/src/" + s.title,
			License: sandstorm.License{OpenSource: s.licence}, UpstreamAuthor: s.author,
			ShortDescription: lt(s.short), Description: lt(description), ChangeLog: lt(changeLog),
		}
		if s.title == "Notes" {
			m.Actions = append(m.Actions, sandstorm.Action{Index: 1, Title: lt("New checklist"), NounPhrase: lt("checklist"), Description: lt("A pad that starts with boxes to tick.")})
		}
		if s.colour != "" {
			m.Metadata.Icons.AppGrid = w.icon(s.letter, s.colour)
		}
		w.Packages[p.ID] = p
		w.Added[p.AppID] = p.ID
		if s.title == "File Drop" {
			w.Dev[p.AppID] = "dev-abc234.1"
		}
	}
	w.fillGrains()
}

// icon makes a letter on a coloured square.
func (w *World) icon(letter, colour string) *sandstorm.Icon {
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128"><rect width="128" height="128" rx="28" fill="%s"/><text x="64" y="88" font-family="sans-serif" font-size="68" font-weight="700" fill="#fff" text-anchor="middle">%s</text></svg>`, colour, letter)
	sum := sha256.Sum256([]byte(svg))
	id := sandstorm.AssetID(hex.EncodeToString(sum[:]))
	w.Assets[id] = Asset{"image/svg+xml", []byte(svg)}
	return &sandstorm.Icon{MIMEType: "image/svg+xml", Asset: id}
}

func (w *World) fillGrains() {
	rows := []struct {
		title, app string
		used       time.Duration
		size       int64
		running    bool
		trashed    bool
	}{
		{"Garden plan 2027", "Notes", 3 * time.Minute, 48_200, true, false},
		{"House handbook", "DokuWiki", 2 * time.Hour, 18_400_000, true, false},
		{"Family calendar", "Radicale", 5 * time.Hour, 1_240_000, true, false},
		{"Recipes we keep coming back to", "TiddlyWiki", 26 * time.Hour, 3_900_000, false, false},
		{"Photos from the lake", "File Drop", 3 * 24 * time.Hour, 812_000_000, false, false},
		{"Kitchen renovation", "Boards", 6 * 24 * time.Hour, 260_000, false, false},
		{"Reading list", "Notes", 19 * 24 * time.Hour, 12_100, false, false},
		{"Minutes of the allotment society, 1998 to 2026, with all annexes and the correspondence", "DokuWiki", 64 * 24 * time.Hour, 96_000_000, false, false},
		{"Old shopping list", "Notes", 40 * 24 * time.Hour, 4_000, false, true},
		{"Untitled Boards board", "Boards", 12 * 24 * time.Hour, 31_000, false, true},
	}
	var alice *sandstorm.Account
	for _, a := range w.Accounts {
		alice = a
	}
	for i, r := range rows {
		var pkg *sandstorm.Package
		for _, p := range w.Packages {
			if p.Manifest.AppTitle.Default == r.app {
				pkg = p
			}
		}
		g := &sandstorm.Grain{
			ID: sandstorm.GrainID(fmt.Sprintf("grainGrainGrainGrain%02d", i+20)), Title: r.title, Package: pkg.ID, AppID: pkg.AppID,
			AppVersion: 4, Owner: alice.ID, Created: w.Now().Add(-90 * 24 * time.Hour), LastUsed: w.Now().Add(-r.used), Size: r.size, Started: true,
		}
		if r.trashed {
			t := w.Now().Add(-2 * 24 * time.Hour)
			g.Trashed = &t
		}
		w.Grains[g.ID] = g
		w.Running[g.ID] = r.running
		w.Logs[g.ID] = sampleLog
	}
}

const sampleLog = `** Starting up grain.
2026-11-22T10:14:03Z listening on 127.0.0.1:8000
2026-11-22T10:14:03Z opened /var/notes.db (schema 7)
2026-11-22T10:14:05Z GET / 200 2.1ms
2026-11-22T10:14:05Z GET /static/app.js 304 0.2ms
2026-11-22T10:14:06Z websocket: one reader
2026-11-22T10:15:41Z saved version 113 (48.2 kB)
2026-11-22T10:16:20Z warning: clock went back by 31 ms
`
