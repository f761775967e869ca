package spk_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk"
	"github.com/sandstorm-go/sandstorm/internal/spk/xz"
)

// capnpTool runs the Cap'n Proto tool, an implementation that is not ours, on a
// type of the package schema.
func capnpTool(t *testing.T, in []byte, command, typ string, args ...string) []byte {
	t.Helper()
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "capnproto.org/go/capnp/v3").Output()
	if err != nil {
		t.Fatal(err)
	}
	std := filepath.Join(strings.TrimSpace(string(module)), "std")
	args = append([]string{command, "--no-standard-import", "-I" + std}, args...)
	cmd := exec.Command("capnp", append(args, "../../schema/sandstorm/package.capnp", typ)...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("capnp %s: %v\n%s", command, err, &stderr)
	}
	return out
}

// A package whose messages come from C++, in one segment and in many, packed by
// the xz command: what the original's tools make.
func TestReadsWhatOthersWrite(t *testing.T) {
	manifest := `(appTitle = (defaultText = "Etherpad", localizations = [(locale = "fi", text = "Muistio")]),
		appVersion = 3, appMarketingVersion = (defaultText = "1.0"),
		actions = [(input = (none = void), title = (defaultText = "New pad"),
			command = (argv = ["/run", "x"], environ = [(key = "PATH", value = "/bin")]))],
		continueCommand = (argv = ["/run"]),
		metadata = (license = (publicDomain = (defaultText = "free")), categories = [office, webPublishing],
			icons = (appGrid = (svg = "<svg/>"), grain = (png = (dpi1x = "a", dpi2x = "b")))))`
	archive := `(files = [
		(name = "sandstorm-manifest", regular = "M", lastModificationTimeNs = 1500000000000000001),
		(name = "bin", directory = [(name = "run", executable = "#!/bin/sh"), (name = "sh", symlink = "/bin/busybox")]),
		(name = "empty", regular = ""), (name = "dev", directory = [])])`
	for _, segment := range []string{"1", "7", "1000"} {
		m, _, err := spk.ParseManifest(capnpTool(t, []byte(manifest), "encode", "Manifest", "--segment-size="+segment))
		if err != nil {
			t.Fatal(err)
		}
		if m.AppTitle.Localizations["fi"] != "Muistio" || m.Actions[0].Command.Environ[0] != "PATH=/bin" ||
			m.Actions[0].NounPhrase.Default != "pad" || m.Metadata.License.PublicDomain.Default != "free" ||
			m.Metadata.Icons.Grain.Asset2x == "" || strings.Join(m.Metadata.Categories, " ") != "office webPublishing" {
			t.Errorf("manifest %+v", m)
		}

		packed := capnpTool(t, []byte(archive), "encode", "Archive", "--segment-size="+segment)
		key, signed := sign(packed)
		cmd := exec.Command("xz", "-c", "--threads=0")
		cmd.Stdin = io.MultiReader(bytes.NewReader(signatureOf(t, key, signed)), bytes.NewReader(packed))
		body, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out")
		info, err := spk.Unpack(context.Background(), bytes.NewReader(append(bytes.Clone(magicNumber), body...)), out, spk.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if info.Nodes != 6 || info.Unpacked != 10 {
			t.Errorf("%+v", info)
		}
		if target, err := os.Readlink(filepath.Join(out, "bin/sh")); err != nil || target != "/bin/busybox" {
			t.Errorf("symlink %q, %v", target, err)
		}
	}
}

func TestOthersReadWhatWeWrite(t *testing.T) {
	root := spk.NewDirectory("")
	manifest, err := spk.BuildManifest(&sandstorm.Manifest{AppTitle: text("Notes"), Continue: &sandstorm.Command{Argv: []string{"/run"}, Environ: []string{"A=b"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(capnpTool(t, manifest, "decode", "Manifest")); !strings.Contains(got, `appTitle = (defaultText = "Notes")`) || !strings.Contains(got, `environ = [(key = "A", value = "b")]`) {
		t.Errorf("manifest %s", got)
	}
	root.Put(spk.NewFile(spk.ManifestName, []byte("M"), false))
	if err := root.PutAt("usr/bin", spk.NewFile("run", []byte("hi"), true)); err != nil {
		t.Fatal(err)
	}
	root.Put(spk.NewSymlink("bin", "usr/bin"))
	var file bytes.Buffer
	if _, err := spk.Write(context.Background(), &file, testKey(), root, spk.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	z, err := xz.NewReader(bytes.NewReader(file.Bytes()[8:]))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	got := string(capnpTool(t, plain[192:], "decode", "Archive", "--short"))
	want := `(files = [(name = "bin", symlink = "usr/bin", lastModificationTimeNs = 0), (name = "sandstorm-manifest", regular = "M", lastModificationTimeNs = 0), (name = "usr", directory = [(name = "bin", directory = [(name = "run", executable = "hi", lastModificationTimeNs = 0)], lastModificationTimeNs = 0)], lastModificationTimeNs = 0)])`
	if strings.TrimSpace(got) != want {
		t.Errorf("archive %s", got)
	}
}
