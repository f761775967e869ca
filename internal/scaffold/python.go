package scaffold

import (
	"path"
	"regexp"
	"strings"
)

func lookPython(s *source, find finder) *Found {
	project := s.read("pyproject.toml")
	needs := strings.ToLower(s.read("requirements.txt") + "\n" + project + "\n" + s.read("Pipfile") + "\n" + s.read("setup.py"))
	entry := s.first("app.py", "main.py", "wsgi.py", "asgi.py", "server.py", "application.py", "run.py", "__main__.py")
	django := s.has("manage.py")
	if strings.TrimSpace(needs) == "" && entry == "" && !django {
		return nil
	}
	f := &Found{Kind: Python}
	t := tomlTable(project, "project", "tool.poetry")
	f.Title, f.Version, f.License, f.Website = t["name"], t["version"], t["license"], tomlTable(project, "project.urls", "tool.poetry.urls")["homepage"]
	python := f.python(s, find)
	f.Environ = append(f.Environ, [2]string{"PYTHONDONTWRITEBYTECODE", "1"}, [2]string{"PYTHONUNBUFFERED", "1"}, [2]string{"PORT", "@PORT@"})
	switch {
	case django:
		f.django(s, python, needs)
	case entry == "":
		f.launch(nil, python, "-m", "app")
		f.note("No file app.py, main.py, wsgi.py or the like is here. Write into %s how the app is started.", LauncherName)
	default:
		f.pythonApp(s, python, needs, entry)
	}
	return f
}

// python returns the interpreter: that of a virtual environment in the tree, if
// there is one, since the libraries are there.
func (f *Found) python(s *source, find finder) string {
	system := f.interpreter(find, "python3", "python")
	for _, env := range []string{".venv", "venv", "env"} {
		if s.has(env + "/pyvenv.cfg") {
			return inApp(env + "/bin/python")
		}
	}
	f.note("There is no virtual environment .venv. If the app needs libraries that the system does not have: python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
	return system
}

func (f *Found) django(s *source, python, needs string) {
	before := []string{shellWord(python) + " manage.py migrate --noinput"}
	module := ""
	for _, d := range s.names(".", "/") {
		if s.has(path.Join(d, "wsgi.py")) {
			module = path.Base(d)
			break
		}
	}
	f.note("Settings: the database as a file below %s, STATIC_ROOT in the package, ALLOWED_HOSTS = [\"*\"] (the platform checks host names), SECRET_KEY made at the first start and kept in /var.", dataDir)
	if module != "" && strings.Contains(needs, "gunicorn") {
		f.launch(before, python, "-m", "gunicorn", "--bind", "127.0.0.1:@PORT@", "--worker-tmp-dir", "/tmp", module+".wsgi")
		return
	}
	f.launch(before, python, "manage.py", "runserver", "--noreload", "127.0.0.1:@PORT@")
	f.note("Django's own server is for development. Add gunicorn to the requirements and start that.")
}

// The application object in a module, and the framework that it is of.
var pythonObject = regexp.MustCompile(`(?m)^([A-Za-z_][A-Za-z0-9_]{0,60})\s*(?::[^=\n]{0,80})?=\s*(?:[A-Za-z_.]{1,60}\.)?(Flask|FastAPI|Starlette|Quart|Litestar|Sanic|Bottle|Dash|create_app|get_wsgi_application|get_asgi_application)\(`)

func (f *Found) pythonApp(s *source, python, needs, entry string) {
	object, framework := "", ""
	for _, name := range []string{entry, "app.py", "main.py", "wsgi.py", "asgi.py", "application.py", "server.py"} {
		if m := pythonObject.FindStringSubmatch(s.read(name)); m != nil {
			object, framework, entry = m[1], m[2], name
			break
		}
	}
	target := strings.TrimSuffix(entry, ".py") + ":" + object
	asgi := framework == "FastAPI" || framework == "Starlette" || framework == "Quart" || framework == "Litestar" || framework == "get_asgi_application"
	switch {
	case object == "":
		f.launch(nil, python, entry)
		f.note("Does %s listen on 127.0.0.1, on the port that the variable PORT says?", entry)
	case asgi && strings.Contains(needs, "hypercorn") && !strings.Contains(needs, "uvicorn"):
		f.launch(nil, python, "-m", "hypercorn", "--bind", "127.0.0.1:@PORT@", target)
	case asgi:
		f.launch(nil, python, "-m", "uvicorn", "--host", "127.0.0.1", "--port", "@PORT@", target)
		if !strings.Contains(needs, "uvicorn") && !strings.Contains(needs, "fastapi[") {
			f.note("%s is an ASGI application; add uvicorn to the requirements, which serves it.", target)
		}
	case strings.Contains(needs, "gunicorn"):
		f.launch(nil, python, "-m", "gunicorn", "--bind", "127.0.0.1:@PORT@", "--worker-tmp-dir", "/tmp", target)
	case strings.Contains(needs, "waitress"):
		f.launch(nil, python, "-m", "waitress", "--listen", "127.0.0.1:@PORT@", target)
	case framework == "Flask":
		f.launch(nil, python, "-m", "flask", "--app", target, "run", "--host", "127.0.0.1", "--port", "@PORT@")
		f.note("Flask's own server is for development. Add waitress or gunicorn to the requirements and start that.")
	default:
		f.launch(nil, python, "-m", "gunicorn", "--bind", "127.0.0.1:@PORT@", "--worker-tmp-dir", "/tmp", target)
		f.note("%s is a WSGI application; add gunicorn to the requirements, which serves it.", target)
	}
}

var tomlLine = regexp.MustCompile(`^\s*([A-Za-z0-9_-]+|"[^"]*")\s*=\s*(?:\{\s*text\s*=\s*)?["']([^"']*)["']`)

// tomlTable reads the simple texts in tables of a TOML file: name = "value". Of
// a key that several tables have, the first counts. Keys are in small letters.
func tomlTable(text string, tables ...string) map[string]string {
	m := map[string]string{}
	within := false
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "[") {
			within = false
			for _, t := range tables {
				within = within || trimmed == "["+t+"]"
			}
			continue
		}
		if kv := tomlLine.FindStringSubmatch(line); within && kv != nil {
			key := strings.ToLower(strings.Trim(kv[1], `"`))
			if _, have := m[key]; !have {
				m[key] = kv[2]
			}
		}
	}
	return m
}
