package scaffold

import (
	"path"
	"slices"
	"strings"
)

// appDir is where the app's own files are in the package.
const appDir = "/opt/app"

// defaultPort is what the app is told to listen on.
const defaultPort = 8000

// Look looks at a source tree and says how the app in it is started. It fails
// only if the directory cannot be read: whatever it does not understand is
// Generic.
func Look(dir string) (*Found, error) { return look(dir, findProgram) }

func look(dir string, find finder) (*Found, error) {
	s, err := openSource(dir)
	if err != nil {
		return nil, err
	}
	defer s.close()
	// Web apps in other languages often have a package.json for their pages,
	// so Node comes after them; a page without a program comes last.
	for _, kind := range []func(*source, finder) *Found{lookGo, lookPHP, lookPython, lookRuby, lookNode, lookStatic, lookGeneric} {
		if f := kind(s, find); f != nil {
			f.complete(s, dir)
			return f, nil
		}
	}
	panic("the last one finds something in everything")
}

// complete fills in what all kinds have in common.
func (f *Found) complete(s *source, dir string) {
	f.Title = titleOf(f.Title, dir)
	f.Version = versionOf(f.Version)
	f.Website = websiteOf(f.Website)
	f.License = licenseOf(f.License)
	f.Environ = append([][2]string{{"HOME", "/var"}, {"LANG", "C.UTF-8"}}, f.Environ...)
	if f.Port == 0 {
		f.Port = defaultPort
	}
	f.SetPort(f.Port)
	if f.Sources != nil {
		return // a program that needs nothing of this machine
	}
	hide := []string{"sandstorm-pkgdef.capnp", filesList}
	for _, name := range []string{".git", ".hg", ".svn", ".sandstorm", "node_modules/.cache", "Vagrantfile"} {
		if s.hasDir(name) || s.has(name) {
			hide = append(hide, name)
		}
	}
	for _, name := range secrets {
		if s.has(name) {
			hide = append(hide, name)
			f.note("%s is left out of the package, as such files hold secrets; everybody can read a package.", name)
		}
	}
	f.Sources = []Mapping{
		{PackagePath: strings.TrimPrefix(appDir, "/"), SourcePath: ".", HidePaths: hide},
		{SourcePath: "/", HidePaths: slices.Concat(hidden, private)},
	}
	f.Include = append(f.Include, strings.TrimPrefix(appDir, "/"))
}

var secrets = []string{".env", ".env.local", ".env.production", ".npmrc", ".pypirc", "auth.json", "config/master.key", "id_rsa", "id_ed25519"}

// hidden is what a package must not take from the machine that it is made on
// (packages.md §9): other people's files, and what would tell about the machine
// or is made up by the sandbox.
var hidden = []string{
	"home", "proc", "sys",
	"etc/passwd", "etc/hosts", "etc/host.conf", "etc/nsswitch.conf", "etc/resolv.conf",
}

// private is what else the app must not see of the machine while it is developed:
// its files are read with the packager's rights, who may be root, and whatever
// was read gets into the package.
var private = []string{"root", "run", "opt/sandstorm", "etc/shadow", "etc/gshadow", "etc/ssh", "etc/ssl/private"}

// launch starts a command by way of a script that goes to the app's directory
// first: programs tend to look for their files where they are started.
func (f *Found) launch(before []string, command ...string) {
	f.Setup = launcher(before, command)
	f.Command = []string{"/bin/sh", path.Join(appDir, LauncherName)}
}

func lookGeneric(s *source, _ finder) *Found {
	f := &Found{Kind: Generic, Environ: [][2]string{{"PORT", "@PORT@"}, {"HOST", "127.0.0.1"}}}
	if words, ok := procfile(s.read("Procfile")); ok {
		f.launch(nil, words...)
		f.note("The command is the one of the web process in Procfile.")
		return f
	}
	for _, name := range []string{"start.sh", "run.sh", "serve.sh", "bin/start", "start", "run"} {
		if s.has(name) {
			f.launch(nil, "/bin/sh", path.Join(appDir, name))
			f.note("The app is started by %s; look whether that is right.", name)
			return f
		}
	}
	f.launch([]string{
		"echo 'Write into " + LauncherName + " how the app is started.' >&2",
	}, "/bin/false")
	f.note("How this app is started could not be seen. Write the command into %s, in place of /bin/false.", LauncherName)
	return f
}

// portWord stands for the port while it is checked that the words around it are
// plain.
const portWord = "8000"

// procfile reads the line "web: COMMAND" of a Procfile, if the command is
// simple enough.
func procfile(text string) ([]string, bool) {
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "web:"); ok {
			words, ok := simpleCommand(strings.ReplaceAll(strings.TrimSpace(command), "$PORT", portWord))
			for i, w := range words {
				words[i] = strings.ReplaceAll(w, portWord, portMark)
			}
			return words, ok
		}
	}
	return nil, false
}

// simpleCommand splits a command line that needs no shell.
func simpleCommand(line string) ([]string, bool) {
	words := strings.Fields(line)
	if strings.ContainsAny(line, "\n\r\v\f") || len(words) == 0 || len(words) > 50 || len(line) > 1000 || strings.Contains(words[0], "=") {
		return nil, false
	}
	for _, w := range words {
		if !isPlain(w) {
			return nil, false
		}
	}
	return words, true
}
