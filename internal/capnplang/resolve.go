package capnplang

// ref is what a name stands for: a declaration, or a type that has none.
type ref struct {
	decl  *decl
	brand brand // arguments of generic declarations on the way to decl
	typ   *typ  // instead of decl: a built-in type, a parameter, or an applied List
}

// enter guards the recursion from one declaration to another. The caller must
// call leave afterwards.
func (l *loader) enter(at *source, pos int32) *Error {
	l.chain++
	if l.chain > maxChain {
		return at.errorf(pos, "declarations refer to each other through more than %d steps", maxChain)
	}
	return nil
}

func (l *loader) leave() { l.chain-- }

// resolve finds what a name in scope means.
func (l *loader) resolve(e *expr, scope *decl) (ref, *Error) {
	switch e.kind {
	case exprName:
		return l.resolveName(e, scope)
	case exprRooted:
		root := scope.file.root
		if d := root.lookup(e.text); d != nil {
			return l.follow(ref{decl: d})
		}
		return ref{}, notDefined(e, scope.file, root.allNames())
	case exprImport:
		d, err := l.importFile(scope.file, e)
		return ref{decl: d}, err
	case exprMember:
		return l.resolveMember(e, scope)
	case exprApply:
		return l.resolveApply(e, scope)
	}
	return ref{}, scope.file.errorf(e.pos, "a name is expected here")
}

func (l *loader) resolveName(e *expr, scope *decl) (ref, *Error) {
	for s := scope; s != nil; s = s.parent {
		for i, p := range s.params {
			if p == e.text {
				return ref{typ: paramType(s, i)}, nil
			}
		}
		if d := s.lookup(e.text); d != nil {
			return l.follow(ref{decl: d, brand: inherited(d)})
		}
	}
	if t := builtinTypes[e.text]; t != nil {
		return ref{typ: t}, nil
	}
	var names []string
	for s := scope; s != nil; s = s.parent {
		names = append(names, s.allNames()...)
	}
	return ref{}, notDefined(e, scope.file, names)
}

func notDefined(e *expr, file *source, names []string) *Error {
	return file.errorf(e.pos, "“%s” is not defined", shorten(e.text)).
		hint("%s", suggest(e.text, names, "Defined here are"))
}

// allNames lists what lookup finds in d, in the order of the source.
func (d *decl) allNames() []string {
	var names []string
	d.eachName(func(m *decl) {
		if d.names[m.name] == m {
			names = append(names, m.name)
		}
	})
	return names
}

// follow replaces aliases by what they stand for.
func (l *loader) follow(r ref) (ref, *Error) {
	d := r.decl
	if d.kind != declUsing {
		return r, nil
	}
	if d.alias == nil {
		if d.busy {
			return ref{}, d.errorf("“%s” stands for itself", d.name).hint("Break the circle of declarations that refer to each other.")
		}
		if err := l.enter(d.file, d.pos); err != nil {
			return ref{}, err
		}
		defer l.leave()
		d.busy = true
		found, err := l.resolve(d.typ, d.parent)
		d.busy = false
		if err != nil {
			return ref{}, err
		}
		d.alias = &found
	}
	found := *d.alias
	if found.typ != nil {
		found.typ = found.typ.with(r.brand)
	} else {
		found.brand = found.brand.with(r.brand)
	}
	return found, nil
}

func (l *loader) resolveMember(e *expr, scope *decl) (ref, *Error) {
	base, err := l.resolve(e.base, scope)
	if err != nil {
		return ref{}, err
	}
	if base.decl == nil {
		return ref{}, scope.file.errorf(e.pos, "“%s” has no members", shorten(e.base.String()))
	}
	d := base.decl.lookup(e.text)
	if d == nil {
		return ref{}, scope.file.errorf(e.pos, "“%s” has no member “%s”", shorten(e.base.String()), shorten(e.text)).
			hint("%s", suggest(e.text, base.decl.allNames(), "Its members are"))
	}
	return l.follow(ref{decl: d, brand: base.brand})
}

// resolveApply gives a generic declaration its arguments.
func (l *loader) resolveApply(e *expr, scope *decl) (ref, *Error) {
	base, err := l.resolve(e.base, scope)
	if err != nil {
		return ref{}, err
	}
	var args []*typ
	for _, it := range e.items {
		t, err := l.typeOf(it.value, scope)
		if err != nil {
			return ref{}, err
		}
		args = append(args, t)
	}
	wants := 0
	if base.typ != nil && base.typ.kind == kindList && base.typ.elem == nil {
		wants = 1
	} else if base.decl != nil {
		wants = len(base.decl.params)
	}
	if len(args) != wants || wants == 0 {
		return ref{}, scope.file.errorf(e.pos, "“%s” takes %s, not %d", shorten(e.base.String()), count(wants, "type parameter"), len(args))
	}
	if base.decl == nil {
		return ref{typ: listType(args[0])}, nil
	}
	b := append(base.brand[:len(base.brand):len(base.brand)], binding{base.decl, args})
	if b.parts() > maxParts {
		return ref{}, scope.file.errorf(e.pos, "this type is made of more than %d others", maxParts)
	}
	return ref{decl: base.decl, brand: b}, nil
}

// String writes a name as in the source.
func (e *expr) String() string {
	switch e.kind {
	case exprName:
		return e.text
	case exprRooted:
		return "." + e.text
	case exprImport:
		return "import \"" + e.text + "\""
	case exprMember:
		return e.base.String() + "." + e.text
	case exprApply:
		return e.base.String() + "(…)"
	}
	return "…"
}
