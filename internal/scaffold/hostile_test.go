package scaffold

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// marked are the names that Look reads.
var marked = []string{
	"go.mod", "composer.json", "pyproject.toml", "requirements.txt", "Pipfile", "setup.py", "app.py", "manage.py", "Gemfile", "config.ru",
	"package.json", "server.js", "index.html", "Procfile", ".env",
}

// TestHostileTrees: whatever lies under the names that are looked for, looking
// ends, stays in the tree, and reads little.
func TestHostileTrees(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "package.json")
	if err := os.WriteFile(secret, []byte(`{"name":"stolen-secret","scripts":{"start":"node stolen.js"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func(path string) error{
		"pipes":             func(path string) error { return unix.Mkfifo(path, 0o600) },
		"directories":       func(path string) error { return os.Mkdir(path, 0o755) },
		"links out":         func(path string) error { return os.Symlink(secret, path) },
		"links to a device": func(path string) error { return os.Symlink("/dev/zero", path) },
		"links in a circle": func(path string) error { return os.Symlink(filepath.Base(path), path) },
		"files without end": func(path string) error {
			return errorsOf(os.WriteFile(path, []byte(`{"name":"huge`), 0o644), os.Truncate(path, 1<<40))
		},
		"sockets": func(path string) error { return unix.Mknod(path, unix.S_IFSOCK|0o600, 0) },
		"unreadable": func(path string) error {
			return os.WriteFile(path, nil, 0)
		},
		"deep JSON": func(path string) error {
			return os.WriteFile(path, []byte(strings.Repeat(`{"scripts":`, 50_000)), 0o644)
		},
		"long lines": func(path string) error {
			return os.WriteFile(path, []byte("module "+strings.Repeat("a=Flask( process.env.", 40_000)), 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, m := range marked {
				if err := put(filepath.Join(dir, m)); err != nil {
					t.Fatal(err)
				}
			}
			f, err := look(dir, everything)
			if err != nil {
				t.Fatal(err)
			}
			if all := fmt.Sprintf("%+v", f); strings.Contains(all, "stolen") || strings.Contains(all, "huge") {
				t.Error(all)
			}
			withOurs(t, Definition(f, testAppID, 1))
		})
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestNamesOfFiles: names become words in scripts and definitions, so only
// plain ones are used.
func TestNamesOfFiles(t *testing.T) {
	for _, evil := range []string{"$(touch x)", "a b", "a\nb", "`x`", "'", `"`, "a;b", "\u202e"} {
		f, err := look(tree{"go.mod": "module example.org/x\n", "cmd/" + evil + "/main.go": "package main\n", "manage.py": "", evil + "/wsgi.py": "", "requirements.txt": "gunicorn"}.write(t), everything)
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(append(f.Command, f.Setup), "|"); f.Kind != Python || strings.Contains(all, evil) {
			t.Errorf("%q: %s app, %s", evil, f.Kind, all)
		}
	}
}

// FuzzLook gives Look a package.json, a pyproject.toml and a Procfile; whatever
// they say, the definition holds what was found and nothing else.
func FuzzLook(f *testing.F) {
	f.Add([]byte(`{"name":"@a/b","version":"1","scripts":{"start":"node x.js"},"license":"MIT"}`), uint8(0))
	f.Add([]byte("[project]\nname = \"x\\\"\"\n"), uint8(1))
	f.Add([]byte("web: ./run --port $PORT\n"), uint8(2))
	f.Add([]byte("module example.org/a\n"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, which uint8) {
		names := []string{"package.json", "pyproject.toml", "Procfile", "go.mod"}
		files := tree{names[int(which)%len(names)]: string(data), "main.go": "package main\n"}
		found, err := look(files.write(t), everything)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, found, withOurs(t, Definition(found, testAppID, uint64(which))))
	})
}
