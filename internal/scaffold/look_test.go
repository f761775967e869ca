package scaffold

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree is a source tree: names, and contents.
type tree map[string]string

func (files tree) write(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "some-app")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// installed is a machine with some programs.
func installed(programs ...string) finder {
	return func(name string) string {
		if slices.Contains(programs, name) {
			return "/usr/bin/" + name
		}
		return ""
	}
}

var everything = installed("node", "python3", "php", "ruby", "busybox")

// started is what the app is started with in the end.
func started(f *Found) string {
	if f.Setup == "" {
		return strings.Join(f.Command, " ")
	}
	lines := strings.Split(strings.TrimSpace(f.Setup), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "exec ")
}

var lookCases = []struct {
	name    string
	files   tree
	find    finder
	kind    string
	started string
	title   string // if it matters
	version string
	license string
	port    int
	environ string // a variable that must be there
	note    string // part of a note
}{
	{
		name: "node, start script",
		files: tree{
			"package.json": `{"name":"@acme/my-notes","version":"1.4.2","license":"MIT","homepage":"https://example.org/","scripts":{"start":"node ./bin/www --quiet"}}`,
			"bin/www":      `server.listen(process.env.PORT || 3000)`,
		},
		kind: Node, started: "/usr/bin/node ./bin/www --quiet", title: "My notes", version: "1.4.2", license: "mit", environ: "PORT=8000",
	},
	{
		name:  "node, main",
		files: tree{"package.json": `{"main":"lib/server"}`, "lib/server.js": `app.listen(process.env.HTTP_PORT)`},
		kind:  Node, started: "/usr/bin/node /opt/app/lib/server.js", title: "Some app", version: "0.1", environ: "HTTP_PORT=8000",
	},
	{
		name:  "node, bin, a fixed port",
		files: tree{"package.json": `{"bin":{"thing":"./cli.js"},"license":{"type":"ISC"}}`, "cli.js": "server.listen(3000, () => {})"},
		kind:  Node, started: "/usr/bin/node /opt/app/cli.js", license: "isc", port: 3000, note: "always",
	},
	{
		name: "node, a tool of a dependency",
		files: tree{
			"package.json": `{"scripts":{"start":"next start"},"dependencies":{"next":"1"}}`, "node_modules/.bin/next": "#!/usr/bin/env node\n",
		},
		kind: Node, started: "/usr/bin/node /opt/app/node_modules/.bin/next start", note: "--omit=dev",
	},
	{
		name:  "node, a start script for a shell",
		files: tree{"package.json": `{"scripts":{"start":"rm -rf / && node x.js"}}`, "index.js": "process.env.PORT"},
		kind:  Node, started: "/usr/bin/node /opt/app/index.js", note: "needs a shell",
	},
	{
		name:  "node, without package.json",
		files: tree{"server.js": "process.env['PORT']"},
		kind:  Node, started: "/usr/bin/node /opt/app/server.js", environ: "PORT=8000",
	},
	{
		name:  "node is not installed, package.json is malformed",
		files: tree{"package.json": `{"name":`, "app.js": ""},
		find:  installed(),
		kind:  Node, started: "/usr/bin/node /opt/app/app.js", note: "node is not installed",
	},
	{
		name:  "node, members of odd types",
		files: tree{"package.json": `{"name":7,"version":["x"],"scripts":[],"main":{},"license":[],"bin":3}`, "index.js": ""},
		kind:  Node, started: "/usr/bin/node /opt/app/index.js", title: "Some app",
	},
	{
		name:  "pages that a build tool made",
		files: tree{"package.json": `{"name":"spa","scripts":{"build":"vite build"}}`, "index.html": "", "dist/index.html": ""},
		kind:  Static, started: "/usr/bin/busybox httpd -f -p 127.0.0.1:8000 -h /opt/app/dist", title: "Spa", note: "Build them",
	},
	{
		name:  "python, Flask with gunicorn",
		files: tree{"requirements.txt": "Flask\ngunicorn\n", "app.py": "from flask import Flask\nserver = Flask(__name__)\n"},
		kind:  Python, started: "/usr/bin/python3 -m gunicorn --bind 127.0.0.1:8000 --worker-tmp-dir /tmp app:server",
	},
	{
		name:  "python, Flask alone",
		files: tree{"app.py": "import flask\napp: flask.Flask = flask.Flask(__name__)\n"},
		kind:  Python, started: "/usr/bin/python3 -m flask --app app:app run --host 127.0.0.1 --port 8000", note: "for development",
	},
	{
		name: "python, FastAPI in a virtual environment",
		files: tree{
			"pyproject.toml": "[build-system]\nname = \"no\"\n[project]\nname = \"to_do\"\nversion = '2.0'\nlicense = {text = \"Apache-2.0\"}\ndependencies = [\"fastapi[standard]\"]\n",
			"main.py":        "api = FastAPI()\n", ".venv/pyvenv.cfg": "home = /usr/bin\n",
		},
		kind: Python, started: "/opt/app/.venv/bin/python -m uvicorn --host 127.0.0.1 --port 8000 main:api", title: "To do", version: "2.0", license: "apache2",
	},
	{
		name:  "python, Django",
		files: tree{"manage.py": "", "requirements.txt": "Django==5\ngunicorn", "mysite/wsgi.py": "", "mysite/settings.py": ""},
		kind:  Python, started: "/usr/bin/python3 -m gunicorn --bind 127.0.0.1:8000 --worker-tmp-dir /tmp mysite.wsgi", note: "ALLOWED_HOSTS",
	},
	{
		name:  "python, something of its own",
		files: tree{"server.py": "import http.server\n"},
		kind:  Python, started: "/usr/bin/python3 server.py", environ: "PORT=8000", note: "listen on 127.0.0.1",
	},
	{
		name:  "php, a front controller",
		files: tree{"composer.json": `{"name":"acme/wiki","license":["GPL-2.0-or-later","MIT"]}`, "public/index.php": "<?php", "package.json": "{}"},
		kind:  PHP, started: "/usr/bin/php -d session.save_path=/tmp -d upload_tmp_dir=/tmp -d sys_temp_dir=/tmp -S 127.0.0.1:8000 -t /opt/app/public /tmp/router.php",
		title: "Wiki", license: "gpl2", note: "composer install",
	},
	{
		name:  "php, plain",
		files: tree{"index.php": "<?php"},
		kind:  PHP, started: "/usr/bin/php -d session.save_path=/tmp -d upload_tmp_dir=/tmp -d sys_temp_dir=/tmp -S 127.0.0.1:8000 -t /opt/app /tmp/router.php",
	},
	{
		name:  "go, a program at the top",
		files: tree{"go.mod": "module example.org/tools/board/v2\n\ngo 1.26\n", "main_test.go": "package main\n", "main.go": "// A board.\npackage main\n", "static/": ""},
		kind:  Go, started: "/opt/app/board", note: "CGO_ENABLED=0 go build",
	},
	{
		name:  "go, several programs",
		files: tree{"go.mod": "module example.org/x\n", "x.go": "package x\n", "cmd/one/main.go": "package main\n", "cmd/two/main.go": "package main\n"},
		kind:  Go, started: "/opt/app/one", note: "several programs",
	},
	{
		name:  "ruby, Rails",
		files: tree{"Gemfile": "gem 'rails'", "config.ru": "", "bin/rails": "", "vendor/bundle/": ""},
		kind:  Ruby, started: "/usr/bin/ruby bin/rails server -b 127.0.0.1 -p 8000 -P /tmp/server.pid",
	},
	{
		name:  "ruby, Puma",
		files: tree{"Gemfile": "gem 'puma'", "config.ru": ""},
		kind:  Ruby, started: "/usr/bin/ruby -S bundle exec puma -b tcp://127.0.0.1:8000", note: "bundle install",
	},
	{
		name:  "a page, served by Python",
		files: tree{"index.html": "<p>"},
		find:  installed("python3"),
		kind:  Static, started: "/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /opt/app 8000", note: "busybox",
	},
	{
		name:  "a Procfile",
		files: tree{"Procfile": "worker: x\nweb: bin/serve --port $PORT\n"},
		kind:  Generic, started: "bin/serve --port 8000",
	},
	{
		name:  "nothing that is known",
		files: tree{"README": ""},
		kind:  Generic, started: "/bin/false", note: "could not be seen",
	},
}

func TestLook(t *testing.T) {
	for _, c := range lookCases {
		t.Run(c.name, func(t *testing.T) {
			find := c.find
			if find == nil {
				find = everything
			}
			f, err := look(c.files.write(t), find)
			if err != nil {
				t.Fatal(err)
			}
			if f.Kind != c.kind || started(f) != c.started {
				t.Errorf("%s app, started with\n%s\nwant %s,\n%s", f.Kind, started(f), c.kind, c.started)
			}
			for what, pair := range map[string][2]string{"title": {f.Title, c.title}, "version": {f.Version, c.version}, "license": {f.License, c.license}} {
				if pair[1] != "" && pair[0] != pair[1] {
					t.Errorf("%s %q, want %q", what, pair[0], pair[1])
				}
			}
			want := c.port
			if want == 0 {
				want = 8000
			}
			if f.Port != want {
				t.Errorf("port %d, want %d", f.Port, want)
			}
			key, value, _ := strings.Cut(c.environ, "=")
			if key != "" && !slices.Contains(f.Environ, [2]string{key, value}) {
				t.Errorf("%s is not in %v", c.environ, f.Environ)
			}
			if notes := strings.Join(f.Notes, "\n"); !strings.Contains(notes, c.note) {
				t.Errorf("no note says %q:\n%s", c.note, notes)
			}
		})
	}
}

func TestSetPort(t *testing.T) {
	f, err := look(tree{"index.php": ""}.write(t), everything)
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []int{9000, 8123} {
		f.SetPort(port)
		if !strings.Contains(started(f), fmt.Sprintf("127.0.0.1:%d", port)) || f.Port != port {
			t.Error(started(f))
		}
	}
}

func TestSecretsStayOut(t *testing.T) {
	f, err := look(tree{"server.js": "", ".env": "PASSWORD=x", ".git/config": ""}.write(t), everything)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".env", ".git", "sandstorm-pkgdef.capnp"} {
		if !slices.Contains(f.Sources[0].HidePaths, name) {
			t.Errorf("%s would be packed", name)
		}
	}
}

func TestFindProgram(t *testing.T) {
	if p := findProgram("sh"); !filepath.IsAbs(p) || !isBinary(p) {
		t.Errorf("the shell is %q", p)
	}
	// A script that chooses among versions is no interpreter.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "no-such-python"), []byte("#!/bin/sh\nexec x\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if p := findProgram("no-such-python"); p != "" {
		t.Errorf("took the script %s", p)
	}
}

func TestLookAtNothing(t *testing.T) {
	if _, err := Look(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("no error")
	}
}
