package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Wildcard mistakes were the most frequent trouble of people who set up a
// server (gateway.md §15), so each has its own remedy.

func setBaseURL(p *parser, _ int, v string) error {
	v = strings.TrimRight(v, "/")
	u, err := url.Parse(v)
	switch {
	case v == "":
		return errors.New("is empty: write the address of this server, such as https://sandstorm.example.com")
	case !strings.Contains(v, "://"):
		return fmt.Errorf("%.80q has no scheme: write https://%.80s or http://%.80s", v, v, v)
	case err != nil || u.Host == "" || u.User != nil:
		return fmt.Errorf("%.80q is not an address: write one such as https://sandstorm.example.com", v)
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(v, "?"):
		return fmt.Errorf("%.80q has a path: the server needs a host of its own; write %s://%s", v, u.Scheme, u.Host)
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" {
		return fmt.Errorf("%.80q must begin with http:// or https://", v)
	}
	host, portText, err := splitAuthority(u.Host)
	if err != nil {
		return err
	}
	if strings.Contains(host, "*") {
		return fmt.Errorf("%.80q has a *: that belongs into WILDCARD_HOST", v)
	}
	if _, err := netip.ParseAddr(host); err != nil && !isHostName(host) {
		return fmt.Errorf("%.80q is not a host name", host)
	}
	p.cfg.BaseURL = scheme + "://" + joinAuthority(host, portText)
	return nil
}

func setWildcardParent(p *parser, line int, v string) error {
	_, host, ok := strings.Cut(v, "://")
	if !ok || host == "" {
		return fmt.Errorf("%.80q has no scheme: write WILDCARD_HOST=*.%.80s instead", v, v)
	}
	p.warn(line, "WILDCARD_PARENT_URL", "is the old form: write WILDCARD_HOST=*."+strings.TrimRight(host, "/"))
	return setWildcardHost(p, line, "*."+strings.TrimRight(host, "/"))
}

func setWildcardHost(p *parser, _ int, v string) error {
	if _, rest, ok := strings.Cut(v, "://"); ok {
		return fmt.Errorf("%.80q has a scheme: write only the host, %.80s", v, strings.TrimRight(rest, "/"))
	}
	if strings.ContainsAny(v, "/?#@") {
		return fmt.Errorf("%.80q has more than a host: write one such as *.sandstorm.example.com", v)
	}
	host, portText, err := splitAuthority(v)
	if err != nil {
		return err
	}
	before, after, _ := strings.Cut(host, "*")
	switch {
	case v == "":
		return errors.New("is empty: write a host with a *, such as *.sandstorm.example.com")
	case !strings.Contains(host, "*"):
		return fmt.Errorf("%.80q has no *: each open grain gets a host of its own in its place; write *.%.80s", v, v)
	case strings.Contains(after, "*"):
		return fmt.Errorf("%.80q has more than one *: write one, in the first part", v)
	case strings.Contains(before, "."):
		return fmt.Errorf("%.80q has the * behind a dot: certificates and DNS allow it only in the first part, as in *.example.com", v)
	case after == "" || after == ".":
		return fmt.Errorf("%.80q has no domain behind the *: write one such as *.sandstorm.example.com", v)
	case after[0] != '.':
		return fmt.Errorf("%.80q has letters behind the * in the first part: write the dot right behind it, as in ss-*.example.com", v)
	}
	domain := strings.TrimPrefix(after, ".")
	if _, err := netip.ParseAddr(domain); err == nil {
		return fmt.Errorf("%.80q ends in an IP address, and those have no names below them: use a domain, or *.%s.nip.io for a trial", v, domain)
	}
	if !isHostName(before + "x" + after) {
		return fmt.Errorf("%.80q is not a host pattern: only letters, digits, hyphens and dots are allowed besides the *", v)
	}
	// 32 hex digits and "ui-" take the star's place in one label.
	if len(before)+len("ui-")+32 > 63 {
		return fmt.Errorf("%.80q has too long a first part: at most %d characters may stand before the *", v, 63-len("ui-")-32)
	}
	p.cfg.WildcardHost = joinAuthority(host, portText)
	return nil
}

// checkHosts looks at what both keys say together.
func (p *parser) checkHosts() {
	c := p.cfg
	if c.BaseURL == "" && p.line["BASE_URL"] == 0 {
		p.problem("BASE_URL", "is missing: write the address of this server, such as https://sandstorm.example.com")
	}
	if c.WildcardHost == "" && p.line["WILDCARD_HOST"] == 0 && p.line["WILDCARD_PARENT_URL"] == 0 {
		p.problem("WILDCARD_HOST", "is missing: write a host with a *, such as *.sandstorm.example.com")
	}
	if c.BaseURL == "" || c.WildcardHost == "" {
		return
	}
	scheme, authority, _ := strings.Cut(c.BaseURL, "://")
	baseHost, basePort, _ := splitAuthority(authority)
	wildHost, wildPort, _ := splitAuthority(c.WildcardHost)
	if effectivePort(scheme, basePort) != effectivePort(scheme, wildPort) {
		p.problem("WILDCARD_HOST", "its port is %s but that of BASE_URL is %s: both must be the same; write %s",
			effectivePort(scheme, wildPort), effectivePort(scheme, basePort), joinAuthority(wildHost, basePort))
	}
	if basePort == effectivePort(scheme, "") {
		// Browsers leave it out of origins and Host headers.
		basePort = ""
	}
	c.BaseURL, c.WildcardHost = scheme+"://"+joinAuthority(baseHost, basePort), joinAuthority(wildHost, basePort)
	if scheme == "http" && c.HTTPSPort != 0 {
		p.warn(p.line["BASE_URL"], "BASE_URL", "begins with http:// although HTTPS_PORT is set: visitors are sent to the plain address")
	}
	if c.HTTPSPort != 0 && c.TLSCertFile == "" && c.SandcatsBaseDomain == "" {
		p.warn(p.line["HTTPS_PORT"], "HTTPS_PORT", "is set but there is no certificate: set TLS_CERT_FILE and TLS_KEY_FILE")
	}
	_, domain, _ := strings.Cut(wildHost, ".")
	if site(baseHost) == "" || site(baseHost) != site("x."+domain) {
		p.warn(p.line["WILDCARD_HOST"], "WILDCARD_HOST", fmt.Sprintf(
			"is not on the same site as BASE_URL (%s): browsers then withhold cookies from grains; use a wildcard such as *.%s", baseHost, baseHost))
	}
}

// site is the registrable domain of a host, "" if it has none: browsers send
// SameSite cookies only within one.
func site(host string) string {
	s, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return s
}

func effectivePort(scheme, port string) string {
	switch {
	case port != "":
		return port
	case scheme == "https":
		return "443"
	}
	return "80"
}

// splitAuthority takes host[:port] apart and brings both into one form: lower
// case, no dot at the end, no brackets, no leading zeros.
func splitAuthority(s string) (host, portText string, err error) {
	host = strings.ToLower(s)
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		n, err := port(host[i+1:])
		if err != nil {
			return "", "", err
		}
		host, portText = host[:i], strconv.Itoa(n)
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	} else if strings.Contains(host, ":") {
		return "", "", fmt.Errorf("%.80q: an IPv6 address needs [ and ] around it", s)
	}
	return strings.TrimSuffix(host, "."), portText, nil
}

func joinAuthority(host, portText string) string {
	if portText == "" {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, portText)
}

func hostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// isHostName reports whether s, in lower case, is a name of letters, digits and
// hyphens as DNS and browsers take it. Other scripts are written as xn--….
func isHostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}
