package rootfs

import (
	"path"
	"strings"
)

// pattern is a slash-separated pattern in which ** stands for any number of
// parts and the rest is as in path.Match.
type pattern []string

// parsePattern takes a pattern apart. Like the names in the archives it is
// relative to the root, whether it starts with a slash or not.
func parsePattern(s string) (pattern, error) {
	s = strings.Trim(path.Clean("/"+s), "/")
	if s == "" {
		return pattern{}, nil // all of the root
	}
	parts := strings.Split(s, "/")
	for _, part := range parts {
		if _, err := path.Match(part, ""); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// matches reports whether the pattern fits a name. A pattern that names a
// folder also fits everything below it.
//
// It keeps the set of places in the pattern that the parts so far can have
// reached, so that many ** cost no more than one.
func (p pattern) matches(name string) bool {
	at := make([]bool, len(p)+1)
	at[0] = true
	for part := range strings.SplitSeq(name, "/") {
		p.skipStars(at)
		if at[len(p)] {
			return true // what is left lies below
		}
		next := make([]bool, len(p)+1)
		for i, reached := range at[:len(p)] {
			if !reached {
				continue
			}
			if p[i] == "**" {
				next[i] = true
			} else if ok, _ := path.Match(p[i], part); ok {
				next[i+1] = true
			}
		}
		at = next
	}
	p.skipStars(at)
	return at[len(p)]
}

// skipStars lets each ** stand for nothing.
func (p pattern) skipStars(at []bool) {
	for i := range p {
		if at[i] && p[i] == "**" {
			at[i+1] = true
		}
	}
}

func matchesAny(patterns []pattern, name string) bool {
	for _, p := range patterns {
		if p.matches(name) {
			return true
		}
	}
	return false
}
