package gateway

import (
	"strings"

	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// permissionsPolicy goes with every response (gateway.md §4).
var permissionsPolicy = []string{"interest-cohort=()"}

// sessionFields are the fields that every response of a session's host carries,
// whatever the app says (gateway.md §4, §16). Everything that an app embeds is
// of its own origin, so the isolating ones cost it nothing.
func (g *Gateway) sessionFields(parent, own string) []bridge.Field {
	if parent == "" {
		parent = g.baseOrigin
	}
	return []bridge.Field{
		{Name: "Content-Security-Policy", Value: g.contentPolicy(parent, own)},
		// Links must not leak the random host; no-referrer would make Chrome
		// send "Origin: null".
		{Name: "Referrer-Policy", Value: "same-origin"},
		{Name: "Permissions-Policy", Value: permissionsPolicy[0]},
		{Name: "Cross-Origin-Resource-Policy", Value: "same-origin"},
		{Name: "Origin-Agent-Cluster", Value: "?1"},
	}
}

// contentPolicy always limits who may frame the app and forbids workers that
// outlive a page: a service worker could strip these very fields.
func (g *Gateway) contentPolicy(parent, own string) string {
	always := "frame-ancestors " + parent + " " + own + "; worker-src 'none'"
	if !g.opts.StrictCSP {
		return always
	}
	const loose = "'unsafe-inline' 'unsafe-eval' data: blob:; "
	_, host, _ := strings.Cut(own, "://")
	socket := "ws://"
	if g.base.scheme == "https" {
		socket = "wss://"
	}
	return "default-src 'none'; webrtc 'block'; img-src * " + loose + "media-src * " + loose +
		"script-src 'self' " + loose + "style-src 'self' " + loose + "child-src 'self' " + loose +
		"font-src 'self' " + loose + "frame-src 'self' " + g.baseOrigin + " " + loose +
		"connect-src 'self' " + socket + host + "; " + always
}
