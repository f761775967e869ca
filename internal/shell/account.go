package shell

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// maxPicture bounds a profile picture, in bytes (shell.md §7).
const maxPicture = 64 << 10

// accountData is what the account page shows.
type accountData struct {
	Profile     sandstorm.Profile
	Language    string
	Pronouns    []sandstorm.Pronoun
	Credentials []sandstorm.Credential
	Error       string
}

func (s *Shell) accountPage(q *request) error {
	return s.renderAccount(q, accountData{Profile: q.account.Profile, Language: q.account.Language})
}

func (s *Shell) renderAccount(q *request, data accountData) error {
	var err error
	if data.Credentials, err = s.Accounts.Credentials(q.r.Context(), q.account.ID); err != nil {
		return err
	}
	data.Pronouns = []sandstorm.Pronoun{
		sandstorm.PronounNeutral, sandstorm.PronounFemale, sandstorm.PronounMale, sandstorm.PronounRobot,
	}
	return s.render(q, page{Name: "account", Title: q.loc.T("account.title"), Nav: "account", Data: data})
}

// accountAgain shows the page once more with what went wrong.
func (s *Shell) accountAgain(q *request, cause error, profile sandstorm.Profile) error {
	p := s.explain(q, cause)
	if p.Key == "internal" {
		return cause
	}
	q.status = p.Status
	return s.renderAccount(q, accountData{Profile: profile, Language: q.account.Language, Error: p.Message})
}

func (s *Shell) saveProfile(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	p := q.account.Profile
	p.Name, p.Handle, p.Pronoun = q.field("name"), q.field("handle"), sandstorm.Pronoun(q.field("pronoun"))
	if err := s.Accounts.UpdateProfile(q.r.Context(), q.account.ID, p, q.account.Language); err != nil {
		return s.accountAgain(q, err, p)
	}
	return s.accountSaved(q)
}

func (s *Shell) accountSaved(q *request) error {
	s.setFlash(q, flash{Key: "saved", Count: 1})
	q.redirect("/account")
	return nil
}

// savePreferences stores the language with the account and the colours in the
// browser: a phone may be dark where a desk is light.
func (s *Shell) savePreferences(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	language := q.field("language")
	if language != "" && s.locales.Exact(language) == nil {
		return sandstorm.Errorf(sandstorm.Invalid, "account.bad-language", "language %.40q", language)
	}
	if err := s.Accounts.UpdateProfile(q.r.Context(), q.account.ID, q.account.Profile, language); err != nil {
		return s.accountAgain(q, err, q.account.Profile)
	}
	switch theme := q.field("theme"); theme {
	case "light", "dark":
		s.setCookie(q.w, cookieTheme, sandstorm.Secret(theme), s.Now().Add(365*24*time.Hour))
	default:
		s.clearCookie(q.w, cookieTheme)
	}
	return s.accountSaved(q)
}

func (s *Shell) savePicture(q *request) error {
	content, remove, err := uploadedPicture(q)
	if err == nil {
		if remove {
			content = nil
		}
		err = s.Accounts.SetPicture(q.r.Context(), q.account.ID, content)
	}
	if err != nil {
		return s.accountAgain(q, err, q.account.Profile)
	}
	return s.accountSaved(q)
}

// uploadedPicture reads the picture form: a PNG or JPEG, told by its first
// bytes and not by what the browser calls it.
func uploadedPicture(q *request) (content []byte, remove bool, err error) {
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, maxPicture+16<<10)
	parts, err := q.r.MultipartReader()
	if err != nil {
		return nil, false, sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "picture form: %v", err)
	}
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, false, pictureError(err)
		}
		data, err := io.ReadAll(io.LimitReader(part, maxPicture+1))
		if err != nil {
			return nil, false, pictureError(err)
		}
		switch part.FormName() {
		case "remove":
			remove = true
		case "picture":
			content = data
		}
	}
	switch {
	case remove:
		return nil, true, nil
	case len(content) > maxPicture:
		return nil, false, sandstorm.Errorf(sandstorm.TooLarge, "account.picture-too-large", "picture of more than %d bytes", maxPicture)
	case !bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")) && !bytes.HasPrefix(content, []byte{0xff, 0xd8, 0xff}):
		return nil, false, sandstorm.Errorf(sandstorm.Invalid, "account.picture-format", "picture is neither PNG nor JPEG")
	}
	return content, false, nil
}

func pictureError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return sandstorm.Errorf(sandstorm.TooLarge, "account.picture-too-large", "picture form: %v", err)
	}
	return sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "picture form: %v", err)
}
