package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/mail/mailtest"
	"github.com/sandstorm-go/sandstorm/internal/store/pgtest"
	"github.com/sandstorm-go/sandstorm/test/browsertest"
	"github.com/sandstorm-go/sandstorm/test/harness"
)

// serverName is the base host of servers with TLS. Its wildcard is beside the
// names that browsers take for local ones.
const serverName = "box.example.com"

// installation is a `sandstorm serve` as an administrator sets it up.
type installation struct {
	*harness.Server
	https, http int
	look        bool // check how the pages look; once is enough
}

func (in *installation) inspect(p *browsertest.Page, name string) {
	p.Helper()
	if in.look {
		p.Inspect(name)
	}
}

// TestServe is the first run of a real server: certificate files, a database,
// the set-up in the browser, mail.
func TestServe(t *testing.T) {
	variants := []struct {
		name     string
		asUser   bool
		postgres bool
	}{
		{"sqlite", os.Getuid() != 0, false},
		{"postgres", os.Getuid() != 0, true},
		{"sqlite as user", true, false},
	}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			database := ""
			if v.postgres {
				database = postgres(t)
			}
			in := installServer(t, v.asUser, database)
			in.look = v.name == "sqlite"
			testFirstRun(t, in)
		})
	}
}

// postgres starts a database that the server's user reaches too.
func postgres(t *testing.T) string {
	t.Helper()
	database := pgtest.Start(t).Database(t).Reveal()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(u.Query().Get("host"), 0o711); err != nil {
		t.Fatal(err)
	}
	return database
}

func installServer(t *testing.T, asUser bool, database string, more ...string) *installation {
	t.Helper()
	dir := t.TempDir()
	cert, key := authority().files(t, dir, serverName, "*."+serverName)
	in := &installation{https: harness.FreePort(t), http: harness.FreePort(t)}
	lines := []string{
		"# written by a test",
		"BIND_IP=127.0.0.1",
		fmt.Sprintf("HTTPS_PORT=%d", in.https),
		fmt.Sprintf("PORT=%d", in.http),
		fmt.Sprintf("BASE_URL=https://%s:%d", serverName, in.https),
		fmt.Sprintf("WILDCARD_HOST=*.%s:%d", serverName, in.https),
		"TLS_CERT_FILE=" + cert, "TLS_KEY_FILE=" + key,
	}
	if os.Getuid() == 0 {
		if asUser {
			openTo(t, dir, harness.Nobody, cert, key)
		} else {
			lines = append(lines, "SERVER_USER=nobody")
		}
	}
	if database != "" {
		lines = append(lines, "DATABASE_URL="+database)
	}
	in.Server = harness.Serve(t, asUser, append(lines, more...)...)
	in.Port, in.BaseURL = in.https, fmt.Sprintf("https://%s:%d", serverName, in.https)
	return in
}

// openTo gives files in a test's directory to an ordinary user.
func openTo(t *testing.T, dir string, uid int, files ...string) {
	t.Helper()
	for _, file := range files {
		if err := os.Chown(file, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	for ; dir != os.TempDir() && dir != "/"; dir = dir[:strings.LastIndexByte(dir, '/')] {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func testFirstRun(t *testing.T, in *installation) {
	in.checkProcesses(t)
	in.checkRedirect(t)
	smtp := mailtest.Start(t, mailtest.Options{User: "box", Password: "s3cret", Insecure: true, StartTLS: true})
	p := browser(t).Page(t, in.BaseURL)

	// Without the token nothing can be done.
	p.Visit("/")
	p.Wait(`location.pathname === "/setup"`)
	in.inspect(p, "setup")
	p.Fill("#token", strings.Repeat("0", 40))
	p.Keys("\r")
	p.Visible(".alert")
	for _, path := range []string{"/setup/email", "/setup/user", "/setup/success", "/apps", "/grain"} {
		p.Visit(path)
		p.Wait(`location.pathname === "/setup" || location.pathname === "/login"`)
	}

	token := in.adminToken(t)
	p.Visit(token)
	p.Wait(`document.querySelector("#token").value.length === 40`)
	p.Click("main .primary")
	p.Wait(`location.pathname === "/setup/email"`)
	in.checkTokenSpent(t, token)

	in.setUpMail(p, smtp)
	code, _ := in.askForCode(p, smtp, "ann@example.com")
	p.Fill("#code", wrong(code))
	p.Keys("\r")
	p.Visible(".alert")
	p.Fill("#code", " "+code[:4]+" "+code[4:])
	p.Keys("\r")
	p.Wait(`location.pathname === "/setup/user" && document.querySelector(".person")`)
	in.inspect(p, "setup-admin")
	p.Click("main .primary")
	p.Wait(`location.pathname === "/setup/success"`)
	in.inspect(p, "setup-success")
	p.Visit("/setup/email") // over
	p.Wait(`location.pathname === "/setup"`)

	var users []struct{ Name, Role string }
	if in.JSON(&users, "user", "list"); len(users) != 1 || users[0].Role != "admin" {
		t.Errorf("users %v", users)
	}
	in.checkRestart(t, p)
	in.signInByLink(t, smtp, code)
}

// adminToken is the address that the command prints.
func (in *installation) adminToken(t *testing.T) string {
	t.Helper()
	var out struct{ Token, URL string }
	in.JSON(&out, "admin-token")
	if !strings.HasPrefix(out.URL, in.BaseURL+"/setup/token/") || !strings.HasSuffix(out.URL, out.Token) {
		t.Fatalf("admin-token: %+v", out)
	}
	return out.URL
}

func (in *installation) checkTokenSpent(t *testing.T, token string) {
	t.Helper()
	other := browser(t).Page(t, in.BaseURL)
	other.Visit(token)
	other.Click("main .primary")
	other.Visible(".alert")
	other.Visit("/setup/email")
	other.Wait(`location.pathname === "/setup"`)
}

// setUpMail is the second step: title, SMTP, a test mail.
func (in *installation) setUpMail(p *browsertest.Page, smtp *mailtest.Server) {
	p.Helper()
	in.inspect(p, "setup-server")
	p.Fill("#title", "Box of tests")
	p.Fill("#host", smtp.Host)
	p.Fill("#port", strconv.Itoa(smtp.Port))
	p.Fill("#user", "box")
	p.Fill("#password", "wrong")
	p.Fill("#from", "box@example.com")
	p.Do(`document.querySelector("[name=emailLogin]").checked ||= true`)
	p.Fill("#testTo", "ann@example.com")
	p.Click("button[value=test]")
	p.Visible(".alert")
	p.Fill("#password", "s3cret")
	p.Click("button[value=test]")
	p.Visible(".banner.ok")
	if m := smtp.Next(p); m.To[0] != "ann@example.com" || m.From != "box@example.com" || m.User != "box" || !m.TLS {
		p.Errorf("test mail %+v", m)
	}
	p.Fill("#password", "s3cret")
	p.Click("button.primary[value=save]")
	p.Wait(`location.pathname === "/setup/user" && document.querySelector("#email")`)
}

var codePattern = regexp.MustCompile(`(?m)^ +([2-9a-z]{12})$`)

// askForCode types an address and reads the mail that comes.
func (in *installation) askForCode(p *browsertest.Page, smtp *mailtest.Server, address string) (code, link string) {
	p.Helper()
	p.Fill("#email", address)
	p.Keys("\r")
	p.Visible("#code")
	m := smtp.Next(p)
	found := codePattern.FindStringSubmatch(m.Text)
	if len(m.To) != 1 || m.To[0] != address || found == nil || !strings.Contains(m.Subject, "Box of tests") {
		p.Fatalf("mail %+v", m)
	}
	link = regexp.MustCompile(`https://\S+`).FindString(m.Text)
	if !strings.HasPrefix(link, in.BaseURL+"/_emailLogin/") {
		p.Errorf("link %q", link)
	}
	return found[1], link
}

// wrong is a code of the right form that is not code.
func wrong(code string) string {
	first := "2"
	if code[0] == '2' {
		first = "3"
	}
	return first + code[1:]
}

// signInByLink uses a mailed link once, and a spent code in vain.
func (in *installation) signInByLink(t *testing.T, smtp *mailtest.Server, spent string) {
	t.Helper()
	p := browser(t).Page(t, in.BaseURL)
	p.Visit("/login")
	in.inspect(p, "login")
	code, link := in.askForCode(p, smtp, "ann@example.com")
	in.inspect(p, "login-code")
	p.Fill("#code", spent)
	p.Keys("\r")
	p.Visible(".alert")

	// A program that follows all links of a mail signs nobody in.
	resp, err := in.client(t).Get(link)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	p.Visit(link)
	p.Wait(`document.querySelector("input[name=code]").value === %s`, code)
	p.Click("main .primary")
	p.Wait(`document.querySelector(".me")`)

	// And only once.
	again := browser(t).Page(t, in.BaseURL)
	again.Visit(link)
	again.Click("main .primary")
	again.Visible(".alert")

	var users []struct{ Name string }
	if in.JSON(&users, "user", "list"); len(users) != 1 {
		t.Errorf("the same mailbox made another account: %v", users)
	}
}

// checkProcesses looks at who the processes are.
func (in *installation) checkProcesses(t *testing.T) {
	t.Helper()
	var st struct {
		BaseURL string
		PID     int
		Host    struct {
			PID  int
			Tier string
		}
		Running []any
	}
	in.JSON(&st, "status")
	if st.BaseURL != in.BaseURL || st.PID != in.PID() || len(st.Running) != 0 {
		t.Errorf("status %+v", st)
	}
	server, err := harness.Status(st.PID)
	if err != nil {
		t.Fatal(err)
	}
	host, err := harness.Status(st.Host.PID)
	if err != nil {
		t.Fatal(err)
	}
	serverUID, hostUID, tier := "65534", "0", "root"
	if in.User {
		serverUID = strconv.Itoa(harness.Nobody)
		hostUID, tier = serverUID, "userns"
	} else if os.Getuid() != 0 {
		serverUID = strconv.Itoa(os.Getuid())
		hostUID, tier = serverUID, "userns"
	}
	four := func(id string) string { return strings.Join([]string{id, id, id, id}, " ") }
	none := "0000000000000000"
	for name, want := range map[string]string{
		"Uid": four(serverUID), "CapEff": none, "CapPrm": none, "CapInh": none, "CapAmb": none, "NoNewPrivs": "1",
	} {
		if server[name] != want {
			t.Errorf("server: %s is %q, want %q", name, server[name], want)
		}
	}
	if !in.User && os.Getuid() == 0 && (server["Groups"] != "" || !strings.HasPrefix(server["Gid"], "65534")) {
		t.Errorf("server: groups %q, gid %q", server["Groups"], server["Gid"])
	}
	if host["Uid"] != four(hostUID) || st.Host.Tier != tier {
		t.Errorf("host: uid %q, tier %q", host["Uid"], st.Host.Tier)
	}
}

// client trusts the tests' authority and finds every name here.
func (in *installation) client(t *testing.T) *http.Client {
	tr := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: authority().pool()},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// checkRedirect: the second port leads to the first.
func (in *installation) checkRedirect(t *testing.T) {
	t.Helper()
	client := in.client(t)
	for _, host := range []string{serverName, "ui-0123456789abcdef0123456789abcdef." + serverName} {
		resp, err := client.Get(fmt.Sprintf("http://%s:%d/a/b?c=d%%2F", host, in.http))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		to, err := resp.Location()
		want := fmt.Sprintf("https://%s:%d/a/b?c=d%%2F", host, in.https)
		if err != nil || to.String() != want || resp.StatusCode/100 != 3 {
			t.Errorf("%s: %s to %v, want %s", host, resp.Status, to, want)
		}
	}
	resp, err := client.Get(in.BaseURL + "/about")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.StatusCode != 200 {
		t.Errorf("over TLS: %s %s", resp.Proto, resp.Status)
	}
}

// checkRestart: a second start keeps the account, the session, the settings.
func (in *installation) checkRestart(t *testing.T, p *browsertest.Page) {
	t.Helper()
	var app struct{ AppID string }
	in.JSON(&app, "app", "install", harness.Copy(t, in.Server, "probe"))
	p.Visit("/apps/" + app.AppID)
	p.Click(`form[action="/grain/new"] button`)
	f := frame(p)
	run := browsertest.Value[string](f, `fetch("/echo").then(r => r.json()).then(e => e.run)`)
	in.Kill()
	in.Run()
	p.Visit(p.Location())
	again := frame(p)
	if now := browsertest.Value[string](again, `fetch("/echo").then(r => r.json()).then(e => e.run)`); now != run {
		t.Error("the grain was started again")
	}
	u, _ := url.Parse(browsertest.Value[string](again, `location.href`))
	if u.Scheme != "https" || !strings.HasSuffix(u.Hostname(), "."+serverName) {
		t.Errorf("session at %s", u)
	}
	for _, c := range p.Cookies() {
		if !c.Secure || !c.HTTPOnly || c.Domain != serverName && c.Domain != u.Hostname() && !strings.HasSuffix(c.Domain, "."+serverName) || strings.HasPrefix(c.Domain, ".") {
			t.Errorf("cookie %+v", c)
		}
	}
	p.Visit("/about")
	p.Wait(`document.querySelector("h1").textContent === "Box of tests"`)
}
