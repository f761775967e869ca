//go:build linux

package hostproc

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// FirstPage starts a grain and asks for its first page, as the bridge does for
// a visitor with all permissions. It returns how long that took.
func FirstPage(ctx context.Context, client host.Client, pkg *sandstorm.Package, req host.StartRequest) (time.Duration, *host.GrainStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	began := time.Now()
	status, err := StartGrain(ctx, client, req)
	if err != nil {
		return 0, nil, err
	}
	browser := &http.Client{
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return client.DialGrain(ctx, status.Grain, status.Instance)
		}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if err := get(ctx, browser, pkg.Bridge); err != nil {
		return 0, nil, err
	}
	return time.Since(began), status, nil
}

func get(ctx context.Context, browser *http.Client, bridge *sandstorm.BridgeConfig) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://grain/", nil)
	if err != nil {
		return err
	}
	var permissions []string
	if bridge != nil {
		for _, p := range bridge.Permissions {
			permissions = append(permissions, p.Name)
		}
	}
	for name, value := range map[string]string{
		"X-Sandstorm-User-Id": strings.Repeat("1a", 16), "X-Sandstorm-Username": "Alice", "X-Sandstorm-Preferred-Handle": "alice",
		"X-Sandstorm-Permissions": strings.Join(permissions, ","), "X-Sandstorm-Tab-Id": strings.Repeat("2b", 16),
		"X-Sandstorm-Base-Path": "http://grain", "X-Sandstorm-Session-Id": "0",
	} {
		req.Header.Set(name, value)
	}
	resp, err := browser.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode >= 500 {
		err = fmt.Errorf("the app answered %s", resp.Status)
	}
	return err
}
