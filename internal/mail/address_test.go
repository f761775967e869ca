package mail

import (
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
)

func TestParseAddress(t *testing.T) {
	for _, good := range []string{
		"alice@example.com", "Alice.B+tag@Sub.Example.COM", "o'brien@example.com", "a@b", "!#$%&'*+/=?^_`{|}~-@x-y.example",
		"1@2.3", strings.Repeat("a", 64) + "@example.com",
	} {
		a, err := ParseAddress(good)
		if err != nil || a.String() != good {
			t.Errorf("%q: %v %v", good, a, err)
		}
	}
	for _, bad := range []string{
		"", "alice", "@example.com", "alice@", "a@b@c", "me@evil.example,x@victim.example", "me@evil.example;x@victim.example", "me@evil.example x@victim.example",
		"a b@example.com", `"a b"@example.com`, "<a@example.com>", "Alice <a@example.com>", "a@example.com\n", "\na@example.com", "a@example.com\x00",
		"a@example.com\r\nBcc: x@victim.example", "a(comment)@example.com", "a@[127.0.0.1]", "a@-x.example", "a@x-.example", "a@x..example", "a@.example", "a@example.",
		".a@example.com", "a.@example.com", "a..b@example.com", "ä@example.com", "a@exämple.com", "a’b@example.com", "a%@", "a@ex_ample.com",
		strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("b.", 126) + "example",
	} {
		if a, err := ParseAddress(bad); !sandstorm.IsKind(err, sandstorm.Invalid) || a != (Address{}) {
			t.Errorf("%q: %v %v", bad, a, err)
		}
	}
	a, _ := ParseAddress("Alice@Example.COM")
	b, _ := ParseAddress("Alice@example.com")
	c, _ := ParseAddress("alice@example.com")
	if a.Domain() != "example.com" || a.Local() != "Alice" || !a.SameMailbox(b) || b.SameMailbox(c) {
		t.Errorf("%v %v %v", a, b, c)
	}
}

// Whatever passes must mean one recipient, the same one, to the mailer too.
func FuzzParseAddress(f *testing.F) {
	f.Add("alice@example.com")
	f.Add("me@evil.example,x@victim.example")
	f.Add("!#$%&'*+/=?^_`{|}~-@x")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			return
		}
		list, err := netmail.ParseAddressList(s)
		if err != nil || len(list) != 1 || list[0].Address != s || a.String() != s || strings.Count(s, "@") != 1 {
			t.Errorf("%q is %v to the mailer, %v", s, list, err)
		}
	})
}
