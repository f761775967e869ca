package shell

import (
	"net/mail"
	"strconv"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// setupSessionLife is how long a set-up session lives (shell.md §8).
const setupSessionLife = 24 * time.Hour

// setupData is what the set-up pages show.
type setupData struct {
	Step   int // 1 to 4
	Needed bool
	Token  string // from the link
	Error  string

	Settings ServerSettings // step 2
	TestTo   string
	TestSent bool
	Problem  string // with the settings or the test mail

	Login loginData // step 3
}

func (s *Shell) renderSetup(q *request, name string, data setupData) error {
	return s.render(q, page{Name: name, Title: q.loc.T("setup.title"), Nav: "setup", Data: data})
}

// setupSession is the cookie of a set-up session that is still good.
func (s *Shell) setupSession(q *request) (sandstorm.Secret, error) {
	cookie := sandstorm.Secret(s.cookie(q.r, cookieSetup))
	if cookie == "" {
		return "", sandstorm.Errorf(sandstorm.Denied, "setup.no-session", "no set-up session")
	}
	return cookie, s.Setup.Check(q.r.Context(), cookie)
}

// requireSetup leads to the first step if there is no set-up session.
func (s *Shell) requireSetup(q *request) (sandstorm.Secret, bool, error) {
	session, err := s.setupSession(q)
	if sandstorm.IsKind(err, sandstorm.Denied) || sandstorm.IsKind(err, sandstorm.NotFound) {
		q.redirect("/setup")
		return "", false, nil
	}
	return session, err == nil, err
}

// setupStart asks for the admin token. It stays open after the first run: it is
// the way back after a lock-out.
func (s *Shell) setupStart(q *request) error {
	if _, err := s.setupSession(q); err == nil {
		q.redirect("/setup/email")
		return nil
	}
	needed, err := s.Setup.Needed(q.r.Context())
	if err != nil {
		return err
	}
	return s.renderSetup(q, "setup", setupData{Step: 1, Needed: needed})
}

// setupLink is the address that the admin-token command prints. It fills the
// form in; the button uses the token.
func (s *Shell) setupLink(q *request) error {
	token := q.r.PathValue("token")
	if len(token) > 200 {
		return errNoPage(q.r)
	}
	needed, err := s.Setup.Needed(q.r.Context())
	if err != nil {
		return err
	}
	return s.renderSetup(q, "setup", setupData{Step: 1, Needed: needed, Token: token})
}

func (s *Shell) setupToken(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	session, err := s.Setup.Begin(q.r.Context(), sandstorm.Secret(q.field("token")))
	if err != nil {
		p := s.explain(q, err)
		if p.Key == "internal" {
			return err
		}
		q.status = p.Status
		needed, err := s.Setup.Needed(q.r.Context())
		if err != nil {
			return err
		}
		return s.renderSetup(q, "setup", setupData{Step: 1, Needed: needed, Error: p.Message})
	}
	s.setCookie(q.w, cookieSetup, session, s.Now().Add(setupSessionLife))
	q.redirect("/setup/email")
	return nil
}

// setupServer asks for the server's title and how mail leaves.
func (s *Shell) setupServer(q *request) error {
	_, ok, err := s.requireSetup(q)
	if !ok {
		return err
	}
	settings, err := s.Settings.Get(q.r.Context())
	if err != nil {
		return err
	}
	return s.renderSetup(q, "setup-server", setupData{Step: 2, Settings: settings})
}

func (s *Shell) setupSave(q *request) error {
	_, ok, err := s.requireSetup(q)
	if !ok {
		return err
	}
	if err := q.form(); err != nil {
		return err
	}
	old, err := s.Settings.Get(q.r.Context())
	if err != nil {
		return err
	}
	data := setupData{Step: 2, TestTo: q.field("testTo")}
	again := func(cause error) error {
		p := s.explain(q, cause)
		if p.Key == "internal" {
			return cause
		}
		data.Problem, q.status = p.Message, p.Status
		return s.renderSetup(q, "setup-server", data)
	}
	if data.Settings, err = settingsFromForm(q, old); err != nil {
		return again(err)
	}
	if q.field("do") == "test" {
		if err := s.Settings.SendTestMail(q.r.Context(), data.Settings.SMTP, data.TestTo); err != nil {
			return again(err)
		}
		data.TestSent = true
		return s.renderSetup(q, "setup-server", data)
	}
	if err := s.Settings.Set(q.r.Context(), data.Settings); err != nil {
		return again(err)
	}
	q.redirect("/setup/user")
	return nil
}

// settingsFromForm changes old by the fields of a form. An empty password
// leaves the stored one, but only for the same server: otherwise somebody could
// have it sent to a server of his own.
func settingsFromForm(q *request, old ServerSettings) (ServerSettings, error) {
	out := old
	out.Title = q.field("title")
	out.EmailLogin = q.field("emailLogin") == "on"
	out.SMTP = SMTPSettings{
		Host: q.field("host"), User: q.field("user"), From: q.field("from"),
		Password: sandstorm.Secret(q.r.PostForm.Get("password")),
	}
	same := out.SMTP.Host == old.SMTP.Host && out.SMTP.User == old.SMTP.User
	if out.SMTP.Password == "" && same {
		out.SMTP.Password = old.SMTP.Password
	}
	if port := q.field("port"); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return out, sandstorm.Errorf(sandstorm.Invalid, "settings.port", "port %.20q", port)
		}
		out.SMTP.Port = n
	} else if out.SMTP.Host != "" {
		out.SMTP.Port = 587
	}
	if from := out.SMTP.From; from != "" {
		if a, err := mail.ParseAddress(from); err != nil || a.Address != from {
			return out, sandstorm.Errorf(sandstorm.Invalid, "settings.from", "sender %.100q", from)
		}
	}
	return out, nil
}

// setupUser signs the future administrator in, or asks the one who is signed in.
func (s *Shell) setupUser(q *request) error {
	_, ok, err := s.requireSetup(q)
	if !ok {
		return err
	}
	login, err := s.loginForms(q, "/setup/user")
	if err != nil {
		return err
	}
	return s.renderSetup(q, "setup-user", setupData{Step: 3, Login: login})
}

func (s *Shell) setupAdmin(q *request) error {
	session, ok, err := s.requireSetup(q)
	if !ok {
		return err
	}
	if err := s.Setup.MakeAdmin(q.r.Context(), session, q.account.ID); err != nil {
		return err
	}
	s.clearCookie(q.w, cookieSetup)
	q.redirect("/setup/success")
	return nil
}

func (s *Shell) setupSuccess(q *request) error {
	if q.account.Role != sandstorm.RoleAdmin {
		q.redirect("/")
		return nil
	}
	return s.renderSetup(q, "setup-success", setupData{Step: 4})
}
