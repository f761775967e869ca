package rootfs

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

const maxList = 1 << 20 // bytes of a list

// selection is a list of Debian packages as it was written, one entry a line:
//
//	# a comment
//	nginx             a package, of the newest version that apt knows
//	nginx=1.22.1-9    a package of one version
//	vendor/some.deb   a package's file, relative to the list
//	@depends          also the packages that these depend on
//	@libraries DIR    the app will have DIR in its LD_LIBRARY_PATH
//	+ usr/sbin/nginx  take what fits the pattern (without any: everything)
//	- **/locale       leave what fits this one
type selection struct {
	entries []selected
	depends bool
	dirs    []string // of @libraries
	take    []rule
	leave   []pattern
}

// selected is a package: either a name and maybe a version, or a file.
type selected struct {
	line          int
	name, version string
	file          string
}

type rule struct {
	line    int
	text    string
	pattern pattern
}

// lineError is a mistake in a line of the list, counted from 1.
type lineError struct {
	line int
	err  error
}

func (e lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e lineError) Unwrap() error { return e.err }

// readSelection reads a list. Files in it are returned by absolute paths or
// such that are relative to where the list's is.
func readSelection(path string) (*selection, error) {
	text, err := readFile(path, maxList)
	if err != nil {
		return nil, err
	}
	return parseSelection(string(text), filepath.Dir(path))
}

func parseSelection(text, dir string) (*selection, error) {
	s := &selection{}
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(" "+line, " #")
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := s.add(i+1, line, dir); err != nil {
			return nil, lineError{i + 1, err}
		}
	}
	if len(s.entries) == 0 {
		return nil, errors.New("the list names no package")
	}
	return s, nil
}

func (s *selection) add(n int, line, dir string) error {
	if word, rest, _ := strings.Cut(line, " "); word == "+" || word == "-" {
		rest = strings.TrimSpace(rest)
		p, err := parsePattern(rest)
		if err != nil || rest == "" {
			return fmt.Errorf("%q is no pattern; write for example %s usr/share/doc/**/*.gz", rest, word)
		}
		if len(p) > 1 && slices.Contains(merged, p[0]) {
			p = append(pattern{"usr"}, p...) // the files have moved there
		}
		if word == "+" {
			s.take = append(s.take, rule{n, rest, p})
		} else {
			s.leave = append(s.leave, p)
		}
		return nil
	}
	switch {
	case line == "@depends":
		s.depends = true
		return nil
	case strings.HasPrefix(line, "@libraries "):
		s.dirs = append(s.dirs, strings.TrimSpace(line[len("@libraries "):]))
		return nil
	case strings.HasPrefix(line, "@"):
		return fmt.Errorf("%.40q is unknown; there are @depends and @libraries DIR", line)
	case strings.ContainsAny(line, " \t"):
		return fmt.Errorf("%.60q: one package a line, please", line)
	case strings.HasSuffix(line, ".deb"):
		if !filepath.IsAbs(line) {
			line = filepath.Join(dir, line)
		}
		s.entries = append(s.entries, selected{line: n, file: line})
		return nil
	}
	name, version, pinned := strings.Cut(line, "=")
	if !debName.MatchString(name) || pinned && !debVersion.MatchString(version) {
		return fmt.Errorf("%.60q is neither a package's name (name, or name=version) nor a file that ends in .deb; patterns begin with \"+ \" or \"- \"", line)
	}
	for _, e := range s.entries {
		if e.name == name {
			return fmt.Errorf("%s is in line %d already", name, e.line)
		}
	}
	s.entries = append(s.entries, selected{line: n, name: name, version: version})
	return nil
}
