package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// definitionFile describes an app, in the app's folder.
const definitionFile = "app.json"

// port is where the app inside must listen, on 127.0.0.1.
const port = "8000"

// definition is what app.json says. All of a package but its files follows
// from it.
type definition struct {
	Version     uint32            `json:"version"`          // orders packages; raise it with each change
	Marketing   string            `json:"marketingVersion"` // what people see
	Title       texts             `json:"title"`
	Actions     []actionDef       `json:"actions"`
	Command     []string          `json:"command"` // what runs inside, behind the bridge
	Environ     map[string]string `json:"environ"` // all of the environment
	APIPath     string            `json:"apiPath"`
	Permissions []permissionDef   `json:"permissions"`
	Roles       []roleDef         `json:"roles"`

	Icon        string   `json:"icon"` // SVG file in the app's folder
	GrainIcon   string   `json:"grainIcon"`
	Website     string   `json:"website"`
	CodeURL     string   `json:"codeUrl"`
	License     string   `json:"license"` // the package format's name, for example "apache2"
	Categories  []string `json:"categories"`
	Upstream    string   `json:"upstreamAuthor"`
	Summary     texts    `json:"summary"`
	Description texts    `json:"description"` // Markdown
	Changes     texts    `json:"changes"`     // Markdown

	Root rootDef `json:"root"`
}

type actionDef struct {
	Title       texts `json:"title"`
	Noun        texts `json:"noun"`
	Description texts `json:"description"`
}

type permissionDef struct {
	Name  string `json:"name"`
	Title texts  `json:"title"`
}

type roleDef struct {
	Title       texts    `json:"title"`
	Verb        texts    `json:"verb"`
	Permissions []string `json:"permissions"`
	Default     bool     `json:"default"`
}

// rootDef says what the package's root directory is made of; see stage.go.
type rootDef struct {
	Go     map[string]string `json:"go"`     // path in the root -> Go package, relative to the repository
	Files  map[string]string `json:"files"`  // path in the root -> file or folder in the app's folder
	Debian *debianDef        `json:"debian"` // see debian.go
	NPM    []npmDef          `json:"npm"`    // see npm.go
	Script string            `json:"script"` // run last, with STAGE and POOL in its environment
}

// texts is a text by language. English is the default.
type texts map[string]string

func (t texts) localized() sandstorm.LocalizedText {
	l := sandstorm.LocalizedText{Default: t["en"]}
	for tag, s := range t {
		if tag != "en" {
			if l.Localizations == nil {
				l.Localizations = map[string]string{}
			}
			l.Localizations[tag] = s
		}
	}
	return l
}

func readDefinition(dir string) (*definition, error) {
	b, err := os.ReadFile(filepath.Join(dir, definitionFile))
	if err != nil {
		return nil, err
	}
	var d definition
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("%s: %w", definitionFile, err)
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", definitionFile, err)
	}
	return &d, nil
}

func (d *definition) check() error {
	var errs []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	need(d.Version > 0, "version is missing")
	need(d.Marketing != "", "marketingVersion is missing")
	need(len(d.Command) > 0 && filepath.IsAbs(d.Command[0]), "command must begin with an absolute path")
	need(len(d.Actions) > 0, "there is no action")
	need(d.Icon != "", "icon is missing")
	named := func(what string, t texts) {
		for _, tag := range []string{"en", "fr"} {
			need(t[tag] != "", "%s has no text for %q", what, tag)
		}
	}
	named("title", d.Title)
	named("summary", d.Summary)
	named("description", d.Description)
	for i, a := range d.Actions {
		named(fmt.Sprintf("title of action %d", i), a.Title)
		named(fmt.Sprintf("noun of action %d", i), a.Noun)
	}
	for _, p := range d.Permissions {
		named("permission "+p.Name, p.Title)
	}
	defaults := 0
	for i, r := range d.Roles {
		named(fmt.Sprintf("title of role %d", i), r.Title)
		named(fmt.Sprintf("verb of role %d", i), r.Verb)
		if r.Default {
			defaults++
		}
		for _, name := range r.Permissions {
			need(slices.ContainsFunc(d.Permissions, func(p permissionDef) bool { return p.Name == name }), "role %d has an unknown permission %q", i, name)
		}
	}
	need(len(d.Roles) == 0 || defaults == 1, "%d roles are the default, want 1", defaults)
	return errors.Join(errs...)
}

// argv is the command as the package format has it.
func (d *definition) argv() []string {
	return append([]string{"/sandstorm-http-bridge", port, "--"}, d.Command...)
}

// manifest makes the manifest and collects the icons out of dir.
func (d *definition) manifest(dir string) (*sandstorm.Manifest, []spk.Picture, error) {
	var environ []string
	for k, v := range d.Environ {
		environ = append(environ, k+"="+v)
	}
	slices.Sort(environ)
	command := sandstorm.Command{Argv: d.argv(), Environ: environ}
	m := &sandstorm.Manifest{
		AppTitle: d.Title.localized(), AppVersion: d.Version,
		MarketingVersion: sandstorm.LocalizedText{Default: d.Marketing},
		Continue:         &command,
		Metadata: sandstorm.Metadata{
			Website: d.Website, CodeURL: d.CodeURL, License: sandstorm.License{OpenSource: d.License},
			Categories: d.Categories, UpstreamAuthor: d.Upstream,
			ShortDescription: d.Summary.localized(), Description: d.Description.localized(), ChangeLog: d.Changes.localized(),
		},
	}
	for i, a := range d.Actions {
		m.Actions = append(m.Actions, sandstorm.Action{
			Index: i, Title: a.Title.localized(), NounPhrase: a.Noun.localized(), Description: a.Description.localized(), Command: command,
		})
	}
	var pictures []spk.Picture
	icon := func(file string) (*sandstorm.Icon, error) {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return nil, err
		}
		p := spk.NewPicture("image/svg+xml", b)
		pictures = append(pictures, p)
		return &sandstorm.Icon{MIMEType: p.MIMEType, Asset: p.ID}, nil
	}
	large, err := icon(d.Icon)
	if err != nil {
		return nil, nil, err
	}
	m.Metadata.Icons = sandstorm.Icons{AppGrid: large}
	if d.GrainIcon != "" {
		if m.Metadata.Icons.Grain, err = icon(d.GrainIcon); err != nil {
			return nil, nil, err
		}
	}
	return m, pictures, nil
}

func (d *definition) bridgeConfig() *sandstorm.BridgeConfig {
	c := &sandstorm.BridgeConfig{APIPath: d.APIPath}
	for _, p := range d.Permissions {
		c.Permissions = append(c.Permissions, sandstorm.PermissionDef{Name: p.Name, Title: p.Title.localized()})
	}
	for _, r := range d.Roles {
		set := make(sandstorm.PermissionSet, len(d.Permissions))
		for i, p := range d.Permissions {
			set[i] = slices.Contains(r.Permissions, p.Name)
		}
		c.Roles = append(c.Roles, sandstorm.RoleDef{
			Title: r.Title.localized(), VerbPhrase: r.Verb.localized(), Permissions: set, Default: r.Default,
		})
	}
	return c
}
