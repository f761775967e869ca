// Package locale holds what the server says to people, in every language that
// it speaks: message catalogues (one JSON file per page area and language, in
// the format of go-i18n v2 with CLDR plurals), the choice of a language, and
// the ways to write numbers, sizes and dates.
//
// English is the reference: a catalogue that lacks one of its keys, has one too
// many or uses other placeholders makes Load fail, and with it the start.
package locale

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed en/*.json fr/*.json
var files embed.FS

// names are the languages that we speak, reference first, each with its own
// name for itself.
var names = []struct{ tag, name string }{
	{"en", "English"},
	{"fr", "Français"},
}

// Catalogue is all messages in all languages.
type Catalogue struct {
	locales []*Locale
	matcher language.Matcher
}

// Locale is one language.
type Locale struct {
	Tag  string // BCP 47, for the lang attribute
	Name string // the language's own name for itself
	Dir  string // "ltr" or "rtl"

	tag       language.Tag
	plain     map[string]string // messages without plural and placeholders
	messages  map[string]*i18n.Message
	localizer *i18n.Localizer
	printer   *message.Printer
}

// Load reads and checks the embedded catalogues.
func Load() (*Catalogue, error) { return load(files, names) }

func load(fsys fs.FS, langs []struct{ tag, name string }) (*Catalogue, error) {
	c := &Catalogue{}
	var tags []language.Tag
	for _, n := range langs {
		msgs, err := readMessages(fsys, n.tag)
		if err != nil {
			return nil, err
		}
		if len(c.locales) > 0 {
			if err := compare(c.locales[0].messages, msgs); err != nil {
				return nil, fmt.Errorf("locale %s: %w", n.tag, err)
			}
		}
		l, err := newLocale(n.tag, n.name, msgs)
		if err != nil {
			return nil, err
		}
		c.locales = append(c.locales, l)
		tags = append(tags, l.tag)
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

func newLocale(tag, name string, msgs map[string]*i18n.Message) (*Locale, error) {
	t, err := language.Parse(tag)
	if err != nil {
		return nil, fmt.Errorf("locale %s: %w", tag, err)
	}
	bundle := i18n.NewBundle(t)
	l := &Locale{
		Tag: tag, Name: name, Dir: direction(t), tag: t,
		plain: map[string]string{}, messages: msgs,
		localizer: i18n.NewLocalizer(bundle, tag),
		printer:   message.NewPrinter(t),
	}
	for id, m := range msgs {
		if err := bundle.AddMessages(t, m); err != nil {
			return nil, fmt.Errorf("locale %s: %s: %w", tag, id, err)
		}
		if m.One+m.Few+m.Many+m.Two+m.Zero == "" && !strings.Contains(m.Other, "{{") {
			l.plain[id] = m.Other
		}
	}
	return l, nil
}

// readMessages reads the files of one language. The area, which is the file's
// name, becomes the first part of each key.
func readMessages(fsys fs.FS, tag string) (map[string]*i18n.Message, error) {
	paths, err := fs.Glob(fsys, tag+"/*.json")
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("locale %s: no catalogue: %w", tag, err)
	}
	msgs := map[string]*i18n.Message{}
	parsers := map[string]i18n.UnmarshalFunc{"json": json.Unmarshal}
	for _, p := range paths {
		buf, err := fs.ReadFile(fsys, p)
		if err != nil {
			return nil, fmt.Errorf("locale %s: %w", tag, err)
		}
		area := strings.TrimSuffix(path.Base(p), ".json")
		f, err := i18n.ParseMessageFileBytes(buf, tag+".json", parsers)
		if err != nil {
			return nil, fmt.Errorf("locale %s: %w", p, err)
		}
		for _, m := range f.Messages {
			m.ID = area + "." + m.ID
			if m.Other == "" {
				return nil, fmt.Errorf("locale %s: %s has no text", p, m.ID)
			}
			fillPlurals(m)
			msgs[m.ID] = m
		}
	}
	return msgs, nil
}

// fillPlurals lets a translator leave out forms that read like the general one,
// such as the French form for millions.
func fillPlurals(m *i18n.Message) {
	if m.One == "" {
		return
	}
	for _, form := range []*string{&m.Zero, &m.Two, &m.Few, &m.Many} {
		if *form == "" {
			*form = m.Other
		}
	}
}

// Locales lists the languages, reference first.
func (c *Catalogue) Locales() []*Locale { return slices.Clone(c.locales) }

// Reference is English.
func (c *Catalogue) Reference() *Locale { return c.locales[0] }

// Match chooses a language: the account's setting if we speak it, else what the
// Accept-Language header asks for, else English.
func (c *Catalogue) Match(setting, acceptLanguage string) *Locale {
	if l := c.Exact(setting); l != nil {
		return l
	}
	// A header is foreign input: a long one is not worth its parsing.
	if len(acceptLanguage) > 1000 {
		acceptLanguage = ""
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(tags) == 0 {
		return c.Reference()
	}
	_, i, confidence := c.matcher.Match(tags...)
	if confidence == language.No {
		return c.Reference()
	}
	return c.locales[i]
}

// Exact returns the language with this tag, or nil.
func (c *Catalogue) Exact(tag string) *Locale {
	for _, l := range c.locales {
		if l.Tag == tag {
			return l
		}
	}
	return nil
}

// direction is how text of the language runs.
func direction(t language.Tag) string {
	script, _ := t.Script()
	switch script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm":
		return "rtl"
	}
	return "ltr"
}
