package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sandstorm-go/sandstorm/apps/internal/visitor"
)

// A grain ends by SIGKILL: what a killed git leaves must not refuse the next
// push, and nothing else may be lost.
func TestLeftovers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repo.git")
	r, err := openRepository(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.begin(t.Context(), visitor.Visitor{Name: "Ann", ID: "ab"}, "hello"); err != nil {
		t.Fatal(err)
	}
	if err := r.begin(t.Context(), visitor.Visitor{Name: "Bo"}, "again"); err != errNotEmpty {
		t.Errorf("a second beginning: %v", err)
	}
	left := []string{
		"refs/heads/main.lock", "HEAD.lock", "packed-refs.lock", "config.lock", "gc.pid", "objects/pack/tmp_pack_X1", "objects/ab/tmp_obj_Y",
		"objects/tmp_objdir-incoming-Z/pack/pack-1.pack", "objects/info/commit-graphs/commit-graph-chain.lock",
	}
	for _, name := range left {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.git(t.Context(), "update-ref", "refs/heads/tmp_x", "refs/heads/main"); err != nil {
		t.Fatal(err)
	}
	if r, err = openRepository(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range left {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "objects/tmp_objdir-incoming-Z")); err == nil {
		t.Error("a half-received push is still there")
	}
	if branches, err := r.branches(t.Context()); err != nil || len(branches) != 2 {
		t.Errorf("branches %q, %v", branches, err)
	}
	if _, err := r.git(t.Context(), "update-ref", "refs/heads/main", "refs/heads/main"); err != nil {
		t.Errorf("after clearing: %v", err)
	}
}

// A first start that was killed half-way leaves nothing that counts.
func TestHalfInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repo.git")
	if err := os.MkdirAll(filepath.Join(dir+".new", "objects"), 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := openRepository(dir)
	if err != nil {
		t.Fatal(err)
	}
	if head, err := r.head(t.Context()); err != nil || head != "main" {
		t.Errorf("%q, %v", head, err)
	}
}

func TestSettleHead(t *testing.T) {
	r, err := openRepository(filepath.Join(t.TempDir(), "repo.git"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.settleHead(t.Context()); err != nil {
		t.Errorf("of an empty repository: %v", err)
	}
	if err := r.begin(t.Context(), visitor.Visitor{Name: "Ann"}, "x"); err != nil {
		t.Fatal(err)
	}
	for _, step := range [][]string{
		{"update-ref", "refs/heads/zebra", "refs/heads/main"},
		{"update-ref", "refs/heads/antelope", "refs/heads/main"},
		{"update-ref", "-d", "refs/heads/main"},
	} {
		if _, err := r.git(t.Context(), step...); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.settleHead(t.Context()); err != nil {
		t.Fatal(err)
	}
	if head, err := r.head(t.Context()); err != nil || head != "antelope" {
		t.Errorf("%q, %v", head, err)
	}
	if text, ok := r.readme(t.Context()); text != "README.md" || ok != "x" {
		t.Errorf("%q %q", text, ok)
	}
}
