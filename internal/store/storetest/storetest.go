// Package storetest is what every engine must pass.
package storetest

import (
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// Open makes an empty SQLite store for tests of the rules, which need no second
// engine.
func Open(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Run runs the suite. open returns a new, empty store each time.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s *store.Store)
	}{
		{"Accounts", testAccounts},
		{"Picture", testPicture},
		{"Credentials", testCredentials},
		{"LastCredentialRace", testLastCredentialRace},
		{"BrowserSessions", testBrowserSessions},
		{"LoginCodes", testLoginCodes},
		{"LoginCodeRace", testLoginCodeRace},
		{"Settings", testSettings},
		{"Setup", testSetup},
		{"Grains", testGrains},
		{"GrainsOfUnknown", testGrainsOfUnknown},
		{"GrainPackage", testGrainPackage},
		{"GrainSessions", testGrainSessions},
		{"Leases", testLeases},
		{"LeasesConcurrent", testLeasesConcurrent},
		{"Packages", testPackages},
		{"PackageOtherFile", testPackageOtherFile},
		{"PackageRetire", testPackageRetire},
		{"DevPackages", testDevPackages},
		{"Assets", testAssets},
		{"UserApps", testUserApps},
		{"ServerApps", testServerApps},
		{"BadText", testBadText},
		{"Canceled", testCanceled},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// AddAccount records an account for tests.
func AddAccount(t testing.TB, s *store.Store, name string) sandstorm.AccountID {
	t.Helper()
	now := time.Now()
	a := &store.Account{Account: sandstorm.Account{
		ID:      sandstorm.NewAccountID(),
		Profile: sandstorm.Profile{Name: name, Handle: name, Pronoun: sandstorm.PronounNeutral},
		Created: now, LastActive: now,
	}}
	if err := s.InsertAccount(t.Context(), a, nil); err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// wantKind fails unless err is of that kind.
func wantKind(t testing.TB, err error, kind sandstorm.Kind) {
	t.Helper()
	if !sandstorm.IsKind(err, kind) {
		t.Fatalf("error is %v (%v), want kind %v", err, sandstorm.KindOf(err), kind)
	}
}

// ok fails if err is not nil.
func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must returns v unless err is set.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		ok(t, err)
		return v
	}
}
