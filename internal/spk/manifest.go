package spk

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/schema"
)

// APIVersion is the version of the platform's API that this server has. There
// is no other one yet.
const APIVersion = 0

// maxActions bounds a manifest's actions; real ones have a handful.
const maxActions = 1000

// ParseManifest decodes the file sandstorm-manifest by the rules of packages.md
// §4 and returns also the pictures that it names. A manifest without any command
// is an error; one without a continue command is not.
func ParseManifest(b []byte) (*sandstorm.Manifest, []Picture, error) {
	msg, err := parseMessage(b, MaxManifest)
	if err != nil {
		return nil, nil, badManifest("manifest: %w", err)
	}
	root, err := schema.ReadRootManifest(msg)
	if err != nil {
		return nil, nil, badManifest("manifest: %w", err)
	}
	p := &manifestParser{}
	m := p.manifest(root)
	if p.err != nil {
		return nil, nil, badManifest("manifest: %w", p.err)
	}
	if len(m.Actions) == 0 && m.Continue == nil {
		return nil, nil, sandstorm.Errorf(sandstorm.Invalid, "package.no-command", "the manifest has no command to run")
	}
	return m, p.pictures, nil
}

func badManifest(format string, args ...any) error {
	return sandstorm.Errorf(sandstorm.Invalid, "package.bad-manifest", format, args...)
}

type manifestParser struct {
	fields
	pictures []Picture
}

func (p *manifestParser) manifest(in schema.Manifest) *sandstorm.Manifest {
	m := &sandstorm.Manifest{
		AppTitle:                p.localized(in.AppTitle()),
		AppVersion:              in.AppVersion(),
		MinUpgradableAppVersion: in.MinUpgradableAppVersion(),
		MarketingVersion:        p.localized(in.AppMarketingVersion()),
		MinAPIVersion:           in.MinApiVersion(),
		MaxAPIVersion:           in.MaxApiVersion(),
	}
	if in.HasContinueCommand() {
		if c := p.command(in.ContinueCommand()); len(c.Argv) > 0 {
			m.Continue = &c
		}
	}
	a, err := in.Actions()
	actions := take(&p.fields, a, err)
	for i := range p.count("actions", actions.Len(), maxActions) {
		if p.err != nil {
			break
		}
		action := p.action(i, actions.At(i))
		if i == 0 && m.AppTitle.Default == "" {
			m.AppTitle.Default = titleFromAction(action.Title.Default)
		}
		// Actions on capabilities were never implemented, and one without a
		// command cannot run; the others keep their index.
		if actions.At(i).Input().Which() == schema.Manifest_Action_input_Which_none && len(action.Command.Argv) > 0 {
			m.Actions = append(m.Actions, action)
		}
	}
	for i := range m.Actions {
		if a := &m.Actions[i]; a.NounPhrase.Default == "" {
			a.NounPhrase.Default = nounFromAction(a.Title.Default, m.AppTitle.Default)
		}
	}
	if in.HasMetadata() {
		md, err := in.Metadata()
		m.Metadata = p.metadata(take(&p.fields, md, err))
	}
	return m
}

func (p *manifestParser) action(i int, in schema.Manifest_Action) sandstorm.Action {
	return sandstorm.Action{
		Index:       i,
		Title:       p.localized(in.Title()),
		NounPhrase:  p.localized(in.NounPhrase()),
		Description: p.localized(in.Description()),
		Command:     p.command(in.Command()),
	}
}

func (p *manifestParser) command(in schema.Manifest_Command, err error) sandstorm.Command {
	in = take(&p.fields, in, err)
	var out sandstorm.Command
	if path := p.argument(in.DeprecatedExecutablePath()); path != "" {
		out.Argv = append(out.Argv, path)
	}
	a, err := in.Argv()
	argv := take(&p.fields, a, err)
	for i := range argv.Len() {
		if p.err != nil {
			return out
		}
		out.Argv = append(out.Argv, p.argument(argv.At(i)))
	}
	e, err := in.Environ()
	environ := take(&p.fields, e, err)
	for i := range environ.Len() {
		if p.err != nil {
			return out
		}
		key, value := p.argument(environ.At(i).Key()), p.argument(environ.At(i).Value())
		out.Environ = append(out.Environ, key+"="+value)
	}
	return out
}

// argument takes a text that is passed to execve: its bytes stay as they are,
// but a NUL would cut it short.
func (p *manifestParser) argument(s string, err error) string {
	s = take(&p.fields, s, err)
	if strings.Contains(s, "\x00") {
		p.fail(errors.New("a command has a NUL byte in it"))
	}
	return s
}

// titleFromAction makes an app's title for packages from before appTitle: the
// first word of what "New …" names, with one app known to have two.
func titleFromAction(title string) string {
	title = strings.TrimPrefix(title, "New ")
	if strings.HasPrefix(title, "Hacker CMS") {
		return "Hacker CMS"
	}
	if i := strings.IndexByte(title, ' '); i > 0 {
		title = title[:i]
	}
	return title
}

// nounFromAction makes the name of what an action makes, for packages from
// before nounPhrase.
func nounFromAction(title, appTitle string) string {
	noun, isNew := strings.CutPrefix(title, "New ")
	if !isNew {
		if title == "" {
			return "grain"
		}
		return title
	}
	noun = strings.TrimSpace(strings.ToLower(strings.TrimPrefix(noun, appTitle)))
	if noun == "" {
		return "grain"
	}
	return noun
}

func checkURL(field, url string) error {
	if url == "" || strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://") {
		return nil
	}
	// Else a link in the shell's own pages could be "javascript:…".
	return fmt.Errorf("%s %.80q starts with neither http:// nor https://", field, url)
}
