package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
	"github.com/sandstorm-go/sandstorm/test/browsertest"
)

// A person begins a repository in the page; commits and pushes carry names of
// the platform.
func TestPageInTheBrowser(t *testing.T) {
	g := graintest.Start(t, "git")
	ctx := browsertest.Open(t)
	writer := g.As("Ann <Öl>", "read", "write")
	browsertest.Run(t, ctx, chromedp.Navigate(writer.URL+"/"))
	browsertest.WaitFor(t, ctx, `!document.querySelector("#no-shell").hidden`)
	browsertest.Check(t, ctx, "git-empty")
	browsertest.Run(t, ctx,
		chromedp.SendKeys(chromedp.CSS("#readme"), "Pumps & valves, <b>all</b> of them.\n\n"),
		chromedp.Click(chromedp.CSS("form[action='/begin'] button")))
	browsertest.WaitFor(t, ctx, `document.querySelector("#readme-text")?.textContent.includes("Pumps & valves, <b>all</b>")`)
	browsertest.WaitFor(t, ctx, `document.querySelector("#commits bdi").textContent === "Ann Öl" && document.querySelector("#pushes bdi").textContent === "Ann Öl"`)

	c := newClient(t)
	c.git("clone", "--quiet", writer.URL+"/garden.git", ".")
	if got := c.git("log", "-1", "--format=%an %cn %ce"); !strings.HasPrefix(got, "Ann Öl Ann Öl ") || !strings.HasSuffix(got, "@grain.invalid") {
		t.Errorf("the first commit is by %q", got)
	}
	c.write("docs/plan.txt", []byte("beds\n"))
	c.git("add", ".")
	c.git("commit", "--quiet", "-m", "A plan for the beds")
	c.git("push", "--quiet", g.As("Zoë", "read", "write").URL+"/garden.git", "HEAD:main", "HEAD:draft")
	g.Restart()

	reader := g.As("Rita", "read").URL
	browsertest.Run(t, ctx, chromedp.Navigate(reader+"/"))
	browsertest.WaitFor(t, ctx, `document.querySelector("#pushes").innerText.includes("Zoë") && !document.querySelector("form")`)
	browsertest.Check(t, ctx, "git-full")
	browsertest.Run(t, ctx, chromedp.Click(chromedp.CSS("#commits li:first-child a")))
	browsertest.WaitFor(t, ctx, `document.querySelector("div.commit-subject")?.textContent.includes("A plan for the beds") && document.querySelector("table.diff div.add")?.textContent === "+beds"`)
	browsertest.WaitFor(t, ctx, `getComputedStyle(document.querySelector("table.diff div.add")).backgroundColor !== "rgba(0, 0, 0, 0)"`)
	browsertest.Run(t, ctx, chromedp.Navigate(reader+"/code/tree/docs/plan.txt"))
	browsertest.WaitFor(t, ctx, `document.querySelector("table.blob")?.innerText.includes("beds")`)

	browsertest.Run(t, ctx, chromedp.Navigate(g.As("Ann", "read", "write").URL+"/"))
	browsertest.Eval[bool](t, ctx, `(document.querySelector("#branch").value = "draft", true)`)
	browsertest.Run(t, ctx, chromedp.Click(chromedp.CSS("form[action='/branch'] button")))
	browsertest.WaitFor(t, ctx, `document.readyState === "complete" && document.querySelector("#branch option[selected]")?.value === "draft"`)
	again := newClient(t)
	again.git("clone", "--quiet", reader+"/garden.git")
	again.dir = filepath.Join(again.dir, "garden")
	if got := again.git("branch", "--show-current"); got != "draft" {
		t.Errorf("the clone has %q", got)
	}
}
