package shell

import (
	"net/url"
	"slices"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

// devNames are suggested on servers with development accounts.
var devNames = []string{"Alice", "Bob", "Carol", "Dave", "Eve"}

// loginData is what the sign-in page shows.
type loginData struct {
	Email, Dev bool // which ways there are
	Names      []string
	Return     string
	Address    string // as typed before an error
	Error      string
}

// loginForms finds out which ways to sign in there are.
func (s *Shell) loginForms(q *request, returnPath string) (loginData, error) {
	methods, err := s.Login.Methods(q.r.Context())
	if err != nil {
		return loginData{}, err
	}
	return loginData{
		Email: slices.Contains(methods, "email"), Dev: slices.Contains(methods, "dev"),
		Names: devNames, Return: returnPath,
	}, nil
}

func (s *Shell) login(q *request) error {
	back := localPath(q.r.URL.Query().Get("return"), "/")
	if q.account != nil {
		q.redirect(back)
		return nil
	}
	data, err := s.loginForms(q, back)
	if err != nil {
		return err
	}
	return s.render(q, page{Name: "login", Title: q.loc.T("login.title"), Nav: "login", Data: data})
}

// loginEmail sends a code and leads to the page that takes it.
func (s *Shell) loginEmail(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	address, back := q.field("email"), q.returnPath("/")
	err := s.Login.SendCode(q.r.Context(), address, back, q.loc.Tag, s.ClientIP(q.r))
	if err != nil {
		return s.loginAgain(q, err, func(d *loginData) { d.Address, d.Return = address, back })
	}
	q.redirect("/login/code?" + url.Values{"email": {address}, "return": {back}}.Encode())
	return nil
}

// loginAgain shows the sign-in page once more with what went wrong.
func (s *Shell) loginAgain(q *request, cause error, fill func(*loginData)) error {
	p := s.explain(q, cause)
	if p.Key == "internal" {
		return cause
	}
	data, err := s.loginForms(q, "/")
	if err != nil {
		return err
	}
	fill(&data)
	data.Error = p.Message
	q.status = p.Status
	return s.render(q, page{Name: "login", Title: q.loc.T("login.title"), Nav: "login", Data: data})
}

// codeData is what the page that takes a code shows.
type codeData struct {
	Address, Code, Return string
	Link                  bool // came by the mailed link: one button is enough
	Error                 string
}

func (s *Shell) loginCode(q *request) error {
	v := q.r.URL.Query()
	address := v.Get("email")
	if address == "" || len(address) > 320 {
		q.redirect("/login")
		return nil
	}
	return s.renderCode(q, codeData{Address: address, Return: localPath(v.Get("return"), "/")})
}

func (s *Shell) renderCode(q *request, data codeData) error {
	return s.render(q, page{Name: "code", Title: q.loc.T("login.codeTitle"), Nav: "login", Data: data})
}

// loginLink is the mailed link. Mail scanners follow links, and a GET must not
// use the code up: the page has a button that does.
func (s *Shell) loginLink(q *request) error {
	address, code := q.r.PathValue("email"), q.r.PathValue("code")
	if len(address) > 320 || len(code) > 64 {
		return errNoPage(q.r)
	}
	return s.renderCode(q, codeData{Address: address, Code: code, Return: "/", Link: true})
}

func (s *Shell) loginWithCode(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	data := codeData{Address: q.field("email"), Return: q.returnPath("/")}
	// People copy codes with the spaces and line ends around them.
	code := strings.Join(strings.Fields(q.field("code")), "")
	in, err := s.Login.SignInWithCode(q.r.Context(), data.Address, sandstorm.Secret(code), s.ClientIP(q.r))
	if err != nil {
		p := s.explain(q, err)
		if p.Key == "internal" {
			return err
		}
		data.Error, q.status = p.Message, p.Status
		return s.renderCode(q, data)
	}
	return s.signIn(q, in, data.Return)
}

func (s *Shell) loginDev(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	name, back := q.field("name"), q.returnPath("/")
	if other := q.field("other"); other != "" || name == "" {
		name = other
	}
	in, err := s.Login.SignInDev(q.r.Context(), name)
	if err != nil {
		return s.loginAgain(q, err, func(d *loginData) { d.Return = back })
	}
	return s.signIn(q, in, back)
}

// signIn gives the browser its session and leads back.
func (s *Shell) signIn(q *request, in SignedIn, back string) error {
	if old := s.cookie(q.r, cookieSession); old != "" {
		// Whoever was signed in here before is not any more.
		if err := s.Accounts.SignOut(q.r.Context(), sandstorm.Secret(old)); err != nil {
			s.Log.Warn("old session not ended", "req", q.id, "err", err)
		}
	}
	s.setCookie(q.w, cookieSession, in.Cookie, in.Expires)
	q.redirect(localPath(in.ReturnPath, back))
	return nil
}

func (s *Shell) logout(q *request) error {
	if cookie := s.cookie(q.r, cookieSession); cookie != "" {
		if err := s.Accounts.SignOut(q.r.Context(), sandstorm.Secret(cookie)); err != nil {
			return err
		}
	}
	s.clearCookie(q.w, cookieSession)
	s.clearCookie(q.w, cookieSetup)
	q.redirect("/login")
	return nil
}
