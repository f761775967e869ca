package sandstorm

import "time"

// Role is what an account may do on this server.
type Role string

// The roles. Everybody may open what was shared with them.
const (
	RoleVisitor Role = "visitor" // opens and renames what others shared
	RoleUser    Role = "user"    // also installs apps and makes grains
	RoleAdmin   Role = "admin"   // also administers the server
)

// MayCreate reports whether accounts of this role may install apps and make
// grains.
func (r Role) MayCreate() bool { return r == RoleUser || r == RoleAdmin }

// Account is a person here, with one profile and any number of credentials.
type Account struct {
	ID         AccountID `json:"id"`
	Role       Role      `json:"role"`
	Profile    Profile   `json:"profile"`
	Language   string    `json:"language,omitempty"` // BCP 47 tag; empty follows the browser
	Created    time.Time `json:"created"`
	LastActive time.Time `json:"lastActive"`
	Suspended  bool      `json:"suspended,omitempty"`

	// Login is the browser session through which the account was authenticated
	// for this request; empty where there is none (commands, background work).
	Login LoginID `json:"-"`
}

// LoginID names a browser session without revealing its secret: the hex
// SHA-256 of the cookie's value.
type LoginID string

// Profile is how an account appears to others and to apps.
type Profile struct {
	Name    string  `json:"name"`
	Handle  string  `json:"handle"` // ^[a-z_][a-z0-9_]*$, at most 32 characters
	Pronoun Pronoun `json:"pronoun"`
	Picture AssetID `json:"picture,omitempty"` // empty: an identicon of the account
}

// Pronoun is how an app should speak of a person; the values are the wire names.
type Pronoun string

// The pronouns that apps know.
const (
	PronounNeutral Pronoun = "neutral"
	PronounMale    Pronoun = "male"
	PronounFemale  Pronoun = "female"
	PronounRobot   Pronoun = "robot"
)

// Credential is one way in which an account proves who it is.
type Credential struct {
	ID      CredentialID `json:"id"`
	Account AccountID    `json:"account"`
	Service string       `json:"service"` // "email", "dev", …
	Subject string       `json:"subject"` // the id within the service, for example the address as first typed
	Email   string       `json:"email,omitempty"`
	Created time.Time    `json:"created"`
}
