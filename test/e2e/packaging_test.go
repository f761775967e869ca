package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/test/harness"
)

// block is a fenced block of docs/packaging.md: its language, what stands behind
// that, and its text.
type block struct{ language, name, text string }

func readPage(t *testing.T) (blocks []block) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(harness.Root(), "docs", "packaging.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+) ?(\\S*)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		blocks = append(blocks, block{m[1], m[2], m[3]})
	}
	return blocks
}

// packager follows the page as a person would.
type packager struct {
	t    *testing.T
	dir  string // the folder of the app
	env  []string
	port int
}

// command is a shell that runs a block in the app's folder.
func (p *packager) command(text string) *exec.Cmd {
	text = strings.ReplaceAll(text, "--port 6090", fmt.Sprint("--port ", p.port))
	cmd := exec.Command("sh", "-euc", text)
	cmd.Dir, cmd.Env = p.dir, p.env
	return cmd
}

func (p *packager) run(text string) string {
	p.t.Helper()
	out, err := p.command(text).CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s%v\n%s", text, err, out)
	}
	return string(out)
}

// start runs a block that goes on until it is interrupted.
func (p *packager) start(text, until string) (interrupt func() string) {
	p.t.Helper()
	var out harness.Output
	cmd := p.command("exec " + text)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stopped := false
	stop := func() string {
		if stopped {
			return out.String()
		}
		stopped = true
		_ = cmd.Process.Signal(syscall.SIGINT)
		select {
		case err := <-ended:
			if err != nil {
				p.t.Errorf("%s%v\n%s", text, err, out.String())
			}
		case <-time.After(30 * time.Second):
			_ = cmd.Process.Kill()
			p.t.Errorf("%sdid not end\n%s", text, out.String())
		}
		return out.String()
	}
	p.t.Cleanup(func() { stop() })
	for deadline := time.Now().Add(time.Minute); !strings.Contains(out.String(), until); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%snever said %q\n%s", text, until, out.String())
		}
	}
	return stop
}

// The page takes a packager from an app's source to a running grain: this does
// what it says, word for word, and looks at the grain in between.
func TestPackagingPage(t *testing.T) {
	top := t.TempDir()
	if err := os.Chmod(top, 0o755); err != nil { // the server becomes another user
		t.Fatal(err)
	}
	p := &packager{t: t, dir: filepath.Join(top, "guestbook"), port: harness.FreePort(t)}
	p.env = append(os.Environ(), "PATH="+filepath.Join(harness.Root(), "bin")+":"+os.Getenv("PATH"), "HOME="+filepath.Join(top, "home"))
	for _, dir := range []string{"guestbook", "home", "site", "server"} {
		if err := os.Mkdir(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var dev func() string
	var grain *guestbook
	for _, b := range readPage(t) {
		switch {
		case b.language == "sh" && b.name == "server":
			p.start(b.text, "sandstorm.localhost")
		case b.language == "sh" && b.name == "dev":
			dev = p.start(b.text, "in development at http://sandstorm.localhost")
			grain = p.newGuestbook()
			grain.sign("from development")
			p.change(grain)
			if said := dev(); !strings.Contains(said, "files added") {
				t.Errorf("spk dev said\n%s", said)
			}
		case b.language == "sh":
			p.run(b.text)
		case b.name != "":
			if err := os.WriteFile(filepath.Join(p.dir, b.name), []byte(b.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	grain.shows("from development")
	grain.sign("from the package")
	grain.shows("from the package")
	grain.shows("A changed book")
	p.checkSite()
}

// guestbook is the grain, as Alice sees it.
type guestbook struct {
	p      *packager
	id     string
	client *http.Client
}

func (p *packager) newGuestbook() *guestbook {
	p.t.Helper()
	id := strings.TrimSpace(p.run("spk listkeys | head -n 1"))
	out := p.run("sandstorm grain create --data ../server --user alice --json --app " + id)
	return &guestbook{p: p, id: member(p.t, out, "id")}
}

func member(t *testing.T, text, name string) string {
	t.Helper()
	m := regexp.MustCompile(`"` + name + `": "([^"]*)"`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in %s", name, text)
	}
	return m[1]
}

// open opens the grain and returns its page. The session's address is kept for
// what follows.
func (g *guestbook) open() (page string, at *url.URL) {
	g.p.t.Helper()
	out := g.p.run("sandstorm grain open --data ../server --user alice --json " + g.id)
	g.client = harness.Browser(g.p.t, g.p.port)
	resp, err := g.client.Get(member(g.p.t, out, "url"))
	if err != nil {
		g.p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		g.p.t.Fatal(err)
	}
	return b.String(), resp.Request.URL
}

func (g *guestbook) shows(want string) {
	g.p.t.Helper()
	if page, _ := g.open(); !strings.Contains(page, want) {
		g.p.t.Errorf("the page lacks %q:\n%s", want, page)
	}
}

func (g *guestbook) sign(words string) {
	g.p.t.Helper()
	_, at := g.open()
	req, err := http.NewRequest(http.MethodPost, at.String(), strings.NewReader(url.Values{"entry": {words}}.Encode()))
	if err != nil {
		g.p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", at.Scheme+"://"+at.Host)
	resp, err := g.client.Do(req)
	if err != nil {
		g.p.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		g.p.t.Fatalf("signing: %s", resp.Status)
	}
	g.shows("Alice: " + words)
}

// change changes the app's source, which the grain shows soon.
func (p *packager) change(g *guestbook) {
	p.t.Helper()
	p.run("sed -i 's/<h1>Guest book/<h1>A changed book/' server.js")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		page, _ := g.open()
		if strings.Contains(page, "A changed book") {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the change does not show:\n%s", page)
		}
	}
}

// checkSite opens the second app of the page, whose program came from a Debian
// package, and checks that hardly more than what it needs was packed.
func (p *packager) checkSite() {
	p.t.Helper()
	list, err := os.ReadFile(filepath.Join(p.dir, "..", "site", "sandstorm-files.list"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, path := range []string{"\nsrv/index.html\n", "bin/busybox\n"} {
		if !strings.Contains(string(list), path) {
			p.t.Errorf("%q is not in the list:\n%s", path, list)
		}
	}
	if strings.Count(string(list), "\n") > 20 {
		p.t.Errorf("more than was used is in the list:\n%s", list)
	}
	id := strings.TrimSpace(p.run("spk listkeys | tail -n 1"))
	out := p.run("sandstorm grain create --data ../server --user alice --json --app " + id)
	(&guestbook{p: p, id: member(p.t, out, "id")}).shows("<h1>Hello</h1>")
}
