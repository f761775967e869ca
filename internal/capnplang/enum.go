package capnplang

import (
	"cmp"
	"slices"
	"strconv"
)

// enumerants gives the names of an enum in the order of their numbers.
func (d *decl) enumerants() ([]string, *Error) {
	if d.enumNames != nil {
		return d.enumNames, nil
	}
	slots := make([]slot, 0, len(d.members))
	for _, m := range d.members {
		if m.ordinal < 0 {
			return nil, m.errorf("“%s” has no number", m.name).hint("Write `" + m.name + " @" + strconv.Itoa(len(slots)) + ";`.")
		}
		slots = append(slots, slot{decl: m})
	}
	slices.SortStableFunc(slots, func(a, b slot) int { return cmp.Compare(a.decl.ordinal, b.decl.ordinal) })
	if err := checkOrdinals(slots); err != nil {
		return nil, err
	}
	for _, s := range slots {
		d.enumNames = append(d.enumNames, s.decl.name)
	}
	return d.enumNames, nil
}
