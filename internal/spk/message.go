package spk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/schema"
)

// parseMessage opens a framed message that is a file of its own. Bytes after
// its last segment are ignored.
func parseMessage(b []byte, limit int) (*capnp.Message, error) {
	const maxSegments = 4096 // each costs memory before its size is checked
	switch {
	case len(b) > limit+8*maxSegments:
		return nil, fmt.Errorf("%d bytes, more than %d", len(b), limit)
	case len(b) < 8 || binary.LittleEndian.Uint32(b) >= maxSegments:
		return nil, errors.New("its segment table is malformed")
	}
	msg, err := capnp.Unmarshal(b)
	if err != nil {
		return nil, err
	}
	// Twice the limit, as some fields are read twice here.
	msg.TraverseLimit = 2 * uint64(limit)
	return msg, nil
}

// fields reads fields of a message; the first error sticks, and after it all
// fields are empty.
type fields struct{ err error }

func take[T any](f *fields, v T, err error) T {
	if err == nil && f.err == nil {
		return v
	}
	if f.err == nil {
		f.err = err
	}
	var zero T
	return zero
}

// fail notes an error unless there is one already.
func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// count is a list's length, which may be at most limit: the lists' elements
// cost much more memory here than in the message.
func (f *fields) count(what string, n, limit int) int {
	if n > limit {
		f.fail(fmt.Errorf("%d %s, more than %d", n, what, limit))
		return 0
	}
	return n
}

// text takes a text as valid UTF-8 without NUL, whatever the package holds.
func (f *fields) text(s string, err error) string {
	s = take(f, s, err)
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

func (f *fields) localized(t schema.LocalizedText, err error) sandstorm.LocalizedText {
	t = take(f, t, err)
	var out sandstorm.LocalizedText
	if !t.IsValid() {
		return out
	}
	out.Default = f.text(t.DefaultText())
	l, err := t.Localizations()
	list := take(f, l, err)
	for i := range list.Len() {
		tag, text := f.text(list.At(i).Locale()), f.text(list.At(i).Text())
		if f.err != nil || tag == "" {
			continue
		}
		if out.Localizations == nil {
			out.Localizations = make(map[string]string)
		}
		out.Localizations[tag] = text
	}
	return out
}

func (f *fields) bools(l capnp.BitList, err error) []bool {
	l = take(f, l, err)
	if l.Len() == 0 {
		return nil
	}
	out := make([]bool, l.Len())
	for i := range out {
		out[i] = l.At(i)
	}
	return out
}
