package mail

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/sandstorm-go/sandstorm"
)

// Address is one e-mail address. The original's mailer took
// "me@evil,x@victim.org" for two recipients while the check of membership saw
// only the last domain (CVE-2017-6199). So text becomes an address by one
// anchored pattern, before anything is recorded, and both the check and the
// recipient are this same value.
type Address struct {
	local, domain string
}

// addressPattern has no place for separators, quotes, comments, brackets or
// spaces, and exactly one @ (shell.md §3). The domain's letters are ASCII: other
// scripts have to be written as xn--….
var addressPattern = regexp.MustCompile("^([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@([A-Za-z0-9-]{1,63}(?:\\.[A-Za-z0-9-]{1,63})*)$")

// ParseAddress reads exactly one address.
func ParseAddress(s string) (Address, error) {
	bad := func() (Address, error) {
		return Address{}, sandstorm.Errorf(sandstorm.Invalid, "mail.bad-address", "%.100q is not one e-mail address", s)
	}
	if len(s) > 254 { // RFC 5321 §4.5.3.1.3, less the angle brackets
		return bad()
	}
	m := addressPattern.FindStringSubmatch(s)
	if m == nil {
		return bad()
	}
	local, domain := m[1], m[2]
	if local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return bad()
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label[0] == '-' || label[len(label)-1] == '-' {
			return bad()
		}
	}
	return Address{local, domain}, nil
}

// String is the address as it was typed.
func (a Address) String() string {
	if a == (Address{}) {
		return ""
	}
	return a.local + "@" + a.domain
}

// Local is the part before the @, as typed.
func (a Address) Local() string { return a.local }

// Domain is the part behind the @, in lower case.
func (a Address) Domain() string { return strings.ToLower(a.domain) }

// SameMailbox reports whether both are the same mailbox for certain: domains do
// not tell upper and lower case apart, local parts may (RFC 5321 §2.4).
func (a Address) SameMailbox(b Address) bool { return a.local == b.local && a.Domain() == b.Domain() }

// Check refuses settings that cannot work.
func (s SMTP) Check() error {
	switch {
	case s.Host == "":
		return sandstorm.Errorf(sandstorm.Unavailable, "mail.not-configured", "mail: no SMTP server is configured")
	case len(s.Host) > 253 || strings.ContainsFunc(s.Host, notInHost):
		return sandstorm.Errorf(sandstorm.Invalid, "settings.smtp-host", "mail: %.100q is not a host name", s.Host)
	case s.Port < 1 || s.Port > 65535:
		return sandstorm.Errorf(sandstorm.Invalid, "settings.port", "mail: %d is not a port", s.Port)
	case len(s.User) > 500 || len(s.Password) > 500 || hasControl(s.User) || hasControl(s.Password.Reveal()):
		return sandstorm.Errorf(sandstorm.Invalid, "settings.smtp-user", "mail: user or password is too long or has control characters")
	}
	if _, err := ParseAddress(s.From); err != nil {
		return sandstorm.Errorf(sandstorm.Invalid, "settings.from", "mail: sender: %w", err)
	}
	return nil
}

func notInHost(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-.:", r))
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

// oneLine keeps line breaks, which would begin another header, out of a header.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, unicode.IsControl), " ")
}

// ParseURL reads the configuration's MAIL_URL, smtp://user:password@host:port
// or smtps://…, which means port 465. The sender is from.
func ParseURL(text sandstorm.Secret, from string) (SMTP, error) {
	u, err := url.Parse(text.Reveal())
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		// The parser's message would quote the password.
		return SMTP{}, sandstorm.Errorf(sandstorm.Invalid, "config.invalid",
			"MAIL_URL is not of the form smtp://user:password@host:port").With("detail", "MAIL_URL")
	}
	s := SMTP{Host: u.Hostname(), Port: 587, User: u.User.Username(), From: from}
	password, _ := u.User.Password()
	s.Password = sandstorm.Secret(password)
	if u.Scheme == "smtps" {
		s.Port = ImplicitTLSPort
	}
	if u.Port() != "" {
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil {
			n = 0
		}
		s.Port = int(n)
	}
	if u.Scheme == "smtps" && s.Port != ImplicitTLSPort {
		return SMTP{}, sandstorm.Errorf(sandstorm.Invalid, "config.invalid", "MAIL_URL: smtps:// works on port 465 only").With("detail", "MAIL_URL")
	}
	return s, s.Check()
}
