package scaffold

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// packageJSON is what is of interest in a package.json or composer.json. The
// members that can have several forms are read later.
type packageJSON struct {
	Name         string            `json:"name"`
	Version      string            `json:"version"`
	License      json.RawMessage   `json:"license"`
	Homepage     string            `json:"homepage"`
	Main         string            `json:"main"`
	Bin          json.RawMessage   `json:"bin"`
	Scripts      map[string]string `json:"scripts"`
	Dependencies map[string]string `json:"dependencies"`
}

// parsePackage reads as much as it can: a member of an unexpected type does not
// spoil the others.
func parsePackage(text string) (*packageJSON, bool) {
	var raw map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &raw) != nil {
		return nil, false
	}
	p := &packageJSON{License: raw["license"], Bin: raw["bin"]}
	for name, into := range map[string]any{
		"name": &p.Name, "version": &p.Version, "homepage": &p.Homepage, "main": &p.Main, "scripts": &p.Scripts, "dependencies": &p.Dependencies,
	} {
		if len(raw[name]) > 0 {
			_ = json.Unmarshal(raw[name], into)
		}
	}
	return p, true
}

// oneOf returns a text, or the first text in a list or object.
func oneOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return list[0]
	}
	var object map[string]string
	if json.Unmarshal(raw, &object) == nil && len(object) > 0 {
		if t, ok := object["type"]; ok { // an old form of "license"
			return t
		}
		keys := make([]string, 0, len(object))
		for k := range object {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		return object[keys[0]]
	}
	return ""
}

func lookNode(s *source, find finder) *Found {
	text := s.read("package.json")
	entry := s.first("server.js", "server.mjs", "app.js", "index.js", "main.js")
	if text == "" && entry == "" {
		return nil
	}
	f := &Found{Kind: Node}
	p, ok := parsePackage(text)
	if !ok {
		if text != "" {
			f.note("package.json could not be read: it is not valid JSON.")
		}
		p = &packageJSON{}
	}
	command := nodeCommand(s, f, p, entry)
	if command == nil {
		if page := builtPage(s); page != "" {
			return static(s, find, page, p)
		}
		if entry = s.first("dist/index.js", "build/index.js", "src/index.js", "lib/index.js"); entry == "" {
			if s.has("index.html") {
				return nil
			}
			entry = "server.js"
			f.note("There is neither a start script nor a file server.js, app.js or index.js. Write into %s how the app is started.", LauncherName)
		}
		command = []string{"node", inApp(entry)}
	}
	f.Title, f.Version, f.Website, f.License = p.Name, p.Version, p.Homepage, oneOf(p.License)
	f.Environ = [][2]string{{"NODE_ENV", "production"}, {"HOST", "127.0.0.1"}}
	f.nodePort(s, command)
	if command[0] == "node" {
		command[0] = f.interpreter(find, "node", "nodejs")
	}
	if len(p.Dependencies) > 0 && !s.hasDir("node_modules") {
		f.note("There is no node_modules. Run 'npm ci --omit=dev' before packing.")
	} else if len(p.Dependencies) > 0 {
		f.note("Packages get small if you pack after 'npm ci --omit=dev'.")
	}
	f.launch(nil, command...)
	return f
}

// nodeCommand finds how the app is started, with "node" for the interpreter. It
// is nil if nothing says so.
func nodeCommand(s *source, f *Found, p *packageJSON, entry string) []string {
	if start := p.Scripts["start"]; start != "" {
		if words, ok := simpleCommand(start); ok {
			return startCommand(s, words)
		}
		f.note("The start script in package.json needs a shell: %q. It is not used here; if it is the right way, write it into %s.", plainLine(start), LauncherName)
	}
	if p.Main != "" && isPlain(p.Main) {
		for _, name := range []string{p.Main, p.Main + ".js", path.Join(p.Main, "index.js")} {
			if s.has(path.Clean(name)) {
				return []string{"node", inApp(name)}
			}
		}
	}
	if bin := oneOf(p.Bin); isPlain(bin) && s.has(path.Clean(bin)) {
		return []string{"node", inApp(bin)}
	}
	if entry != "" {
		return []string{"node", inApp(entry)}
	}
	return nil
}

// startCommand takes a start script as npm does, which looks for programs in
// node_modules/.bin. Those are run by node, so that the package needs no env.
func startCommand(s *source, words []string) []string {
	if words[0] == "node" || words[0] == "nodejs" {
		return append([]string{"node"}, words[1:]...)
	}
	if bin := path.Join("node_modules/.bin", path.Base(words[0])); s.has(bin) {
		return append([]string{"node", inApp(bin)}, words[1:]...)
	}
	return words
}

var (
	envPort    = regexp.MustCompile(`process\.env(?:\.|\[['"])([A-Z][A-Z0-9_]{0,40})`)
	listenPort = regexp.MustCompile(`\.listen\(\s*(\d{4,5})\b`)
)

// nodePort finds out how the app is told its port.
func (f *Found) nodePort(s *source, command []string) {
	code := ""
	for _, word := range command[1:] {
		if name := strings.TrimPrefix(word, appDir+"/"); !strings.HasPrefix(name, "-") {
			code = s.read(path.Clean(name))
			break
		}
	}
	variable := "PORT"
	for _, m := range envPort.FindAllStringSubmatch(code, -1) {
		if strings.HasSuffix(m[1], "PORT") {
			variable = m[1]
			break
		}
	}
	if m := listenPort.FindStringSubmatch(code); m != nil && !strings.Contains(code, "process.env") {
		if port, err := strconv.Atoi(m[1]); err == nil && port >= 1024 && port <= 65535 {
			f.Port = port
			f.note("The app listens on port %d always, so the bridge looks there.", port)
			return
		}
	}
	f.Environ = append(f.Environ, [2]string{variable, "@PORT@"})
	if !strings.Contains(code, "process.env") {
		f.note("Does the app listen on the port that the variable %s says? It was not seen in its code.", variable)
	}
}
