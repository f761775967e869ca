package capnplang

// defaultOf evaluates the default of a field; nil if it has none.
func (l *loader) defaultOf(f *field) (*Value, *Error) {
	d := f.decl
	if d.value == nil || d.constant != nil {
		return d.constant, nil
	}
	if d.busy {
		return nil, d.errorf("the default of “%s” depends on itself", d.name)
	}
	if err := l.enter(d.file, d.pos); err != nil {
		return nil, err
	}
	defer l.leave()
	d.busy = true
	defer func() { d.busy = false }()
	var err *Error
	d.constant, err = l.eval(d.value, f.typ.with(nil), d.parent)
	return d.constant, err
}

func (l *loader) defaultBits(f *field) (uint64, *Error) {
	v, err := l.defaultOf(f)
	if err != nil || v == nil {
		return 0, err
	}
	return v.bits, nil
}
