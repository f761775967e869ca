package rootfs

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// binaryFile makes a program (with interp) or library that asks for libraries.
func binaryFile(interp, search string, needed ...string) string {
	strtab := []byte{0}
	text := func(s string) uint64 {
		at := len(strtab)
		strtab = append(append(strtab, s...), 0)
		return uint64(at)
	}
	var dyn []elf.Dyn64
	for _, n := range needed {
		dyn = append(dyn, elf.Dyn64{Tag: int64(elf.DT_NEEDED), Val: text(n)})
	}
	if search != "" {
		dyn = append(dyn, elf.Dyn64{Tag: int64(elf.DT_RUNPATH), Val: text(search)})
	}
	interpAt := text(interp)
	const headers = 64 + 3*56
	dynSize := uint64(len(dyn)+3) * 16
	strAt := headers + dynSize
	const base = 0x400000
	dyn = append(dyn, elf.Dyn64{Tag: int64(elf.DT_STRTAB), Val: base + strAt}, elf.Dyn64{Tag: int64(elf.DT_STRSZ), Val: uint64(len(strtab))}, elf.Dyn64{})
	segments := []elf.Prog64{
		{Type: uint32(elf.PT_LOAD), Vaddr: base, Filesz: strAt + uint64(len(strtab))},
		{Type: uint32(elf.PT_DYNAMIC), Off: headers, Filesz: dynSize},
		{Type: uint32(elf.PT_NULL)},
	}
	if interp != "" {
		segments[2] = elf.Prog64{Type: uint32(elf.PT_INTERP), Off: strAt + interpAt, Filesz: uint64(len(interp)) + 1}
	}
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Phentsize: 56, Phnum: 3}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	var b bytes.Buffer
	for _, v := range []any{h, segments, dyn, strtab} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return b.String()
}

const ldLinux = "/lib64/ld-linux-x86-64.so.2"

func TestReadObject(t *testing.T) {
	o := readObject(strings.NewReader(binaryFile(ldLinux, "$ORIGIN/../lib:/opt/lib", "liba.so.1", "libb.so")))
	if o == nil || o.interp != ldLinux || !slices.Equal(o.needed, []string{"liba.so.1", "libb.so"}) || !slices.Equal(o.search, []string{"$ORIGIN/../lib", "/opt/lib"}) {
		t.Errorf("%+v", o)
	}
	whole := binaryFile(ldLinux, "", "liba.so.1")
	for name, other := range map[string]string{
		"nothing": "", "text": "#!/bin/sh\n", "32 bits": "\x7fELF\x01" + whole[5:], "big-endian": whole[:5] + "\x02" + whole[6:], "ARM": whole[:18] + "\xb7" + whole[19:],
		"cut off": whole[:100], "an object file": whole[:16] + "\x01" + whole[17:], "segments far away": whole[:32] + "\xff\xff\xff\xff\xff\xff\xff\x7f" + whole[40:],
	} {
		if o := readObject(strings.NewReader(other)); o != nil {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// missingFrom looks at all programs below a directory.
func missingFrom(t testing.TB, dir string, dirs ...string) ([]missingLibrary, error) {
	l := newLinker(t.Context(), openRoot(t, dir))
	for _, d := range dirs {
		l.addDir(strings.TrimPrefix(d, "/"))
	}
	if err := l.scan(l.roots[0]); err != nil {
		return nil, err
	}
	return l.missing()
}

// addTo adds out of a pool what is missing, and returns what it added.
func addTo(t testing.TB, root, pool string) ([]string, error) {
	l := newLinker(t.Context(), openRoot(t, root))
	if err := l.scan(l.roots[0]); err != nil {
		return nil, err
	}
	return l.complete(&taker{pool: openRoot(t, pool), root: l.roots[0]})
}

func openRoot(t testing.TB, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func TestMissingLibraries(t *testing.T) {
	for _, c := range []struct {
		name  string
		files files
		links map[string]string
		dirs  []string
		want  string
	}{
		{"a static program", files{"bin/a": binaryFile("", "")}, nil, nil, "[]"},
		{"nothing is there", files{"bin/a": binaryFile(ldLinux, "", "libc.so.6"), "bin/b": binaryFile(ldLinux, "", "libc.so.6", "libc.so.6")}, nil, nil, "[" + ldLinux + " (needed by bin/a and 1 more) libc.so.6 (needed by bin/a and 1 more)]"},
		{
			"everything is there, by symlinks",
			files{"usr/bin/a": binaryFile(ldLinux, "", "libc.so.6"), "usr/lib/x86_64-linux-gnu/libc-2.so": binaryFile("", ""), "usr/lib/x86_64-linux-gnu/ld-2.so": binaryFile("", "")},
			map[string]string{"lib": "usr/lib", "lib64": "/usr/lib64", "usr/lib64": "lib", "usr/lib/ld-linux-x86-64.so.2": "/lib/x86_64-linux-gnu/ld-2.so", "usr/lib/x86_64-linux-gnu/libc.so.6": "libc-2.so"},
			nil, "[]",
		},
		{"what a library needs", files{"lib/liba.so": binaryFile("", "", "libb.so")}, nil, nil, "[libb.so (needed by lib/liba.so)]"},
		{"a text of that name", files{"bin/a": binaryFile("", "", "libc.so"), "lib/libc.so": "INPUT(libc.so.6)"}, nil, nil, "[libc.so (needed by bin/a)]"},
		{"a directory of that name", files{"bin/a": binaryFile("", "", "libc.so"), "lib/libc.so/x": ""}, nil, nil, "[libc.so (needed by bin/a)]"},
		{"beside the program", files{"opt/a/bin/a": binaryFile("", "$ORIGIN/../lib", "liba.so"), "opt/a/lib/liba.so": binaryFile("", "", "libb.so"), "opt/a/lib/libb.so": binaryFile("", "")}, nil, nil, "[]"},
		{"a relative search path does not count", files{"lib2/liba.so": binaryFile("", ""), "a": binaryFile("", "lib2", "liba.so")}, nil, nil, "[liba.so (needed by a)]"},
		{"a search path out of the root", files{"a": binaryFile("", "$ORIGIN/../../../..", "liba.so")}, nil, nil, "[liba.so (needed by a)]"},
		{"LD_LIBRARY_PATH", files{"a": binaryFile("", "", "liba.so"), "opt/x/liba.so": binaryFile("", "")}, nil, []string{"/opt/x"}, "[]"},
		{"configured, with a cache", files{"a": binaryFile("", "", "liba.so"), "opt/x/liba.so": binaryFile("", ""), "etc/ld.so.cache": "", "etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf\n", "etc/ld.so.conf.d/x.conf": "# x\n/opt/x\n"}, nil, nil, "[]"},
		{"configured, without a cache", files{"a": binaryFile("", "", "liba.so"), "opt/x/liba.so": binaryFile("", ""), "etc/ld.so.conf": "/opt/x\n"}, nil, nil, "[liba.so (needed by a)]"},
		{"configured in a circle", files{"a": "", "etc/ld.so.cache": "", "etc/ld.so.conf": "include ld.so.conf ld.so.conf\n"}, nil, nil, "[]"},
		{"musl", files{"bin/a": binaryFile("/lib/ld-musl-x86_64.so.1", "", "liba.so"), "lib/ld-musl-x86_64.so.1": binaryFile("", ""), "usr/local/lib/liba.so": binaryFile("", "")}, nil, nil, "[]"},
		{"symlinks in a circle", files{"a": binaryFile("", "", "liba.so")}, map[string]string{"lib": "lib64", "lib64": "lib"}, nil, "[liba.so (needed by a)]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			c.files.write(t, dir)
			for name, target := range c.links {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			missing, err := missingFrom(t, dir, c.dirs...)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(missing); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestManyLibraries: a tree that asks for more names than any program does.
func TestManyLibraries(t *testing.T) {
	dir := t.TempDir()
	all := files{}
	for i := range 6 {
		var needed []string
		for j := range 1000 {
			needed = append(needed, fmt.Sprint(i, "-", j))
		}
		all[fmt.Sprint(i)] = binaryFile("", "", needed...)
	}
	all.write(t, dir)
	if _, err := missingFrom(t, dir); err == nil || !strings.Contains(err.Error(), "5000") {
		t.Error(err)
	}
}

// TestLookingEnds: libraries that need each other in a row make the search begin
// anew again and again, and search paths without end make each one long.
func TestLookingEnds(t *testing.T) {
	root, pool := t.TempDir(), t.TempDir()
	var search []string
	for i := range 20 {
		search = append(search, fmt.Sprintf("/opt/%d", i))
	}
	all := files{}
	for i := range 20 {
		all[fmt.Sprintf("lib/%d.so", i)] = binaryFile("", "", fmt.Sprintf("%d.so", i+1))
	}
	all.write(t, pool)
	files{"a": binaryFile("", strings.Join(search, ":"), "0.so")}.write(t, root)
	l := newLinker(t.Context(), openRoot(t, root))
	l.left = 300
	if err := l.scan(l.roots[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := l.complete(&taker{pool: openRoot(t, pool), root: l.roots[0]}); err == nil || !strings.Contains(err.Error(), "DT_RUNPATH") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	l = newLinker(ctx, openRoot(t, root))
	cancel()
	if err := l.scan(l.roots[0]); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAddLibraries(t *testing.T) {
	root, pool := t.TempDir(), t.TempDir()
	files{"opt/a": binaryFile(ldLinux, "$ORIGIN/lib", "liba.so.1", "libgone.so")}.write(t, root)
	files{
		"usr/lib/x86_64-linux-gnu/liba.so.1.2": binaryFile("", "", "libb.so", "libp.so"), "usr/lib/libb.so": binaryFile("", "", "liba.so.1"),
		"usr/lib64/ld.so": binaryFile("", ""), "opt/lib/libp.so": binaryFile("", ""), "usr/lib/libother.so": binaryFile("", ""),
	}.write(t, pool)
	for name, target := range map[string]string{"lib": "usr/lib", "lib64": "/usr/lib64", "usr/lib64/ld-linux-x86-64.so.2": "ld.so", "usr/lib/x86_64-linux-gnu/liba.so.1": "liba.so.1.2"} {
		if err := os.Symlink(target, filepath.Join(pool, name)); err != nil {
			t.Fatal(err)
		}
	}
	added, err := addTo(t, root, pool)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"opt/lib/libp.so", "usr/lib/libb.so", "usr/lib/x86_64-linux-gnu/liba.so.1.2", "usr/lib64/ld.so"}
	if !slices.Equal(added, want) {
		t.Errorf("added %q, want %q", added, want)
	}
	missing, err := missingFrom(t, root)
	if err != nil || fmt.Sprint(missing) != "[libgone.so (needed by opt/a)]" {
		t.Errorf("%v, %v", missing, err)
	}
	if again, err := addTo(t, root, pool); err != nil || again != nil {
		t.Errorf("%q, %v", again, err)
	}
}

// TestLibrariesAsTheLinker compares with what the machine's dynamic linker says
// about one of its programs.
func TestLibrariesAsTheLinker(t *testing.T) {
	const program = "/usr/bin/capnp"
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] != "linux-vdso.so.1" {
			want = append(want, filepath.Base(f[0]))
		}
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	files{"usr/bin/capnp": string(content)}.write(t, root)
	if _, err := addTo(t, root, "/"); err != nil {
		t.Fatal(err)
	}
	for _, name := range want {
		found := false
		for _, d := range []string{"lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64"} {
			r, err := os.OpenRoot(root)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := follow(r, d+"/"+name, false); err == nil {
				found = true
			}
			r.Close()
		}
		if !found {
			t.Errorf("%s was not added", name)
		}
	}
	if missing, err := missingFrom(t, root); err != nil || len(missing) > 0 || len(want) < 3 {
		t.Errorf("%v, %v; the linker says %q", missing, err, want)
	}
}

func TestDebsLibraries(t *testing.T) {
	app := deb(t, "app", "1", program("./usr/bin/app", binaryFile(ldLinux, "", "liba.so.1")))
	liba := deb(t, "liba", "1", file("./lib/x86_64-linux-gnu/liba.so.1.0", binaryFile("", "", "libc.so.6")), symlink("./lib/x86_64-linux-gnu/liba.so.1", "liba.so.1.0"), file("./usr/share/liba/data", "x"))
	libc := deb(t, "libc", "1", file("./lib/x86_64-linux-gnu/libc.so.6", binaryFile("", "")), file("./lib/x86_64-linux-gnu/ld.so", binaryFile("", "")), symlink("./lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld.so"))
	blas := deb(t, "blas", "1", file("./usr/lib/x86_64-linux-gnu/blas/liba.so.1", binaryFile("", "")))
	root, _, err := debs(t, "app.deb\nliba.deb\nlibc.deb\n+ usr/bin/app\n", map[string][]byte{"app.deb": app, "liba.deb": liba, "libc.deb": libc})
	if err != nil {
		t.Fatal(err)
	}
	if missing, err := missingFrom(t, root); err != nil || len(missing) > 0 {
		t.Errorf("%v, %v", missing, err)
	}
	if _, err := os.Stat(filepath.Join(root, "usr/share/liba")); err == nil {
		t.Error("more than the library was taken")
	}
	_, _, err = debs(t, "app.deb\nlibc.deb\n+ usr/bin/app\n", map[string][]byte{"app.deb": app, "libc.deb": libc})
	if err == nil || !strings.Contains(err.Error(), "liba.so.1 (needed by usr/bin/app) is in none of the packages: find its package with 'apt-file search liba.so.1'") {
		t.Error(err)
	}
	all := map[string][]byte{"app.deb": app, "libc.deb": libc, "blas.deb": blas}
	_, _, err = debs(t, "app.deb\nlibc.deb\nblas.deb\n+ usr/bin/app\n", all)
	if err == nil || !strings.Contains(err.Error(), `a line "@libraries usr/lib/x86_64-linux-gnu/blas"`) {
		t.Error(err)
	}
	if _, _, err = debs(t, "app.deb\nlibc.deb\nblas.deb\n@libraries usr/lib/x86_64-linux-gnu/blas\n+ usr/bin/app\n", all); err != nil {
		t.Error(err)
	}
}
