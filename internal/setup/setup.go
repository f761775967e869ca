// Package setup is the first run, and the way back after everybody was locked
// out: whoever can run a command on the server gets a token, swaps it in the
// browser for a set-up session, and makes an account an administrator
// (shell.md §8).
package setup

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// SessionLife is how long a set-up session lives.
const SessionLife = 24 * time.Hour

// Options are what a Service works with.
type Options struct {
	Store   *store.Store
	DataDir string
	// DevAccounts: anybody may sign in as anybody, so that nothing is won by
	// insisting on an administrator first.
	DevAccounts bool
	Log         *slog.Logger
	Now         func() time.Time
}

// Service runs the set-up. Its methods may be called concurrently.
type Service struct{ o Options }

// New makes a Service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{o}
}

// Needed reports whether the server has no administrator yet and has to have
// one before it can be used.
func (s *Service) Needed(ctx context.Context) (bool, error) {
	if s.o.DevAccounts {
		return false, nil
	}
	has, err := s.o.Store.HasAdmin(ctx)
	return !has, err
}

// Begin exchanges the admin token for a set-up session of 24 hours. The token is
// spent, and an earlier session ends.
func (s *Service) Begin(ctx context.Context, adminToken sandstorm.Secret) (session sandstorm.Secret, err error) {
	if err := spendToken(filepath.Join(s.o.DataDir, tokenFile), adminToken, s.o.Now()); err != nil {
		return "", err
	}
	var b [32]byte
	rand.Read(b[:])
	session = sandstorm.Secret(base64.RawURLEncoding.EncodeToString(b[:]))
	if err := s.o.Store.BeginSetup(ctx, hash(session), s.o.Now().Add(SessionLife)); err != nil {
		return "", err
	}
	s.o.Log.InfoContext(ctx, "set-up began with an admin token")
	return session, nil
}

// Check is Denied unless this set-up session is under way.
func (s *Service) Check(ctx context.Context, session sandstorm.Secret) error {
	return s.o.Store.CheckSetup(ctx, hash(session))
}

// MakeAdmin makes the account an administrator and ends the set-up session.
func (s *Service) MakeAdmin(ctx context.Context, session sandstorm.Secret, who sandstorm.AccountID) error {
	if err := s.o.Store.FinishSetup(ctx, hash(session), who); err != nil {
		return err
	}
	s.o.Log.InfoContext(ctx, "new administrator", "user", who)
	return nil
}

func hash(session sandstorm.Secret) string {
	sum := sha256.Sum256([]byte(session.Reveal()))
	return hex.EncodeToString(sum[:])
}
