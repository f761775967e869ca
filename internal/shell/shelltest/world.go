// Package shelltest is the shell's rules in memory, with realistic data, and a
// server that shows the shell over them: for the shell's tests, for browser
// tests and for looking at pages while they are drawn. Nothing of it ships.
package shelltest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/shell"
)

// AdminToken is the token that the set-up takes.
const AdminToken = "0123456789abcdef0123456789abcdef01234567"

// Code is the sign-in code that every address is "mailed".
const Code = "abcd2345efgh"

// World is the state that the fake services share. Tests may change its fields
// while they hold Lock.
type World struct {
	sync.Mutex
	Now      func() time.Time
	Admin    bool // there is an administrator
	Server   shell.ServerSettings
	Accounts map[sandstorm.AccountID]*sandstorm.Account
	Creds    map[sandstorm.AccountID][]sandstorm.Credential
	Cookies  map[string]sandstorm.AccountID
	Packages map[sandstorm.PackageID]*sandstorm.Package
	Added    map[sandstorm.AppID]sandstorm.PackageID // on everybody's list
	Dev      map[sandstorm.AppID]string              // apps under development, and their revisions
	Grains   map[sandstorm.GrainID]*sandstorm.Grain
	Running  map[sandstorm.GrainID]bool
	Health   map[sandstorm.GrainID]shell.GrainHealth
	Sessions map[sandstorm.HostID]sandstorm.GrainID
	Attempts map[string]*app.Attempt
	Assets   map[sandstorm.AssetID]Asset
	Logs     map[sandstorm.GrainID]string
	Mails    []string // addresses that a code or a test mail went to
	Fail     map[string]error

	subscribers map[chan string]sandstorm.AccountID
	setup       string
	counter     int
}

// Asset is a picture.
type Asset struct {
	MIMEType string
	Content  []byte
}

// New makes a world with two apps' worth of documents, owned by Alice.
func New() *World {
	w := &World{
		Now: time.Now, Admin: true,
		Server:   shell.ServerSettings{Title: "Willow Street", EmailLogin: true, DevAccounts: true, OpenSignUp: true},
		Accounts: map[sandstorm.AccountID]*sandstorm.Account{}, Creds: map[sandstorm.AccountID][]sandstorm.Credential{},
		Cookies: map[string]sandstorm.AccountID{}, Packages: map[sandstorm.PackageID]*sandstorm.Package{},
		Added: map[sandstorm.AppID]sandstorm.PackageID{}, Dev: map[sandstorm.AppID]string{}, Grains: map[sandstorm.GrainID]*sandstorm.Grain{},
		Running: map[sandstorm.GrainID]bool{}, Health: map[sandstorm.GrainID]shell.GrainHealth{},
		Sessions: map[sandstorm.HostID]sandstorm.GrainID{}, Attempts: map[string]*app.Attempt{},
		Assets: map[sandstorm.AssetID]Asset{}, Logs: map[sandstorm.GrainID]string{}, Fail: map[string]error{},
		subscribers: map[chan string]sandstorm.AccountID{},
	}
	w.account("Alice", sandstorm.RoleAdmin)
	w.fill()
	return w
}

// Fresh makes a world as it is before the first run: nobody and nothing there.
func Fresh() *World {
	w := New()
	w.Admin = false
	w.Server = shell.ServerSettings{DevAccounts: true}
	clear(w.Accounts)
	clear(w.Creds)
	clear(w.Packages)
	clear(w.Added)
	clear(w.Grains)
	clear(w.Running)
	return w
}

// account finds or makes the account of a name.
func (w *World) account(name string, role sandstorm.Role) *sandstorm.Account {
	for _, a := range w.Accounts {
		if a.Profile.Name == name {
			return a
		}
	}
	sum := sha256.Sum256([]byte(name))
	handle := strings.ToLower(strings.Map(func(r rune) rune {
		if r < 'A' || r > 'z' {
			return '_'
		}
		return r
	}, name))
	a := &sandstorm.Account{
		ID: sandstorm.AccountID("acc" + hex.EncodeToString(sum[:7])), Role: role, Created: w.Now(), LastActive: w.Now(),
		Profile: sandstorm.Profile{Name: name, Handle: handle, Pronoun: sandstorm.PronounNeutral},
	}
	w.Accounts[a.ID] = a
	w.Creds[a.ID] = []sandstorm.Credential{
		{ID: sandstorm.NewCredentialID("dev", name), Account: a.ID, Service: "dev", Subject: name, Created: w.Now()},
	}
	return a
}

// SignIn makes a browser session for the account of a name and returns its
// cookie.
func (w *World) SignIn(name string) string {
	w.Lock()
	defer w.Unlock()
	return w.signIn(w.account(name, sandstorm.RoleUser))
}

func (w *World) signIn(a *sandstorm.Account) string {
	cookie := w.token("session")
	w.Cookies[cookie] = a.ID
	return cookie
}

func (w *World) token(kind string) string {
	w.counter++
	sum := sha256.Sum256(fmt.Append(nil, kind, w.counter))
	return hex.EncodeToString(sum[:])
}

// Publish tells all open pages that something changed.
func (w *World) Publish(name string) {
	w.Lock()
	defer w.Unlock()
	w.publish(name)
}

func (w *World) publish(names ...string) {
	for ch := range w.subscribers {
		for _, n := range names {
			select {
			case ch <- n:
			default:
			}
		}
	}
}

// fail returns the error that a test wants from an operation.
func (w *World) fail(op string) error { return w.Fail[op] }

// Subscribe implements shell.Events.
func (w *World) Subscribe(ctx context.Context, who sandstorm.AccountID) <-chan string {
	w.Lock()
	defer w.Unlock()
	ch := make(chan string, 64)
	w.subscribers[ch] = who
	go func() {
		<-ctx.Done()
		w.Lock()
		defer w.Unlock()
		delete(w.subscribers, ch)
		close(ch)
	}()
	return ch
}

// GrainByTitle finds a grain, for tests.
func (w *World) GrainByTitle(title string) *sandstorm.Grain {
	w.Lock()
	defer w.Unlock()
	for _, g := range w.Grains {
		if g.Title == title {
			return g
		}
	}
	return nil
}

// AppByTitle finds an app's newest package, for tests.
func (w *World) AppByTitle(title string) *sandstorm.Package {
	w.Lock()
	defer w.Unlock()
	var found *sandstorm.Package
	for _, p := range w.Packages {
		if p.Manifest.AppTitle.Default == title && (found == nil || p.Manifest.AppVersion > found.Manifest.AppVersion) {
			found = p
		}
	}
	return found
}

func sorted[K cmp.Ordered, V any](m map[K]V) []V {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := make([]V, 0, len(m))
	for _, k := range keys {
		out = append(out, m[k])
	}
	return out
}
