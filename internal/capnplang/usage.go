package capnplang

// usage is how much of a data slot one group takes: the first 2^size bits, less
// the holes.
type usage struct {
	inUse bool
	size  int
	holes holes
}

// gap gives the size of the gap that a field would be put in, or -1.
func (u *usage) gap(slot dataSlot, size int) int {
	switch {
	case !u.inUse:
		if size <= slot.size {
			return slot.size
		}
	case size >= u.size:
		if size < slot.size { // beside what is there
			return size
		}
	default:
		if gap := u.holes.smallest(size); gap >= 0 {
			return gap
		}
		if u.size < slot.size {
			return u.size
		}
	}
	return -1
}

// take places a field in the gap that gap found.
func (u *usage) take(slot dataSlot, size int) uint32 {
	var at uint32
	switch {
	case !u.inUse:
		u.inUse, u.size = true, size
	case size >= u.size:
		u.holes.addAfter(u.size, 1, size)
		u.size = size + 1
		at = 1
	default:
		var ok bool
		if at, ok = u.holes.take(size); !ok {
			at = 1 << (u.size - size)
			u.holes.addAfter(size, at+1, u.size)
			u.size++
		}
	}
	return slot.offset<<(slot.size-size) + at
}

func (u *usage) takeByGrowing(union *unionSpace, slot *dataSlot, size int) (uint32, bool) {
	if !u.inUse {
		if !union.grow(slot, size) {
			return 0, false
		}
		u.inUse, u.size = true, size
		return slot.offset << (slot.size - size), true
	}
	if !u.extend(union, slot, max(u.size, size)+1, true) {
		return 0, false
	}
	at, _ := u.holes.take(size)
	return slot.offset<<(slot.size-size) + at, true
}

// extend makes room for size; what is new are holes, unless the field that is
// there becomes larger itself.
func (u *usage) extend(union *unionSpace, slot *dataSlot, size int, newHoles bool) bool {
	if size > lgWord || !union.grow(slot, size) {
		return false
	}
	if newHoles {
		u.holes.addAfter(u.size, 1, size)
	}
	u.size = size
	return true
}

func (u *usage) widen(union *unionSpace, slot *dataSlot, size int, offset uint32, by int) bool {
	if offset == 0 && u.size == size {
		return u.extend(union, slot, size+by, false)
	}
	return u.holes.widen(size, offset, by)
}
