package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/sandstorm-go/sandstorm"
)

// setter takes the value of one key.
type setter func(p *parser, line int, value string) error

// keys are all that have an effect.
var keys = map[string]setter{
	"BIND_IP":                  setBindIP,
	"PORT":                     setPorts,
	"HTTPS_PORT":               func(p *parser, _ int, v string) (err error) { p.cfg.HTTPSPort, err = port(v); return err },
	"SMTP_LISTEN_PORT":         func(p *parser, _ int, v string) (err error) { p.cfg.SMTPListenPort, err = port(v); return err },
	"BASE_URL":                 setBaseURL,
	"WILDCARD_HOST":            setWildcardHost,
	"WILDCARD_PARENT_URL":      setWildcardParent,
	"ALLOW_LEGACY_RELAXED_CSP": flag(func(c *Config) *bool { return &c.AllowLegacyRelaxedCSP }),
	"ALLOW_DEV_ACCOUNTS":       flag(func(c *Config) *bool { return &c.AllowDevAccounts }),
	"ALLOW_UNINVITED":          flag(func(c *Config) *bool { return &c.AllowUninvited }),
	"IS_TESTING":               flag(func(c *Config) *bool { return &c.IsTesting }),
	"HIDE_TROUBLESHOOTING":     flag(func(c *Config) *bool { return &c.HideTroubleshooting }),
	"ALLOW_PRIVATE_DOWNLOADS":  setPrivateDownloads,
	"PRIVATE_KEY_PASSWORD":     secret(func(c *Config) *sandstorm.Secret { return &c.PrivateKeyPassword }),
	"MAIL_URL":                 setMailURL,
	"DATABASE_URL":             setDatabaseURL,
	"DATA_DIR":                 path(func(c *Config) *string { return &c.DataDir }),
	"TLS_CERT_FILE":            path(func(c *Config) *string { return &c.TLSCertFile }),
	"TLS_KEY_FILE":             path(func(c *Config) *string { return &c.TLSKeyFile }),
	"TERMS_PAGE_PUBLIC_ID":     text(func(c *Config) *string { return &c.TermsPublicID }),
	"SERVER_USER":              text(func(c *Config) *string { return &c.ServerUser }),
	"SANDCATS_BASE_DOMAIN":     text(func(c *Config) *string { return &c.SandcatsBaseDomain }),
	"UPDATE_CHANNEL":           setUpdateChannel,
}

// ignored are keys of earlier servers without an effect here, with what to say
// about them; those without a remark are harmless leftovers of every old file.
var ignored = map[string]string{
	"MONGO_PORT":                      "",
	"DDP_DEFAULT_CONNECTION_URL":      "",
	"EXPERIMENTAL_GATEWAY":            "",
	"USE_EXPERIMENTAL_SECCOMP_FILTER": "has no effect any more: the strict filter is always on",
	"LOG_SECCOMP_VIOLATIONS":          "has no effect here",
	"ALLOW_DEMO_ACCOUNTS":             "has no effect yet: demo accounts are not there",
	"STRIPE_SECRET_KEY":               "has no effect: this server takes no payments",
	"STRIPE_PUBLIC_KEY":               "has no effect: this server takes no payments",
}

func setBindIP(p *parser, _ int, v string) error {
	ip, err := netip.ParseAddr(v)
	if err != nil || ip.Zone() != "" {
		return fmt.Errorf("%.80q is not an IP address: write one such as 127.0.0.1, or 0.0.0.0 for all interfaces", v)
	}
	p.cfg.BindIP = ip.Unmap()
	return nil
}

func port(v string) (int, error) {
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%.80q is not a port: write a number from 1 to 65535", v)
	}
	return int(n), nil
}

func setPorts(p *parser, _ int, v string) error {
	p.ports = nil
	for part := range strings.SplitSeq(v, ",") {
		n, err := port(strings.TrimSpace(part))
		if err != nil {
			return err
		}
		if len(p.ports) == 64 {
			return errors.New("more than 64 ports")
		}
		p.ports = append(p.ports, n)
	}
	return nil
}

// flag reads yes and no as earlier servers did: all but "true" and "yes" is no.
// What looks like a yes to people but is none is worth a warning.
func flag(field func(*Config) *bool) setter {
	return func(p *parser, line int, v string) error {
		*field(p.cfg) = v == "true" || v == "yes"
		switch v {
		case "true", "yes", "false", "no", "":
		default:
			p.warn(line, fmt.Sprintf("value %.40q", v), "is taken as no: write true or false")
		}
		return nil
	}
}

func text(field func(*Config) *string) setter {
	return func(p *parser, _ int, v string) error { *field(p.cfg) = v; return nil }
}

func secret(field func(*Config) *sandstorm.Secret) setter {
	return func(p *parser, _ int, v string) error { *field(p.cfg) = sandstorm.Secret(v); return nil }
}

func path(field func(*Config) *string) setter {
	return func(p *parser, _ int, v string) error {
		if v != "" && !filepath.IsAbs(v) {
			v = filepath.Join(p.dir, v)
		}
		*field(p.cfg) = v
		return nil
	}
}

func setUpdateChannel(p *parser, _ int, v string) error {
	if v == "none" {
		v = ""
	}
	p.cfg.UpdateChannel = v
	return nil
}

func setPrivateDownloads(p *parser, _ int, v string) error {
	p.cfg.AllowPrivateDownloads = nil
	for part := range strings.SplitSeq(v, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if addr, aerr := netip.ParseAddr(part); aerr == nil && addr.Zone() == "" {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return fmt.Errorf("%.80q is not a network: write a comma list such as 10.1.2.0/24,127.0.0.1", part)
		}
		p.cfg.AllowPrivateDownloads = append(p.cfg.AllowPrivateDownloads, prefix.Masked())
	}
	return nil
}

// setMailURL checks the form. The value holds a password, so an error must not
// quote it.
func setMailURL(p *parser, _ int, v string) error {
	p.cfg.MailURL = sandstorm.Secret(v)
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" {
		return errors.New("this is not a mail server of the form smtp://user:password@host:port; " +
			"write special characters of the password as %XX")
	}
	if u.Port() != "" {
		n, err := port(u.Port())
		if err != nil {
			return err
		}
		if u.Scheme == "smtps" && n != 465 {
			return errors.New("smtps:// works on port 465 only: write smtp:// for another port, where TLS begins by STARTTLS")
		}
	}
	password, _ := u.User.Password()
	if strings.ContainsFunc(u.User.Username()+password, unicode.IsControl) {
		return errors.New("the user or the password has control characters")
	}
	return nil
}

func setDatabaseURL(p *parser, _ int, v string) error {
	if v != "" && !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") {
		return errors.New("this is not a PostgreSQL address of the form postgres://user:password@host:5432/database; " +
			"leave the key out to use the built-in database")
	}
	p.cfg.DatabaseURL = sandstorm.Secret(v)
	return nil
}
