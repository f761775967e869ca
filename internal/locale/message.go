package locale

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// T returns the message of this key. args are names and values of its
// placeholders in turn. A key that does not exist gives the key itself; the
// start has checked all keys that templates use.
func (l *Locale) T(key string, args ...any) string {
	if s, ok := l.plain[key]; ok {
		return s
	}
	return l.localize(key, nil, pairs(args))
}

// N returns the plural form for count of the message of this key, with the
// number, written as the language does, as placeholder Count.
func (l *Locale) N(key string, count int, args ...any) string {
	data := pairs(args)
	data["Count"] = l.Number(int64(count))
	if m := l.messages[key]; m != nil && m.One == "" && m.Few == "" {
		return l.localize(key, nil, data) // reads the same for every number
	}
	return l.localize(key, count, data)
}

// Has reports whether there is a message of this key.
func (l *Locale) Has(key string) bool { return l.messages[key] != nil }

// Keys lists all keys in order.
func (l *Locale) Keys() []string {
	keys := make([]string, 0, len(l.messages))
	for k := range l.messages {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (l *Locale) localize(key string, count any, data map[string]any) string {
	if !l.Has(key) {
		return key
	}
	s, err := l.localizer.Localize(&i18n.LocalizeConfig{
		MessageID: key, TemplateData: data, PluralCount: count,
	})
	if err != nil {
		return key
	}
	// A placeholder that the caller left out must not show as "<no value>".
	return strings.ReplaceAll(s, "<no value>", "…")
}

// Pick returns the version of a package's text that suits this language best:
// the same tag, then the same base language, then the default.
func (l *Locale) Pick(defaultText string, byTag map[string]string) string {
	if s, ok := byTag[l.Tag]; ok {
		return s
	}
	base, _ := l.tag.Base()
	best := ""
	for tag := range byTag {
		t, err := language.Parse(tag)
		if err != nil {
			continue
		}
		// Several may share the base: the shortest tag, then the first by name,
		// so that the answer does not depend on the order of a map.
		if b, _ := t.Base(); b == base && (best == "" || len(tag) < len(best) || len(tag) == len(best) && tag < best) {
			best = tag
		}
	}
	if best != "" {
		return byTag[best]
	}
	return defaultText
}

func pairs(args []any) map[string]any {
	data := make(map[string]any, len(args)/2+1)
	for i := 0; i+1 < len(args); i += 2 {
		data[fmt.Sprint(args[i])] = args[i+1]
	}
	return data
}

// compare checks that a translation has the keys and placeholders of the
// reference, no fewer and no more.
func compare(ref, got map[string]*i18n.Message) error {
	var problems []string
	for id, m := range ref {
		t, ok := got[id]
		if !ok {
			problems = append(problems, "lacks "+id)
			continue
		}
		if want, have := placeholders(m), placeholders(t); !slices.Equal(want, have) {
			problems = append(problems, fmt.Sprintf("%s has placeholders %v instead of %v", id, have, want))
		}
	}
	for id := range got {
		if ref[id] == nil {
			problems = append(problems, id+" is not in the reference")
		}
	}
	if len(problems) == 0 {
		return nil
	}
	slices.Sort(problems)
	return fmt.Errorf("%s", strings.Join(problems, "; "))
}

var placeholder = regexp.MustCompile(`{{\s*\.(\w+)\s*}}`)

// placeholders lists the names that a message's forms use. Count is left out
// where it may be: "one grain" needs no number.
func placeholders(m *i18n.Message) []string {
	names := []string{}
	for _, form := range []string{m.Zero, m.One, m.Two, m.Few, m.Many, m.Other} {
		for _, match := range placeholder.FindAllStringSubmatch(form, -1) {
			if !slices.Contains(names, match[1]) {
				names = append(names, match[1])
			}
		}
	}
	slices.Sort(names)
	return names
}
