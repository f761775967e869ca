package spk

import (
	"fmt"
	"slices"
	"strings"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/schema"
)

// BuildManifest makes the content of sandstorm-manifest: the inverse of
// ParseManifest. The pictures are those that m's icons name by their ids.
// Actions must be in the order of their indexes; a gap becomes an action that
// no server offers.
func BuildManifest(m *sandstorm.Manifest, pictures []Picture) ([]byte, error) {
	msg, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		return nil, fmt.Errorf("build manifest: %w", err)
	}
	b := &builder{pictures: pictures}
	out, err := schema.NewRootManifest(seg)
	if b.fail(err); b.err == nil {
		b.manifest(out, m)
	}
	return b.marshal("build manifest", msg)
}

// BuildBridgeConfig makes the content of sandstorm-http-bridge-config: the
// inverse of ParseBridgeConfig.
func BuildBridgeConfig(c *sandstorm.BridgeConfig) ([]byte, error) {
	msg, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		return nil, fmt.Errorf("build bridge configuration: %w", err)
	}
	b := &builder{}
	out, err := schema.NewRootBridgeConfig(seg)
	if b.fail(err); b.err == nil {
		b.bridgeConfig(out, c)
	}
	return b.marshal("build bridge configuration", msg)
}

// builder sets fields of a message; the first error sticks.
type builder struct {
	fields
	pictures []Picture
}

func (b *builder) marshal(what string, msg *capnp.Message) ([]byte, error) {
	var out []byte
	if b.err == nil {
		var err error
		out, err = msg.Marshal()
		b.fail(err)
	}
	if b.err == nil && len(out) > MaxManifest {
		b.fail(fmt.Errorf("%d bytes, more than %d", len(out), MaxManifest))
	}
	if b.err != nil {
		return nil, fmt.Errorf("%s: %w", what, b.err)
	}
	return out, nil
}

// localized sets a text by its field's New function, unless it is empty.
func (b *builder) localized(t sandstorm.LocalizedText, newText func() (schema.LocalizedText, error)) {
	if t.Default == "" && len(t.Localizations) == 0 {
		return
	}
	out, err := newText()
	if b.fail(err); b.err != nil {
		return
	}
	b.fail(out.SetDefaultText(t.Default))
	if len(t.Localizations) == 0 {
		return
	}
	list, err := out.NewLocalizations(int32(len(t.Localizations)))
	if b.fail(err); b.err != nil {
		return
	}
	tags := make([]string, 0, len(t.Localizations))
	for tag := range t.Localizations {
		tags = append(tags, tag)
	}
	slices.Sort(tags) // equal manifests give equal bytes
	for i, tag := range tags {
		b.fail(list.At(i).SetLocale(tag))
		b.fail(list.At(i).SetText(t.Localizations[tag]))
	}
}

// text sets a text unless it is empty.
func (b *builder) text(s string, set func(string) error) {
	if s != "" {
		b.fail(set(s))
	}
}

func (b *builder) manifest(out schema.Manifest, m *sandstorm.Manifest) {
	b.localized(m.AppTitle, out.NewAppTitle)
	b.localized(m.MarketingVersion, out.NewAppMarketingVersion)
	out.SetAppVersion(m.AppVersion)
	out.SetMinUpgradableAppVersion(m.MinUpgradableAppVersion)
	out.SetMinApiVersion(m.MinAPIVersion)
	out.SetMaxApiVersion(m.MaxAPIVersion)
	b.actions(out, m.Actions)
	if m.Continue != nil {
		b.command(*m.Continue, out.NewContinueCommand)
	}
	if md, err := out.NewMetadata(); err != nil {
		b.fail(err)
	} else {
		b.metadata(md, &m.Metadata)
	}
}

func (b *builder) actions(out schema.Manifest, actions []sandstorm.Action) {
	n := 0
	for _, a := range actions {
		if a.Index < n || a.Index >= maxActions {
			b.fail(fmt.Errorf("action %q has index %d, want at least %d", a.Title.Default, a.Index, n))
			return
		}
		n = a.Index + 1
	}
	list, err := out.NewActions(int32(n))
	if b.fail(err); b.err != nil {
		return
	}
	for i := range n {
		_, err := list.At(i).Input().NewCapability(0) // gaps; the others follow
		b.fail(err)
	}
	for _, a := range actions {
		to := list.At(a.Index)
		to.Input().SetNone()
		b.localized(a.Title, to.NewTitle)
		b.localized(a.NounPhrase, to.NewNounPhrase)
		b.localized(a.Description, to.NewDescription)
		b.command(a.Command, to.NewCommand)
	}
}

func (b *builder) command(c sandstorm.Command, newCommand func() (schema.Manifest_Command, error)) {
	out, err := newCommand()
	if b.fail(err); b.err != nil {
		return
	}
	argv, err := out.NewArgv(int32(len(c.Argv)))
	if b.fail(err); b.err != nil {
		return
	}
	for i, arg := range c.Argv {
		b.fail(argv.Set(i, arg))
	}
	environ, err := out.NewEnviron(int32(len(c.Environ)))
	if b.fail(err); b.err != nil {
		return
	}
	for i, kv := range c.Environ {
		key, value, ok := strings.Cut(kv, "=")
		if !ok {
			b.fail(fmt.Errorf("environment entry %q has no =", kv))
		}
		b.fail(environ.At(i).SetKey(key))
		b.fail(environ.At(i).SetValue(value))
	}
}
