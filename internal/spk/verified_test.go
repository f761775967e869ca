package spk

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk/author"
)

var update = flag.Bool("update", false, "write the golden files")

// encodeManifest makes a manifest of the text form of the schema's Manifest, by
// the Cap'n Proto tool.
func encodeManifest(t testing.TB, text string) []byte {
	t.Helper()
	cmd := exec.Command("capnp", "encode", "../../schema/sandstorm/package.capnp", "Manifest")
	cmd.Stdin = strings.NewReader(text)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("capnp (Debian package capnproto): %v\n%s", err, &stderr)
	}
	return out
}

// withCommand completes a manifest, as one without a command cannot be installed.
func withCommand(fields string) string {
	return `(continueCommand = (argv = ["/run"]), ` + fields + `)`
}

var testInfo = Info{
	AppID:     "0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0",
	SigningID: "0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0",
	PackageID: "00112233445566778899aabbccddeeff",
	SHA256:    strings.Repeat("00112233445566778899aabbccddeeff", 2),
	Packed:    12345,
}

func describeText(t testing.TB, fields string) *Verified {
	t.Helper()
	v, err := describe(testInfo, encodeManifest(t, withCommand(fields)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The golden files are what the original's own encoder made of these manifests,
// with -update what ours makes.
func TestVerifiedText(t *testing.T) {
	data := strings.Repeat("00", 300)
	for name, fields := range map[string]string{
		"empty": ``,
		"full": `appTitle = (defaultText = "Notes"), appVersion = 4294967295, appMarketingVersion = (defaultText = "1.0"), metadata = (
			icons = (appGrid = (svg = "<svg>"), grain = (png = (dpi1x = 0x"00ff", dpi2x = 0x"` + data + `")), market = (png = ()), marketBig = (unknown = void)),
			website = "https://example.org", codeUrl = "http://example.org/",
			license = (openSource = gpl3, notices = (defaultText = "` + strings.Repeat("ä", 150) + `")), categories = [office, media],
			author = (contactEmail = "a@b.c", upstreamAuthor = "x\ty\"z\\\x01"), pgpKeyring = 0x"01",
			description = (defaultText = "A somewhat longer description that fills more than fifty bytes",
				localizations = [(locale = "de", text = "kurz"), (locale = "fr", text = "Une description assez longue pour que la ligne soit trop longue")]),
			shortDescription = (defaultText = "s"), screenshots = [(width = 100, height = 200, png = 0x"` + data + `"), (width = 1, height = 2), (jpeg = "x")],
			changeLog = ())`,
		"one-long": `metadata = (license = (publicDomain = (defaultText = "yes")), screenshots = [(width = 1000000, height = 2000000, png = 0x"` + strings.Repeat("ff", 60) + `")])`,
		"limits":   `metadata = (website = "http://` + strings.Repeat("x", 249) + `", codeUrl = "http://` + strings.Repeat("x", 250) + `", pgpKeyring = 0x"` + strings.Repeat("0a", 256) + `")`,
		"unions":   `metadata = (license = (proprietary = ()), icons = (appGrid = (svg = "")), categories = [], screenshots = [])`,
	} {
		golden := filepath.Join("testdata", "verified", name+".txt")
		got := describeText(t, fields).Text()
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

// A layout that we did not think of: the capnp tool has the same encoder, with
// other texts for long values and for Data.
func TestVerifiedLayoutIsTheTools(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	word := func() string { return strings.Repeat("word ", 1+rnd.IntN(14)) }
	for range 20 {
		var categories, shots, texts []string
		for range rnd.IntN(7) {
			categories = append(categories, []string{"office", "webPublishing", "other"}[rnd.IntN(3)])
			shots = append(shots, fmt.Sprintf("(width = %d, height = %d)", rnd.Uint32(), rnd.IntN(9)))
			texts = append(texts, fmt.Sprintf("(locale = %q, text = %q)", word(), word()))
		}
		text := fmt.Sprintf(`(categories = [%s], screenshots = [%s], author = (contactEmail = %q), description = (defaultText = %q, localizations = [%s]))`,
			strings.Join(categories, ", "), strings.Join(shots, ", "), word(), word(), strings.Join(texts, ", "))
		cmd := exec.Command("capnp", "convert", "text:json", "../../schema/sandstorm/package.capnp", "Metadata")
		cmd.Stdin = strings.NewReader(text)
		want, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		v := describeText(t, "metadata = "+text)
		got, _ := printValue(v.fields[len(v.fields)-1].value, 0, false)
		if got+"\n" != string(want) {
			t.Errorf("%s\n%s\nwant\n%s", text, got, want)
		}
	}
}

func TestVerifiedJSON(t *testing.T) {
	v := describeText(t, `appTitle = (defaultText = "Notes \x7f", localizations = [(locale = "fi", text = "Muistiinpanot")]), appVersion = 7,
		metadata = (icons = (appGrid = (svg = "png"), grain = (png = (dpi1x = "png"))), license = (openSource = mit))`)
	type text struct {
		DefaultText   string
		Localizations []struct{ Locale, Text string }
	}
	type info struct {
		AppID, PackageID, SigningKeyID, SHA256 string
		Size                                   int64
		Version                                uint32
		Title                                  text
		AuthorPgpKeyFingerprint                *string
		Metadata                               struct {
			Icons struct {
				AppGrid struct{ Svg json.RawMessage }
				Grain   struct {
					Png struct{ Dpi1x json.RawMessage }
				}
			}
			License struct{ OpenSource string }
		}
	}
	const summary = `{"size":3,"sha256":"8f8cbb7dcf46e0bc7d53265749a6c17d116093a6ba95e442764060c76fd4a86c"}`
	for details, want := range map[bool]string{false: summary + summary, true: `"cG5n""png"`} {
		b, err := v.JSON(details)
		if err != nil {
			t.Fatal(err)
		}
		var got info
		dec := json.NewDecoder(bytes.NewReader(b))
		if err := dec.Decode(&got); err != nil || b[len(b)-1] != '\n' {
			t.Fatalf("%v\n%s", err, b)
		}
		var icons bytes.Buffer
		if err := errors.Join(json.Compact(&icons, got.Metadata.Icons.Grain.Png.Dpi1x), json.Compact(&icons, got.Metadata.Icons.AppGrid.Svg)); err != nil || icons.String() != want {
			t.Errorf("details %v: icons %s, want %s, %v", details, &icons, want, err)
		}
		if got.AppID != string(testInfo.AppID) || got.SHA256 != testInfo.SHA256 || got.Size != 12345 || got.Version != 7 ||
			got.Title.DefaultText != "Notes \x7f" || len(got.Title.Localizations) != 1 || got.Title.Localizations[0].Text != "Muistiinpanot" ||
			got.AuthorPgpKeyFingerprint != nil || got.Metadata.License.OpenSource != "mit" {
			t.Errorf("got %+v of\n%s", got, b)
		}
	}
}

// What a stranger wrote must not drive the terminal.
func TestVerifiedTextIsHarmless(t *testing.T) {
	v := describeText(t, `appTitle = (defaultText = "\x1b]0;owned\x07\x9b31m\xc2\x9b31m")`)
	b, err := v.JSON(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Text() + string(b) {
		if c < ' ' && c != '\n' || c >= 0x7f && c < 0xa0 {
			t.Errorf("%q in %q", c, v.Text())
		}
	}
}

func TestVerifiedRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ fields, want string }{
		"javascript":         {`metadata = (website = "javascript:alert(1)")`, "neither http:// nor https://"},
		"signature only":     {`metadata = (author = (pgpSignature = "x"))`, "no pgpKeyring"},
		"empty signature":    {`metadata = (author = (pgpSignature = ""), pgpKeyring = "x")`, "is empty"},
		"bad signature":      {`metadata = (author = (pgpSignature = "x"), pgpKeyring = "x")`, "malformed"},
		"many localizations": {`appTitle = (localizations = [` + strings.Repeat("(), ", 1001) + `()])`, "more than 1000"},
	} {
		manifest := encodeManifest(t, withCommand(tt.fields))
		_, err := describe(testInfo, manifest)
		if !sandstorm.IsKind(err, sandstorm.Invalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := AuthorFingerprint(manifest, testInfo.AppID); (err != nil) != strings.Contains(name, "signature") {
			t.Errorf("%s: author: %v", name, err)
		}
	}
}

// A whole package, signed by its author with a real gpg.
func TestDescribe(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	app := sandstorm.AppIDFromKey([32]byte(key.Public().(ed25519.PublicKey)))
	home := t.TempDir()
	gpg := func(stdin string, args ...string) []byte {
		cmd := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--quiet", "--passphrase", ""}, args...)...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("gpg %q (Debian package gnupg): %v", args, err)
		}
		return out
	}
	defer exec.Command("gpgconf", "--homedir", home, "--kill", "gpg-agent").Run()
	gpg("", "--quick-gen-key", "Ada <ada@example.org>", "ed25519", "sign", "0")
	signature, keyring := gpg(author.Statement(app), "--sign"), gpg("", "--export")

	root := NewDirectory("")
	root.Put(NewFile(ManifestName, encodeManifest(t, withCommand(fmt.Sprintf(
		`metadata = (author = (pgpSignature = 0x"%x"), pgpKeyring = 0x"%x")`, signature, keyring))), false))
	var file bytes.Buffer
	info, err := Write(context.Background(), &file, key, root, WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := Describe(context.Background(), bytes.NewReader(file.Bytes()), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if v.PackageID != info.PackageID || v.AppID != app || len(v.Fingerprint) != 40 {
		t.Errorf("%+v", v)
	}
	if want := fmt.Sprintf("\n  \"authorPgpKeyFingerprint\": %q,\n", v.Fingerprint); !strings.Contains(v.Text(), want) {
		t.Errorf("no %q in\n%s", want, v.Text())
	}
	file.Bytes()[file.Len()/2] ^= 1
	if _, err := Describe(context.Background(), &file, OpenOptions{}); err == nil {
		t.Error("a damaged package is described")
	}
}

func FuzzDescribe(f *testing.F) {
	for _, fields := range []string{
		`metadata = (icons = (grain = (png = (dpi1x = "png"))), license = (openSource = mit), categories = [office], screenshots = [(jpeg = "x")])`,
		`appTitle = (defaultText = "a", localizations = [(locale = "de", text = "b")]), metadata = (author = (pgpSignature = "x"), pgpKeyring = "y")`,
	} {
		f.Add(encodeManifest(f, withCommand(fields)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := describe(testInfo, data)
		typed(t, err)
		if err != nil {
			return
		}
		if b, err := v.JSON(true); err != nil || !json.Valid(b) {
			t.Errorf("%v\n%s", err, b)
		}
		if len(v.Text()) > 20*len(data)+1000 {
			t.Errorf("%d bytes of text from %d", len(v.Text()), len(data))
		}
	})
}
