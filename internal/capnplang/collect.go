package capnplang

// collect lists the members of a struct or group, outside of unions.
func collect(d *decl, info *structInfo, in space, slots *[]slot) *Error {
	for _, m := range d.members {
		switch m.kind {
		case declField:
			*slots = append(*slots, slot{decl: m, info: info, space: in})
		case declUnion:
			union := &unionSpace{outer: in}
			owner := info
			if m.name != "" {
				owner = info.group(m, false)
			} else if info.union != nil {
				return m.errorf("a second union without a name").hint("Give one of them a name: `name :union { … }`.")
			}
			if err := collectUnion(m, owner, union, slots); err != nil {
				return err
			}
		case declGroup:
			if len(m.members) == 0 {
				return m.errorf("the group “%s” is empty", m.name)
			}
			if err := collect(m, info.group(m, false), in, slots); err != nil {
				return err
			}
		}
	}
	return nil
}

// collectUnion lists the members of a union, each of which gets a space of its
// own.
func collectUnion(d *decl, info *structInfo, union *unionSpace, slots *[]slot) *Error {
	info.union = union
	if d.ordinal >= 0 {
		*slots = append(*slots, slot{decl: d, union: union})
	}
	members := 0
	for _, m := range d.members {
		own := &groupSpace{union: union}
		switch m.kind {
		case declField:
			*slots = append(*slots, slot{decl: m, info: info, space: own, inUnion: true})
		case declUnion:
			if m.name == "" {
				return m.errorf("a union without a name inside of a union").hint("Give it a name: `name :union { … }`.")
			}
			if err := collectUnion(m, info.group(m, true), &unionSpace{outer: own}, slots); err != nil {
				return err
			}
		case declGroup:
			if len(m.members) == 0 {
				return m.errorf("the group “%s” is empty", m.name)
			}
			if err := collect(m, info.group(m, true), own, slots); err != nil {
				return err
			}
		default:
			continue
		}
		members++
	}
	if members < 2 {
		return d.errorf("a union needs at least two members")
	}
	return nil
}

func (s *structInfo) group(d *decl, inUnion bool) *structInfo {
	g := &structInfo{decl: d, size: s.size, byName: map[string]*field{}, parent: s, inUnion: inUnion}
	g.groupFor = &typ{kind: kindStruct, decl: d, group: g}
	return g
}
