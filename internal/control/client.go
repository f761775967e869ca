package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/sandstorm-go/sandstorm"
)

// Client speaks to a running server through its socket.
type Client struct {
	http   *http.Client
	socket string
}

// NewClient makes a client; it connects with the first call.
func NewClient(socket string) *Client {
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// Error is what a command prints: the message for people, then the detail.
type Error struct {
	Kind    sandstorm.Kind
	Key     string // of the message, for programs; may be empty
	Message string
	Detail  string
}

// Error is the text on standard error.
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Message
	}
	return e.Message + " (" + e.Detail + ")"
}

// Status asks how the server is doing.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.call(ctx, http.MethodGet, "/status", nil, &s)
}

// InstallFile installs a .spk for everybody.
func (c *Client) InstallFile(ctx context.Context, src io.Reader) (a App, err error) {
	return a, c.send(ctx, http.MethodPost, "/apps", "application/octet-stream", src, &a)
}

// InstallURL lets the server fetch a .spk and installs it for everybody.
func (c *Client) InstallURL(ctx context.Context, address string) (a App, err error) {
	return a, c.call(ctx, http.MethodPost, "/apps", installURL{address}, &a)
}

// Apps lists the installed apps.
func (c *Client) Apps(ctx context.Context) (apps []App, err error) {
	return apps, c.call(ctx, http.MethodGet, "/apps", nil, &apps)
}

// Users lists the accounts.
func (c *Client) Users(ctx context.Context) (users []User, err error) {
	return users, c.call(ctx, http.MethodGet, "/users", nil, &users)
}

// CreateUser makes an account that signs in with an e-mail address or, where
// development accounts are allowed, by name.
func (c *Client) CreateUser(ctx context.Context, name, email string, role sandstorm.Role) (u User, err error) {
	return u, c.call(ctx, http.MethodPost, "/users", createUser{name, email, role}, &u)
}

// Grains lists grains, of one user if user is not empty.
func (c *Client) Grains(ctx context.Context, user string) (grains []Grain, err error) {
	return grains, c.call(ctx, http.MethodGet, "/grains?user="+url.QueryEscape(user), nil, &grains)
}

// CreateGrain makes a grain of an app for a user.
func (c *Client) CreateGrain(ctx context.Context, app string, action int, user, title string) (g Grain, err error) {
	return g, c.call(ctx, http.MethodPost, "/grains", createGrain{app, action, user, title}, &g)
}

// StartGrain starts a grain and returns when its command was executed.
func (c *Client) StartGrain(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, grainPath(id)+"/start", nil, nil)
}

// StopGrain stops a grain.
func (c *Client) StopGrain(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, grainPath(id)+"/stop", nil, nil)
}

// DeleteGrain deletes a grain for good, in the trash or not.
func (c *Client) DeleteGrain(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, grainPath(id), nil, nil)
}

// OpenGrain mints a session of the grain for the user.
func (c *Client) OpenGrain(ctx context.Context, id, user, path string) (s Session, err error) {
	return s, c.call(ctx, http.MethodPost, grainPath(id)+"/open", openGrain{user, path}, &s)
}

// GrainLog streams the grain's log.
func (c *Client) GrainLog(ctx context.Context, id string, backlog int64, follow bool) (io.ReadCloser, error) {
	q := url.Values{"backlog": {strconv.FormatInt(backlog, 10)}, "follow": {strconv.FormatBool(follow)}}
	resp, err := c.do(ctx, http.MethodGet, grainPath(id)+"/log?"+q.Encode(), "", nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func grainPath(id string) string { return "/grains/" + url.PathEscape(id) }

// call sends in as JSON, unless it is nil, and decodes the answer into out.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	if in == nil {
		return c.send(ctx, method, path, "", nil, out)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.send(ctx, method, path, "application/json", bytes.NewReader(body), out)
}

func (c *Client) send(ctx context.Context, method, path, contentType string, body io.Reader, out any) error {
	resp, err := c.do(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

func (c *Client) do(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://sandstorm"+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	var f failure
	if err := json.NewDecoder(resp.Body).Decode(&f); err != nil {
		return nil, fmt.Errorf("the server answered %s", resp.Status)
	}
	return nil, f.error()
}

func (c *Client) unreachable(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return &Error{
			Kind:    sandstorm.Unavailable,
			Message: "No server answers at " + c.socket + ". Is it running, and is this its data directory? (--config FILE or --data DIR)",
			Detail:  op.Err.Error(),
		}
	}
	return err
}
