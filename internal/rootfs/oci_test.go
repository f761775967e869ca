package rootfs

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestConfig(t *testing.T) {
	m := newImage(t).layer(
		program("usr/local/bin/node", "x"), symlink("usr/bin/node", "/usr/local/bin/node"), file("home/app/server.js", "x"),
		file("var/www/html/index.html", "x"), file("var/cache/apt/x", "x"), file("tmp/x", "x"), file("proc/x", "x"),
	)
	m.config["config"] = map[string]any{
		"User": "node:node", "WorkingDir": "/home/app", "Entrypoint": []string{"node"}, "Cmd": []string{"server.js", "--x"},
		"Env": []string{"PATH=/usr/bin:/bin", "A=b=c", "broken"}, "ExposedPorts": map[string]any{"8080/tcp": struct{}{}, "53/udp": struct{}{}, "80": struct{}{}},
		"Volumes": map[string]any{"/data": struct{}{}, "/var/lib/x": struct{}{}},
	}
	root, img, err := m.unpack()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(img.Argv, []string{"/usr/bin/node", "server.js", "--x"}) || !slices.Equal(img.Env, []string{"PATH=/usr/bin:/bin", "A=b=c"}) ||
		img.WorkDir != "/home/app" || !slices.Equal(img.Ports, []int{80, 8080}) || !slices.Equal(img.Volumes, []string{"/data", "/var/lib/x"}) || img.VarDir != "/var.image" {
		t.Errorf("%+v", img)
	}
	warnings := strings.Join(img.Warnings, "\n")
	for _, want := range []string{`user "node:node"`, `in "/data"`, "1 files below /var", `"53/udp"`} {
		if !strings.Contains(warnings, want) {
			t.Errorf("no warning has %s:\n%s", want, warnings)
		}
	}
	want := "home/\nhome/app/\nhome/app/server.js = x\nusr/\nusr/bin/\nusr/bin/node -> /usr/local/bin/node\nusr/local/\nusr/local/bin/\nusr/local/bin/node* = x\n" +
		"var.image/\nvar.image/www/\nvar.image/www/html/\nvar.image/www/html/index.html = x"
	if got := list(t, root); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestCoveredThroughSymlinks: emptying /var/cache must not empty what a symlink
// leads to.
func TestCoveredThroughSymlinks(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "cache")
	if err := os.MkdirAll(filepath.Join(outside, "kept"), 0o755); err != nil {
		t.Fatal(err)
	}
	m := newImage(t).layer(symlink("var", filepath.Dir(outside)), symlink("tmp", outside), file("a", "a"))
	root, _, err := m.unpack()
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, root); got != "a = a" {
		t.Error(got)
	}
	if _, err := os.Stat(filepath.Join(outside, "kept")); err != nil {
		t.Error(err)
	}
}

func TestProgramThatIsNotThere(t *testing.T) {
	m := newImage(t).layer(symlink("bin", "/etc"), file("etc/app", "not executable"))
	m.config["config"] = map[string]any{"Cmd": []string{"app"}}
	_, img, err := m.unpack()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(img.Argv, []string{"app"}) || !strings.Contains(strings.Join(img.Warnings, "\n"), `"app"`) {
		t.Errorf("%+v", img)
	}
}

// TestIndexes: which image of a layout is taken.
func TestIndexes(t *testing.T) {
	arm := &platform{OS: "linux", Architecture: "arm64"}
	amd := &platform{OS: "linux", Architecture: "amd64"}
	m := newImage(t).layer(file("which", "amd"))
	amdImage := m.manifest()
	m2 := &image{t: t, dir: m.dir, config: m.config}
	other := m2.layer(file("which", "other")).manifest()
	with := func(d descriptor, p *platform, key, name string) descriptor {
		d.Platform = p
		if key != "" {
			d.Annotations = map[string]string{key: name}
		}
		return d
	}
	nest := func(list ...descriptor) descriptor {
		return m.json(indexOCI, map[string]any{"manifests": list})
	}
	deep := nest(amdImage)
	for range 10 {
		deep = nest(deep)
	}
	attestation := with(m.json(manifestOCI, map[string]any{}), &platform{OS: "unknown", Architecture: "unknown"}, "", "")
	for _, c := range []struct {
		name  string
		index []descriptor
		tag   string
		want  string // content of the file, or of the error
	}{
		{"one", []descriptor{amdImage}, "", "amd"},
		{"by platform", []descriptor{with(other, arm, "", ""), with(amdImage, amd, "", ""), attestation}, "", "amd"},
		{"nested", []descriptor{nest(nest(with(other, arm, "", ""), with(amdImage, amd, "", "")))}, "", "amd"},
		{"named twice", []descriptor{with(amdImage, nil, refName, "a"), with(amdImage, nil, refName, "b")}, "", "amd"},
		{"by tag", []descriptor{with(other, nil, refName, "1"), with(amdImage, nil, refName, "2")}, ":2", "amd"},
		{"by the end of a name", []descriptor{with(other, nil, imageName, "example.org/x:1"), with(amdImage, nil, imageName, "example.org/x:2")}, ":2", "amd"},
		{"by a name with colons", []descriptor{with(amdImage, nil, refName, "example.org:5000/x:2"), with(other, nil, refName, "example.org:5000/y:2")}, ":example.org:5000/x:2", "amd"},
		{"several", []descriptor{with(other, nil, refName, "1"), with(amdImage, nil, refName, "2")}, "", `has 2 images; say which as oci:`},
		{"no such tag", []descriptor{with(amdImage, nil, refName, "2")}, ":3", `no image with the tag "3"; it has "2"`},
		{"another platform", []descriptor{with(other, arm, "", "")}, "", "it is for linux/arm64"},
		{"empty", nil, "", "no image in it"},
		{"too deep", []descriptor{deep}, "", "more than 8 levels"},
		{"missing blob", []descriptor{{MediaType: manifestOCI, Digest: digest("sha256:" + strings.Repeat("0", 64))}}, "", "it is incomplete"},
		{"hostile digest", []descriptor{{MediaType: manifestOCI, Digest: "sha256:../../../../etc/passwd"}}, "", "malformed"},
		{"unknown digest", []descriptor{{MediaType: manifestOCI, Digest: "md5:d41d8cd98f00b204e9800998ecf8427e"}}, "", "unknown kind"},
		{"digest in capitals", []descriptor{{MediaType: manifestOCI, Digest: digest(strings.ToUpper(string(amdImage.Digest)))}}, "", "unknown kind"},
		{"wrong size", []descriptor{{MediaType: manifestOCI, Digest: amdImage.Digest, Size: amdImage.Size + 1}}, "", "are announced"},
		{"an index without end", []descriptor{{MediaType: indexOCI, Digest: amdImage.Digest, Size: 1 << 40}}, "", "at most"},
		{"no image but something else", []descriptor{m.json(manifestOCI, manifest{Config: descriptor{MediaType: "application/vnd.acme.chart"}})}, "", "no container image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.index(c.index...)
			root, _, err := (&image{t: t, dir: m.dir}).unpackAs("oci:"+m.dir+c.tag, Options{})
			if err != nil {
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				return
			}
			if got := list(t, root); got != "which = "+c.want {
				t.Errorf("%s, want %q", got, c.want)
			}
		})
	}
}

// TestDamagedImages changes one thing each in an image that is right.
// TestIndexBomb: a short index that names a long one thousands of times costs
// reading it once.
func TestIndexBomb(t *testing.T) {
	m := newImage(t)
	long := m.blob(indexOCI, []byte(`{"manifests": []`+strings.Repeat(" ", maxJSON-100)+`}`))
	m.index(m.json(indexOCI, map[string]any{"manifests": slices.Repeat([]descriptor{long}, 9000)}))
	began := time.Now()
	_, _, err := m.unpackAs("oci:"+m.dir, Options{})
	if err == nil || !strings.Contains(err.Error(), "no image in it") {
		t.Error(err)
	}
	if took := time.Since(began); took > 20*time.Second { // it would be minutes
		t.Errorf("it took %v", took)
	}
}

func TestDamagedImages(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(m *image)
		err    string
	}{
		{"a layer's bytes", func(m *image) {
			m.write("blobs/"+strings.Replace(string(m.layers[0].Digest), ":", "/", 1), append(archive(m.t, file("a", "b")), 0)[:m.layers[0].Size])
		}, "another digest"},
		{"a layer's end", func(m *image) {
			m.layers[1] = m.blob(m.layers[1].MediaType, pack(m.t, archive(m.t, file("b", "b")), "gzip")[:40])
		}, "damaged"},
		{"junk after a layer", func(m *image) {
			m.layers[1] = m.blob(m.layers[1].MediaType, append(pack(m.t, archive(m.t, file("b", "b")), "gzip"), "junk"...))
		}, "damaged"},
		{"another layer", func(m *image) { m.layers[1] = m.layers[0] }, "not the one that the image names"},
		{"a layer less", func(m *image) { m.layers = m.layers[:1] }, "1 layers and the configuration 2"},
		{"no layers", func(m *image) { m.layers, m.diffs = nil, nil }, "no layers"},
		{"an encrypted layer", func(m *image) { m.layers[0].MediaType += "+encrypted" }, "not supported"},
		{"an unknown layer", func(m *image) { m.layers[0].MediaType = "text/plain" }, "not supported"},
		{"a layer that is no archive", func(m *image) {
			m.layers, m.diffs = nil, nil
			m.rawLayer([]byte(strings.Repeat("no archive ", 1000)))
		}, "damaged"},
		{"another system", func(m *image) { m.config["os"] = "windows" }, "windows/amd64"},
		{"another machine", func(m *image) { m.config["architecture"] = "arm64" }, "linux/arm64"},
		{"an odd configuration", func(m *image) { m.config["config"] = []int{1} }, "malformed"},
		{"a NUL byte in the command", func(m *image) { m.config["config"] = map[string]any{"Cmd": []string{"a\x00b"}} }, "NUL"},
		{"the place of /var taken", func(m *image) { m.layer(file("var/x", "x"), file("var.image", "x")) }, "/var.image of its own"},
		{"no oci-layout", func(m *image) { os.Remove(filepath.Join(m.dir, "oci-layout")) }, "not an OCI image layout"},
		{"another version", func(m *image) { m.write("oci-layout", []byte(`{"imageLayoutVersion":"2.0.0"}`)) }, "only version 1"},
		{"a pipe for a layer", func(m *image) {
			blob := filepath.Join(m.dir, "blobs", strings.Replace(string(m.layers[0].Digest), ":", "/", 1))
			if err := errors.Join(os.Remove(blob), unix.Mkfifo(blob, 0o600)); err != nil {
				m.t.Fatal(err)
			}
		}, "not a regular file"},
		{"a device for a document", func(m *image) {
			layout := filepath.Join(m.dir, "oci-layout")
			if err := errors.Join(os.Remove(layout), os.Symlink("/dev/zero", layout)); err != nil {
				m.t.Fatal(err)
			}
		}, "not a regular file"},
		{"an odd oci-layout", func(m *image) { m.write("oci-layout", []byte(`[`)) }, "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newImage(t).layer(file("a", "a")).layer(file("b", "b"))
			c.damage(m)
			_, _, err := m.unpack()
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}

func TestNoLayout(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "image.tar")
	if err := os.WriteFile(archive, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]string{
		"oci:" + archive:       "tar -C image -xf",
		"oci:" + dir + "/none": "no such file",
		"oci:" + dir:           "not an OCI image layout",
	} {
		s, err := ParseSource(spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Unpack(context.Background(), filepath.Join(dir, "into"), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
	for _, spec := range []string{"", "x", "docker:x", "oci:", "deb:", "oci:a\x00b"} {
		if _, err := ParseSource(spec); err == nil {
			t.Errorf("%q was accepted", spec)
		}
	}
}

func TestCancelled(t *testing.T) {
	m := newImage(t).layer(file("a", "a"))
	m.index(m.manifest())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	into := filepath.Join(t.TempDir(), "root")
	if _, err := (ociLayout{m.dir}).Unpack(ctx, into, Options{}); err == nil {
		t.Error("no error")
	}
	nothingLeft(t, into)
}

// TestRealTools makes an image with umoci, as a packager would, and unpacks it.
func TestRealTools(t *testing.T) {
	dir := t.TempDir()
	bundle := filepath.Join(dir, "rootfs")
	if err := os.MkdirAll(filepath.Join(bundle, "usr/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bundle, "usr/bin/app"), []byte("one"), 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("umoci", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("umoci %q: %v\n%s", args, err, out)
		}
	}
	run("init", "--layout", "image")
	run("new", "--image", "image:v1")
	run("insert", "--rootless", "--image", "image:v1", bundle, "/")
	run("config", "--image", "image:v1", "--config.cmd", "app", "--config.exposedports", "8080", "--config.env", "PATH=/usr/bin")
	if err := os.WriteFile(filepath.Join(dir, "extra"), []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	run("insert", "--rootless", "--image", "image:v1", "--tag", "v2", "extra", "/usr/share/extra")
	run("insert", "--rootless", "--image", "image:v2", "--whiteout", "/usr/bin/app")
	for tag, want := range map[string]string{
		"v1": "usr/\nusr/bin/\nusr/bin/app* = one",
		"v2": "usr/\nusr/bin/\nusr/share/\nusr/share/extra = two",
	} {
		root, img, err := (&image{t: t, dir: dir}).unpackAs("oci:"+filepath.Join(dir, "image")+":"+tag, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := list(t, root); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tag, got, want)
		}
		if !slices.Equal(img.Ports, []int{8080}) || tag == "v1" && !slices.Equal(img.Argv, []string{"/usr/bin/app"}) {
			t.Errorf("%+v", img)
		}
	}
}
