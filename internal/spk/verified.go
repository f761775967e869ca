package spk

import (
	"context"
	"io"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/schema"
)

// Verified is what there is to say of a package in which everything holds: its
// signature, its archive, its manifest, and the signature of its author.
type Verified struct {
	Info
	Manifest    *sandstorm.Manifest
	Fingerprint string // of the author's OpenPGP key; empty if the package names none

	fields object // those of the schema's VerifiedInfo
}

// Describe verifies a package and tells what it says of itself.
func Describe(ctx context.Context, src io.Reader, opts OpenOptions) (*Verified, error) {
	f, err := Open(ctx, src, opts)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Check(ctx); err != nil {
		return nil, err
	}
	content, err := f.ReadFile(ManifestName)
	if err != nil {
		return nil, err
	}
	return describe(f.Info(), content)
}

func describe(info Info, content []byte) (*Verified, error) {
	manifest, _, err := ParseManifest(content)
	if err != nil {
		return nil, err
	}
	msg, err := parseMessage(content, MaxManifest)
	if err != nil {
		return nil, badManifest("manifest: %w", err)
	}
	root, err := schema.ReadRootManifest(msg)
	if err != nil {
		return nil, badManifest("manifest: %w", err)
	}
	metadata, err := root.Metadata()
	if err != nil {
		return nil, badManifest("manifest: %w", err)
	}
	v := &Verified{Info: info, Manifest: manifest}
	if v.Fingerprint, err = authorFingerprint(metadata, info.AppID); err != nil {
		return nil, err
	}
	r := &infoReader{}
	v.fields = r.verifiedInfo(v, root, metadata)
	if r.err != nil {
		return nil, badManifest("manifest: %w", r.err)
	}
	return v, nil
}

// Text is the output of `spk verify`: the schema's VerifiedInfo, as the original
// printed it with and without --details, and ends with a newline. It looks like
// JSON but is none: Data is Base64("…"), and what has more than 256 bytes is
// LargeDataBlob(n) or LargeTextBlob(n). Scripts pick values out of it.
func (v *Verified) Text() string {
	s, _ := printValue(v.fields, 0, false)
	return s + "\n"
}

// JSON is the output of `spk verify --json`: one object, indented, that ends
// with a newline. Its members are
//
//	appId, packageId          text: the app's id after replacements
//	signingKeyId              text: the id of the key that signed the package
//	sha256, size              of the whole file; size is in bytes
//	title, marketingVersion   localized texts
//	version                   number
//	authorPgpKeyFingerprint   40 hex digits; absent if there is no signature
//	metadata                  the manifest's, with the schema's names
//
// A localized text is {"defaultText", "localizations": [{"locale", "text"}…]}.
// Members that a package does not set are absent; enumerants are their names,
// or numbers if they are newer than this tool. A union is the one member that is
// set, for example license.openSource. Pictures, signature and keyring are
// {"size": bytes, "sha256": hex}; with details they are whole: SVG as it is, the
// rest in base64.
func (v *Verified) JSON(details bool) ([]byte, error) {
	all := object{v.fields[0], v.fields[1]}
	all = append(
		all,
		member{"signingKeyId", string(v.SigningID)},
		member{"sha256", v.SHA256},
		member{"size", number(v.Packed)},
	)
	return encodeJSON(append(all, v.fields[2:]...), details)
}
