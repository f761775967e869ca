package locale

import (
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// PseudoTag is the language of lengthened and accented English, and
// PseudoRTLTag the one that runs from right to left: they show which texts are
// not translatable and which layouts break.
const (
	PseudoTag    = "en-XA"
	PseudoRTLTag = "ar-XB"
)

// AddPseudo adds the two pseudo-languages; only tests and the development
// server do so.
func (c *Catalogue) AddPseudo() error {
	tags := []language.Tag{}
	for _, l := range c.locales {
		tags = append(tags, l.tag)
	}
	for _, p := range []struct{ tag, name string }{{PseudoTag, "Pseudo"}, {PseudoRTLTag, "Pseudo RTL"}} {
		msgs := map[string]*i18n.Message{}
		for id, m := range c.Reference().messages {
			long := pseudo(m.Other)
			// Arabic has all six plural forms; English only two.
			msgs[id] = &i18n.Message{ID: id, Other: long}
			if m.One != "" {
				one := pseudo(m.One)
				msgs[id] = &i18n.Message{ID: id, Zero: long, One: one, Two: long, Few: long, Many: long, Other: long}
			}
		}
		l, err := newLocale(p.tag, p.name, msgs)
		if err != nil {
			return err
		}
		c.locales = append(c.locales, l)
		tags = append(tags, l.tag)
	}
	c.matcher = language.NewMatcher(tags)
	return nil
}

var accents = strings.NewReplacer(
	"a", "áá", "e", "éé", "i", "íí", "o", "óó", "u", "úú",
	"A", "Á", "E", "É", "I", "Í", "O", "Ó", "U", "Ú",
)

// pseudo lengthens a text by about a third and keeps its placeholders.
func pseudo(s string) string {
	var b strings.Builder
	b.WriteString("⟦")
	for {
		text, rest, found := strings.Cut(s, "{{")
		b.WriteString(accents.Replace(text))
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}}")
		b.WriteString("{{" + name + "}}")
		s = after
	}
	b.WriteString("⟧")
	return b.String()
}
