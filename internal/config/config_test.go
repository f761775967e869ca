package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sandstorm-go/sandstorm"
)

const minimal = "BASE_URL=http://sandstorm.example.com\nWILDCARD_HOST=*.sandstorm.example.com\n"

func parse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("/opt/sandstorm/sandstorm.conf", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var compare = cmp.Options{cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })}

// A file as the original's installer writes it.
func TestInstallersFile(t *testing.T) {
	c := parse(t, `SERVER_USER=sandstorm
PORT=80
MONGO_PORT=6081
BIND_IP=0.0.0.0
BASE_URL=https://alice.sandcats.io/
WILDCARD_HOST=*.alice.sandcats.io
UPDATE_CHANNEL=dev
ALLOW_DEV_ACCOUNTS=false
SMTP_LISTEN_PORT=25
SANDCATS_BASE_DOMAIN=sandcats.io
HTTPS_PORT=443
`)
	want := defaults()
	want.BindIP = netip.MustParseAddr("0.0.0.0")
	want.Ports, want.HTTPSPort, want.SMTPListenPort = []int{443, 80}, 443, 25
	want.BaseURL, want.WildcardHost = "https://alice.sandcats.io", "*.alice.sandcats.io"
	want.ServerUser, want.UpdateChannel, want.SandcatsBaseDomain = "sandstorm", "dev", "sandcats.io"
	want.DataDir = "/opt/sandstorm/var/sandstorm"
	if diff := cmp.Diff(want, c, compare, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestValues(t *testing.T) {
	c := parse(t, minimal+`
  # a comment
	PORT = 80 , 8080,80
ALLOW_UNINVITED=yes
ALLOW_DEV_ACCOUNTS=true
ALLOW_LEGACY_RELAXED_CSP=no
IS_TESTING=yes
HIDE_TROUBLESHOOTING=true
MAIL_URL=smtp://u:p%23=wd@mail.example.com:587
DATABASE_URL=postgres://u:p@db/x
PRIVATE_KEY_PASSWORD= "quoted" # not a comment
DATA_DIR=data
TLS_CERT_FILE=/etc/tls/cert.pem
TLS_KEY_FILE=tls/key.pem
UPDATE_CHANNEL=none
TERMS_PAGE_PUBLIC_ID=abc
ALLOW_PRIVATE_DOWNLOADS=127.0.0.1, 10.1.2.3/16,::1`)
	want := defaults()
	want.Ports = []int{80, 8080}
	want.BaseURL, want.WildcardHost = "http://sandstorm.example.com", "*.sandstorm.example.com"
	want.AllowUninvited, want.AllowDevAccounts, want.AllowLegacyRelaxedCSP = true, true, false
	want.IsTesting, want.HideTroubleshooting = true, true
	want.MailURL, want.DatabaseURL = "smtp://u:p%23=wd@mail.example.com:587", "postgres://u:p@db/x"
	want.PrivateKeyPassword = `"quoted" # not a comment`
	want.DataDir = "/opt/sandstorm/data"
	want.TLSCertFile, want.TLSKeyFile = "/etc/tls/cert.pem", "/opt/sandstorm/tls/key.pem"
	want.TermsPublicID = "abc"
	want.AllowPrivateDownloads = []netip.Prefix{
		netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128"),
	}
	reveal := cmp.Transformer("reveal", func(s sandstorm.Secret) string { return s.Reveal() })
	if diff := cmp.Diff(want, c, compare, reveal); diff != "" {
		t.Error(diff)
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown", "FOO=1", "sandstorm.conf:3: FOO is not a key"},
		{"misspelt", "baseurl=x", "is BASE_URL meant?"},
		{"twice", "PORT=1\nPORT=2", "stands in line 3 already"},
		{"not a yes", "ALLOW_UNINVITED=True", "is taken as no"},
		{"retired", "STRIPE_SECRET_KEY=x", "takes no payments"},
		{"https without certificate", "HTTPS_PORT=443", "no certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := parse(t, minimal+c.text)
			if !slices.ContainsFunc(cfg.Warnings, func(w string) bool { return strings.Contains(w, c.want) }) {
				t.Errorf("warnings %q, want one with %q", cfg.Warnings, c.want)
			}
			if cfg.AllowUninvited {
				t.Error("a value that means no was taken as yes")
			}
		})
	}
	for _, quiet := range []string{"", "MONGO_PORT=x", "DDP_DEFAULT_CONNECTION_URL=x", "EXPERIMENTAL_GATEWAY=true"} {
		if w := parse(t, minimal+quiet).Warnings; len(w) != 0 {
			t.Errorf("%q warns: %q", quiet, w)
		}
	}
}

func TestOtherSite(t *testing.T) {
	for _, c := range []struct {
		base, wildcard string
		warns          bool
	}{
		{"https://sandstorm.example.com", "*.sandstorm.example.com", false},
		{"https://sandstorm.example.com", "ss-*.example.com", false},
		{"http://sandstorm.localhost:6080", "*.sandstorm.localhost:6080", false},
		{"https://example.com", "*.example.com", false},
		{"https://example.com", "*.example.org", true},
		{"http://localhost:6080", "*.localhost:6080", true},
		{"https://a.github.io", "*.b.github.io", true},
		{"http://10.0.0.1", "*.10.0.0.1.nip.io", true},
	} {
		cfg := parse(t, "BASE_URL="+c.base+"\nWILDCARD_HOST="+c.wildcard)
		warned := slices.ContainsFunc(cfg.Warnings, func(w string) bool { return strings.Contains(w, "same site") })
		if warned != c.warns {
			t.Errorf("%s with %s: warnings %q, want %v", c.base, c.wildcard, cfg.Warnings, c.warns)
		}
	}
}

func TestHosts(t *testing.T) {
	for _, c := range []struct{ text, base, wildcard string }{
		{"BASE_URL=HTTPS://Example.COM.:0443//\nWILDCARD_HOST=SS-*.Example.com:443", "https://example.com", "ss-*.example.com"},
		{"BASE_URL=http://[::1]:6080\nWILDCARD_HOST=*.x.example:6080", "http://[::1]:6080", "*.x.example:6080"},
		{"BASE_URL=http://example.com\nWILDCARD_PARENT_URL=http://w.example.com/", "http://example.com", "*.w.example.com"},
	} {
		cfg := parse(t, c.text)
		if cfg.BaseURL != c.base || cfg.WildcardHost != c.wildcard {
			t.Errorf("%q gives %s and %s", c.text, cfg.BaseURL, cfg.WildcardHost)
		}
	}
}

// Each mistake names the file, the line, the key and the remedy.
func TestMistakes(t *testing.T) {
	const base, wildcard = "BASE_URL=http://example.com\n", "WILDCARD_HOST=*.example.com\n"
	for _, c := range []struct{ text, want string }{
		{"", "BASE_URL: is missing: write"},
		{base, "WILDCARD_HOST: is missing: write"},
		{minimal + "nonsense", ":3: \"nonsense\" is not KEY=VALUE"},
		{minimal + "=x", "is not KEY=VALUE"},
		{minimal + "BIND_IP=localhost", ":3: BIND_IP: \"localhost\" is not an IP address"},
		{minimal + "BIND_IP=fe80::1%eth0", "is not an IP address"},
		{minimal + "PORT=80,http", "is not a port"},
		{minimal + "PORT=0", "is not a port"},
		{minimal + "PORT=" + strings.Repeat("1,", 64) + "1", "more than 64"},
		{minimal + "HTTPS_PORT=65536", "is not a port"},
		{minimal + "TLS_CERT_FILE=x", "set both TLS_CERT_FILE and TLS_KEY_FILE"},
		{minimal + "ALLOW_PRIVATE_DOWNLOADS=localhost", "is not a network"},
		{minimal + "MAIL_URL=mail.example.com", "smtp://user:password@host:port"},
		{minimal + "MAIL_URL=smtp://h:99999", "is not a port"},
		{minimal + "MAIL_URL=smtps://h:25", "write smtp://"},
		{minimal + "MAIL_URL=smtp://u%0d%0aRSET@h", "control characters"},
		{minimal + "DATABASE_URL=mysql://x", "postgres://user"},
		{wildcard + "BASE_URL=", "is empty"},
		{wildcard + "BASE_URL=example.com", "has no scheme: write https://example.com"},
		{wildcard + "BASE_URL=ftp://example.com", "must begin with http"},
		{wildcard + "BASE_URL=http://example.com/sandstorm", "has a path: the server needs a host of its own; write http://example.com"},
		{wildcard + "BASE_URL=http://*.example.com", "belongs into WILDCARD_HOST"},
		{wildcard + "BASE_URL=http://u:p@example.com", "is not an address"},
		{wildcard + "BASE_URL=http://exa mple.com", "is not an address"},
		{wildcard + "BASE_URL=http://ex_ample.com", "is not a host name"},
		{base + "WILDCARD_HOST=", "is empty"},
		{base + "WILDCARD_HOST=https://*.example.com/", "has a scheme: write only the host, *.example.com"},
		{base + "WILDCARD_HOST=example.com", "write *.example.com"},
		{base + "WILDCARD_HOST=*.*.example.com", "more than one *"},
		{base + "WILDCARD_HOST=x.*.example.com", "behind a dot"},
		{base + "WILDCARD_HOST=*", "no domain behind"},
		{base + "WILDCARD_HOST=*-ss.example.com", "letters behind the *"},
		{base + "WILDCARD_HOST=*.192.168.1.2", "*.192.168.1.2.nip.io"},
		{base + "WILDCARD_HOST=*.ex_ample.com", "not a host pattern"},
		{base + "WILDCARD_HOST=*.example.com/x", "more than a host"},
		{base + "WILDCARD_HOST=" + strings.Repeat("a", 40) + "*.example.com", "too long a first part"},
		{base + "WILDCARD_HOST=*.example.com:6080", "write *.example.com"},
		{base + "WILDCARD_PARENT_URL=example.com", "write WILDCARD_HOST=*.example.com"},
		{base + "WILDCARD_HOST=*.example.com:x", "is not a port"},
		{"\xff", "is not UTF-8"},
	} {
		cfg, err := Parse("/etc/sandstorm.conf", []byte(c.text))
		if cfg != nil || !sandstorm.IsKind(err, sandstorm.Invalid) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "/etc/sandstorm.conf") {
			t.Errorf("%q gives %v, want %q", c.text, err, c.want)
		}
	}
}

// All mistakes are told at once.
func TestManyMistakes(t *testing.T) {
	_, err := Parse("x", []byte("PORT=a\nHTTPS_PORT=b\n"))
	if n := strings.Count(err.Error(), "\n") + 1; n != 4 {
		t.Errorf("%d mistakes, want 4: %v", n, err)
	}
}

// Passwords must not end up in an error, a warning or a log.
func TestSecretsStayHidden(t *testing.T) {
	for _, text := range []string{"MAIL_URL=smtp://u:hunter2@:x", "DATABASE_URL=x://u:hunter2@h", "PRIVATE_KEY_PASSWORD=hunter2"} {
		cfg, err := Parse("x", []byte(minimal+text))
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows it: %v", err)
		}
		if cfg != nil && strings.Contains(strings.Join(cfg.Warnings, " "), "hunter2") {
			t.Errorf("a warning shows it: %v", cfg.Warnings)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "sandstorm.conf")
	if _, err := Load(file); !sandstorm.IsKind(err, sandstorm.Invalid) {
		t.Errorf("a missing file gives %v", err)
	}
	if err := os.WriteFile(file, []byte(minimal+"MAIL_URL=smtp://u:p@h\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil || c.DataDir != filepath.Join(dir, "var", "sandstorm") || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "chmod o-r") {
		t.Errorf("%+v, %v", c, err)
	}
	if err := os.WriteFile(file, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); !sandstorm.IsKind(err, sandstorm.Invalid) || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a huge file gives %v", err)
	}
}

func TestDev(t *testing.T) {
	c, err := Dev("x", 6080)
	if err != nil {
		t.Fatal(err)
	}
	if c.BaseURL != "http://sandstorm.localhost:6080" || c.WildcardHost != "*.sandstorm.localhost:6080" || !c.BindIP.IsLoopback() ||
		!c.AllowDevAccounts || !c.AllowUninvited || !filepath.IsAbs(c.DataDir) || !slices.Equal(c.Ports, []int{6080}) {
		t.Errorf("%+v", c)
	}
	// It says what a file with the same values would.
	if _, err := Parse("x", []byte("BASE_URL="+c.BaseURL+"\nWILDCARD_HOST="+c.WildcardHost)); err != nil {
		t.Error(err)
	}
	if _, err := Dev("x", 0); !sandstorm.IsKind(err, sandstorm.Invalid) {
		t.Errorf("port 0 gives %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte("BASE_URL=https://[::1]:443\nWILDCARD_HOST=a-*.b:443\nPORT=1,2\nHTTPS_PORT=443\nALLOW_PRIVATE_DOWNLOADS=::/0"))
	f.Add([]byte("# x\n=\nWILDCARD_PARENT_URL=http://a\r\nBIND_IP=::1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("/x/sandstorm.conf", text)
		if err != nil {
			if !sandstorm.IsKind(err, sandstorm.Invalid) {
				t.Errorf("kind %v", sandstorm.KindOf(err))
			}
			return
		}
		// What was accepted is in its final form.
		again, err := Parse("/x/sandstorm.conf", []byte("BASE_URL="+c.BaseURL+"\nWILDCARD_HOST="+c.WildcardHost))
		if err != nil || again.BaseURL != c.BaseURL || again.WildcardHost != c.WildcardHost {
			t.Errorf("%q and %q are not stable: %v", c.BaseURL, c.WildcardHost, err)
		}
		if len(c.Ports) == 0 || strings.Count(c.WildcardHost, "*") != 1 || !filepath.IsAbs(c.DataDir) {
			t.Errorf("accepted %+v", c)
		}
	})
}
