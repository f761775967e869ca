//go:build linux && amd64

package sandbox

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/host"
)

// install copies a program and the libraries that it is linked with into the
// package, at the same paths.
func (b *box) install(programs ...string) {
	b.t.Helper()
	path := regexp.MustCompile(`(?m)(/\S+) \(0x`)
	for _, program := range programs {
		b.copy(program)
		out, err := exec.Command("ldd", program).Output()
		b.must(err)
		for _, m := range path.FindAllStringSubmatch(string(out), -1) {
			b.copy(m[1])
		}
	}
}

func (b *box) copy(path string) {
	b.t.Helper()
	target := filepath.Join(b.Root, path)
	if _, err := os.Stat(target); err == nil {
		return
	}
	data, err := os.ReadFile(path)
	b.must(err)
	b.must(os.MkdirAll(filepath.Dir(target), 0o755))
	b.must(os.WriteFile(target, data, 0o755))
}

func (b *box) copyDir(dir string, skip func(string) bool) {
	b.t.Helper()
	b.must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skip(d.Name()):
			return fs.SkipDir
		case d.Type().IsRegular():
			b.copy(path)
		}
		return nil
	}))
}

// Programs of the base system, linked with glibc, through pipes and children.
func TestShell(t *testing.T) {
	b := newBox(t, newLauncher(t))
	b.install("/bin/sh", "/bin/cat", "/bin/ls", "/usr/bin/id", "/bin/uname", "/bin/echo", "/bin/sleep", "/usr/bin/timeout")
	b.must(os.WriteFile(filepath.Join(b.Root, "run"), []byte(`#!/bin/sh
set -e
PATH=/bin:/usr/bin
echo "$0 $1 $GREETING"
id -u; id -g
uname -n
ulimit -Sn; ulimit -Hn
umask
echo data | cat > /var/file
cat /var/file
ls /dev
(echo child & wait)
sleep 0.01
timeout 5 echo in time
test ! -e /proc/self && echo no proc
(exit 3) || echo "status $?"
`), 0o755))
	b.Argv, b.Env = []string{"/run", "first"}, []string{"GREETING=hello"}
	out, exit := b.output()
	want := "/run first hello\n1000\n1000\nsandbox\n1024\n4096\n0007\ndata\nnull\nrandom\nshm\nurandom\nzero\nchild\nin time\nno proc\nstatus 3\n"
	if out != want || exit != (host.Exit{}) {
		t.Errorf("%+v\n%s", exit, out)
	}
	info, err := os.Stat(filepath.Join(b.Var, "file"))
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v %v", info, err)
	}
}

// Interpreters that are installed on this machine; Perl is part of Debian's
// base system.
func TestInterpreters(t *testing.T) {
	l := newLauncher(t)
	notTests := func(name string) bool { return name == "test" || name == "dist-packages" || name == "__pycache__" }
	for _, test := range []struct {
		program string
		dirs    string
		argv    []string
	}{
		{"/usr/bin/perl", "", []string{"-e", `fork or exit 0; wait; print "works\n"`}},
		{"/usr/bin/node", "", []string{"-e", `
			const os = require("os"), http = require("http"), {Worker} = require("worker_threads");
			if (Object.keys(os.networkInterfaces()).join() != "lo") throw "interfaces";
			const s = http.createServer((q, r) => r.end("works")).listen(8000, "127.0.0.1", () =>
				http.get("http://127.0.0.1:8000/", r => r.on("data", d => {
					new Worker("1", {eval: true}).on("exit", () => { console.log("" + d); process.exit(0) })
				})))`}},
		{"/usr/bin/python3", "/usr/lib/python3*", []string{"-c", `
import subprocess, threading, socket, tempfile, sqlite3, sys
t = threading.Thread(target=lambda: None); t.start(); t.join()
sqlite3.connect("/var/db").execute("create table t(x)").close()
tempfile.NamedTemporaryFile()
assert subprocess.run([sys.executable, "-c", "print('works')"]).returncode == 0`}},
	} {
		program, err := filepath.EvalSymlinks(test.program)
		if err != nil {
			t.Logf("%s is not on this machine", test.program)
			continue
		}
		b := newBox(t, l)
		b.install(program)
		dirs, err := filepath.Glob(test.dirs)
		b.must(err)
		for _, dir := range dirs {
			b.copyDir(dir, notTests)
			extensions, err := filepath.Glob(dir + "/lib-dynload/*sqlite*.so")
			b.must(err)
			b.install(extensions...)
		}
		b.Argv = append([]string{program}, test.argv...)
		out, exit := b.output()
		if strings.TrimSpace(out) != "works" || exit != (host.Exit{}) {
			t.Errorf("%s: %+v\n%s", test.program, exit, out)
		}
	}
}
