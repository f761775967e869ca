package bridge

import (
	"context"
	"strings"
	"sync"

	"github.com/sandstorm-go/sandstorm"
)

// Session is what an app is told of the session that a request belongs to. The
// fields must not change after first use; change means a new Session.
type Session struct {
	UserID      string   // 32 lower-case hex digits; empty if anonymous
	Username    string   // display name as people see it; empty is Anonymous User
	TabID       string   // 32 hex digits
	Permissions []string // names that are held
	Handle      string   // preferred handle
	Picture     string   // URL
	Pronouns    string   // male, female or robot; empty is neutral
	Type        string   // normal (also if empty), request or offer
	ID          string   // decimal counter per run of the grain
	// BasePath is scheme://host[:port] of the session's host. Empty makes an
	// API session: no base path, host or scheme for the app, paths below
	// AppOptions.APIPath, no cookies either way (gateway.md §6, §11).
	BasePath string

	once  sync.Once
	block string // the fixed part of the head that the app sees
	host  string // of BasePath
	https bool
	err   error
	life  context.Context
	end   context.CancelFunc
}

// Close ends the session: streams and WebSockets are cut, further requests are
// refused as Denied.
func (s *Session) Close() {
	s.init()
	s.end()
}

func (s *Session) init() { s.once.Do(s.prepare) }

// ready returns why the session cannot be served, if so.
func (s *Session) ready() error {
	s.init()
	if s.err != nil {
		return s.err
	}
	if s.life.Err() != nil {
		return &Failure{Status: 403, Unsent: true, Err: sandstorm.Errorf(sandstorm.Denied, "session.ended", "the session was closed")}
	}
	return nil
}

// prepare formats the header block of gateway.md §11 once for all requests.
func (s *Session) prepare() {
	s.life, s.end = context.WithCancel(context.Background())
	var b strings.Builder
	add := func(name, value string) {
		if !isValue(value) {
			s.err = &Failure{Status: 500, Err: sandstorm.Errorf(sandstorm.Internal, "", "session: %s %.80q cannot be a header", name, value)}
		}
		b.WriteString(name + ": " + value + "\r\n")
	}
	if s.BasePath == "" {
		add("Host", "sandbox")
	} else {
		scheme, host, _ := strings.Cut(s.BasePath, "://")
		s.host, s.https = host, scheme == "https"
		add("Host", host)
		add("X-Forwarded-Proto", scheme)
		add("X-Sandstorm-Base-Path", s.BasePath)
	}
	name, kind := s.Username, s.Type
	if name == "" {
		name = "Anonymous User"
	}
	if kind == "" {
		kind = "normal"
	}
	add("X-Sandstorm-Username", encodeComponent(name))
	add("X-Sandstorm-Tab-Id", s.TabID)
	add("X-Sandstorm-Permissions", strings.Join(s.Permissions, ","))
	add("X-Sandstorm-Session-Type", kind)
	add("X-Sandstorm-Session-Id", s.ID)
	if s.UserID != "" {
		add("X-Sandstorm-User-Id", s.UserID)
		for _, f := range []Field{
			{"X-Sandstorm-Preferred-Handle", s.Handle},
			{"X-Sandstorm-User-Picture", s.Picture},
			{"X-Sandstorm-User-Pronouns", s.Pronouns},
		} {
			if f.Value != "" {
				add(f.Name, f.Value)
			}
		}
	}
	s.block = b.String()
}

// encodeComponent percent-encodes UTF-8 text as JavaScript's
// encodeURIComponent does, which apps undo with its inverse.
func encodeComponent(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z',
			strings.IndexByte("-_.!~*'()", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
