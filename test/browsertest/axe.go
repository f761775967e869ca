package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// axeVersion is the accessibility checker that the pages must satisfy.
const axeVersion = "4.14.1"

// Axe fails the test for every violation that axe-core finds in the page.
func (p *Page) Axe(where string) {
	p.Helper()
	axe(p.TB, p.Ctx, where)
}

func axe(t testing.TB, ctx context.Context, where string) {
	t.Helper()
	source, err := axeSource()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*Patience)
	defer cancel()
	type violation struct {
		ID    string `json:"id"`
		Help  string `json:"help"`
		Nodes []struct {
			HTML    string `json:"html"`
			Summary string `json:"failureSummary"`
		} `json:"nodes"`
	}
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](source)); err != nil {
		t.Fatal(err)
	}
	// Frames are other origins: they are checked where they are tested.
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]violation](
		`axe.run(document, {iframes: false, resultTypes: ["violations"]}).then((r) => r.violations)`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: axe-core: %v", where, err)
	}
	for _, v := range found {
		for _, n := range v.Nodes {
			t.Errorf("%s: axe-core: %s (%s)\n\t%.300s\n\t%s", where, v.ID, v.Help, n.HTML, strings.ReplaceAll(n.Summary, "\n", "\n\t"))
		}
	}
}

// axeSource returns the source of axe-core: as the browser tests of the shell
// installed it, else npm fetches it once into build/.
var axeSource = sync.OnceValues(func() (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("the source of this package is not where it was built")
	}
	root := filepath.Join(filepath.Dir(here), "..", "..")
	const inside = "node_modules/axe-core/axe.min.js"
	dir := filepath.Join(root, "build", "axe-core-"+axeVersion)
	for _, file := range []string{filepath.Join(dir, inside), filepath.Join(root, "test", "browser", inside)} {
		if b, err := os.ReadFile(file); err == nil {
			return string(b), nil
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	npm := exec.Command("npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", dir, "axe-core@"+axeVersion)
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm: %w\n%s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, inside))
	return string(b), err
})
