package rootfs

import (
	"strings"
	"testing"
	"time"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"usr/bin/php", "usr/bin/php", true},
		{"/usr/bin/php", "usr/bin/php", true},
		{"usr/bin/php", "usr/bin/php8", false},
		{"usr/bin", "usr/bin/php", true},
		{"usr/bin/", "usr/bin/php", true},
		{"usr/bin", "usr/binary", false},
		{"usr/*/php", "usr/bin/php", true},
		{"usr/*/php", "usr/a/b/php", false},
		{"**", "a/b", true},
		{"**/test", "test", true},
		{"**/test", "a/b/test/c", true},
		{"**/test", "a/testing", false},
		{"a/**/b", "a/b", true},
		{"a/**/b", "a/x/y/b", true},
		{"a/**/*.js", "a/x/b.js", true},
		{"a/**/*.js", "a/x/b.map", false},
		{"[ab]/?", "b/x", true},
		{".", "anything", true},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.matches(c.name); got != c.want {
			t.Errorf("%q fits %q: %v", c.pattern, c.name, got)
		}
	}
}

// TestManyStars: matching costs the product of the two lengths at most, where
// trying out would take years.
func TestManyStars(t *testing.T) {
	p, err := parsePattern(strings.Repeat("**/a/", 40) + "b")
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("a/", 95) + "c"
	start := time.Now()
	if p.matches(name) {
		t.Error("fits")
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}
