package email

import (
	"net/url"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/mail"
)

// Texts are the messages of one language, as package locale has them.
type Texts interface {
	Has(key string) bool
	// T returns a message; args are names and values of its placeholders.
	T(key string, args ...any) string
}

// The messages of a letter, with the placeholders Title, Code, Link and Minutes.
const (
	keySubject = "mail.codeSubject"
	keyBody    = "mail.codeBody"
)

// english is what a server without catalogues says.
var english = map[string]string{
	keySubject: "Sign in to {{.Title}}",
	keyBody: "To sign in to {{.Title}}, enter this code:\n\n    {{.Code}}\n\nor open this link:\n\n{{.Link}}\n\n" +
		"The code works once, within {{.Minutes}} minutes. If you did not ask for it, ignore this mail: nobody can sign in without it.\n",
}

// letter is the mail with a code.
func (s *Service) letter(language, title string, to mail.Address, code sandstorm.Secret) mail.Message {
	var texts Texts
	if s.o.Texts != nil {
		texts = s.o.Texts(language)
	}
	say := func(key string) string {
		args := []any{"Title", title, "Code", code.Reveal(), "Link", s.link(to, code), "Minutes", int(CodeLife.Minutes())}
		if texts != nil && texts.Has(key) {
			return texts.T(key, args...)
		}
		return strings.NewReplacer("{{.Title}}", title, "{{.Code}}", code.Reveal(), "{{.Link}}", s.link(to, code), "{{.Minutes}}", "60").
			Replace(english[key])
	}
	return mail.Message{To: to, Name: title, Subject: say(keySubject), Text: say(keyBody)}
}

// link is the page that signs in with the code. It always leads to this server,
// whatever host the request for it named.
func (s *Service) link(to mail.Address, code sandstorm.Secret) string {
	return s.o.BaseURL + "/_emailLogin/" + url.PathEscape(to.String()) + "/" + url.PathEscape(code.Reveal())
}
