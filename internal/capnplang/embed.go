package capnplang

// embedded is a file that an embed named. It is read once, and shared.
type embedded struct {
	text  string
	root  *rawStruct // as a message, once it was read as one
	words int64
	depth int
}

// embedFile gives the file that an embed names.
func (l *loader) embedFile(from *source, e *expr) (*embedded, *Error) {
	for _, src := range l.candidates(from, e.text) {
		if file := l.embeds[src.id]; file != nil {
			return file, nil
		}
		text, err := l.read(src, l.opts.MaxFile, &l.embedLeft)
		if notThere(err) {
			continue
		}
		if err != nil {
			return nil, from.errorf(e.pos, "cannot embed “%s”: %s", shorten(e.text), reason(err))
		}
		file := &embedded{text: text}
		l.embeds[src.id] = file
		return file, nil
	}
	return nil, from.errorf(e.pos, "cannot embed “%s”: there is no such file", shorten(e.text)).
		hint("%s", l.whereHint(e.text))
}

// evalEmbed evaluates `embed "path"`.
func (l *loader) evalEmbed(e *expr, t *typ, scope *decl) (*Value, *Error) {
	src := scope.file
	if t.kind != kindText && t.kind != kindData && (t.kind != kindStruct || t.group != nil) {
		return nil, src.errorf(e.pos, "a file can be embedded as Text, Data or a struct, but %s is expected here", t.described())
	}
	file, err := l.embedFile(src, e)
	if err != nil {
		return nil, err
	}
	if t.kind != kindStruct {
		return l.made(&Value{typ: t, text: file.text}, src, e.pos)
	}
	if _, err := l.structOf(t.decl); err != nil {
		return nil, err
	}
	if err := file.parse(l.maxWords); err != nil {
		return nil, src.errorf(e.pos, "“%s” is not a Cap'n Proto message: %s", shorten(e.text), err).
			hint("For %s the file must be a framed, unpacked message.", t.described())
	}
	return l.made(&Value{typ: t, raw: file.root, words: file.words, depth: file.depth}, src, e.pos)
}

// parse reads the file as a message, of at most so many words.
func (f *embedded) parse(maxWords int64) error {
	if f.root != nil {
		return nil
	}
	r := &rawReader{left: maxWords}
	root, err := r.message(f.text)
	if err != nil {
		return err
	}
	f.root, f.words, f.depth = root, maxWords-r.left, r.deepest
	return nil
}
