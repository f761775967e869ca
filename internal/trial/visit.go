package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// Bounds of the visits of one run.
const (
	maxVisits    = 300
	maxRedirects = 10
	maxParsed    = 4 << 20  // bytes of an answer in which links are sought
	maxRead      = 64 << 20 // bytes of an answer that are read at all
	visitTimeout = 20 * time.Second
)

// origin is the address that the app is told it has. Nothing listens there.
const origin = "http://trial.sandstorm.localhost:6080"

// visitor asks for pages and for what they link, as a browser would that opens
// them: scripts, styles, pictures and frames, but not the links that a person
// could click, because some of those do things.
type visitor struct {
	r      *run
	client *http.Client
	queue  []*url.URL
	seen   map[string]bool
}

// visit asks for paths, in order, and returns the status of the first one.
func (r *run) visit(ctx context.Context, paths []string) (int, error) {
	server := serve(r)
	defer server.close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		return 0, err
	}
	v := &visitor{r: r, seen: map[string]bool{}, client: &http.Client{
		Transport: server.client, Jar: jar, CheckRedirect: sameOrigin, Timeout: visitTimeout,
	}}
	base, err := url.Parse(origin + "/")
	if err != nil {
		return 0, err
	}
	for _, path := range paths {
		if err := v.add(base, path); err != nil {
			return 0, fmt.Errorf("cannot visit %q: %w", path, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, r.t.Timeout)
	defer cancel()
	return v.all(ctx)
}

func (v *visitor) all(ctx context.Context) (int, error) {
	first := 0
	for i := 0; i < len(v.queue) && i < maxVisits; i++ {
		if i > 0 && ctx.Err() != nil {
			break // enough is enough
		}
		status, err := v.get(ctx, v.queue[i])
		if i == 0 {
			if first = status; !worked(status) {
				return first, v.brokenFailure(status, err)
			}
		}
		if status == 0 && v.r.endsSoon() {
			return first, v.r.endFailure("when it was asked for " + v.queue[i].RequestURI())
		}
	}
	return first, nil
}

// get asks for one address and queues what the answer links.
func (v *visitor) get(ctx context.Context, u *url.URL) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	req.Header.Set("Accept-Language", "en")
	req.Header.Set("User-Agent", "Mozilla/5.0 (compatible; spk)")
	if v.r.action >= 0 {
		v.r.t.result.Visited = append(v.r.t.result.Visited, u.RequestURI())
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxParsed))
	if err == nil {
		_, err = io.CopyN(io.Discard, resp.Body, maxRead)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return resp.StatusCode, nil // it has answered, if not to the end
	}
	for _, link := range links(resp.Header.Get("Content-Type"), body) {
		_ = v.add(resp.Request.URL, link) // pages may link whatever they like
	}
	return resp.StatusCode, nil
}

// add queues an address of the app that was not asked for yet.
func (v *visitor) add(base *url.URL, link string) error {
	u, err := base.Parse(strings.TrimSpace(link))
	if err != nil {
		return err
	}
	u.Fragment, u.RawFragment = "", ""
	if u.Scheme+"://"+u.Host != origin || u.User != nil || len(v.queue) >= maxVisits || v.seen[u.String()] {
		return nil
	}
	v.seen[u.String()] = true
	v.queue = append(v.queue, u)
	return nil
}

func sameOrigin(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("too many redirects")
	}
	if req.URL.Scheme+"://"+req.URL.Host != origin {
		return http.ErrUseLastResponse
	}
	return nil
}

// brokenFailure says what is wrong with the answer to the first request.
func (v *visitor) brokenFailure(status int, err error) error {
	if status == 0 && v.r.endsSoon() {
		return v.r.endFailure("when it was asked for /")
	}
	f := &Failure{Reason: Broken, Log: v.r.logTail()}
	if status > 0 {
		f.Text = fmt.Sprintf("the app answers a request for / with status %d", status)
		return f
	}
	f.Text, f.Err = "the app does not answer a request for / as HTTP demands", err
	if failed := v.r.failed.Load(); failed != nil {
		f.Err = *failed
	}
	return f
}
