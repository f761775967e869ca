package capnplang

// rawStructPointer writes a struct of an embedded message as it is.
func (b *builder) rawStructPointer(at int, s *rawStruct) {
	data, pointers := len(s.data)/8, len(s.pointers)
	target := b.alloc(data + pointers)
	b.structPointer(at, target, data, pointers)
	b.rawFill(target, target+8*data, s)
}

func (b *builder) rawFill(data, pointers int, s *rawStruct) {
	copy(b.buf[data:], s.data)
	b.rawPointers(pointers, s.pointers)
}

func (b *builder) rawPointers(at int, all []rawPointer) {
	for i, p := range all {
		switch {
		case p.target != nil:
			b.rawStructPointer(at+8*i, p.target)
		case p.list != nil:
			b.rawList(at+8*i, p.list)
		}
	}
}

func (b *builder) rawList(at int, list *rawList) {
	switch list.size {
	case sizePointer:
		target := b.alloc(list.count)
		b.listPointer(at, target, sizePointer, list.count)
		b.rawPointers(target, list.pointers)
	case sizeComposite:
		b.rawComposite(at, list)
	default:
		target := b.alloc(len(list.data) / 8)
		copy(b.buf[target:], list.data)
		b.listPointer(at, target, list.size, list.count)
	}
}

func (b *builder) rawComposite(at int, list *rawList) {
	data, pointers := 0, 0
	if list.count > 0 {
		data, pointers = len(list.structs[0].data)/8, len(list.structs[0].pointers)
	}
	step := data + pointers
	tag := b.alloc(1 + list.count*step)
	b.listPointer(at, tag, sizeComposite, list.count*step)
	b.put(tag, uint64(list.count)<<2|pointerStruct|uint64(data)<<32|uint64(pointers)<<48)
	for i := range list.structs {
		target := tag + 8 + 8*i*step
		b.rawFill(target, target+8*data, &list.structs[i])
	}
}
