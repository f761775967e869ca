package scaffold

import (
	"path"
	"regexp"
	"strings"
)

var (
	goModule = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)
	goMain   = regexp.MustCompile(`(?m)^package main\b`)
)

// lookGo finds a Go program. Built without cgo it needs no other file of the
// machine, and so neither a launcher nor a list of files.
func lookGo(s *source, _ finder) *Found {
	m := goModule.FindStringSubmatch(s.read("go.mod"))
	if m == nil {
		return nil
	}
	dirs := goCommands(s)
	if dirs == nil {
		return nil // a library
	}
	f := &Found{Kind: Go, Title: m[1], Environ: [][2]string{{"PORT", "@PORT@"}, {"DATA_DIR", "/var"}}}
	name := path.Base(m[1])
	if regexp.MustCompile(`^v\d+$`).MatchString(name) {
		name = path.Base(path.Dir(m[1]))
	}
	if dirs[0] != "." {
		name = path.Base(dirs[0])
	}
	if !isPlain(name) || strings.HasPrefix(name, "-") || name == "." || name == "/" {
		name = "app"
	}
	f.Command = []string{inApp(name)}
	f.Sources = []Mapping{{PackagePath: "opt/app/" + name, SourcePath: name}}
	f.Include = []string{"opt/app/" + name}
	for _, dir := range []string{"static", "templates", "public", "assets", "web"} {
		if s.hasDir(dir) && !containsDir(dirs, dir) {
			f.Sources = append(f.Sources, Mapping{PackagePath: "opt/app/" + dir, SourcePath: dir})
			f.Include = append(f.Include, "opt/app/"+dir)
		}
	}
	f.note("Build the program before packing: CGO_ENABLED=0 go build -trimpath -ldflags=-s -o %s ./%s", name, strings.TrimPrefix(dirs[0], "."))
	if len(dirs) > 1 {
		f.note("There are several programs: %s. The first is taken.", strings.Join(dirs, ", "))
	}
	f.note("Does the program listen on 127.0.0.1, on the port that the variable PORT says? If it has a flag for that, add it to the command. It is started in the root directory; its files are below %s.", appDir)
	return f
}

func containsDir(dirs []string, dir string) bool {
	for _, d := range dirs {
		if d == dir || strings.HasPrefix(d, dir+"/") {
			return true
		}
	}
	return false
}

// goCommands returns the directories of programs: the module's own, and those
// in cmd.
func goCommands(s *source) []string {
	var found []string
	for _, dir := range append([]string{"."}, s.names("cmd", "/")...) {
		for i, file := range s.names(dir, ".go") {
			if i == 100 {
				break
			}
			if !strings.HasSuffix(file, "_test.go") && goMain.MatchString(s.read(file)) {
				found = append(found, dir)
				break
			}
		}
	}
	return found
}
