package pkgdef_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
)

func TestReadFileList(t *testing.T) {
	dir := files(t, map[string]string{
		"good": "# a list\n  usr/bin/app  # why\n\nusr//lib/./x\n.\r\n", "abs": "a\n/etc/passwd\n", "out": "\n\n../x\n", "dir/": "",
		"long": "a\n" + strings.Repeat("x", 1<<17) + "\n",
	})
	must(t, unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	lines, err := pkgdef.ReadFileList(filepath.Join(dir, "good"))
	if err != nil || len(lines) != 3 || lines[0] != (pkgdef.Line{Path: "usr/bin/app", Number: 2}) || lines[1].Path != "usr/lib/x" {
		t.Errorf("%v, %v", lines, err)
	}
	for name, want := range map[string]string{"abs": "abs:2:", "out": "out:3:", "gone": "spk dev", "dir": "must be an ordinary file", "pipe": "must be an ordinary file", "long": "long:2:"} {
		if _, err := pkgdef.ReadFileList(filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: %v; want %q", name, err, want)
		}
	}
}

func TestUpdateFileList(t *testing.T) {
	dir := files(t, map[string]string{"src/one": "", "src/two": "", "list": "one\ngone # long ago\n"})
	def := load(t, dir, `sourceMap = (searchPath = [(sourcePath = "src")]), fileList = "list"`)
	tree := def.Tree(pkgdef.TreeOptions{})
	list := filepath.Join(dir, "list")
	odd := []string{"odd\nname", "a#b", "a ", "a\r", "a/\u00a0"}
	c, err := pkgdef.UpdateFileList(list, append([]string{"two", "one", "", "sandstorm-manifest"}, odd...), tree)
	if err != nil || strings.Join(c.Added, " ") != "two sandstorm-manifest" || strings.Join(c.Dropped, " ") != "gone" || !slices.Equal(c.Left, odd) {
		t.Fatalf("%q, %v", c, err)
	}
	b, err := os.ReadFile(list)
	must(t, err)
	if got := string(b); strings.Count(got, "#") < 4 || !strings.HasSuffix(got, "\none\nsandstorm-manifest\ntwo\n") {
		t.Errorf("%s", got)
	}
	lines, err := pkgdef.ReadFileList(list)
	if err != nil || len(lines) != 3 {
		t.Errorf("%v, %v", lines, err)
	}
	// Nothing new: the file stays as it is, comments of a person included.
	must(t, os.WriteFile(list, []byte("one # mine\n"), 0o644))
	if _, err := pkgdef.UpdateFileList(list, []string{"one"}, tree); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(list); string(b) != "one # mine\n" {
		t.Errorf("%s", b)
	}
	// Somebody else's file stays where it is, and as it may be read.
	must(t, os.Chmod(list, 0o664))
	must(t, os.Symlink("list", filepath.Join(dir, "link")))
	_, err = pkgdef.UpdateFileList(filepath.Join(dir, "link"), []string{"two"}, tree)
	must(t, err)
	if info, err := os.Lstat(list); err != nil || info.Mode() != 0o664 {
		t.Error(info, err)
	}
	if b, _ := os.ReadFile(list); !strings.HasSuffix(string(b), "\none\ntwo\n") {
		t.Errorf("%s", b)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".list*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func FuzzFileList(f *testing.F) {
	f.Add("usr/bin/app\n# x\n ./a/../b # c\n")
	f.Add("/etc\n")
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "list")
		must(t, os.WriteFile(file, []byte(text), 0o600))
		lines, err := pkgdef.ReadFileList(file)
		if err != nil {
			return
		}
		for _, l := range lines {
			if l.Path == "" || strings.HasPrefix(l.Path, "/") || l.Path == ".." || strings.HasPrefix(l.Path, "../") || strings.Contains(l.Path, "#") {
				t.Errorf("%q is in the list", l.Path)
			}
		}
	})
}
