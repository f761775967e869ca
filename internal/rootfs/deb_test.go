package rootfs

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/spk/xz"
)

// member is a file in an ar archive.
type member struct {
	name    string
	content []byte
}

func arArchive(members ...member) []byte {
	b := []byte(arMagic)
	for _, m := range members {
		b = fmt.Appendf(b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.name, 1700000000, 0, 0, "100644", len(m.content))
		b = append(b, m.content...)
		if len(m.content)%2 == 1 {
			b = append(b, '\n')
		}
	}
	return b
}

func packXZ(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := xz.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// control makes control.tar with the fields of a package.
func control(t testing.TB, fields string) []byte {
	t.Helper()
	return archive(t, dir("."), file("./md5sums", ""), file("./control", fields))
}

// deb makes a package as dpkg does by default.
func deb(t testing.TB, name, version string, entries ...tar.Header) []byte {
	t.Helper()
	fields := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: amd64\nDescription: test\n with: a colon\n", name, version)
	return arArchive(
		member{"debian-binary", []byte("2.0\n")},
		member{"control.tar.xz", packXZ(t, control(t, fields))},
		member{"data.tar.xz", packXZ(t, archive(t, append([]tar.Header{
			dir("."), dir("./usr"), dir("./usr/share"), dir("./usr/share/doc"),
			dir("./usr/share/doc/" + name), file("./usr/share/doc/"+name+"/copyright", "free"),
		}, entries...)...))},
	)
}

// debs writes packages and a list of them, and unpacks it.
func debs(t testing.TB, text string, packages map[string][]byte) (string, *Image, error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range packages {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "debian.list")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	into := filepath.Join(t.TempDir(), "root")
	s, err := ParseSource("deb:" + path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := s.Unpack(context.Background(), into, Options{run: noApt})
	if err != nil {
		nothingLeft(t, into)
	}
	return into, img, err
}

func noApt(_ context.Context, _, program string, args ...string) (string, error) {
	return "", fmt.Errorf("%s %q: there is no apt in this test", program, args)
}

const documents = "usr/share/\nusr/share/doc/\nusr/share/doc/app/\nusr/share/doc/app/copyright = free\nusr/share/doc/packages = app_1_amd64\n"

func TestDebs(t *testing.T) {
	for _, c := range []struct {
		name string
		list string
		app  []tar.Header
		want string
	}{
		{
			"all of it, and the old names of /usr",
			"app.deb\n",
			entries{dir("./bin"), program("./bin/app", "x"), program("./usr/bin/b", "x"), file("./etc/app.conf", "x"), symlink("./lib/l", "/bin/app")},
			"bin -> usr/bin\netc/\netc/app.conf = x\nlib -> usr/lib\nusr/\nusr/bin/\nusr/bin/app* = x\nusr/bin/b* = x\nusr/lib/\nusr/lib/l -> /bin/app\n" + documents,
		},
		{
			"what fits, and what symlinks lead to",
			"# a comment\napp.deb # the app\n+ /usr/bin/app\n+ usr/lib/app/**/*.js\n- **/test\n",
			entries{
				symlink("./usr/bin/app", "../lib/app/bin/start"), program("./usr/lib/app/bin/start", "s"), program("./usr/bin/other", "x"),
				file("./usr/lib/app/a.js", "a"), file("./usr/lib/app/x/y/b.js", "b"), file("./usr/lib/app/x/c.map", "c"), file("./usr/lib/app/test/t.js", "t"),
			},
			"bin -> usr/bin\nlib -> usr/lib\nusr/\nusr/bin/\nusr/bin/app -> ../lib/app/bin/start\nusr/lib/\nusr/lib/app/\nusr/lib/app/a.js = a\nusr/lib/app/bin/\nusr/lib/app/bin/start* = s\n" +
				"usr/lib/app/x/\nusr/lib/app/x/y/\nusr/lib/app/x/y/b.js = b\n" + documents,
		},
		{
			"what a symlink to a directory leads to",
			"app.deb\n+ usr/share/app\n- **/*.map\n",
			entries{symlink("./usr/share/app", "/etc/app"), file("./etc/app/conf", "c"), file("./etc/app/x.map", "x"), symlink("./etc/app/loop", "../app"), symlink("./etc/app/up", "../..")},
			"etc/\netc/app/\netc/app/conf = c\netc/app/loop -> ../app\netc/app/up -> ../..\nusr/\nusr/share/\nusr/share/app -> /etc/app\n" + strings.TrimPrefix(documents, "usr/share/\n"),
		},
		{
			"hard links, devices and modes",
			"app.deb\n+ opt\n",
			entries{
				{Typeflag: tar.TypeReg, Name: "./opt/a", Mode: 0o4711},
				hardlink("./opt/b", "./opt/a"),
				{Typeflag: tar.TypeChar, Name: "./opt/null", Mode: 0o666, Devmajor: 1, Devminor: 3},
				dir("./opt/empty"), file("./opt/.wh.a", "no whiteout"),
			},
			"opt/\nopt/.wh.a = no whiteout\nopt/a* = \nopt/b* = \nopt/empty/\nusr/\n" + documents,
		},
		{
			"a directory where a symlink leads to one",
			"app.deb\n",
			entries{dir("./usr/lib/real"), symlink("./usr/lib/link", "real"), dir("./usr/lib/link"), file("./usr/lib/link/f", "f"), symlink("./usr/lib/real", "elsewhere")},
			"lib -> usr/lib\nusr/\nusr/lib/\nusr/lib/link -> real\nusr/lib/real/\nusr/lib/real/f = f\n" + documents,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, img, err := debs(t, c.list, map[string][]byte{"app.deb": deb(t, "app", "1", c.app...)})
			if err != nil {
				t.Fatal(err)
			}
			// The list of packages ends with a line end.
			if got := strings.ReplaceAll(list(t, root), "app_1_amd64\n", "app_1_amd64"); got != strings.TrimSuffix(c.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if !slices.Equal(img.Packages, []string{"app_1_amd64"}) {
				t.Errorf("%q", img.Packages)
			}
		})
	}
}

func TestSeveralDebs(t *testing.T) {
	root, img, err := debs(t, "b.deb\na.deb\n+ opt/**\n", map[string][]byte{
		"a.deb": deb(t, "lib-a", "2:1.0-1", file("./opt/f", "a")),
		// Its copyright is in another package, which is not listed.
		"b.deb": arArchive(
			member{"debian-binary", []byte("2.0\n")},
			member{"control.tar.gz", pack(t, control(t, "Package: b\nVersion: 1\nArchitecture: all\n"), "gzip")},
			member{"data.tar.zst", pack(t, archive(t, file("./opt/f", "b"), symlink("./usr/share/doc/b", "b-common")), "zstd")},
		),
	})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(root, "opt/f")); err != nil || string(b) != "a" {
		t.Errorf("%q, %v: the last of the list was to win", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(root, "usr/share/doc/packages")); err != nil || string(b) != "b_1_all\nlib-a_2:1.0-1_amd64\n" {
		t.Errorf("%q, %v", b, err)
	}
	warnings := strings.Join(img.Warnings, "\n")
	if !strings.Contains(warnings, `"opt/f"`) || !strings.Contains(warnings, `"b: b-common"`) {
		t.Error(warnings)
	}
}

func TestPool(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "l")
	if err := os.WriteFile(list, []byte("a.deb\n+ opt/a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.deb"), deb(t, "a", "1", file("./opt/a", "a"), file("./opt/b", "b")), 0o644); err != nil {
		t.Fatal(err)
	}
	pool, root := filepath.Join(dir, "pool"), filepath.Join(dir, "root")
	if _, err := (debList{list}).Unpack(t.Context(), root, Options{Pool: pool}); err != nil {
		t.Fatal(err)
	}
	// What a script does in the pool does not change the root.
	if err := os.WriteFile(filepath.Join(pool, "opt/a"), []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(root, "opt/a")); err != nil || string(b) != "a" {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(pool, "opt/b")); err != nil || string(b) != "b" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := (debList{list}).Unpack(t.Context(), filepath.Join(dir, "root2"), Options{Pool: pool}); err == nil {
		t.Error("an older pool was taken")
	}
}

// TestHostileDebs gives what is no package, or one that wants out.
func TestHostileDebs(t *testing.T) {
	good := deb(t, "app", "1", file("./opt/a", "a"))
	ctl := member{"control.tar", control(t, "Package: app\nVersion: 1\nArchitecture: amd64\n")}
	data := member{"data.tar", archive(t, file("./opt/a", "a"))}
	first := member{"debian-binary", []byte("2.0\n")}
	for _, c := range []struct {
		name string
		deb  []byte
		err  string
	}{
		{"empty", nil, "not a Debian package"},
		{"something else", []byte("MZ this is a program"), "not a Debian package"},
		{"cut off", good[:len(good)-100], "cut off"},
		{"cut off in a header", good[:80], "cut off"},
		{"a size that is no number", bytes.Replace(good, []byte("4         `\n"), []byte("-4        `\n"), 1), "malformed"},
		{"a huge size", bytes.Replace(good, []byte("4         `\n"), []byte("9999999999`\n"), 1), "cut off"},
		{"no data", arArchive(first, ctl), "no data.tar"},
		{"data first", arArchive(first, data, ctl), "comes before"},
		{"no control", arArchive(first, member{"control.tar", archive(t, file("x", "x"))}, data), "no file named control"},
		{"another machine", arArchive(first, member{"control.tar", control(t, "Package: app\nVersion: 1\nArchitecture: arm64\n")}, data), `is for "arm64"`},
		{"a name with a path", arArchive(first, member{"control.tar", control(t, "Package: ../../x\nVersion: 1\nArchitecture: all\n")}, data), "malformed"},
		{"a version with escape codes", arArchive(first, member{"control.tar", control(t, "Package: x\nVersion: \x1b[31m\nArchitecture: all\n")}, data), "malformed"},
		{"a huge control file", arArchive(first, member{"control.tar", control(t, strings.Repeat("x", maxControl+1))}, data), "at most"},
		{"damaged data", arArchive(first, ctl, member{"data.tar.xz", append(packXZ(t, data.content), 1, 2, 3)}), "damaged"},
		{"old lzma", arArchive(first, ctl, member{"data.tar.lzma", []byte{0x5d, 0, 0, 0x80, 0}}), "lzma"},
		{"names that lead out", arArchive(first, ctl, member{"data.tar", archive(t, file("./a/../../b", "x"))}), "leads out"},
		{"a file where a directory is", arArchive(first, ctl, member{"data.tar", archive(t, file("./usr", "x"))}), "directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := debs(t, "\n./app.deb\n", map[string][]byte{"app.deb": c.deb})
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "line 2: app.deb:") {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}

func TestSelection(t *testing.T) {
	s, err := parseSelection("nginx\n\n # comment\nlibc6=2:1.0~rc1+b1-1\t\n@depends\n/abs/x.deb\n@libraries /opt/lib\n+  a b/** \n- c#d\n", "/lists")
	if err != nil {
		t.Fatal(err)
	}
	if want := []selected{{line: 1, name: "nginx"}, {line: 4, name: "libc6", version: "2:1.0~rc1+b1-1"}, {line: 6, file: "/abs/x.deb"}}; !slices.Equal(s.entries, want) {
		t.Errorf("%+v", s.entries)
	}
	if !s.depends || len(s.take) != 1 || s.take[0].text != "a b/**" || !slices.Equal(s.leave[0], pattern{"c#d"}) || !slices.Equal(s.dirs, []string{"/opt/lib"}) {
		t.Errorf("%+v", s)
	}
	for text, want := range map[string]string{
		"":                      "names no package",
		"+ usr\n":               "names no package",
		"a\nb c\n":              "line 2: \"b c\": one package a line",
		"a\n+\n":                "line 2: \"\" is no pattern",
		"a\n+ [\n":              "line 2: \"[\" is no pattern",
		"-oAPT::x=y\n":          "line 1: \"-oAPT::x=y\" is neither",
		"aa\n@recommends\n":     "line 2: \"@recommends\" is unknown",
		"aa\naa=1\n":            "aa is in line 1 already",
		"aa=1;rm\n":             "neither",
		"Aa\n":                  "neither",
		"aa\n\n+ usr/x\nbb\x00": "line 4",
	} {
		if _, err := parseSelection(text, "/"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestNothingFits(t *testing.T) {
	_, _, err := debs(t, "app.deb\n+ opt/a\n+ opt/b*\n", map[string][]byte{"app.deb": deb(t, "app", "1", file("./opt/a", "a"))})
	if err == nil || !strings.Contains(err.Error(), `line 3: nothing in the packages fits "opt/b*"`) {
		t.Error(err)
	}
}

// archiveServer plays apt with packages made by the test.
type aptFake struct {
	t        testing.TB
	packages map[string][]byte // by name=version
	records  string
	virtual  map[string]string
	calls    []string
}

func (a *aptFake) add(name, version, depends string, entries ...tar.Header) {
	content := deb(a.t, name, version, entries...)
	if a.packages == nil {
		a.packages = map[string][]byte{}
	}
	a.packages[name+"="+version] = content
	a.records += fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: amd64\nDepends: %s\nDescription: x\n .\n x\nFilename: pool/%s.deb\nSHA256: %x\n\n", name, version, depends, name, sha256.Sum256(content))
}

func (a *aptFake) run(_ context.Context, dir, program string, args ...string) (string, error) {
	a.calls = append(a.calls, program+" "+strings.Join(args, " "))
	switch program + " " + args[0] {
	case "apt-cache show":
		var out string
		for block := range strings.SplitSeq(a.records, "\n\n") {
			f := fields(block)
			if slices.Contains(args[1:], f["Package"]) || slices.Contains(args[1:], f["Package"]+"="+f["Version"]) {
				out += block + "\n\n"
			}
		}
		return out, nil
	case "apt-cache showpkg":
		return "Package: " + args[1] + "\nReverse Provides: \n" + a.virtual[args[1]], nil
	case "apt-get download":
		for _, name := range args[2:] {
			content, ok := a.packages[name]
			if !ok {
				return "", fmt.Errorf("no %s", name)
			}
			n, v, _ := strings.Cut(name, "=")
			if err := os.WriteFile(filepath.Join(dir, n+"_"+strings.ReplaceAll(v, ":", "%3a")+"_amd64.deb"), content, 0o644); err != nil {
				return "", err
			}
		}
		return "", nil
	}
	a.t.Fatalf("%s %q was not expected", program, args)
	return "", nil
}

// unpack unpacks a list and returns the packages of the root.
func (a *aptFake) unpack(text, cache string) ([]string, error) {
	a.t.Helper()
	dir := a.t.TempDir()
	path := filepath.Join(dir, "debian.list")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		a.t.Fatal(err)
	}
	img, err := (debList{path}).Unpack(a.t.Context(), filepath.Join(dir, "root"), Options{Cache: cache, run: a.run})
	if err != nil {
		return nil, err
	}
	return img.Packages, nil
}

func TestApt(t *testing.T) {
	a := &aptFake{t: t, virtual: map[string]string{"mail-server": "postfix 3 (= )\nexim4 4 (= )\n"}}
	a.add("app", "2:2.0-1", "libc6 (>= 2.36), lib-b:any | lib-c, mail-server, debconf (>= 0.5) | debconf-2.0")
	a.add("app", "1.0-1", "nothing")
	a.add("libc6", "2.36", "")
	a.add("lib-c", "1", "libc6, missing | app")
	a.add("exim4", "4", "lib-c")
	a.add("postfix", "3", "")
	cache := t.TempDir()

	packages, err := a.unpack("app\n", cache)
	if err != nil || !slices.Equal(packages, []string{"app_2:2.0-1_amd64"}) {
		t.Errorf("%q, %v", packages, err)
	}
	if packages, err = a.unpack("app=1.0-1\n", cache); err != nil || !slices.Equal(packages, []string{"app_1.0-1_amd64"}) {
		t.Errorf("%q, %v", packages, err)
	}
	want := []string{"app_2:2.0-1_amd64", "exim4_4_amd64", "lib-c_1_amd64", "libc6_2.36_amd64"}
	if packages, err = a.unpack("app\n@depends\n", cache); err != nil || !slices.Equal(packages, want) {
		t.Errorf("%q, %v", packages, err)
	}
	if packages, err = a.unpack("app\npostfix\n@depends\n", cache); err != nil || slices.Contains(packages, "exim4_4_amd64") {
		t.Errorf("%q, %v: one of them provides the other already", packages, err)
	}
	if _, err = a.unpack("libc6\nno-such-thing\n", cache); err == nil || !strings.Contains(err.Error(), "line 2: apt knows no package no-such-thing") {
		t.Error(err)
	}
	if _, err = a.unpack("app=3\n", cache); err == nil || !strings.Contains(err.Error(), "app=3") {
		t.Error(err)
	}
}

// TestAptCache: what was fetched is not fetched again, unless it was changed.
func TestAptCache(t *testing.T) {
	a := &aptFake{t: t}
	a.add("app", "1:1", "")
	cache := t.TempDir()
	downloads := func() (n int) {
		for _, c := range a.calls {
			if strings.HasPrefix(c, "apt-get") {
				n++
			}
		}
		return n
	}
	for range 2 {
		if _, err := a.unpack("app\n", cache); err != nil {
			t.Fatal(err)
		}
	}
	if downloads() != 1 {
		t.Errorf("%q", a.calls)
	}
	cached := filepath.Join(cache, "app_1%3a1_amd64.deb")
	if err := os.WriteFile(cached, deb(t, "app", "1", file("./opt/evil", "x")), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := a.unpack("app\n", cache); err != nil || downloads() != 2 {
		t.Errorf("%v, %q", err, a.calls)
	}
	// What comes from the network is not what the signed index names.
	a.packages["app=1:1"] = deb(t, "app", "1", file("./opt/evil", "x"))
	if err := os.Remove(cached); err != nil {
		t.Fatal(err)
	}
	if _, err := a.unpack("app\n", cache); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Error(err)
	}
	if left, _ := os.ReadDir(cache); len(left) != 0 {
		t.Errorf("%v stays in the cache", left)
	}
}

func TestParseDepends(t *testing.T) {
	got := parseDepends("libc6 (>= 2.14), a:any|b(= 1) | c [amd64] <!nocheck>,, ${shlibs}, d")
	want := [][]string{{"libc6"}, {"a", "b", "c"}, {"d"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q", got)
	}
}

// Lists name files as dpkg -L does, also those that have moved below /usr.
func TestPatternsOfOldPlaces(t *testing.T) {
	s, err := parseSelection("nginx\n+ /bin/busybox\n+ lib/x86_64-linux-gnu/*\n- **/lib\n+ library/x\n- bin\n", "/lists")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range s.take {
		got = append(got, strings.Join(r.pattern, "/"))
	}
	for _, p := range s.leave {
		got = append(got, strings.Join(p, "/"))
	}
	if want := "usr/bin/busybox usr/lib/x86_64-linux-gnu/* library/x **/lib bin"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}
