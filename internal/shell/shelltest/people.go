package shelltest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/shell"
)

// People implements shell.Accounts and shell.Login.
type People struct{ *World }

// Authenticate implements shell.Accounts.
func (p People) Authenticate(_ context.Context, cookie sandstorm.Secret) (*sandstorm.Account, error) {
	p.Lock()
	defer p.Unlock()
	if err := p.fail("authenticate"); err != nil {
		return nil, err
	}
	a := p.Accounts[p.Cookies[cookie.Reveal()]]
	if a == nil {
		return nil, sandstorm.Errorf(sandstorm.Denied, "auth.sign-in", "no such session")
	}
	out := *a
	return &out, nil
}

// SignOut implements shell.Accounts.
func (p People) SignOut(_ context.Context, cookie sandstorm.Secret) error {
	p.Lock()
	defer p.Unlock()
	delete(p.Cookies, cookie.Reveal())
	return nil
}

// UpdateProfile implements shell.Accounts.
func (p People) UpdateProfile(_ context.Context, who sandstorm.AccountID, profile sandstorm.Profile, language string) error {
	p.Lock()
	defer p.Unlock()
	if err := p.fail("profile"); err != nil {
		return err
	}
	p.World.Accounts[who].Profile = profile
	p.World.Accounts[who].Language = language
	return nil
}

// Credentials implements shell.Accounts.
func (p People) Credentials(_ context.Context, who sandstorm.AccountID) ([]sandstorm.Credential, error) {
	p.Lock()
	defer p.Unlock()
	return p.Creds[who], nil
}

// SetPicture implements shell.Accounts.
func (p People) SetPicture(_ context.Context, who sandstorm.AccountID, content []byte) error {
	p.Lock()
	defer p.Unlock()
	a := p.World.Accounts[who]
	a.Profile.Picture = ""
	if len(content) > 0 {
		sum := sha256.Sum256(content)
		a.Profile.Picture = sandstorm.AssetID(hex.EncodeToString(sum[:]))
		p.Assets[a.Profile.Picture] = Asset{"image/png", content}
	}
	return nil
}

// Methods implements shell.Login.
func (p People) Methods(context.Context) ([]string, error) {
	p.Lock()
	defer p.Unlock()
	var out []string
	if p.Server.EmailLogin {
		out = append(out, "email")
	}
	if p.Server.DevAccounts {
		out = append(out, "dev")
	}
	return out, nil
}

// SendCode implements shell.Login.
func (p People) SendCode(_ context.Context, address, _, _, _ string) error {
	p.Lock()
	defer p.Unlock()
	if err := p.fail("code"); err != nil {
		return err
	}
	if !strings.Contains(address, "@") {
		return sandstorm.Errorf(sandstorm.Invalid, "settings.from", "address %q", address)
	}
	p.Mails = append(p.Mails, address)
	return nil
}

// SignInWithCode implements shell.Login.
func (p People) SignInWithCode(_ context.Context, address string, code sandstorm.Secret, _ string) (shell.SignedIn, error) {
	p.Lock()
	defer p.Unlock()
	if code.Reveal() != Code {
		return shell.SignedIn{}, sandstorm.Errorf(sandstorm.Denied, "login.wrong-code", "wrong code")
	}
	name, _, _ := strings.Cut(address, "@")
	return p.enter(name), nil
}

// SignInDev implements shell.Login.
func (p People) SignInDev(_ context.Context, name string) (shell.SignedIn, error) {
	p.Lock()
	defer p.Unlock()
	if name == "" || !p.Server.DevAccounts {
		return shell.SignedIn{}, sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "no name")
	}
	return p.enter(name), nil
}

func (p People) enter(name string) shell.SignedIn {
	a := p.account(name, sandstorm.RoleUser)
	return shell.SignedIn{Account: a, Cookie: sandstorm.Secret(p.signIn(a)), Expires: p.Now().Add(90 * 24 * time.Hour)}
}

// Office implements shell.Setup and shell.Settings.
type Office struct{ *World }

// Needed implements shell.Setup.
func (o Office) Needed(context.Context) (bool, error) {
	o.Lock()
	defer o.Unlock()
	return !o.Admin, nil
}

// Begin implements shell.Setup.
func (o Office) Begin(_ context.Context, token sandstorm.Secret) (sandstorm.Secret, error) {
	o.Lock()
	defer o.Unlock()
	if token.Reveal() != AdminToken {
		return "", sandstorm.Errorf(sandstorm.Denied, "setup.no-session", "wrong token")
	}
	o.setup = o.token("setup")
	return sandstorm.Secret(o.setup), nil
}

// Check implements shell.Setup.
func (o Office) Check(_ context.Context, session sandstorm.Secret) error {
	o.Lock()
	defer o.Unlock()
	if o.setup == "" || session.Reveal() != o.setup {
		return sandstorm.Errorf(sandstorm.Denied, "setup.ended", "no such session")
	}
	return nil
}

// MakeAdmin implements shell.Setup.
func (o Office) MakeAdmin(ctx context.Context, session sandstorm.Secret, who sandstorm.AccountID) error {
	if err := o.Check(ctx, session); err != nil {
		return err
	}
	o.Lock()
	defer o.Unlock()
	o.Accounts[who].Role = sandstorm.RoleAdmin
	o.Admin, o.setup = true, ""
	return nil
}

// Get implements shell.Settings.
func (o Office) Get(context.Context) (shell.ServerSettings, error) {
	o.Lock()
	defer o.Unlock()
	return o.Server, o.fail("settings")
}

// Set implements shell.Settings.
func (o Office) Set(_ context.Context, s shell.ServerSettings) error {
	o.Lock()
	defer o.Unlock()
	o.Server = s
	return nil
}

// SendTestMail implements shell.Settings.
func (o Office) SendTestMail(_ context.Context, s shell.SMTPSettings, to string) error {
	o.Lock()
	defer o.Unlock()
	if s.Host == "" {
		return sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "no mail server")
	}
	o.Mails = append(o.Mails, to)
	return nil
}
