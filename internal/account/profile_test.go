package account

import "testing"

func TestFirstProfile(t *testing.T) {
	for _, c := range []struct{ name, email, wantName, wantHandle string }{
		{"", "alice@example.com", "alice", "alice"},
		{"", "Alice.Smith+news@example.com", "Alice.Smith", "alice_smith"},
		{"", "admin@example.com", "admin", "example"},
		{"", "INFO+x@42.example", "INFO", "_42"},
		{"", "1234@example.com", "1234", "_1234"},
		{"", "-_.@example.com", "User", "user"},
		{"", "--@example.com", "--", "user"},
		{"", "", "User", "user"},
		{"Änne Öberg-Ñandú", "", "Änne Öberg-Ñandú", "anne_oberg_nandu"},
		{"笔记", "", "笔记", "user"},
		{"Bob", "robert@example.com", "Bob", "bob"},
		{"a very long name that goes on and on", "", "a very long name that goes on and on", "a_very_long_name_that_goes_on_an"},
		{"abcdefghijklmnopqrstuvwxyz_1234 56", "", "abcdefghijklmnopqrstuvwxyz_1234 56", "abcdefghijklmnopqrstuvwxyz_1234"},
		{"evil\u202ename", "", "User", "evil_name"},
	} {
		p := firstProfile(Proof{Name: c.name, Email: c.email})
		if p.Name != c.wantName || p.Handle != c.wantHandle {
			t.Errorf("%q %q gives %q %q, want %q %q", c.name, c.email, p.Name, p.Handle, c.wantName, c.wantHandle)
		}
	}
}

func FuzzHandleFrom(f *testing.F) {
	f.Add("Änne Ö")
	f.Add("1__2")
	f.Fuzz(func(t *testing.T, s string) {
		if h := handleFrom(s); !handlePattern.MatchString(h) {
			t.Errorf("%q gives %q", s, h)
		}
	})
}
