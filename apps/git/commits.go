package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sandstorm-go/sandstorm/apps/internal/visitor"
)

// commit is one line of the page's list.
type commit struct {
	Hash, Short, Author, Subject string
	Time                         time.Time
}

// commits are the newest n commits of the branch that is shown.
func (r *repository) commits(ctx context.Context, n int) ([]commit, error) {
	out, err := r.git(ctx, "log", "-z", "--max-count="+strconv.Itoa(n), "--encoding=UTF-8",
		"--format=%H%x1f%h%x1f%ct%x1f%<(80,trunc)%an%x1f%<(200,trunc)%s", "HEAD")
	if err != nil || out == "" {
		return nil, err
	}
	var all []commit
	for line := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		f := strings.SplitN(line, "\x1f", 5)
		if len(f) != 5 {
			continue // a field separator in somebody's name
		}
		seconds, _ := strconv.ParseInt(f[2], 10, 64)
		all = append(all, commit{
			Hash: f[0], Short: f[1], Author: strings.TrimSpace(f[3]), Subject: strings.TrimSpace(f[4]), Time: time.Unix(seconds, 0).UTC(),
		})
	}
	return all, nil
}

// maxReadme bounds a README that is shown, in bytes.
const maxReadme = 128 << 10

// readme is the text of the README at the top of the shown branch, and its
// name; empty if there is none, or none that is text.
func (r *repository) readme(ctx context.Context) (name, text string) {
	out, err := r.git(ctx, "ls-tree", "-z", "--format=%(objecttype) %(objectsize) %(path)", "HEAD")
	if err != nil {
		return "", ""
	}
	for entry := range strings.SplitSeq(out, "\x00") {
		f := strings.SplitN(entry, " ", 3)
		if len(f) != 3 || f[0] != "blob" {
			continue
		}
		base, _, _ := strings.Cut(strings.ToLower(f[2]), ".")
		if size, err := strconv.Atoi(f[1]); base != "readme" || err != nil || size > maxReadme {
			continue
		}
		text, err := r.git(ctx, "cat-file", "blob", "HEAD:"+f[2])
		if err == nil && utf8.ValidString(text) && !strings.Contains(text, "\x00") {
			return f[2], text
		}
	}
	return "", ""
}

// errNotEmpty says that somebody else was first.
var errNotEmpty = errors.New("the repository is not empty any more")

// begin makes the first commit, a README, in the visitor's name.
func (r *repository) begin(ctx context.Context, v visitor.Visitor, text string) error {
	text = strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n") + "\n"
	branch, err := r.head(ctx)
	if err != nil {
		return err
	}
	name, address := who(v)
	env := []string{
		"GIT_DIR=" + r.dir, "GIT_AUTHOR_NAME=" + name, "GIT_AUTHOR_EMAIL=" + address,
		"GIT_COMMITTER_NAME=" + name, "GIT_COMMITTER_EMAIL=" + address,
	}
	last := ""
	for _, step := range []struct {
		stdin func() string
		args  func() []string
	}{
		{func() string { return text }, func() []string { return []string{"hash-object", "-w", "--stdin"} }},
		{func() string { return "100644 blob " + last + "\tREADME.md\n" }, func() []string { return []string{"mktree"} }},
		{func() string { return "Begin with a README\n" }, func() []string { return []string{"commit-tree", last} }},
	} {
		if last, err = run(ctx, env, []byte(step.stdin()), step.args()...); err != nil {
			return err
		}
	}
	// All zeros: only if the branch is not there yet.
	if _, err := run(ctx, env, nil, "update-ref", "-m", "begin", "refs/heads/"+branch, last, strings.Repeat("0", 40)); err != nil {
		if branches, berr := r.branches(ctx); berr == nil && len(branches) > 0 {
			return errNotEmpty
		}
		return err
	}
	return nil
}

// who is the name and address by which git records a visitor. The address
// leads nowhere (RFC 2606 §2): the platform gives away none.
func who(v visitor.Visitor) (name, address string) {
	name = strings.Map(func(c rune) rune {
		if strings.ContainsRune("<>\n\x00", c) {
			return -1 // git's own separators
		}
		return c
	}, v.Name)
	if strings.Trim(name, " .,:;\"'\\") == "" {
		name = "Anonymous" // git refuses a name without a letter
	}
	id := "anonymous"
	if v.ID != "" {
		id = v.ID
	}
	return name, id + "@grain.invalid"
}
