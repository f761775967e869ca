package trial_test

import (
	"slices"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/devfs"
	"github.com/sandstorm-go/sandstorm/internal/trial"
)

const nodeApp = `
const http = require('http'), greet = require('greet');
if (require('fs').existsSync('/app/marker')) console.log('marked');
http.createServer((q, r) => { r.setHeader('Content-Type', 'text/plain'); r.end(greet(q.url)); }).listen(8000, '127.0.0.1');
`

// TestNode runs an app on this machine's Node.js, whose libraries come out of
// the machine's root, as package definitions have always had it.
func TestNode(t *testing.T) {
	tr := newTree(t, map[string]string{
		"app/server.js":                        nodeApp,
		"app/node_modules/greet/package.json":  `{"name": "greet", "main": "lib.js"}`,
		"app/node_modules/greet/lib.js":        "module.exports = u => 'hello ' + u;",
		"app/node_modules/unused/package.json": "{}",
		"app/node_modules/greet/lib.unused.js": "",
	})
	tr.files["app/marker"] = &devfs.Entry{}
	delete(tr.files, "")
	tr.below = "/"
	tr.hide = []string{"home", "root", "proc", "sys", "tmp", "etc/passwd", "etc/hosts", "etc/resolv.conf"}
	result, err := run(t, trial.Options{Tree: tr, Package: pack(t, "node", "/app/server.js")})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"app/server.js", "app/marker", "app/node_modules/greet/lib.js", "app/node_modules/greet/package.json"} {
		if !slices.Contains(result.Used, path) {
			t.Errorf("%s is not among what was used: %q", path, result.Used)
		}
	}
	for _, path := range []string{"app/node_modules/unused/package.json", "app/node_modules/greet/lib.unused.js"} {
		if slices.Contains(result.Used, path) {
			t.Errorf("%s is among what was used", path)
		}
	}
	if n := len(result.Used); n < 8 || n > 200 {
		t.Errorf("%d paths were used: %q", n, result.Used)
	}
	t.Logf("ready after %v and %v, %d paths", result.Ready, result.ReadyAgain, len(result.Used))
}
