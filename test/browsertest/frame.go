package browsertest

import (
	"context"
	"strings"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Target attaches to another part of the tab's browser context: a frame of
// another origin ("iframe"), or a tab that a page opened ("page"). It waits for
// one whose address begins with prefix and that nothing was attached to yet.
func (p *Page) Target(kind, prefix string) *Page {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	for {
		if id, ok := p.find(ctx, kind, prefix); ok {
			sub, stop := chromedp.NewContext(p.Ctx, chromedp.WithTargetID(id), chromedp.WithDetachOnCancel())
			return newPage(p.TB, sub, stop, p.Base)
		}
		select {
		case <-ctx.Done():
			p.fail("no %s at %s", kind, prefix)
		case <-time.After(25 * time.Millisecond):
		}
	}
}

func (p *Page) find(ctx context.Context, kind, prefix string) (target.ID, bool) {
	all, err := chromedp.Targets(ctx)
	if err != nil {
		return "", false
	}
	mine := chromedp.FromContext(p.Ctx).BrowserContextID
	for _, t := range all {
		if t.Type == kind && strings.HasPrefix(t.URL, prefix) && (mine == "" || t.BrowserContextID == mine) {
			return t.TargetID, true
		}
	}
	return "", false
}
