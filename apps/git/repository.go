package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// repository is the bare repository of the grain.
type repository struct{ dir string }

// openRepository makes the repository on the first start, all or nothing, and
// on later ones clears away what a killed git left behind.
func openRepository(dir string) (*repository, error) {
	r := &repository{dir}
	if _, err := os.Stat(dir); err == nil {
		return r, r.clear()
	}
	fresh := &repository{dir + ".new"}
	if err := os.RemoveAll(fresh.dir); err != nil {
		return nil, err
	}
	if _, err := run(context.Background(), nil, nil, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", fresh.dir); err != nil {
		return nil, err
	}
	return r, os.Rename(fresh.dir, dir)
}

// clear removes locks, the record of a running gc, and half-received packs.
// A grain ends by SIGKILL at any time, and a lock that stays would refuse every
// later push; nothing of git runs yet, so nobody holds one.
func (r *repository) clear() error {
	return filepath.WalkDir(r.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if strings.HasPrefix(name, "tmp_objdir-") && filepath.Dir(p) == filepath.Join(r.dir, "objects") {
				if err := os.RemoveAll(p); err != nil {
					return err
				}
				return fs.SkipDir
			}
			return nil
		}
		// No branch can be called *.lock (git-check-ref-format(1)).
		if strings.HasSuffix(name, ".lock") || name == "gc.pid" || strings.HasPrefix(name, "tmp_") && strings.HasPrefix(p, filepath.Join(r.dir, "objects")+"/") {
			return os.Remove(p)
		}
		return nil
	})
}

// git runs one command of git in the repository and returns what it printed,
// without the final newline.
func (r *repository) git(ctx context.Context, args ...string) (string, error) {
	return run(ctx, nil, nil, append([]string{"--git-dir=" + r.dir}, args...)...)
}

// maxOutput bounds what is read of a command, in bytes.
const maxOutput = 1 << 20

var errLong = errors.New("git says more than is taken")

func run(ctx context.Context, env []string, stdin []byte, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, complaint := &limited{max: maxOutput}, &limited{max: 4096}
	cmd.Stdout, cmd.Stderr = out, complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// limited is a buffer that refuses to grow beyond max bytes.
type limited struct {
	bytes.Buffer
	max int
}

func (l *limited) Write(b []byte) (int, error) {
	if l.Len()+len(b) > l.max {
		return 0, errLong
	}
	return l.Buffer.Write(b)
}

// settleHead points HEAD at a branch that exists, if there is one: who pushes
// only "master" or "trunk" means that one to be shown and cloned.
func (r *repository) settleHead(ctx context.Context) error {
	if _, err := r.git(ctx, "rev-parse", "--quiet", "--verify", "HEAD^{commit}"); err == nil {
		return nil
	}
	branches, err := r.branches(ctx)
	if err != nil || len(branches) == 0 {
		return err
	}
	best := branches[0]
	for _, b := range branches {
		if b == "main" || b == "master" {
			best = b
			break
		}
	}
	return r.setHead(ctx, best)
}

func (r *repository) setHead(ctx context.Context, branch string) error {
	_, err := r.git(ctx, "symbolic-ref", "-m", "default branch", "HEAD", "refs/heads/"+branch)
	return err
}

// branches are the names of at most 200 branches.
func (r *repository) branches(ctx context.Context) ([]string, error) {
	out, err := r.git(ctx, "for-each-ref", "--count=200", "--format=%(refname:lstrip=2)", "refs/heads")
	if err != nil || out == "" {
		return nil, err
	}
	return strings.Split(out, "\n"), nil
}

// head is the name of the branch that is shown and cloned.
func (r *repository) head(ctx context.Context) (string, error) {
	out, err := r.git(ctx, "symbolic-ref", "HEAD")
	return strings.TrimPrefix(out, "refs/heads/"), err
}
