package setup

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/store"
	"github.com/sandstorm-go/sandstorm/internal/store/storetest"
)

type fixture struct {
	*Service
	store *store.Store
	dir   string
	file  string
	now   time.Time
}

func setUp(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir(), now: time.Now()}
	f.file = filepath.Join(f.dir, tokenFile)
	clock := func() time.Time { return f.now }
	var err error
	if f.store, err = store.Open(t.Context(), store.Options{DataDir: f.dir, Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.store.Close() })
	f.Service = New(Options{Store: f.store, DataDir: f.dir, Now: clock})
	return f
}

func (f *fixture) token(t *testing.T) sandstorm.Secret {
	t.Helper()
	token, err := NewToken(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func wantKey(t *testing.T, err error, key string) {
	t.Helper()
	var e *sandstorm.Error
	if !errors.As(err, &e) || e.Key != key {
		t.Errorf("error is %v, want %s", err, key)
	}
}

func TestFirstRun(t *testing.T) {
	f := setUp(t)
	ctx := t.Context()
	if needed, err := f.Needed(ctx); !needed || err != nil {
		t.Errorf("needed %v, %v", needed, err)
	}
	token := f.token(t)
	if !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(token.Reveal()) {
		t.Errorf("token %s", token.Reveal())
	}
	if info, err := os.Stat(f.file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("file %v, %v", info, err)
	}
	session, err := f.Begin(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	if len(session) != 43 {
		t.Errorf("session of %d characters", len(session))
	}
	if err := f.Check(ctx, session); err != nil {
		t.Error(err)
	}
	_, err = f.Begin(ctx, token) // spent
	wantKey(t, err, "setup.wrong-token")
	who := storetest.AddAccount(t, f.store, "alice")
	if err := f.MakeAdmin(ctx, session, who); err != nil {
		t.Fatal(err)
	}
	wantKey(t, f.Check(ctx, session), "setup.ended")
	wantKey(t, f.MakeAdmin(ctx, session, storetest.AddAccount(t, f.store, "mallory")), "setup.ended")
	if needed, err := f.Needed(ctx); needed || err != nil {
		t.Errorf("needed %v, %v", needed, err)
	}

	// After a lock-out the same way leads back.
	session, err = f.Begin(ctx, f.token(t))
	if err != nil {
		t.Fatal(err)
	}
	later, err := f.Begin(ctx, f.token(t))
	if err != nil {
		t.Fatal(err)
	}
	wantKey(t, f.Check(ctx, session), "setup.ended") // one at a time
	f.now = f.now.Add(SessionLife + time.Second)
	wantKey(t, f.Check(ctx, later), "setup.ended")
	wantKey(t, f.Check(ctx, ""), "setup.ended")
}

func TestNotNeededInDevelopment(t *testing.T) {
	f := setUp(t)
	f.o.DevAccounts = true
	if needed, err := f.Needed(t.Context()); needed || err != nil {
		t.Errorf("needed %v, %v", needed, err)
	}
}

func TestWrongTokens(t *testing.T) {
	f := setUp(t)
	for _, wrong := range []string{"", strings.Repeat("0", 40)} { // no file at all
		_, err := f.Begin(t.Context(), sandstorm.Secret(wrong))
		wantKey(t, err, "setup.wrong-token")
	}
	token := f.token(t)
	for _, wrong := range []string{"", "x", strings.Repeat("0", 40), token.Reveal() + "0", token.Reveal()[1:], strings.Repeat("x", 1<<20)} {
		_, err := f.Begin(t.Context(), sandstorm.Secret(wrong))
		wantKey(t, err, "setup.wrong-token")
	}
	f.now = f.now.Add(TokenLife + time.Minute)
	_, err := f.Begin(t.Context(), token)
	wantKey(t, err, "setup.wrong-token")
}

// An empty or odd file must not let anybody in.
func TestOddFiles(t *testing.T) {
	good := strings.Repeat("ab", 20)
	for name, make := range map[string]func(path string) error{
		"empty":            func(p string) error { return os.WriteFile(p, nil, 0o640) },
		"short":            func(p string) error { return os.WriteFile(p, []byte("ab"), 0o640) },
		"long":             func(p string) error { return os.WriteFile(p, []byte(strings.Repeat(good, 1000)), 0o640) },
		"open to others":   func(p string) error { return errors.Join(os.WriteFile(p, []byte(good), 0o640), os.Chmod(p, 0o644)) },
		"others may write": func(p string) error { return errors.Join(os.WriteFile(p, []byte(good), 0o640), os.Chmod(p, 0o660)) },
		"directory":        func(p string) error { return os.Mkdir(p, 0o700) },
		"link": func(p string) error {
			return errors.Join(os.WriteFile(p+".x", []byte(good), 0o640), os.Symlink(p+".x", p))
		},
		"from the future": func(p string) error {
			at := time.Now().Add(time.Hour)
			return errors.Join(os.WriteFile(p, []byte(good), 0o640), os.Chtimes(p, at, at))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := setUp(t)
			if err := make(f.file); err != nil {
				t.Fatal(err)
			}
			for _, token := range []string{"", "ab", good} {
				if _, err := f.Begin(t.Context(), sandstorm.Secret(token)); err == nil {
					t.Errorf("%q was accepted", token)
				}
			}
		})
	}
}

// Two browsers with the same token: one gets in.
func TestTokenRace(t *testing.T) {
	f := setUp(t)
	token := f.token(t)
	var in atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := f.Begin(t.Context(), token); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("the token was accepted %d times", in.Load())
	}
}

// The token's file belongs to whom the data directory belongs to, so that root
// can make it for a server that runs as somebody else; and a directory that is
// not there is a typing mistake.
func TestTokenBeforeFirstStart(t *testing.T) {
	dir := t.TempDir()
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	owner := func(path string) (uid uint32) {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			t.Fatal(err)
		}
		return st.Uid
	}
	if _, err := NewToken(dir); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "server"), filepath.Join(dir, tokenFile)} {
		if owner(path) != owner(dir) {
			t.Errorf("%s belongs to %d, want %d", filepath.Base(path), owner(path), owner(dir))
		}
	}
	_, err := NewToken(filepath.Join(dir, "misspelt"))
	wantKey(t, err, "setup.token-file")
}
