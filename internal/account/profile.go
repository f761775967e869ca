package account

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/mail"
)

const (
	maxName   = 100 // characters
	maxHandle = 32
	// MaxPicture is how many bytes a picture may have (shell.md §7).
	MaxPicture = 64 << 10
)

// handlePattern never begins with a digit: apps rely on it (shell.md §2).
var handlePattern = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,31}$`)

// UpdateProfile changes how the account appears, apart from its picture, and
// its language: a BCP 47 tag, or empty to follow the browser.
func (s *Service) UpdateProfile(ctx context.Context, who sandstorm.AccountID, p sandstorm.Profile, lang string) error {
	name, err := cleanName(p.Name)
	if err != nil {
		return err
	}
	p.Name = name
	if !handlePattern.MatchString(p.Handle) {
		return sandstorm.Errorf(sandstorm.Invalid, "account.bad-handle", "handle %.80q", p.Handle)
	}
	pronouns := []sandstorm.Pronoun{sandstorm.PronounNeutral, sandstorm.PronounMale, sandstorm.PronounFemale, sandstorm.PronounRobot}
	if !slices.Contains(pronouns, p.Pronoun) {
		return sandstorm.Errorf(sandstorm.Invalid, "account.bad-pronoun", "pronoun %.80q", string(p.Pronoun))
	}
	if lang != "" {
		if _, err := language.Parse(lang); err != nil || len(lang) > 40 {
			return sandstorm.Errorf(sandstorm.Invalid, "account.bad-language", "language %.80q", lang)
		}
	}
	return s.o.Store.SetProfile(ctx, who, p, lang)
}

// cleanName refuses names that could pass for something else on a page: empty
// ones, control characters, and marks that turn the text around.
func cleanName(name string) (string, error) {
	name = strings.TrimSpace(name)
	turns := func(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName ||
		strings.ContainsFunc(name, unicode.IsControl) || strings.ContainsFunc(name, turns) || !strings.ContainsFunc(name, unicode.IsGraphic) {
		return "", sandstorm.Errorf(sandstorm.Invalid, "account.bad-name", "unusable name of %d bytes", len(name))
	}
	return name, nil
}

// SetPicture stores a PNG or JPEG of at most 64 KiB; an empty one removes the
// picture.
func (s *Service) SetPicture(ctx context.Context, who sandstorm.AccountID, content []byte) error {
	if len(content) > MaxPicture {
		return sandstorm.Errorf(sandstorm.TooLarge, "account.picture-too-large", "picture of %d bytes", len(content))
	}
	if len(content) > 0 && !bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")) && !bytes.HasPrefix(content, []byte("\xff\xd8\xff")) {
		return sandstorm.Errorf(sandstorm.Invalid, "account.picture-format", "neither PNG nor JPEG")
	}
	_, err := s.o.Store.SetPicture(ctx, who, content)
	return err
}

// firstProfile is what a new account appears as until its owner says more.
func firstProfile(p Proof) sandstorm.Profile {
	name, err := cleanName(p.Name)
	hint := p.Name
	if a, aerr := mail.ParseAddress(p.Email); aerr == nil {
		local, _, _ := strings.Cut(a.Local(), "+")
		if err != nil {
			name, err = cleanName(local)
		}
		if p.Name == "" {
			hint = handleHint(local, a.Domain())
		}
	}
	if err != nil {
		name = "User"
	}
	return sandstorm.Profile{Name: name, Handle: handleFrom(hint), Pronoun: sandstorm.PronounNeutral}
}

// generic local parts name a post, not a person.
var generic = []string{"admin", "administrator", "contact", "hello", "hi", "hostmaster", "info", "mail", "me", "office", "postmaster", "root", "webmaster"}

// handleHint is what to make a handle of: the local part, or for a generic one
// the first part of the domain.
func handleHint(local, domain string) string {
	if slices.Contains(generic, strings.ToLower(local)) {
		host, _, _ := strings.Cut(domain, ".")
		return host
	}
	return local
}

// handleFrom makes a handle of any text: letters lose their accents, runs of
// other characters become "_".
func handleFrom(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			gap = false
			if b.Len() == 0 && r <= '9' {
				b.WriteByte('_')
			}
			b.WriteRune(r)
		default:
			gap = true
		}
	}
	h := b.String()
	h = strings.TrimRight(h[:min(len(h), maxHandle)], "_")
	if h == "" {
		return "user"
	}
	return h
}
