// Package email signs people in by a one-time code that is mailed to them. Who
// can read a mailbox is its person (shell.md §3).
package email

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/account"
	"github.com/sandstorm-go/sandstorm/internal/mail"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

const (
	// CodeLife is how long a code works.
	CodeLife = time.Hour
	// maxOutstanding is how many codes one address can have at a time, and so
	// how much mail a stranger can cause in somebody's mailbox in an hour.
	maxOutstanding = 3
	// maxAttempts is how many wrong tries kill a code. A code has 59 bits, so
	// this is not what stops guessing; it is high, so that a stranger cannot
	// easily spoil somebody's codes: one client gets to try less than half as
	// often in a code's life.
	maxAttempts = 1000
)

// codeAlphabet has no letters that people mistake for digits, and one case.
const (
	codeAlphabet = "23456789abcdefghjkmnpqrstuvwxyz"
	codeLength   = 12
)

// Options are what a Service works with.
type Options struct {
	Store    *store.Store
	Accounts *account.Service
	Sender   interface {
		Send(ctx context.Context, via mail.SMTP, m mail.Message) error
	}
	// Settings says how mail leaves now, and the server's title.
	Settings func(ctx context.Context) (via mail.SMTP, title string, err error)
	BaseURL  string // scheme://host[:port], where mailed links lead
	// Texts returns the messages of a language; nil, or a message that is
	// missing, means English.
	Texts func(language string) Texts
	Log   *slog.Logger
	Now   func() time.Time
}

// Service mails codes and takes them. Its methods may be called concurrently.
type Service struct {
	o              Options
	sends, guesses *limiter
}

// New makes a Service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{
		o: o,
		// Many people may sit behind one address: a school, an office.
		sends:   newLimiter(20, 30*time.Second),
		guesses: newLimiter(30, 10*time.Second),
	}
}

func limits(now time.Time) store.CodeLimits {
	return store.CodeLimits{Since: now.Add(-CodeLife), Outstanding: maxOutstanding, Attempts: maxAttempts}
}

// SendCode mails a one-time code. It answers the same whether or not the
// address is known. returnPath is where the mailed link leads after sign-in.
func (s *Service) SendCode(ctx context.Context, address, returnPath, language, clientIP string) error {
	// Nothing is recorded, looked up or mailed for what is not one address.
	typed, err := mail.ParseAddress(strings.TrimSpace(address))
	if err != nil {
		return sandstorm.Errorf(sandstorm.Invalid, "login.bad-address", "%w", err)
	}
	if !s.sends.allow(clientIP, s.o.Now()) {
		return sandstorm.Errorf(sandstorm.Exhausted, "login.too-many-requests", "too many codes were asked for from one address")
	}
	via, title, err := s.o.Settings(ctx)
	if err != nil {
		return err
	}
	to, who, err := s.mailbox(ctx, typed)
	if err != nil {
		return err
	}
	if who != nil && who.Language != "" {
		language = who.Language
	}
	code := newCode()
	rec := &store.LoginCode{
		Digest: digest(to, code), Address: to.String(),
		ReturnPath: sandstorm.Secret(localPath(returnPath)), Created: s.o.Now(),
	}
	if err := s.o.Store.InsertLoginCode(ctx, rec, limits(s.o.Now())); err != nil {
		return err
	}
	if err := s.o.Sender.Send(ctx, via, s.letter(language, title, to, code)); err != nil {
		// A code that nobody got must not count against the address.
		if derr := s.o.Store.DeleteLoginCode(context.WithoutCancel(ctx), rec.Digest); derr != nil {
			s.o.Log.ErrorContext(ctx, "a code that was not mailed stays", "err", derr)
		}
		s.o.Log.WarnContext(ctx, "cannot mail a login code", "err", err)
		return s.hideDetail(err)
	}
	return nil
}

// hideDetail keeps what the mail server said from visitors, but for a refusal
// of their own address.
func (s *Service) hideDetail(err error) error {
	if sandstorm.IsKind(err, sandstorm.Invalid) {
		return sandstorm.Errorf(sandstorm.Invalid, "login.address-refused", "%w", err)
	}
	return sandstorm.Errorf(sandstorm.Unavailable, "login.mail-failed", "%w", err)
}

// mailbox finds where to mail a code for a typed address, and who has it. A
// known address is found however its letters are typed; but then the code goes
// to the address as it is known, never as it was typed: a mail server may tell
// Alice@ and alice@ apart, and the one must not sign in as the other.
func (s *Service) mailbox(ctx context.Context, typed mail.Address) (mail.Address, *store.Account, error) {
	known, err := s.o.Store.FindCredentials(ctx, account.ServiceEmail, typed.String())
	if err != nil || len(known) == 0 {
		return typed, nil, err
	}
	best := -1
	for i, c := range known {
		if a, err := mail.ParseAddress(c.Subject); err == nil && a.SameMailbox(typed) && (best < 0 || c.Subject == typed.String()) {
			best = i
		}
	}
	if best < 0 && len(known) > 1 {
		return typed, nil, nil // several spellings are known, and this is none of them
	}
	c := known[max(best, 0)]
	to, err := mail.ParseAddress(c.Subject)
	if err != nil {
		return typed, nil, err
	}
	who, err := s.o.Store.Account(ctx, c.Account)
	return to, who, err
}

// SignInWithCode takes a code and begins a browser session. address may be
// spelt as it was for SendCode.
func (s *Service) SignInWithCode(ctx context.Context, address string, code sandstorm.Secret, clientIP string) (account.SignedIn, error) {
	typed, err := mail.ParseAddress(strings.TrimSpace(address))
	if err != nil {
		return account.SignedIn{}, sandstorm.Errorf(sandstorm.Invalid, "login.bad-address", "%w", err)
	}
	if !s.guesses.allow(clientIP, s.o.Now()) {
		return account.SignedIn{}, sandstorm.Errorf(sandstorm.Exhausted, "login.too-many-requests", "too many codes were tried from one address")
	}
	now := s.o.Now()
	given := sandstorm.Secret(strings.ToLower(strings.TrimSpace(code.Reveal())))
	rec, err := s.o.Store.UseLoginCode(ctx, typed.String(), digest(typed, given), limits(now))
	if err != nil {
		return account.SignedIn{}, err
	}
	// What was proven is the mailbox that the code went to.
	proven, err := mail.ParseAddress(rec.Address)
	if err != nil {
		return account.SignedIn{}, err
	}
	subject, err := s.subject(ctx, proven)
	if err != nil {
		return account.SignedIn{}, err
	}
	in, err := s.o.Accounts.SignIn(ctx, account.Proof{Service: account.ServiceEmail, Subject: subject, Email: subject})
	in.ReturnPath = localPath(rec.ReturnPath.Reveal())
	return in, err
}

// subject is the credential of a proven mailbox: as it was first typed if it is
// known, whatever case its domain has.
func (s *Service) subject(ctx context.Context, proven mail.Address) (string, error) {
	known, err := s.o.Store.FindCredentials(ctx, account.ServiceEmail, proven.String())
	if err != nil {
		return "", err
	}
	out := proven.String()
	for _, c := range known {
		if c.Subject == proven.String() {
			return c.Subject, nil
		}
		if a, err := mail.ParseAddress(c.Subject); err == nil && a.SameMailbox(proven) {
			out = c.Subject
		}
	}
	return out, nil
}

// newCode draws a code without bias.
func newCode() sandstorm.Secret {
	out := make([]byte, 0, codeLength)
	var buf [32]byte
	for len(out) < codeLength {
		rand.Read(buf[:])
		for _, b := range buf {
			// 248 is the largest multiple of the alphabet's 31 below 256.
			if b < 248 && len(out) < codeLength {
				out = append(out, codeAlphabet[b%31])
			}
		}
	}
	return sandstorm.Secret(out)
}

// digest is what is kept of a code. It holds the address, so that no two
// addresses can share one.
func digest(a mail.Address, code sandstorm.Secret) string {
	sum := sha256.Sum256([]byte("email-code:" + store.Fold(a.String()) + ":" + code.Reveal()))
	return hex.EncodeToString(sum[:])
}

// localPath is the path if it leads to a page of this server, else "/".
func localPath(path string) string {
	if len(path) > 2000 || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsFunc(path, unsafeInPath) {
		return "/"
	}
	if u, err := url.Parse(path); err != nil || u.Host != "" || u.Scheme != "" {
		return "/"
	}
	return path
}

// unsafeInPath is what browsers drop or take for a slash.
func unsafeInPath(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f || r == 0xfffd }
