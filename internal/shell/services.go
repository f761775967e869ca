package shell

import (
	"context"
	"io"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/account"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/grain"
	"github.com/sandstorm-go/sandstorm/internal/mail"
	"github.com/sandstorm-go/sandstorm/internal/settings"
)

// The shell draws pages and leaves every decision to the rules below. Each
// method checks for itself what the account may do; all errors are
// *sandstorm.Error.

// Accounts signs people in and keeps their profiles (package account).
type Accounts interface {
	// Authenticate returns the account that a browser's cookie stands for, or
	// Denied if there is none, it expired, or the account is suspended. It sets
	// Account.Login, to which grain sessions are bound.
	Authenticate(ctx context.Context, cookie sandstorm.Secret) (*sandstorm.Account, error)
	SignOut(ctx context.Context, cookie sandstorm.Secret) error
	UpdateProfile(ctx context.Context, who sandstorm.AccountID, p sandstorm.Profile, language string) error
	Credentials(ctx context.Context, who sandstorm.AccountID) ([]sandstorm.Credential, error)
	// SetPicture stores a PNG or JPEG of at most 64 KiB; an empty one removes it.
	SetPicture(ctx context.Context, who sandstorm.AccountID, content []byte) error
}

// Login are the ways to sign in (packages login/...).
type Login interface {
	// Methods says which ways are offered: "email", "dev".
	Methods(ctx context.Context) ([]string, error)
	// SendCode mails a one-time code. It answers the same whether or not the
	// address is known. returnPath is where the mailed link leads after sign-in.
	SendCode(ctx context.Context, address, returnPath, language, clientIP string) error
	// SignInWithCode returns the cookie of a new browser session.
	SignInWithCode(ctx context.Context, address string, code sandstorm.Secret, clientIP string) (SignedIn, error)
	// SignInDev signs in a development account by name.
	SignInDev(ctx context.Context, name string) (SignedIn, error)
}

// SignedIn is a fresh browser session.
type SignedIn = account.SignedIn

// Setup is the first run, and the way back after a lock-out (package setup).
type Setup interface {
	// Needed reports whether the server has no administrator yet.
	Needed(ctx context.Context) (bool, error)
	// Begin exchanges the admin token for a set-up session (24 h, one at a time).
	Begin(ctx context.Context, adminToken sandstorm.Secret) (session sandstorm.Secret, err error)
	Check(ctx context.Context, session sandstorm.Secret) error
	// MakeAdmin makes the account an administrator and ends the set-up session.
	MakeAdmin(ctx context.Context, session sandstorm.Secret, who sandstorm.AccountID) error
}

// Settings are what an administrator (or a set-up session) may change.
type Settings interface {
	Get(ctx context.Context) (ServerSettings, error)
	Set(ctx context.Context, s ServerSettings) error
	// SendTestMail sends a mail with the given settings before they are stored.
	SendTestMail(ctx context.Context, s SMTPSettings, to string) error
}

// What the rules in packages settings and mail speak of.
type (
	ServerSettings = settings.Server
	SMTPSettings   = mail.SMTP
)

// Apps installs packages and lists apps (package app).
type Apps interface {
	// List returns the apps that the account has installed and those under
	// development, by title.
	List(ctx context.Context, who *sandstorm.Account) ([]App, error)
	// Get returns one app: the one under development, else the version on the account's list, else the newest
	// that is installed here.
	Get(ctx context.Context, who *sandstorm.Account, id sandstorm.AppID) (*App, error)
	// Upload takes a .spk and starts to verify and unpack it. size is -1 if
	// unknown. It returns when done; Attempt shows the progress meanwhile.
	Upload(ctx context.Context, who *sandstorm.Account, src io.Reader, size int64) (*Attempt, error)
	// Download fetches a .spk from a URL in the background. want may be empty.
	Download(ctx context.Context, who *sandstorm.Account, url string, want sandstorm.PackageID) (*Attempt, error)
	// Attempt returns an install attempt of this account.
	Attempt(ctx context.Context, who *sandstorm.Account, id string) (*Attempt, error)
	// Cancel ends an attempt that is under way.
	Cancel(ctx context.Context, who *sandstorm.Account, id string) error
	// Confirm adds a ready package to the account's apps.
	Confirm(ctx context.Context, who *sandstorm.Account, id sandstorm.PackageID) (*App, error)
	// Package returns an installed package for the confirmation page.
	Package(ctx context.Context, who *sandstorm.Account, id sandstorm.PackageID) (*sandstorm.Package, error)
	// Uninstall takes the app off the account's list; its grains stay.
	Uninstall(ctx context.Context, who *sandstorm.Account, id sandstorm.AppID) error
	// Asset returns a public picture.
	Asset(ctx context.Context, id sandstorm.AssetID) (mimeType string, content []byte, err error)
}

// What the rules in package app speak of.
type (
	App     = app.App
	Attempt = app.Attempt
)

// Grains makes, lists and opens grains (package grain).
type Grains interface {
	Create(ctx context.Context, who *sandstorm.Account, pkg sandstorm.PackageID, action int, title string) (*sandstorm.Grain, error)
	// CreateDev makes a grain of an app under development; Conflict if it is not.
	CreateDev(ctx context.Context, who *sandstorm.Account, app sandstorm.AppID, action int, title string) (*sandstorm.Grain, error)
	List(ctx context.Context, who *sandstorm.Account, q GrainQuery) ([]GrainRow, error)
	Get(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID) (*GrainRow, error)
	Rename(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID, title string) error
	Trash(ctx context.Context, who *sandstorm.Account, ids ...sandstorm.GrainID) error
	Restore(ctx context.Context, who *sandstorm.Account, ids ...sandstorm.GrainID) error
	// Delete removes trashed grains for good.
	Delete(ctx context.Context, who *sandstorm.Account, ids ...sandstorm.GrainID) error
	// Restart stops the grain; the next request starts it again.
	Restart(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID) error
	// Open mints a session. The frame's address is
	// scheme://ui-HOST.wildcard/_sandstorm-init?sessionid=SECRET&path=PATH.
	Open(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID) (sandstorm.SessionID, error)
	// KeepAlive marks a session as in use; the page calls it every minute. It
	// fails NotFound if the session ended, and tells how the app is doing.
	KeepAlive(ctx context.Context, who *sandstorm.Account, host sandstorm.HostID) (GrainHealth, error)
	// Log streams the grain's log: the last backlog bytes, then on if follow.
	Log(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID, backlog int64, follow bool) (io.ReadCloser, error)
}

// What the rules in package grain speak of.
type (
	GrainQuery  = grain.Query
	GrainRow    = grain.Row
	GrainHealth = grain.Health
)

// Events tells an open page that something changed, so that it refetches
// (package notify).
type Events interface {
	// Subscribe returns names such as "grains", "apps", "grain:ID",
	// "attempt:ID" that concern this account, until ctx is done.
	Subscribe(ctx context.Context, who sandstorm.AccountID) <-chan string
}
