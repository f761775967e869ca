package capnplang

// unionSpace is a union: its groups share data slots and pointers, which lie in
// the space around it. A field outside of a group counts as a group of its own.
type unionSpace struct {
	outer        space
	groups       int
	tagged       bool
	tag          uint32 // of the discriminant, in 16-bit units
	data         []dataSlot
	pointerSlots []uint32
}

type dataSlot struct {
	size   int
	offset uint32
}

const lgTag = 4

// addTag places the discriminant; false if it has a place already.
func (u *unionSpace) addTag() bool {
	if u.tagged {
		return false
	}
	u.tagged, u.tag = true, u.outer.addData(lgTag)
	return true
}

func (u *unionSpace) groupBegins() {
	u.groups++
	if u.groups == 2 { // one field may become a union later, when it is not alone
		u.addTag()
	}
}

// groupSpace is one alternative of a union. used[i] says how much of the union's
// i-th data slot it takes.
type groupSpace struct {
	union    *unionSpace
	begun    bool
	used     []usage
	pointers int
}

func (g *groupSpace) begin() {
	if !g.begun {
		g.begun = true
		g.union.groupBegins()
	}
}

func (g *groupSpace) addVoid() {
	g.begin()
	g.union.outer.addVoid()
}

func (g *groupSpace) addPointer() uint32 {
	g.begin()
	u := g.union
	if g.pointers == len(u.pointerSlots) {
		u.pointerSlots = append(u.pointerSlots, u.outer.addPointer())
	}
	g.pointers++
	return u.pointerSlots[g.pointers-1]
}

// addData prefers the slot with the tightest gap, then a slot that can grow,
// then a new one.
func (g *groupSpace) addData(size int) uint32 {
	g.begin()
	u := g.union
	for len(g.used) < len(u.data) {
		g.used = append(g.used, usage{})
	}
	best, bestGap := -1, lgWord+1
	for i := range u.data {
		if gap := g.used[i].gap(u.data[i], size); gap >= 0 && gap < bestGap {
			best, bestGap = i, gap
		}
	}
	if best >= 0 {
		return g.used[best].take(u.data[best], size)
	}
	for i := range u.data {
		if at, ok := g.used[i].takeByGrowing(u, &u.data[i], size); ok {
			return at
		}
	}
	at := u.outer.addData(size)
	u.data = append(u.data, dataSlot{size, at})
	g.used = append(g.used, usage{inUse: true, size: size})
	return at
}

// widen is asked by a union inside of this group.
func (g *groupSpace) widen(size int, offset uint32, by int) bool {
	if size+by > lgWord || offset&(1<<by-1) != 0 {
		return false
	}
	u := g.union
	for i := range g.used {
		slot := &u.data[i]
		if slot.size < size || offset>>(slot.size-size) != slot.offset {
			continue
		}
		inside := offset - slot.offset<<(slot.size-size)
		return g.used[i].widen(u, slot, size, inside, by)
	}
	return false
}

// grow makes a data slot larger, if what is behind it is free.
func (u *unionSpace) grow(slot *dataSlot, size int) bool {
	if size <= slot.size {
		return true
	}
	by := size - slot.size
	if !u.outer.widen(slot.size, slot.offset, by) {
		return false
	}
	slot.offset >>= by
	slot.size = size
	return true
}
