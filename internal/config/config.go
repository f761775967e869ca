// Package config reads the server's configuration file, sandstorm.conf, in the
// form that earlier servers wrote: one KEY=VALUE a line (gateway.md §1).
//
// A file that could make the server do something else than its author meant is
// refused with the line, the key and what to write instead; what is merely
// unknown or of no effect is a warning.
package config

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/sandstorm-go/sandstorm"
)

// DefaultFile is where an installed server keeps its configuration.
const DefaultFile = "/opt/sandstorm/sandstorm.conf"

// maxFile bounds what is read of a configuration file.
const maxFile = 1 << 20

// Config is what the file says, with defaults for what it does not.
type Config struct {
	BindIP    netip.Addr // all ports bind to it
	Ports     []int      // the first is the main one
	HTTPSPort int        // one of Ports, which speaks TLS; 0 if none does

	BaseURL      string // scheme://host[:port], lower case, without a slash at the end
	WildcardHost string // host pattern with exactly one *, lower case, perhaps with a port

	TLSCertFile, TLSKeyFile string // PEM files; both or none
	PrivateKeyPassword      sandstorm.Secret

	DataDir     string           // absolute
	DatabaseURL sandstorm.Secret // postgres://…; empty means SQLite in DataDir

	AllowDevAccounts      bool // anybody may sign in as anybody: never on a public server
	AllowUninvited        bool // everyone who signs in becomes a full user
	AllowLegacyRelaxedCSP bool

	// AllowPrivateDownloads are networks inside the server's own that may be
	// downloaded from although they are private.
	AllowPrivateDownloads []netip.Prefix

	MailURL        sandstorm.Secret // smtp://user:password@host:port; empty leaves it to the settings
	SMTPListenPort int              // where incoming mail for grains arrives

	ServerUser          string // whom the server runs as if root starts it
	UpdateChannel       string // empty for "none"
	SandcatsBaseDomain  string
	TermsPublicID       string
	IsTesting           bool
	HideTroubleshooting bool

	// Warnings are for the administrator, in English.
	Warnings []string
}

// defaults are the values of keys that a file does not have.
func defaults() *Config {
	return &Config{
		BindIP:                netip.AddrFrom4([4]byte{127, 0, 0, 1}),
		AllowLegacyRelaxedCSP: true,
		SMTPListenPort:        30025,
	}
}

// defaultPort is where a file without PORT and HTTPS_PORT listens.
const defaultPort = 6080

// Load reads a configuration file.
func Load(path string) (*Config, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "config.unreadable", "%s: %w", path, err).With("file", path)
	}
	f, err := os.Open(abs)
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "config.unreadable", "read the configuration: %w", err).With("file", path)
	}
	defer f.Close()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(&limitedReader{f, maxFile}); err != nil {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "config.unreadable", "read %s: %w", path, err).With("file", path)
	}
	cfg, err := Parse(abs, buf.Bytes())
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o004 != 0 && cfg.hasSecrets() {
		cfg.Warnings = append(cfg.Warnings, path+" holds passwords and can be read by everybody on this machine: run chmod o-r on it")
	}
	return cfg, nil
}

func (c *Config) hasSecrets() bool {
	return c.MailURL != "" || c.PrivateKeyPassword != "" || c.DatabaseURL != ""
}

// Dev is the configuration of a development server: reachable from this machine
// only, and anybody may sign in as anybody. Browsers resolve names below
// .localhost by themselves, so it needs no DNS.
func Dev(dataDir string, port int) (*Config, error) {
	abs, err := filepath.Abs(dataDir)
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "config.unreadable", "%s: %w", dataDir, err).With("file", dataDir)
	}
	if port < 1 || port > 65535 {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "config.invalid", "%d is not a port: give one from 1 to 65535", port).With("detail", "port")
	}
	c := defaults()
	authority := hostPort("sandstorm.localhost", port)
	c.Ports = []int{port}
	c.BaseURL = "http://" + authority
	c.WildcardHost = "*." + authority
	c.DataDir = abs
	c.AllowDevAccounts, c.AllowUninvited = true, true
	// Packages may come from this machine: that is where developers make them.
	c.AllowPrivateDownloads = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	return c, nil
}
