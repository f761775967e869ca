package scaffold

import (
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plainLine makes one line of printable text out of what somebody wrote
// somewhere, at most 200 characters of it.
func plainLine(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return ' '
		}
		if !unicode.IsPrint(r) { // marks that turn the direction of text, among others
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > 200 {
		s = string([]rune(s)[:200])
	}
	return s
}

// titleOf makes a title for people out of a package's name, such as
// "@scope/my-notes" or "example.org/my/notes".
func titleOf(name, dir string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	title := plainLine(strings.NewReplacer("-", " ", "_", " ").Replace(name))
	if title == "" && dir != "" {
		if abs, err := filepath.Abs(dir); err == nil {
			return titleOf(filepath.Base(abs), "")
		}
	}
	if title == "" {
		return "My App"
	}
	r, n := utf8.DecodeRuneInString(title)
	return string(unicode.ToUpper(r)) + title[n:]
}

func versionOf(s string) string {
	if s = strings.TrimPrefix(plainLine(s), "v"); s == "" {
		return "0.1"
	}
	return s
}

// websiteOf keeps an address that a package may name (packages.md §4).
func websiteOf(s string) string {
	s = plainLine(s)
	if (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && !strings.ContainsAny(s, " \"<>") {
		return s
	}
	return ""
}

// licenses are the identifiers of SPDX, in small letters and without "-only"
// and "-or-later", and the enumerants of OpenSourceLicense (packages.md §3).
var licenses = map[string]string{
	"mit": "mit", "apache-2.0": "apache2", "apache 2.0": "apache2", "apache license 2.0": "apache2", "mit license": "mit",
	"gpl-3.0": "gpl3", "agpl-3.0": "agpl3", "gpl-2.0": "gpl2", "lgpl-2.0": "lgpl2", "lgpl-2.1": "lgpl2", "lgpl-3.0": "lgpl3",
	"bsd-3-clause": "bsd3Clause", "bsd-2-clause": "bsd2Clause", "isc": "isc", "artistic-2.0": "artistic2",
	"python-2.0": "python2", "psf-2.0": "python2", "php-3.0": "php3", "php-3.01": "php3", "mpl-2.0": "mpl2", "cddl-1.0": "cddl", "cddl-1.1": "cddl",
	"epl-1.0": "epl", "epl-2.0": "epl", "cpal-1.0": "cpal", "zlib": "zlib",
}

var licenseWords = regexp.MustCompile(`(?i)\s+(?:or|and|with)\s+`)

// licenseOf finds the enumerant for what a package says its license is; of
// "MIT OR GPL-2.0" the first that has one.
func licenseOf(s string) string {
	if len(s) > 1000 {
		return ""
	}
	for _, word := range licenseWords.Split(strings.Trim(s, "() "), -1) {
		word = strings.ToLower(strings.Trim(word, "() "))
		word = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(word, "+"), "-only"), "-or-later")
		if l := licenses[word]; l != "" {
			return l
		}
	}
	return ""
}
