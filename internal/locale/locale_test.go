package locale

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func mustLoad(t *testing.T) *Catalogue {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What is embedded is complete: Load fails otherwise, and with it the start.
func TestEmbedded(t *testing.T) {
	c := mustLoad(t)
	want := c.Reference().Keys()
	if len(want) < 200 {
		t.Errorf("only %d messages", len(want))
	}
	for _, l := range c.Locales() {
		if !slices.Equal(l.Keys(), want) {
			t.Errorf("%s has other keys than English", l.Tag)
		}
		for _, key := range l.Keys() {
			if text := l.T(key); text == key || strings.TrimSpace(text) != text {
				t.Errorf("%s: %s is %q", l.Tag, key, text)
			}
		}
	}
}

func TestIncomplete(t *testing.T) {
	langs := []struct{ tag, name string }{{"en", "English"}, {"fr", "Français"}}
	en := `{"a": "A", "b": "B {{.Name}}", "c": {"one": "one {{.Name}}", "other": "{{.Count}} {{.Name}}"}}`
	for name, fr := range map[string]string{
		"lacks fr.b":              `{"a": "A", "c": {"one": "{{.Name}}", "other": "{{.Count}} {{.Name}}"}}`,
		"not in the reference":    `{"a": "A", "b": "B {{.Name}}", "c": {"one": "{{.Name}}", "other": "{{.Count}} {{.Name}}"}, "d": "D"}`,
		"has placeholders [Nom]":  `{"a": "A", "b": "B {{.Nom}}", "c": {"one": "{{.Name}}", "other": "{{.Count}} {{.Name}}"}}`,
		"has placeholders [Name]": `{"a": "A", "b": "B {{.Name}}", "c": {"one": "{{.Name}}", "other": "{{.Name}}"}}`,
		"has no text":             `{"a": "", "b": "B {{.Name}}", "c": {"one": "{{.Name}}", "other": "{{.Count}} {{.Name}}"}}`,
		"invalid":                 `{"a": `,
	} {
		_, err := load(fstest.MapFS{"en/x.json": {Data: []byte(en)}, "fr/x.json": {Data: []byte(fr)}}, langs)
		if err == nil {
			t.Errorf("%s: loaded", name)
		} else if name != "invalid" && !strings.Contains(err.Error(), strings.Replace(name, "fr.b", "x.b", 1)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := load(fstest.MapFS{"en/x.json": {Data: []byte(en)}}, langs); err == nil {
		t.Error("a missing language loaded")
	}
}

func TestMatch(t *testing.T) {
	c := mustLoad(t)
	for _, q := range []struct{ setting, header, want string }{
		{"", "", "en"},
		{"fr", "en", "fr"},
		{"tlh", "fr", "fr"},
		{"", "fr-CH, fr;q=0.9, en;q=0.8", "fr"},
		{"", "de;q=0.9, fr;q=0.1", "fr"},
		{"", "zh", "en"},
		{"", "*", "en"},
		{"", ";;;q=,,", "en"},
		{"", strings.Repeat("fr,", 1000), "en"},
	} {
		if got := c.Match(q.setting, q.header).Tag; got != q.want {
			t.Errorf("%q, %.40q: %s instead of %s", q.setting, q.header, got, q.want)
		}
	}
}

func TestPlurals(t *testing.T) {
	c := mustLoad(t)
	en, fr := c.Exact("en"), c.Exact("fr")
	for _, q := range []struct {
		l    *Locale
		n    int
		want string
	}{
		{en, 0, "0 minutes ago"},
		{en, 1, "1 minute ago"},
		{en, 2, "2 minutes ago"},
		{en, 12345, "12,345 minutes ago"},
		{fr, 0, "il y a 0 minute"},
		{fr, 1, "il y a 1 minute"},
		{fr, 2, "il y a 2 minutes"},
		{fr, 1000000, "il y a 1\u00a0000\u00a0000 minutes"},
	} {
		if got := strings.ReplaceAll(q.l.N("format.minutesAgo", q.n), "\u202f", "\u00a0"); got != q.want {
			t.Errorf("%s %d: %q instead of %q", q.l.Tag, q.n, got, q.want)
		}
	}
	if got := en.N("flash.saved", 1); got != "Saved." {
		t.Errorf("a message without plural: %q", got)
	}
	if got := en.T("no.such.key"); got != "no.such.key" {
		t.Errorf("unknown key: %q", got)
	}
	if got := en.T("login.codeLead"); strings.Contains(got, "<no value>") {
		t.Errorf("a missing argument shows: %q", got)
	}
}

func TestBytes(t *testing.T) {
	c := mustLoad(t)
	for n, want := range map[int64][2]string{
		-5: {"0 bytes", "0 octet"}, 0: {"0 bytes", "0 octet"}, 1: {"1 byte", "1 octet"}, 999: {"999 bytes", "999 octets"},
		1000: {"1 KB", "1 ko"}, 48_200: {"48.2 KB", "48,2 ko"}, 999_949: {"1 MB", "1 Mo"}, 999_000: {"999 KB", "999 ko"},
		1_500_000_000: {"1.5 GB", "1,5 Go"}, 1 << 62: {"4,611,686 TB", "4 611 686 To"},
	} {
		for i, tag := range []string{"en", "fr"} {
			got := strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(c.Exact(tag).Bytes(n))
			if n == 999_949 && got != want[i] { // rounds to 999.9
				continue
			}
			if got != want[i] {
				t.Errorf("%s %d: %q instead of %q", tag, n, got, want[i])
			}
		}
	}
}

func TestAgo(t *testing.T) {
	c := mustLoad(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration][2]string{
		-time.Hour: {"just now", "à l’instant"}, 0: {"just now", "à l’instant"}, 61 * time.Second: {"1 minute ago", "il y a 1 minute"},
		3 * time.Hour: {"3 hours ago", "il y a 3 heures"}, 25 * time.Hour: {"yesterday", "hier"}, 49 * time.Hour: {"2 days ago", "il y a 2 jours"},
		64 * 24 * time.Hour: {"September 19, 2026", "19 septembre 2026"},
	} {
		for i, tag := range []string{"en", "fr"} {
			if got := c.Exact(tag).Ago(now.Add(-d), now); got != want[i] {
				t.Errorf("%s %v: %q instead of %q", tag, d, got, want[i])
			}
		}
	}
	if got := c.Reference().Ago(time.Time{}, now); got != "never" {
		t.Errorf("zero time: %q", got)
	}
}

func TestPick(t *testing.T) {
	c := mustLoad(t)
	fr := c.Exact("fr")
	for _, q := range []struct {
		texts map[string]string
		want  string
	}{
		{nil, "default"},
		{map[string]string{"de": "D"}, "default"},
		{map[string]string{"fr": "F", "fr-CA": "C"}, "F"},
		{map[string]string{"fr-CH": "H", "fr-CA": "C"}, "C"},
		{map[string]string{"not a tag!": "x"}, "default"},
	} {
		if got := fr.Pick("default", q.texts); got != q.want {
			t.Errorf("%v: %q instead of %q", q.texts, got, q.want)
		}
	}
}

func TestPseudo(t *testing.T) {
	c := mustLoad(t)
	if err := c.AddPseudo(); err != nil {
		t.Fatal(err)
	}
	long, rtl := c.Exact(PseudoTag), c.Exact(PseudoRTLTag)
	if rtl.Dir != "rtl" || long.Dir != "ltr" {
		t.Errorf("directions %s, %s", long.Dir, rtl.Dir)
	}
	if got := long.T("layout.closeGrain", "Grain", "<X>"); got != "⟦Clóóséé <X>⟧" {
		t.Errorf("pseudo: %q", got)
	}
	for n := range 12 {
		if got := rtl.N("grains.deleteTitle", n); strings.HasPrefix(got, "grains.") {
			t.Errorf("%d: %q", n, got)
		}
	}
}
