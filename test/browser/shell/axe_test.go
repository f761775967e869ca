//go:build browser

package shell_test

import (
	"os"
	"strings"

	"github.com/chromedp/chromedp"
)

// axeFile is axe-core as npm installs it for the tests (make test-browser does).
const axeFile = "../node_modules/axe-core/axe.min.js"

// axe fails the test for every violation that axe-core finds in the page.
func (b *tab) axe(where string) {
	b.Helper()
	source, err := os.ReadFile(axeFile)
	if err != nil {
		b.Fatalf("axe-core is not installed: run npm ci in test/browser: %v", err)
	}
	type violation struct {
		ID    string `json:"id"`
		Help  string `json:"help"`
		Nodes []struct {
			HTML    string `json:"html"`
			Summary string `json:"failureSummary"`
		} `json:"nodes"`
	}
	eval[chromedp.Void](b, string(source))
	found := eval[[]violation](b, `axe.run(document, {iframes: false}).then((r) => r.violations)`)
	for _, v := range found {
		for _, n := range v.Nodes {
			b.Errorf("%s: %s (%s)\n\t%s\n\t%s", where, v.ID, v.Help, n.HTML, strings.ReplaceAll(n.Summary, "\n", "\n\t"))
		}
	}
}
