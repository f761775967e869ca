package storetest

import (
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

func testAccounts(t *testing.T, s *store.Store) {
	id := AddAccount(t, s, "alice")
	if got := must(s.Account(t.Context(), id))(t); got.Profile.Name != "alice" || got.Suspended {
		t.Errorf("account %+v", got)
	}
	_, err := s.Account(t.Context(), "nobody")
	wantKind(t, err, sandstorm.NotFound)
}
