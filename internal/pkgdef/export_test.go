package pkgdef

// WithMaxNodes makes a package small that would be too large.
func (o RootOptions) WithMaxNodes(n int) RootOptions {
	o.maxNodes = n
	return o
}
