package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"unicode/utf16"
)

// keepHistory is how many past changes survive a rewrite of the file, for
// browsers that come back after a while.
const keepHistory = 1000

// rewriteAfter is the size in bytes from which the file is rewritten, if that
// makes it markedly smaller.
const rewriteAfter = 1 << 20

// A store is the pad's file: a first line with a text and its revision, then
// one line for each change since. A change counts as saved once its line is on
// the disk; a crash can only tear the last line, which then never counted.
type store struct {
	path string
	file *os.File
	size int64
	base header
	ops  []change // since base
}

type header struct {
	Version  int    `json:"v"`
	Revision int    `json:"rev"`
	Text     string `json:"text"`
}

// change is one saved change. By and Seq name it, so that a client that lost
// the connection before the answer can tell that its change arrived.
type change struct {
	By  string `json:"by"`
	Seq int    `json:"seq"`
	Op  Op     `json:"op"`
}

// openStore reads the file at path, or starts an empty one, and returns the
// current text.
func openStore(path string, log *slog.Logger) (*store, []uint16, error) {
	s := &store{path: path, base: header{Version: 1}}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil, s.rewrite(s.base, nil)
	}
	if err != nil {
		return nil, nil, err
	}
	text, rest, err := s.replay(b)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rest) > 0 {
		// A torn last line is what a crash leaves. Anything longer is damage:
		// keep what could be read and put the rest aside for a person to see.
		log.Warn("dropped an unfinished change", "bytes", len(rest))
		if bytes.IndexByte(rest, '\n') >= 0 {
			if err := os.WriteFile(path+".damaged", b, 0o600); err != nil {
				return nil, nil, err
			}
		}
	}
	if len(rest) > 0 || len(s.ops) > keepHistory || int64(len(b)) > rewriteAfter {
		return s, text, s.compact()
	}
	s.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	s.size = int64(len(b))
	return s, text, err
}

// replay fills s from the bytes of a file and returns the text and what could
// not be read.
func (s *store) replay(b []byte) (text []uint16, rest []byte, err error) {
	s.base = header{}
	r := bufio.NewReader(bytes.NewReader(b))
	line, err := r.ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &s.base) != nil || s.base.Version != 1 {
		return nil, nil, errors.New("not a pad of a version that this app knows")
	}
	text = utf16.Encode([]rune(s.base.Text))
	read := len(line)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return text, b[read:], nil
		}
		var c change
		if json.Unmarshal(line, &c) != nil {
			return text, b[read:], nil
		}
		next, err := c.Op.apply(text)
		if err != nil {
			return text, b[read:], nil
		}
		text, read = next, read+len(line)
		s.ops = append(s.ops, c)
	}
}

// append saves changes; when it returns nil they survive a crash.
func (s *store) append(changes []change) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	for _, c := range changes {
		if err := enc.Encode(c); err != nil {
			return err
		}
	}
	if _, err := s.file.Write(buf.Bytes()); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.size += int64(buf.Len())
	s.ops = append(s.ops, changes...)
	if s.size > rewriteAfter && s.size > 4*int64(len(s.base.Text)) && len(s.ops) > 2*keepHistory {
		return s.compact()
	}
	return nil
}

// since returns the changes after revision rev; ok is false if they are not
// all known any more.
func (s *store) since(rev int) (_ []change, ok bool) {
	if rev < s.base.Revision || rev > s.revision() {
		return nil, false
	}
	return s.ops[rev-s.base.Revision:], true
}

func (s *store) revision() int { return s.base.Revision + len(s.ops) }

// compact rewrites the file with a newer base and only the last changes.
func (s *store) compact() error {
	drop := max(0, len(s.ops)-keepHistory)
	text := utf16.Encode([]rune(s.base.Text))
	for _, c := range s.ops[:drop] {
		var err error
		if text, err = c.Op.apply(text); err != nil {
			return err
		}
	}
	base := header{Version: 1, Revision: s.base.Revision + drop, Text: string(utf16.Decode(text))}
	return s.rewrite(base, append([]change(nil), s.ops[drop:]...))
}

// rewrite replaces the file as a whole: it is either the old or the new one,
// whenever the machine stops.
func (s *store) rewrite(base header, ops []change) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	if err := enc.Encode(base); err != nil {
		return err
	}
	for _, c := range ops {
		if err := enc.Encode(c); err != nil {
			return err
		}
	}
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
	if err := replaceFile(s.path, buf.Bytes()); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	s.file, s.base, s.ops, s.size = f, base, ops, int64(buf.Len())
	return nil
}

func replaceFile(path string, content []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
