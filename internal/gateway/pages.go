package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// Problem is what a person may be told of a request that failed.
type Problem struct {
	Status int
	Key    string            // of the message; see messages for those of this package
	Args   map[string]string // for the message
	ID     string            // names the request in the log
}

// problem answers with an error page and logs the cause, which never leaves.
func (g *Gateway) problem(w http.ResponseWriter, r *http.Request, err error) {
	p := &Problem{Status: sandstorm.KindOf(err).HTTPStatus(), Key: "internal", ID: requestID()}
	var failure *bridge.Failure
	if errors.As(err, &failure) {
		p.Status = failure.Status
	}
	var e *sandstorm.Error
	if errors.As(err, &e) && e.Kind != sandstorm.Internal && e.Key != "" {
		p.Key, p.Args = e.Key, e.Args
	}
	level := slog.LevelDebug
	if p.Status >= 500 && r.Context().Err() == nil {
		level = slog.LevelWarn
	}
	g.opts.Log.LogAttrs(r.Context(), level, "request failed", slog.String("req", p.ID),
		slog.Int("status", p.Status), slog.String("method", r.Method), slog.String("host", shortHost(r.Host)), slog.Any("err", err))
	h := w.Header()
	clear(h)
	h["Permissions-Policy"] = permissionsPolicy
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors "+g.baseOrigin)
	if p.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "2")
	}
	if p.Status == http.StatusUpgradeRequired {
		h.Set("Sec-WebSocket-Version", "13")
	}
	// What is left of a large body is not worth reading.
	if r.ProtoMajor == 1 && r.ContentLength != 0 {
		h.Set("Connection", "close")
	}
	g.opts.ErrorPage(w, r, p)
}

// shortHost is what may be logged of a host name, which is a bearer secret.
func shortHost(host string) string { return host[:min(len(host), len("ui-")+6)] }

func requestID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// messages are the texts of the default error page, by key. With a catalogue,
// Options.ErrorPage supplies them instead.
var messages = map[string]string{
	"internal":                 "Something went wrong on the server.",
	"gateway.unknown-host":     "There is nothing at this address. This server is at {url}.",
	"gateway.not-found":        "There is nothing at this address.",
	"gateway.no-api":           "There is no API at this address.",
	"session.no-cookie":        "This page was not opened from the server, or your browser does not keep its cookies. Please open it again from there.",
	"session.ended":            "This page was closed. Please open it again.",
	"session.wrong-host":       "This link does not belong to this address. Please open the page again.",
	"session.bad-init":         "This link is damaged. Please open the page again.",
	"session.foreign-request":  "Another web site tried to act in this app. The request was refused.",
	"session.busy":             "Too many requests at a time. Please try again in a moment.",
	"bridge.busy":              "Too many requests at a time. Please try again in a moment.",
	"bridge.method":            "The app does not know this kind of request.",
	"bridge.media-type":        "The app does not take this kind of content.",
	"bridge.destination":       "The destination is not within this app.",
	"bridge.bad-request":       "The request was malformed.",
	"bridge.client-gone":       "The request broke off.",
	"bridge.too-large":         "The request was too large.",
	"bridge.websocket-version": "This kind of WebSocket is not supported.",
	"bridge.bad-response":      "The app gave an answer that makes no sense.",
	"bridge.no-answer":         "The app broke off without an answer.",
	"bridge.gone":              "The app was stopped. Please try again.",
}

var errorPage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Status}}</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1.5rem}small{opacity:.7}</style>
<p>{{.Text}}</p>
<p><small>{{.ID}}</small></p>
`))

// plainErrorPage is a self-contained page in English.
func plainErrorPage(w http.ResponseWriter, r *http.Request, p *Problem) {
	text, ok := messages[p.Key]
	if !ok {
		text = http.StatusText(p.Status)
	}
	for name, value := range p.Args {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		errorPage.Execute(w, struct {
			Status   int
			Text, ID string
		}{p.Status, text, p.ID})
	}
}
