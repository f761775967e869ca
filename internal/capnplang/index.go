package capnplang

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
)

// index makes lookup work below d, and finds names that are declared twice or
// are not written as the language wants.
func (d *decl) index() *Error {
	if err := d.indexNames(); err != nil {
		return err
	}
	for _, m := range d.members {
		if len(m.members) == 0 {
			continue
		}
		if err := m.index(); err != nil {
			return err
		}
	}
	return nil
}

func (d *decl) indexNames() *Error {
	if d.kind == declUnion && d.name == "" {
		return nil // its names were seen from what is around it
	}
	d.names = make(map[string]*decl, len(d.members))
	seen := make(map[string]*decl, len(d.members))
	var err *Error
	d.eachName(func(m *decl) {
		if err != nil {
			return
		}
		if first := seen[m.name]; first != nil {
			at := first.errorf("")
			err = m.errorf("“%s” is declared twice", m.name).
				hint("It is already declared at %d:%d. Rename one of them.", at.Line, at.Column)
			return
		}
		seen[m.name] = m
		switch m.kind {
		case declUsing, declConst, declEnum, declStruct, declInterface, declAnnotation:
			d.names[m.name] = m
		}
		err = m.checkName()
	})
	return err
}

// checkName wants CapitalCase for types and camelCase for the rest, which the
// language demands because code generators rely on it.
func (d *decl) checkName() *Error {
	if d.kind == declUsing || d.name == "" {
		return nil
	}
	isType := d.kind == declStruct || d.kind == declEnum || d.kind == declInterface
	upper := d.name[0] >= 'A' && d.name[0] <= 'Z'
	switch {
	case strings.IndexByte(d.name, '_') >= 0:
		return d.errorf("the name “%s” contains an underscore", d.name).hint("Write it in camelCase.")
	case isType && !upper:
		return d.errorf("the name of a type begins with a capital letter, unlike “%s”", d.name)
	case !isType && upper:
		return d.errorf("the name of %s begins with a small letter, unlike “%s”", d.kind, d.name)
	}
	return nil
}

// randomID makes up an id for a hint.
func randomID() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:]) | 1<<63
}
