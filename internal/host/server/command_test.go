package server

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

func TestHoist(t *testing.T) {
	for _, tt := range []struct {
		name string
		argv []string
		want []string
		port int
		key  string
	}{
		{"plain", []string{"/sandstorm-http-bridge", "8000", "/bin/app", "-x"}, []string{"/bin/app", "-x"}, 8000, ""},
		{"dashes", []string{"/sandstorm-http-bridge", "8000", "--", "app", "--"}, []string{"app", "--"}, 8000, ""},
		{"no command", []string{"/sandstorm-http-bridge", "8000", "--"}, nil, 0, "grain.no-command"},
		{"no port", []string{"/sandstorm-http-bridge", "app", "x"}, nil, 0, "grain.bad-port"},
		{"port 0", []string{"/sandstorm-http-bridge", "0", "x"}, nil, 0, "grain.bad-port"},
		{"port too large", []string{"/sandstorm-http-bridge", "65536", "x"}, nil, 0, "grain.bad-port"},
		{"raw app", []string{"/bin/app", "8000", "x"}, nil, 0, "grain.raw-api"},
		{"bridge elsewhere", []string{"/bin/sandstorm-http-bridge", "8000", "x"}, nil, 0, "grain.raw-api"},
		{"empty", nil, nil, 0, "grain.raw-api"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := hoist(&sandstorm.Command{Argv: tt.argv})
			if tt.key != "" {
				wantStartError(t, err, tt.key)
				return
			}
			mustDo(t, err)
			if !slices.Equal(c.argv, tt.want) || c.port != tt.port {
				t.Errorf("got %q port %d", c.argv, c.port)
			}
		})
	}
}

// wantStartError checks that err has the key and carries its data.
func wantStartError(t *testing.T, err error, key string) {
	t.Helper()
	var known *sandstorm.Error
	var data *host.StartError
	if !errors.As(err, &known) || known.Key != key || !errors.As(err, &data) {
		t.Errorf("err = %v (%#v), want key %q and a StartError", err, known, key)
	}
}

func TestBridgeEnvironment(t *testing.T) {
	got := bridgeEnv([]string{"PATH=/bin", "http_proxy=x", "no_proxy=y", "HTTP_PROXY=z"})
	want := []string{
		"PATH=/bin", "http_proxy=http://127.0.0.1:15239/",
		"HTTP_PROXY=http://127.0.0.1:15239/", "no_proxy=localhost,127.0.0.1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestSelectCommand(t *testing.T) {
	m := &sandstorm.Manifest{Actions: []sandstorm.Action{{Index: 2, Command: sandstorm.Command{Argv: []string{"two"}}}}}
	if c, err := selectCommand(m, 2); err != nil || c.Argv[0] != "two" {
		t.Errorf("%v, %v", c, err)
	}
	_, err := selectCommand(m, 0)
	wantStartError(t, err, "grain.no-action")
	_, err = selectCommand(m, host.ActionContinue)
	wantStartError(t, err, "grain.no-continue")
	if !strings.Contains(err.Error(), "Package manifest defines no continueCommand.") {
		t.Error(err)
	}
}

// testTree lays out a package and a grain's storage.
func testTree(t *testing.T) (root, storage string) {
	root, storage = t.TempDir(), t.TempDir()
	file := func(path, content string, mode os.FileMode) {
		mustDo(t, os.MkdirAll(filepath.Dir(path), 0o755))
		mustDo(t, os.WriteFile(path, []byte(content), mode))
		mustDo(t, os.Chmod(path, mode))
	}
	file(root+"/usr/bin/elf", "\x7fELF…", 0o755)
	file(root+"/opt/tool", "#!/bin/sh\n", 0o755)
	file(root+"/opt/plain", "echo hello\n", 0o755)
	file(root+"/opt/data", "no program", 0o644)
	file(root+"/second/data", "\x7fELF", 0o755)
	file(storage+"/bin/own", "\x7fELF", 0o755)
	mustDo(t, os.Mkdir(root+"/opt/folder", 0o755))
	mustDo(t, unix.Mkfifo(root+"/opt/fifo", 0o777))
	mustDo(t, os.Symlink("/usr/bin", root+"/bin"))
	mustDo(t, os.Symlink("/bin/sh", root+"/opt/inside")) // to the package's own, which has none
	mustDo(t, os.Symlink("../../../../../../../../bin/sh", root+"/opt/climb"))
	return root, storage
}

func TestResolve(t *testing.T) {
	root, storage := testTree(t)
	for _, tt := range []struct {
		name, path string
		argv, want []string
	}{
		{"absolute", "", []string{"/usr/bin/elf"}, []string{"/usr/bin/elf"}},
		{"missing absolute is left to exec", "", []string{"/nope"}, []string{"/nope"}},
		{"relative with slash", "", []string{"opt/tool"}, []string{"opt/tool"}},
		{"default path through a symlink", "", []string{"elf", "a"}, []string{"/bin/elf", "a"}},
		{"path", "PATH=/nope:/opt:/usr/bin", []string{"tool"}, []string{"/opt/tool"}},
		{"empty entry is the working directory", "PATH=:/opt", []string{"tool"}, []string{"/opt/tool"}},
		{"script without interpreter", "PATH=/opt", []string{"plain", "x"}, []string{"/bin/sh", "/opt/plain", "x"}},
		{"not executable, go on", "PATH=/opt:/second", []string{"data"}, []string{"/second/data"}},
		{"in the grain's storage", "PATH=/var/bin", []string{"own"}, []string{"/var/bin/own"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &command{argv: tt.argv, env: []string{"A=b", tt.path}}
			mustDo(t, c.resolve(root, storage))
			got := c.argv
			if c.program != "" {
				// As with execvp, the program sees the name that it was called by.
				if c.argv[0] != tt.argv[0] {
					t.Errorf("argv[0] became %q", c.argv[0])
				}
				got = append([]string{c.program}, c.argv[1:]...)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("executes %q, want %q", got, tt.want)
			}
		})
	}
	for name, errno := range map[string]string{
		"nope": "ENOENT", "data": "EACCES", "folder": "EACCES", "fifo": "EACCES",
		"inside": "ENOENT", "climb": "ENOENT",
	} {
		c := &command{argv: []string{name}, env: []string{"PATH=/opt"}}
		err := c.resolve(root, storage)
		wantStartError(t, err, "grain.program")
		var data *host.StartError
		if errors.As(err, &data) && data.Errno != errno {
			t.Errorf("%s: %s, want %s", name, data.Errno, errno)
		}
	}
}

func TestFence(t *testing.T) {
	path, d := openTestDir(t)
	mustDo(t, fence(d, "g", 5))
	mustDo(t, fence(d, "g", 5))
	mustDo(t, fence(d, "g", 12))
	if err := fence(d, "g", 11); !sandstorm.IsKind(err, sandstorm.Fenced) {
		t.Errorf("older epoch: %v", err)
	}
	if err := fence(d, "g", -1); !sandstorm.IsKind(err, sandstorm.Invalid) {
		t.Errorf("negative epoch: %v", err)
	}
	mustDo(t, os.WriteFile(filepath.Join(path, fileEpoch), []byte("rubbish"), 0o600))
	if err := fence(d, "g", 100); err == nil {
		t.Error("a broken record let a lease pass")
	}
}

// FuzzCommand has a package's command do its worst: whatever becomes of it runs
// the package's files, and finding them never leaves the package.
func FuzzCommand(f *testing.F) {
	f.Add("/sandstorm-http-bridge\x008000\x00--\x00app", "PATH=/opt:/usr/bin")
	f.Add("/sandstorm-http-bridge\x001\x00climb", "PATH=../../..:/opt/../../../bin")
	f.Add("/sandstorm-http-bridge\x0065535\x00sh", "PATH=/proc/self/root/bin:/var/../../bin")
	f.Fuzz(func(t *testing.T, argv, env string) {
		root, storage := t.TempDir(), t.TempDir()
		mustDo(t, os.Symlink("/", root+"/up"))
		mustDo(t, os.Symlink("../../../../../..", storage+"/up"))
		c, err := hoist(&sandstorm.Command{Argv: strings.Split(argv, "\x00"), Environ: strings.Split(env, "\x00")})
		if err != nil {
			return
		}
		if c.port < 1 || c.port > 65535 || len(c.argv) == 0 {
			t.Errorf("%+v", c)
		}
		searched := !strings.Contains(c.argv[0], "/")
		if err := c.resolve(root, storage); err == nil && searched {
			t.Errorf("found %q in a package without programs", c.argv)
		}
	})
}
