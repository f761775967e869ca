package spk

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/sandstorm-go/sandstorm/internal/terminal"
)

const (
	maxInline = 256 // bytes of text or Data that are printed
	maxOnLine = 50  // bytes of an element of a one-line list
)

// printValue lays out a description as the original's `spk verify` did, which
// used the pretty-printing JSON encoder of the Cap'n Proto library. Lists and
// objects are on one line unless they have several elements of which one is
// longer than 50 bytes or takes several lines. prefixed tells that something
// stands before v on its line.
func printValue(v any, indent int, prefixed bool) (text string, multiline bool) {
	switch v := v.(type) {
	case nil:
		return "null", false
	case number:
		return strconv.FormatInt(int64(v), 10), false
	case string:
		if len(v) > maxInline {
			return fmt.Sprintf("LargeTextBlob(%d)", len(v)), false
		}
		return quote(v), false
	case svg:
		return printValue(string(v), indent, prefixed)
	case []byte:
		if len(v) > maxInline {
			return fmt.Sprintf("LargeDataBlob(%d)", len(v)), false
		}
		return "Base64(" + quote(base64.StdEncoding.EncodeToString(v)) + ")", false
	case list:
		parts, childMultiline := make([]string, len(v)), false
		for i, element := range v {
			var m bool
			parts[i], m = printValue(element, indent+deeper(len(v)), false)
			childMultiline = childMultiline || m
		}
		text, multiline = join(parts, childMultiline, indent, prefixed)
		return "[" + text + "]", multiline
	case object:
		parts, childMultiline := make([]string, len(v)), false
		for i, field := range v {
			s, m := printValue(field.value, indent+deeper(len(v)), true)
			parts[i] = quote(field.name) + ": " + s
			childMultiline = childMultiline || m
		}
		text, multiline = join(parts, childMultiline, indent, prefixed)
		return "{" + text + "}", multiline
	}
	panic(fmt.Sprintf("description with a %T", v))
}

// deeper is by how much the elements of a list are indented more than the list.
func deeper(elements int) int {
	if elements > 1 {
		return 1
	}
	return 0
}

func join(parts []string, childMultiline bool, indent int, prefixed bool) (text string, multiline bool) {
	for _, part := range parts {
		childMultiline = childMultiline || len(part) > maxOnLine
	}
	if len(parts) < 2 || !childMultiline {
		return strings.Join(parts, ", "), false
	}
	space := strings.Repeat("  ", indent+1)
	first := " "
	if prefixed {
		first = "\n" + space
	}
	return first + strings.Join(parts, ",\n"+space) + " ", true
}

// quote writes a text as in JSON. Control characters beyond ASCII's and those that
// turn the direction of text, which terminals obey, are escaped too.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\b':
			b.WriteString(`\b`)
		case c == '\f':
			b.WriteString(`\f`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case terminal.Obeyed(c):
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
