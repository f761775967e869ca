package shell

import (
	"errors"
	"html/template"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/locale"
)

// timeView is a time as a <time> element shows it.
type timeView struct{ Machine, Text, Title string }

// funcs are the functions of the templates of one language.
func (s *Shell) funcs(loc *locale.Locale) template.FuncMap {
	return template.FuncMap{
		"t":     loc.T,
		"tn":    loc.N,
		"lt":    func(t sandstorm.LocalizedText) string { return loc.Pick(t.Default, t.Localizations) },
		"bytes": loc.Bytes,
		"num":   func(n int) string { return loc.Number(int64(n)) },
		"ago": func(t time.Time) timeView {
			if t.IsZero() {
				return timeView{Text: loc.T("format.never")}
			}
			return timeView{t.UTC().Format(time.RFC3339), loc.Ago(t, s.Now()), loc.DateTime(t)}
		},
		"icon":     icon,
		"static":   s.assets.url,
		"appIcon":  s.appIcon,
		"markdown": markdown,
		"licence":  licence,
		"dict":     dict,
	}
}

// dict makes a map of names and values, for partials with several parameters.
func dict(args ...any) (map[string]any, error) {
	if len(args)%2 != 0 {
		return nil, errors.New("dict: odd number of arguments")
	}
	m := make(map[string]any, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		name, ok := args[i].(string)
		if !ok {
			return nil, errors.New("dict: a name is not a string")
		}
		m[name] = args[i+1]
	}
	return m, nil
}

// licences are the names that people know for those of the package schema.
var licences = map[string]string{
	"mit": "MIT", "apache2": "Apache-2.0", "gpl2": "GPL-2.0", "gpl3": "GPL-3.0", "agpl3": "AGPL-3.0",
	"lgpl2": "LGPL-2.1", "lgpl3": "LGPL-3.0", "bsd2Clause": "BSD-2-Clause", "bsd3Clause": "BSD-3-Clause",
	"isc": "ISC", "artistic2": "Artistic-2.0", "python2": "Python-2.0", "php3": "PHP-3.0", "mpl2": "MPL-2.0",
	"cddl": "CDDL", "epl": "EPL", "cpal": "CPAL-1.0", "zlib": "Zlib",
}

func licence(name string) string {
	if known := licences[name]; known != "" {
		return known
	}
	return name
}
