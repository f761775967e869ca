package spk_test

import (
	"reflect"
	"strings"
	"testing"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk"
	"github.com/sandstorm-go/sandstorm/schema"
)

func text(s string) sandstorm.LocalizedText { return sandstorm.LocalizedText{Default: s} }

func TestManifestRoundTrip(t *testing.T) {
	svg, png, png2 := spk.NewPicture("image/svg+xml", []byte("<svg/>")), spk.NewPicture("image/png", []byte("png")), spk.NewPicture("image/png", []byte("png 2x"))
	pictures := []spk.Picture{svg, png, png2}
	want := &sandstorm.Manifest{
		AppTitle:                sandstorm.LocalizedText{Default: "Notes", Localizations: map[string]string{"fi": "Muistiinpanot", "zh-TW": "筆記"}},
		AppVersion:              7,
		MinUpgradableAppVersion: 3,
		MarketingVersion:        text("1.2.3"),
		Actions: []sandstorm.Action{
			{Index: 0, Title: text("New note"), NounPhrase: text("note"), Command: sandstorm.Command{Argv: []string{"/run", "a b", ""}, Environ: []string{"PATH=/bin", "X=a=b"}}},
			{Index: 2, Title: text("New board"), NounPhrase: text("board"), Description: text("…"), Command: sandstorm.Command{Argv: []string{"/run"}}},
		},
		Continue: &sandstorm.Command{Argv: []string{"/sandstorm-http-bridge", "8000", "--", "/run"}},
		Metadata: sandstorm.Metadata{
			Icons: sandstorm.Icons{
				AppGrid: &sandstorm.Icon{MIMEType: "image/svg+xml", Asset: svg.ID},
				Grain:   &sandstorm.Icon{MIMEType: "image/png", Asset: png.ID, Asset2x: png2.ID},
				Market:  &sandstorm.Icon{MIMEType: "image/svg+xml", Asset: svg.ID},
			},
			Website: "https://example.org/", CodeURL: "http://example.org/",
			License:    sandstorm.License{PublicDomain: text("do what you want"), Notices: text("thanks")},
			Categories: []string{"productivity", "webPublishing"}, ContactEmail: "a@example.org", UpstreamAuthor: "B",
			Description: text("# long"), ShortDescription: text("short"), ChangeLog: text("## 1.2.3"),
		},
	}
	b, err := spk.BuildManifest(want, pictures)
	if err != nil {
		t.Fatal(err)
	}
	got, gotPictures, err := spk.ParseManifest(append(b, 1, 2, 3)) // trailing bytes are ignored
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if !reflect.DeepEqual(gotPictures, pictures) {
		t.Errorf("pictures %v", gotPictures)
	}
	for license, id := range map[string]schema.OpenSourceLicense{"agpl3": schema.OpenSourceLicense_agpl3, "zlib": schema.OpenSourceLicense_zlib} {
		if id.String() != license {
			t.Errorf("licence %d is called %q", id, id)
		}
	}
}

// manifestOf builds a manifest that BuildManifest would not.
func manifestOf(t testing.TB, fill func(schema.Manifest)) []byte {
	t.Helper()
	msg, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		t.Fatal(err)
	}
	m, err := schema.NewRootManifest(seg)
	if err != nil {
		t.Fatal(err)
	}
	fill(m)
	b, err := msg.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func oneAction(title string, more func(schema.Manifest_Action)) func(schema.Manifest) {
	return func(m schema.Manifest) {
		a := must(m.NewActions(1)).At(0)
		if title != "" {
			_ = must(a.NewTitle()).SetDefaultText(title)
		}
		_ = must(must(a.NewCommand()).NewArgv(1)).Set(0, "/run")
		if more != nil {
			more(a)
		}
	}
}

func TestOldManifests(t *testing.T) {
	for _, tt := range []struct{ action, appTitle, wantTitle, wantNoun string }{
		{"New Etherpad document", "", "Etherpad", "document"},
		{"New Hacker CMS site", "", "Hacker CMS", "site"},
		{"New Wekan", "", "Wekan", "grain"},
		{"New Big Board", "Kanban", "Kanban", "big board"},
		{"Open a thing", "Things", "Things", "Open a thing"},
		{"", "Things", "Things", "grain"},
		{"New ", "", "", "grain"},
	} {
		got, _, err := spk.ParseManifest(manifestOf(t, func(m schema.Manifest) {
			oneAction(tt.action, nil)(m)
			if tt.appTitle != "" {
				_ = must(m.NewAppTitle()).SetDefaultText(tt.appTitle)
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		if got.AppTitle.Default != tt.wantTitle || got.Actions[0].NounPhrase.Default != tt.wantNoun {
			t.Errorf("%q: title %q, noun %q", tt.action, got.AppTitle.Default, got.Actions[0].NounPhrase.Default)
		}
	}
}

func TestDeprecatedExecutablePath(t *testing.T) {
	got, _, err := spk.ParseManifest(manifestOf(t, func(m schema.Manifest) {
		c := must(m.NewContinueCommand())
		_ = c.SetDeprecatedExecutablePath("/bin/app")
		_ = must(c.NewArgv(1)).Set(0, "--serve")
	}))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"/bin/app", "--serve"}; !reflect.DeepEqual(got.Continue.Argv, want) {
		t.Errorf("argv %q", got.Continue.Argv)
	}
}

func TestCapabilityActionsKeepIndexes(t *testing.T) {
	got, _, err := spk.ParseManifest(manifestOf(t, func(m schema.Manifest) {
		list := must(m.NewActions(3))
		for i := range 3 {
			_ = must(must(list.At(i).NewCommand()).NewArgv(1)).Set(0, "/run")
		}
		must(list.At(0).Input().NewCapability(1))
	}))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Actions) != 2 || got.Actions[0].Index != 1 || got.Actions[1].Index != 2 {
		t.Errorf("actions %+v", got.Actions)
	}
}

func TestIconOnlyInDoubleDensity(t *testing.T) {
	got, pictures, err := spk.ParseManifest(manifestOf(t, func(m schema.Manifest) {
		oneAction("New x", nil)(m)
		icons := must(m.NewMetadata()).Icons()
		icon := must(icons.NewAppGrid())
		icon.SetPng()
		_ = icon.Png().SetDpi2x([]byte("2x"))
		must(icons.NewGrain()).SetUnknown()
	}))
	if err != nil || len(pictures) != 1 {
		t.Fatal(pictures, err)
	}
	icons := got.Metadata.Icons
	if icons.AppGrid == nil || icons.AppGrid.Asset != pictures[0].ID || icons.AppGrid.Asset2x != "" || icons.Grain != icons.AppGrid {
		t.Errorf("icons %+v", icons)
	}
}

func TestBadManifests(t *testing.T) {
	for _, tt := range []struct {
		name, key string
		fill      func(schema.Manifest)
	}{
		{"no commands", "package.no-command", func(schema.Manifest) {}},
		{"action without command", "package.no-command", func(m schema.Manifest) { must(m.NewActions(1)) }},
		{"empty continue command", "package.no-command", func(m schema.Manifest) { must(m.NewContinueCommand()) }},
		{"javascript: website", "package.bad-manifest", func(m schema.Manifest) {
			oneAction("New x", nil)(m)
			_ = must(m.NewMetadata()).SetWebsite("javascript:alert(1)")
		}},
		{"javascript: code", "package.bad-manifest", func(m schema.Manifest) {
			oneAction("New x", nil)(m)
			_ = must(m.NewMetadata()).SetCodeUrl(" https://example.org")
		}},
		{"NUL in argv", "package.bad-manifest", oneAction("New x", func(a schema.Manifest_Action) {
			_ = must(must(a.NewCommand()).NewArgv(1)).Set(0, "/run\x00/other")
		})},
		{"too many actions", "package.bad-manifest", func(m schema.Manifest) { must(m.NewActions(100_000)) }},
	} {
		_, _, err := spk.ParseManifest(manifestOf(t, tt.fill))
		wantKey(t, tt.name, err, tt.key)
	}
	for name, b := range map[string]string{
		"empty": "", "short": "\x00\x00\x00\x00", "segments": "\xff\xff\xff\xff\x00\x00\x00\x00",
		"truncated": "\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00", "huge": strings.Repeat("\x00", 9<<20),
	} {
		_, _, err := spk.ParseManifest([]byte(b))
		wantKey(t, name, err, "package.bad-manifest")
		_, err = spk.ParseBridgeConfig([]byte(b))
		wantKey(t, name, err, "package.bad-bridge-config")
	}
}

func TestTextIsMadeValid(t *testing.T) {
	got, _, err := spk.ParseManifest(manifestOf(t, oneAction("New \xff\x00x", nil)))
	if err != nil {
		t.Fatal(err)
	}
	if want := "New \ufffd\ufffdx"; got.Actions[0].Title.Default != want {
		t.Errorf("title %q", got.Actions[0].Title.Default)
	}
}

func TestBridgeConfigRoundTrip(t *testing.T) {
	want := &sandstorm.BridgeConfig{
		APIPath: "/api/",
		Permissions: []sandstorm.PermissionDef{
			{Name: "read", Title: text("may read")}, {Name: "old", Obsolete: true}, {Name: "write"},
		},
		Roles: []sandstorm.RoleDef{
			{Title: text("editor"), VerbPhrase: text("can edit"), Permissions: sandstorm.PermissionSet{true, false, true}, Default: true},
			{Title: text("nobody"), Obsolete: true},
		},
	}
	b, err := spk.BuildBridgeConfig(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := spk.ParseBridgeConfig(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestBuildManifestRefuses(t *testing.T) {
	for name, m := range map[string]*sandstorm.Manifest{
		"repeated index":   {Actions: []sandstorm.Action{{Index: 1}, {Index: 1}}},
		"huge index":       {Actions: []sandstorm.Action{{Index: 1 << 30}}},
		"missing picture":  {Metadata: sandstorm.Metadata{Icons: sandstorm.Icons{Grain: &sandstorm.Icon{MIMEType: "image/png", Asset: "x"}}}},
		"unknown licence":  {Metadata: sandstorm.Metadata{License: sandstorm.License{OpenSource: "mine"}}},
		"unknown category": {Metadata: sandstorm.Metadata{Categories: []string{"Web Publishing"}}},
		"website":          {Metadata: sandstorm.Metadata{Website: "javascript:"}},
		"environment":      {Continue: &sandstorm.Command{Argv: []string{"x"}, Environ: []string{"PATH"}}},
	} {
		if _, err := spk.BuildManifest(m, nil); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
