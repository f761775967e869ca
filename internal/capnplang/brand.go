package capnplang

// brand gives the parameters of generic declarations their values. A parameter
// that has none is AnyPointer.
type brand []binding

type binding struct {
	decl *decl
	args []*typ
}

var anyPointer = builtinTypes["AnyPointer"]

func paramType(d *decl, index int) *typ {
	return &typ{kind: kindParam, decl: d, index: index, open: true}
}

func listType(elem *typ) *typ {
	return &typ{kind: kindList, elem: elem, open: elem.open, parts: elem.parts + 1}
}

func (b brand) open() bool {
	for _, x := range b {
		for _, a := range x.args {
			if a.open {
				return true
			}
		}
	}
	return false
}

// parts counts the types in b, each as often as it occurs, up to a limit that is
// far beyond maxParts.
func (b brand) parts() int {
	const limit = 1 << 30
	n := 0
	for _, x := range b {
		for _, a := range x.args {
			n = min(n+a.parts+1, limit)
		}
	}
	return n
}

// inherited binds the parameters of what is around d to themselves: inside of a
// generic declaration its other members see its parameters.
func inherited(d *decl) brand {
	var b brand
	for s := d.parent; s != nil; s = s.parent {
		if len(s.params) == 0 {
			continue
		}
		args := make([]*typ, len(s.params))
		for i := range args {
			args[i] = paramType(s, i)
		}
		b = append(b, binding{s, args})
	}
	return b
}

// with replaces parameters in t by what b gives them.
func (t *typ) with(b brand) *typ {
	if !t.open {
		return t
	}
	bind := binder{brand: b}
	return bind.typ(t)
}

func (inner brand) with(b brand) brand {
	if !inner.open() {
		return inner
	}
	bind := binder{brand: b}
	return bind.args(inner)
}

// binder replaces parameters. It keeps what it has done, so that a type that
// mentions another one many times, which mentions a third one many times, costs
// no more than is written down.
type binder struct {
	brand brand
	done  map[*typ]*typ
}

func (b *binder) typ(t *typ) *typ {
	if !t.open {
		return t
	}
	if t.kind == kindParam {
		return b.brand.arg(t)
	}
	if bound := b.done[t]; bound != nil {
		return bound
	}
	bound := *t
	if t.kind == kindList {
		bound.elem = b.typ(t.elem)
		bound.open = bound.elem.open
		bound.parts = bound.elem.parts + 1
	} else {
		bound.brand = b.args(t.brand)
		bound.open = bound.brand.open()
		bound.parts = bound.brand.parts()
	}
	if b.done == nil {
		b.done = map[*typ]*typ{}
	}
	b.done[t] = &bound
	return &bound
}

func (b brand) arg(param *typ) *typ {
	for _, x := range b {
		if x.decl == param.decl {
			return x.args[param.index]
		}
	}
	return anyPointer
}

func (b *binder) args(inner brand) brand {
	bound := make(brand, len(inner))
	for i, x := range inner {
		args := make([]*typ, len(x.args))
		for j, a := range x.args {
			args[j] = b.typ(a)
		}
		bound[i] = binding{x.decl, args}
	}
	return bound
}
