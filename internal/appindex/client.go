package appindex

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/sandstorm-go/sandstorm"
)

// Status asks what the index thinks of a package. key is the app's current one.
func (c *Client) Status(ctx context.Context, key ed25519.PrivateKey, pkg sandstorm.PackageID) (*Status, error) {
	body, err := request(c.Webkey, key, pkg, nil, 0)
	if err != nil {
		return nil, err
	}
	return c.postStatus(ctx, body)
}

// SetState tells the index what to do with a package. sequence has to grow from
// call to call: the Unix time does. If the verdict of the reply is NotUploaded,
// nothing was changed.
func (c *Client) SetState(ctx context.Context, key ed25519.PrivateKey, pkg sandstorm.PackageID, state State, sequence uint64) (*Status, error) {
	body, err := request(c.Webkey, key, pkg, &state, sequence)
	if err != nil {
		return nil, err
	}
	return c.postStatus(ctx, body)
}

// Submit is SetState with the present time, and Upload before it if the index
// lacks the package. file is read from its start if it is needed.
func (c *Client) Submit(ctx context.Context, key ed25519.PrivateKey, pkg sandstorm.PackageID, state State, file io.ReadSeeker) (*Status, error) {
	sequence := uint64(time.Now().Unix())
	status, err := c.SetState(ctx, key, pkg, state, sequence)
	if err != nil || status.Verdict != NotUploaded {
		return status, err
	}
	if err := c.Upload(ctx, file); err != nil {
		return nil, err
	}
	status, err = c.SetState(ctx, key, pkg, state, sequence)
	if err == nil && status.Verdict == NotUploaded {
		return nil, errors.New("the index took the package but says that it does not have it: try again later, or ask those who run it")
	}
	return status, err
}

// Upload sends a package file, from its start.
func (c *Client) Upload(ctx context.Context, file io.ReadSeeker) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("upload package: %w", err)
	}
	reply, err := c.post(ctx, "/upload", file, size)
	if err != nil {
		return err
	}
	if len(reply) > 0 {
		return fmt.Errorf("the index refuses the package: %s", printable(reply, 2000))
	}
	return nil
}

func (c *Client) postStatus(ctx context.Context, body []byte) (*Status, error) {
	reply, err := c.post(ctx, "/status", bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, err
	}
	return parseReply(reply)
}

// post returns the body of a good response. The token goes to no other address
// than the webkey's: redirects are errors.
func (c *Client) post(ctx context.Context, path string, body io.Reader, size int64) ([]byte, error) {
	watch, ctx := watchProgress(ctx, c.stall())
	defer watch.stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Webkey.url+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask the index: %w", err)
	}
	req.Body, req.ContentLength, req.Close = io.NopCloser(watch.reader(body, nil)), size, true
	req.Header.Set("Authorization", "Bearer "+c.Webkey.token())
	req.Header.Set("Content-Type", "application/octet-stream")
	if path == "/upload" {
		req.Body = io.NopCloser(watch.reader(body, c.Progress))
		req.Header.Set("Expect", "100-continue") // it may refuse before it has got everything
	}
	client := http.Client{
		Transport:     c.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(watch.reader(resp.Body, nil), maxReply+1))
	switch {
	case err != nil:
		return nil, c.explain(ctx, err)
	case len(reply) > maxReply:
		return nil, fmt.Errorf("the index's reply is larger than %d KiB: is %s the address of an app index?", maxReply>>10, c.Webkey.url)
	case resp.StatusCode/100 == 3:
		return nil, fmt.Errorf("%s wants to send us to %s: if that is right, use it in the webkey", c.Webkey.url, printable([]byte(resp.Header.Get("Location")), 200))
	case resp.StatusCode/100 != 2:
		return nil, fmt.Errorf("the index refuses with status %d: %s", resp.StatusCode, printable(reply, 2000))
	}
	return reply, nil
}

// explain says what failed without the request's URL twice.
func (c *Client) explain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return fmt.Errorf("the index at %s cannot be reached: %w", c.Webkey.url, err)
}

// printable makes text of a stranger harmless to a terminal, and at most limit
// bytes long.
func printable(b []byte, limit int) string {
	if len(b) > limit {
		b = append(b[:limit:limit], "…"...)
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(string(b), "\ufffd")))
}
