package main

import (
	"context"
	"net/http"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/account"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/control"
	"github.com/sandstorm-go/sandstorm/internal/gateway"
	"github.com/sandstorm-go/sandstorm/internal/grain"
	"github.com/sandstorm-go/sandstorm/internal/locale"
	"github.com/sandstorm-go/sandstorm/internal/login"
	"github.com/sandstorm-go/sandstorm/internal/login/dev"
	"github.com/sandstorm-go/sandstorm/internal/login/email"
	"github.com/sandstorm-go/sandstorm/internal/mail"
	"github.com/sandstorm-go/sandstorm/internal/netguard"
	"github.com/sandstorm-go/sandstorm/internal/settings"
	"github.com/sandstorm-go/sandstorm/internal/setup"
	"github.com/sandstorm-go/sandstorm/internal/shell"
)

// wire puts the parts together, from the store upwards.
func (p *program) wire(ctx context.Context) error {
	var err error
	if p.messages, err = locale.Load(); err != nil {
		return err
	}
	if p.hosts, err = gateway.NewHosts(p.cfg.BaseURL, p.cfg.WildcardHost); err != nil {
		return err
	}
	guard := netguard.New(netguard.Options{Allow: p.cfg.AllowPrivateDownloads})
	sender := &mail.Sender{}
	set := settings.New(p.store, p.cfg, sender)

	p.apps = app.New(app.Options{
		Store: p.store, Host: p.host, Notify: p.notify, Log: p.log, Fetch: guard.Client(),
		AppChanged: func(ctx context.Context, id sandstorm.AppID) error { return p.grains.AppChanged(ctx, id) },
	})
	p.grains = grain.New(grain.Options{
		Store: p.store, Host: p.host, Notify: p.notify, Log: p.log,
		Dev:        p.apps.DevPackage,
		SessionURL: p.hosts.SessionOrigin, PictureURL: func(a *sandstorm.Account) string { return p.shell.PictureURL(a) },
	})
	if err := p.grains.Adopt(ctx); err != nil {
		return err
	}
	p.account = account.New(account.Options{
		Store: p.store, DevAccounts: p.cfg.AllowDevAccounts, Log: p.log,
		Policy: func(ctx context.Context) (account.Policy, error) {
			open, domains, err := set.Policy(ctx)
			return account.Policy{OpenSignUp: open, Domains: domains}, err
		},
		Welcome: p.apps.Welcome,
		Ended:   p.grains.EndSessions,
	})
	signIn := p.signIn(set, sender)
	if err := signIn.Close(ctx); err != nil {
		return err
	}
	if p.dev {
		if err := p.developmentAdmin(ctx); err != nil {
			return err
		}
	}
	p.shell, err = shell.New(shell.Options{
		BaseURL: p.cfg.BaseURL, WildcardHost: p.cfg.WildcardHost,
		Accounts: p.account, Login: signIn, Settings: set,
		Setup: setup.New(setup.Options{Store: p.store, DataDir: p.cfg.DataDir, DevAccounts: p.cfg.AllowDevAccounts, Log: p.log}),
		Apps:  p.apps, Grains: p.grains, Events: p.notify,
		Log: p.log, Release: version(),
	})
	if err != nil {
		return err
	}
	return p.doors()
}

// doors makes what faces the network and the administrator.
func (p *program) doors() error {
	gw, err := gateway.New(gateway.Options{
		BaseURL: p.cfg.BaseURL, WildcardHost: p.cfg.WildcardHost,
		Shell: p.shell, Static: p.shell.Static(), Sessions: grainSessions{p.grains},
		StrictCSP: !p.cfg.AllowLegacyRelaxedCSP, Log: p.log,
		ErrorPage: func(w http.ResponseWriter, r *http.Request, e *gateway.Problem) {
			p.shell.ErrorPage(w, r, e.Status, e.Key, e.Args, e.ID)
		},
	})
	if err != nil {
		return err
	}
	p.gateway = gateway.NewServer(gw)
	p.admin = &http.Server{Handler: control.NewServer(control.Options{
		Version: version(), BaseURL: p.cfg.BaseURL,
		Store: p.store, Host: p.host, Accounts: p.account, Apps: p.apps, Grains: p.grains,
		DevAccounts: p.cfg.AllowDevAccounts, Messages: p.messages.Reference(),
		SessionURL: p.hosts.SessionOrigin, Log: p.log,
	})}
	return nil
}

// signIn puts the ways to sign in together.
func (p *program) signIn(set *settings.Service, sender *mail.Sender) *login.Service {
	return login.New(set, email.New(email.Options{
		Store: p.store, Accounts: p.account, Sender: sender, BaseURL: p.cfg.BaseURL, Log: p.log,
		Settings: set.MailAndTitle,
		Texts:    func(language string) email.Texts { return p.messages.Match(language, language) },
	}), dev.New(p.store, p.account, p.cfg.AllowDevAccounts))
}

// developmentAdmin makes Alice an administrator, so that a development server
// needs no set-up.
func (p *program) developmentAdmin(ctx context.Context) error {
	has, err := p.store.HasAdmin(ctx)
	if has || err != nil {
		return err
	}
	_, err = p.account.Create(ctx, "Alice", "", sandstorm.RoleAdmin)
	return err
}
