package sandstorm

// LocalizedText is a text of a package in several languages.
type LocalizedText struct {
	Default       string            `json:"default"`
	Localizations map[string]string `json:"localizations,omitempty"` // by BCP 47 tag
}

// Manifest is what a package says of itself, after the rules of
// spec/packages.md §4 were applied: deprecated fields merged, missing titles
// derived, actions with capability inputs dropped but indexes kept.
type Manifest struct {
	AppTitle                LocalizedText `json:"appTitle"`
	AppVersion              uint32        `json:"appVersion"` // orders versions; never shown
	MinUpgradableAppVersion uint32        `json:"minUpgradableAppVersion"`
	MarketingVersion        LocalizedText `json:"marketingVersion"` // the version people see
	MinAPIVersion           uint32        `json:"minApiVersion"`
	MaxAPIVersion           uint32        `json:"maxApiVersion"`
	Actions                 []Action      `json:"actions"`
	Continue                *Command      `json:"continueCommand,omitempty"` // nil if the package has none
	Metadata                Metadata      `json:"metadata"`
}

// Command is what a grain runs: executed without a shell and without a search
// of PATH; Environ is the whole environment.
type Command struct {
	Argv    []string `json:"argv"`
	Environ []string `json:"environ,omitempty"` // KEY=VALUE
}

// Action is one way to make a new grain of an app.
type Action struct {
	Index       int           `json:"index"` // position in the package's list: what StartRequest names
	Title       LocalizedText `json:"title"`
	NounPhrase  LocalizedText `json:"nounPhrase"` // "note pad", "board"
	Description LocalizedText `json:"description"`
	Command     Command       `json:"command"`
}

// Metadata is what a package says for people: all of it optional.
type Metadata struct {
	Icons            Icons         `json:"icons"`
	Website          string        `json:"website,omitempty"` // always http: or https:
	CodeURL          string        `json:"codeUrl,omitempty"` // always http: or https:
	License          License       `json:"license"`
	Categories       []string      `json:"categories,omitempty"`
	ContactEmail     string        `json:"contactEmail,omitempty"`
	UpstreamAuthor   string        `json:"upstreamAuthor,omitempty"`
	Description      LocalizedText `json:"description"` // Markdown
	ShortDescription LocalizedText `json:"shortDescription"`
	ChangeLog        LocalizedText `json:"changeLog"` // Markdown
}

// License is how an app is licensed. At most one of the fields is set.
type License struct {
	OpenSource   string        `json:"openSource,omitempty"` // the schema's name, for example "agpl3"
	Proprietary  LocalizedText `json:"proprietary"`
	PublicDomain LocalizedText `json:"publicDomain"`
	Notices      LocalizedText `json:"notices"`
}

// Icons are an app's pictures; those that a package lacks are nil.
type Icons struct {
	AppGrid *Icon `json:"appGrid,omitempty"` // 128 px square
	Grain   *Icon `json:"grain,omitempty"`   // 24 px square
	Market  *Icon `json:"market,omitempty"`  // 150 px square
}

// Icon is one picture: an SVG, or a PNG with an optional double-density one.
type Icon struct {
	MIMEType string  `json:"mimeType"` // image/svg+xml or image/png
	Asset    AssetID `json:"asset"`
	Asset2x  AssetID `json:"asset2x,omitempty"`
}

// BridgeConfig is the part of a package's sandstorm-http-bridge-config that the
// HTTP bridge needs.
type BridgeConfig struct {
	Permissions []PermissionDef `json:"permissions,omitempty"`
	Roles       []RoleDef       `json:"roles,omitempty"`
	APIPath     string          `json:"apiPath,omitempty"`
}

// PermissionDef is one permission that an app knows. Its position in the list
// is its identity; an obsolete one keeps its place.
type PermissionDef struct {
	Name     string        `json:"name"`
	Title    LocalizedText `json:"title"`
	Obsolete bool          `json:"obsolete,omitempty"`
}

// RoleDef is a named set of permissions ("can edit") that people choose.
type RoleDef struct {
	Title       LocalizedText `json:"title"`
	VerbPhrase  LocalizedText `json:"verbPhrase"`
	Permissions PermissionSet `json:"permissions"`
	Obsolete    bool          `json:"obsolete,omitempty"`
	Default     bool          `json:"default,omitempty"`
}

// PermissionSet says, by position in the app's list, which permissions are
// held. A set shorter than the list lacks the rest.
type PermissionSet []bool

// AllPermissions is the set that holds the first n permissions.
func AllPermissions(n int) PermissionSet {
	set := make(PermissionSet, n)
	for i := range set {
		set[i] = true
	}
	return set
}

// Package is an installed version of an app.
type Package struct {
	ID       PackageID     `json:"id"`
	AppID    AppID         `json:"appId"`
	SHA256   string        `json:"sha256"` // of the whole .spk, 64 hex digits
	Size     int64         `json:"size"`   // bytes unpacked
	Manifest Manifest      `json:"manifest"`
	Bridge   *BridgeConfig `json:"bridge,omitempty"` // nil if the package has no HTTP bridge
}
