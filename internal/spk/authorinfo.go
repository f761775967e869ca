package spk

import (
	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk/author"
	"github.com/sandstorm-go/sandstorm/schema"
)

// AuthorFingerprint checks the author's OpenPGP signature in a manifest, given
// as the content of sandstorm-manifest, and returns the fingerprint of his key;
// it is empty if the manifest has no signature. app is the package's app id
// after replacements. See author.Verify for the rules.
func AuthorFingerprint(manifest []byte, app sandstorm.AppID) (string, error) {
	msg, err := parseMessage(manifest, MaxManifest)
	if err != nil {
		return "", badManifest("manifest: %w", err)
	}
	root, err := schema.ReadRootManifest(msg)
	if err != nil {
		return "", badManifest("manifest: %w", err)
	}
	metadata, err := root.Metadata()
	if err != nil {
		return "", badManifest("manifest: %w", err)
	}
	return authorFingerprint(metadata, app)
}

func authorFingerprint(metadata schema.Metadata, app sandstorm.AppID) (string, error) {
	if !metadata.Author().HasPgpSignature() {
		return "", nil
	}
	signature, err := metadata.Author().PgpSignature()
	if err != nil {
		return "", badManifest("manifest: %w", err)
	}
	keyring, err := metadata.PgpKeyring()
	if err != nil {
		return "", badManifest("manifest: %w", err)
	}
	if len(signature) == 0 {
		// A file that was empty when it was embedded.
		return "", sandstorm.Errorf(sandstorm.Invalid, "package.bad-author", "pgpSignature is empty")
	}
	return author.Verify(signature, keyring, app)
}
