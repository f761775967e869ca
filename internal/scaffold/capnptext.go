package scaffold

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sandstorm-go/sandstorm/internal/terminal"
)

// quote writes a text as a Cap'n Proto literal. What cannot be in one, a NUL
// byte or what is no UTF-8, becomes U+FFFD. What an editor would obey instead of
// showing it is escaped: the packager is to read the file.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, string(utf8.RuneError)) {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == 0:
			b.WriteRune(utf8.RuneError)
		case terminal.Obeyed(r):
			for _, c := range utf8.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoteAll(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// comment writes text as comment lines of at most 80 characters. However the
// text is made, it cannot end the comment. hang is put before the text in each
// line.
func comment(indent, hang, text string) string {
	var b strings.Builder
	line := ""
	flush := func() {
		if line != "" {
			b.WriteString(indent + "#" + hang + line + "\n")
			line = ""
		}
	}
	for _, word := range strings.Fields(plainNote(text)) {
		if line != "" && utf8.RuneCountInString(indent+hang+line+word) > 77 {
			flush()
		}
		line += " " + word
	}
	flush()
	return b.String()
}
