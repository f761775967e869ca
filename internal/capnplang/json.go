package capnplang

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sandstorm-go/sandstorm/internal/terminal"
)

// JSON gives the value as indented JSON, with the same members and values as
// `capnp eval --output=json`: numbers of 64 bits are strings, Data is an array of
// numbers, Void is null, enumerants are their names, infinities and NaN are
// strings; primitive fields are always there, pointers only if they are set, of a
// union the one member that is chosen, after the other fields.
//
// Beyond the tool, which refuses those, it also gives constants that are no
// structs, and AnyPointer fields: as what they were made from, or null if that is
// not known. Text that is not UTF-8 gets replacement characters.
func (v *Value) JSON() ([]byte, error) {
	w := &jsonWriter{loader: v.loader}
	if err := w.value(v, v.typ); err != nil {
		return nil, err
	}
	return append(w.buf, '\n'), nil
}

type jsonWriter struct {
	loader *loader
	buf    []byte
	indent int
	unset  []unset // written though they are not set, from the outside in
}

func (w *jsonWriter) tooLarge() *Error {
	if len(w.buf) <= w.loader.maxJSON {
		return nil
	}
	return w.loader.main.errorf(0, "as JSON this value is larger than %s", sizeText(int64(w.loader.maxJSON)))
}

func (w *jsonWriter) newline() {
	w.buf = append(w.buf, '\n')
	for range w.indent {
		w.buf = append(w.buf, "  "...)
	}
}

// value writes v, of type t: v is nil for a null pointer.
func (w *jsonWriter) value(v *Value, t *typ) *Error {
	if err := w.tooLarge(); err != nil {
		return err
	}
	if v != nil {
		t = v.typ
	}
	switch t.kind {
	case kindText:
		w.text(textOf(v))
	case kindData:
		w.bytes(textOf(v))
	case kindList:
		return w.list(v)
	case kindStruct:
		return w.structure(v, t)
	case kindEnum:
		return w.enum(v)
	default:
		w.scalar(v)
	}
	return nil
}

func textOf(v *Value) string {
	if v == nil {
		return ""
	}
	return v.text
}

func (w *jsonWriter) scalar(v *Value) {
	if v == nil {
		w.buf = append(w.buf, "null"...)
		return
	}
	switch v.typ.kind {
	case kindBool:
		w.buf = strconv.AppendBool(w.buf, v.bits != 0)
	case kindInt8, kindInt16, kindInt32:
		w.buf = strconv.AppendInt(w.buf, v.signed(), 10)
	case kindUInt8, kindUInt16, kindUInt32:
		w.buf = strconv.AppendUint(w.buf, v.bits, 10)
	case kindInt64:
		w.buf = append(strconv.AppendInt(append(w.buf, '"'), v.signed(), 10), '"')
	case kindUInt64:
		w.buf = append(strconv.AppendUint(append(w.buf, '"'), v.bits, 10), '"')
	case kindFloat32, kindFloat64:
		w.float(v.float())
	default:
		w.buf = append(w.buf, "null"...)
	}
}

func (w *jsonWriter) float(f float64) {
	switch {
	case math.IsNaN(f):
		w.buf = append(w.buf, `"NaN"`...)
	case math.IsInf(f, 1):
		w.buf = append(w.buf, `"Infinity"`...)
	case math.IsInf(f, -1):
		w.buf = append(w.buf, `"-Infinity"`...)
	default:
		w.buf = strconv.AppendFloat(w.buf, f, 'g', -1, 64)
	}
}

func (w *jsonWriter) enum(v *Value) *Error {
	names, err := v.typ.decl.enumerants()
	if err != nil {
		return err
	}
	if v.bits < uint64(len(names)) {
		w.text(names[v.bits])
	} else {
		w.buf = strconv.AppendUint(w.buf, v.bits, 10)
	}
	return nil
}

func (w *jsonWriter) bytes(s string) {
	w.buf = append(w.buf, '[')
	for i := range len(s) {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = strconv.AppendUint(w.buf, uint64(s[i]), 10)
	}
	w.buf = append(w.buf, ']')
}

func (w *jsonWriter) text(s string) {
	w.buf = append(w.buf, '"')
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		switch {
		case r == '"' || r == '\\':
			w.buf = append(w.buf, '\\', byte(r))
		case r == '\n':
			w.buf = append(w.buf, `\n`...)
		case r == '\r':
			w.buf = append(w.buf, `\r`...)
		case r == '\t':
			w.buf = append(w.buf, `\t`...)
		case terminal.Obeyed(r): // also beyond ASCII: it may be printed
			w.buf = fmt.Appendf(w.buf, `\u%04x`, r)
		default:
			w.buf = utf8.AppendRune(w.buf, r)
		}
	}
	w.buf = append(w.buf, '"')
}

func (w *jsonWriter) list(v *Value) *Error {
	n := 0
	switch {
	case v == nil:
	case v.rawList != nil:
		n = v.rawList.count
	default:
		n = len(v.list)
	}
	if n == 0 {
		w.buf = append(w.buf, "[]"...)
		return nil
	}
	w.buf = append(w.buf, '[')
	w.indent++
	for i := range n {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.newline()
		var e *Value
		if v.rawList != nil {
			e = w.loader.element(v, i)
		} else {
			e = v.list[i]
		}
		if err := w.value(e, v.typ.elem); err != nil {
			return err
		}
	}
	w.indent--
	w.newline()
	w.buf = append(w.buf, ']')
	return nil
}
