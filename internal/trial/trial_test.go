package trial_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/devfs"
	"github.com/sandstorm-go/sandstorm/internal/trial"
)

var appID = sandstorm.AppIDFromKey([32]byte{1, 2, 3})

const settle = 200 * time.Millisecond

// run makes a trial and checks that nothing of it stays behind.
func run(t *testing.T, o trial.Options) (*trial.Result, error) {
	t.Helper()
	before := leftovers(t)
	o.App, o.Settle = appID, settle
	result, err := trial.Run(t.Context(), o)
	if after := leftovers(t); !slices.Equal(before, after) {
		t.Errorf("left behind: %q, before %q", after, before)
	}
	return result, err
}

// leftovers are directories and processes of trials of this process's user.
func leftovers(t *testing.T) []string {
	t.Helper()
	out, err := filepath.Glob(filepath.Join(os.TempDir(), "spk-trial-*"))
	must(t, err)
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	for _, path := range processes {
		if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), "\x00trial-host\x00"+os.TempDir()) {
			out = append(out, path)
		}
	}
	return out
}

func TestTrial(t *testing.T) {
	tr := newTree(t, map[string]string{
		"www/home/index.html": `<link rel=stylesheet href="../style.css"><script type=module src=/main.js></script>
			<img src="a%20b.png"><a href="/clicked.html">do not</a><img src="http://elsewhere.example/x.png">`,
		"www/style.css":      `body { background: url("img/back.png") }`,
		"www/img/back.png":   "PNG",
		"www/main.js":        `import { x } from "./deep/module.js";`,
		"www/deep/module.js": "export const x = 1",
		"www/home/a b.png":   "PNG",
		"www/clicked.html":   "no",
		"www/extra.html":     "<iframe src='framed.html'></iframe>",
		"www/framed.html":    "framed",
		"data/first":         "1",
		"data/continued":     "2",
		"data/unused":        "3",
	})
	var log strings.Builder
	var progress []string
	result, err := run(t, trial.Options{
		Tree: tr, Package: pack(t, "/app", "serve", "8000"), Visit: []string{"/extra.html"},
		Log: &log, Progress: func(s string) { progress = append(progress, s) },
	})
	must(t, err)
	want := []string{
		"app", "data/continued", "data/first", "www/deep/module.js", "www/extra.html", "www/framed.html",
		"www/home/a b.png", "www/home/index.html", "www/img/back.png", "www/main.js", "www/style.css",
	}
	// A server of files opens the directory of a page before the page.
	used := slices.DeleteFunc(slices.Clone(result.Used), func(p string) bool { e := tr.files[p]; return e != nil && e.Dir })
	if !slices.Equal(used, want) {
		t.Errorf("used %q,\nwant %q", used, want)
	}
	if result.Status != 200 || result.Ready <= 0 || result.ReadyAgain <= 0 {
		t.Errorf("result is %+v", result)
	}
	if !slices.Contains(result.Visited, "/img/back.png") || result.Visited[0] != "/" {
		t.Errorf("visited %q", result.Visited)
	}
	if got := log.String(); strings.Count(got, "app: [serve 8000]") == 0 {
		t.Errorf("log is %q", got)
	}
	if len(progress) < 3 {
		t.Errorf("progress is %q", progress)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name   string
		argv   []string
		add    map[string]*devfs.Entry
		reason trial.Reason
		want   []string // in the message
	}{
		{"exits", []string{"/app", "exit", "7"}, nil, trial.Ended, []string{"ended with status 7 before it listened", "this is the last line"}},
		{"crashes", []string{"/app", "crash", "8000"}, nil, trial.Ended, []string{"ended with status 3", "/"}},
		{"another port", []string{"/app", "serve", "3000"}, nil, trial.Silent, []string{"port 8000", "port 3000"}},
		{"no port", []string{"/app", "silent"}, nil, trial.Silent, []string{"port 8000"}},
		{"error", []string{"/app", "status", "8000", "500"}, nil, trial.Broken, []string{"status 500"}},
		{"no HTTP", []string{"/app", "garbage", "8000"}, nil, trial.Broken, []string{"HTTP"}},
		{"missing", []string{"/nowhere/app"}, nil, trial.NoProgram, []string{"no /nowhere/app"}},
		{"not in PATH", []string{"nowhere"}, nil, trial.NoProgram, []string{"nowhere", "PATH"}},
		{"not executable", []string{"/plain"}, map[string]*devfs.Entry{"plain": {Content: []byte("x")}}, trial.NoProgram, []string{"/plain", "not executable"}},
		{"no interpreter", []string{"/script"}, map[string]*devfs.Entry{"script": {Content: []byte("#!/nope/sh\n"), Exec: true}}, trial.NoProgram, []string{"interpreter"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTree(t, nil)
			for path, e := range c.add {
				tr.files[path] = e
			}
			_, err := run(t, trial.Options{Tree: tr, Package: pack(t, c.argv...), Timeout: 2 * time.Second})
			if !errors.Is(err, &trial.Failure{Reason: c.reason}) {
				t.Fatalf("error is %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in:\n%v", want, err)
				}
			}
		})
	}
}

func TestRawAPI(t *testing.T) {
	_, err := run(t, trial.Options{Tree: newTree(t, nil), Package: packCommand(t, "/app", "serve", "8000")})
	if !errors.Is(err, &trial.Failure{Reason: trial.RawAPI}) {
		t.Errorf("error is %v", err)
	}
}

// A person who gives up waits no longer than it takes to clean up.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	before := leftovers(t)
	_, err := trial.Run(ctx, trial.Options{
		Tree: newTree(t, nil), Package: pack(t, "/app", "silent"), App: appID,
		Progress: func(string) { time.AfterFunc(100*time.Millisecond, cancel) },
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if after := leftovers(t); !slices.Equal(before, after) {
		t.Errorf("left behind: %q", after)
	}
}

// A tool that is killed cannot clean up; the host process that it started does.
func TestKilled(t *testing.T) {
	if os.Getenv(envVictim) != "" {
		o := trial.Options{Tree: newTree(t, nil), Package: pack(t, "/app", "silent"), App: appID, Log: os.Stdout}
		_, err := trial.Run(t.Context(), o)
		t.Fatal("not killed: ", err)
	}
	before := leftovers(t)
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestKilled$")
	cmd.Env = append(os.Environ(), envVictim+"=1")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "app: [silent]") { // the app runs
			break
		}
	}
	if len(leftovers(t)) == len(before) {
		t.Error("the trial that is to be killed is not seen")
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	deadline := time.Now().Add(20 * time.Second)
	for !slices.Equal(leftovers(t), before) {
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %q", leftovers(t))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Nobody else can have the host process delete a directory.
func TestNotForPeople(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "trial"), nil, 0o600))
	for _, args := range [][]string{{dir, strconv.Itoa(os.Getpid())}, {dir, "0"}, {"/", "1"}, {"", ""}} {
		out, err := exec.Command("/proc/self/exe", append([]string{"trial-host"}, args...)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "not for people") {
			t.Errorf("%q: %v, %s", args, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "trial")); err != nil {
		t.Error(err)
	}
}
