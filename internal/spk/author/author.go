// Package author checks who claims to have written an app: the OpenPGP signature
// in a package's metadata (packages.md §7). What it finds is a hint for people
// and no permission: the package's own signature protects updates.
//
// The rules are those of the gpg that the original ran on the same two inputs,
// so that old packages still install: keys may have expired, and SHA-1, DSA and
// short RSA keys are accepted.
package author

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/sandstorm-go/sandstorm"
)

// Limits on what a stranger can make us compute.
const (
	maxContent    = 64 << 10 // bytes of the signed text, which has 116
	maxInput      = 8 << 20  // bytes of signature or keyring: more than a manifest holds
	maxSignatures = 16       // on the text, and on one key
	maxChecks     = 64       // of signatures, to find the key of one
	maxKeyBits    = 16384    // of RSA and DSA keys; gpg makes up to 4096
)

// sentence is what an author signs, with the app's canonical id behind it.
const sentence = "I am the author of the Sandstorm.io app with the following ID: "

// Statement is the text that the author of app has to sign with `gpg --sign`.
func Statement(app sandstorm.AppID) string { return sentence + string(app) }

// Verify checks a package's pgpSignature with its pgpKeyring and returns the
// fingerprint of the author's primary key: 40 upper-case hex digits. Without a
// signature there is no fingerprint and no error. The app id is the one after
// replacements. Errors are Invalid.
func Verify(signature, keyring []byte, app sandstorm.AppID) (fingerprint string, err error) {
	if len(signature) == 0 {
		return "", nil
	}
	if len(keyring) == 0 {
		return "", bad("there is a pgpSignature but no pgpKeyring to check it with: " +
			"export the author's key with `gpg --export KEY` and name that file as pgpKeyring")
	}
	if len(signature) > maxInput || len(keyring) > maxInput {
		return "", bad("pgpSignature or pgpKeyring is larger than %d MiB", maxInput>>20)
	}
	defer func() {
		// The parser is somebody else's and reads what strangers wrote.
		if p := recover(); p != nil {
			fingerprint, err = "", bad("the author's signature is malformed: %v", p)
		}
	}()
	msg, err := readMessage(signature)
	if err != nil {
		return "", err
	}
	keys, err := readKeys(keyring)
	if err != nil {
		return "", err
	}
	signer, err := msg.signer(keys)
	if err != nil {
		return "", err
	}
	if got := string(bytes.Trim(msg.content, " \t\r\n\v\f")); got != Statement(app) {
		return "", bad("the author signed other words than expected: %.200q instead of %q", got, Statement(app))
	}
	return strings.ToUpper(hex.EncodeToString(signer.Fingerprint)), nil
}

func bad(format string, args ...any) error {
	return sandstorm.Errorf(sandstorm.Invalid, "package.bad-author", format, args...)
}

// signer returns the primary key of whoever made the first signature. As with
// gpg, every signature has to be good.
func (m *message) signer(keys []certificate) (*packet.PublicKey, error) {
	var first *packet.PublicKey
	for _, sig := range m.signatures {
		primary, err := m.check(sig, keys)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = primary
		}
	}
	return first, nil
}

// check finds the key that made sig and returns its primary key.
func (m *message) check(sig *packet.Signature, keys []certificate) (*packet.PublicKey, error) {
	tried, budget := false, maxChecks
	for _, cert := range keys {
		for _, key := range cert.signingKeys(sig, &budget) {
			tried = true
			if budget--; budget < 0 {
				return nil, bad("pgpKeyring holds the same key very often")
			}
			if m.holds(sig, key) {
				return cert.primary, nil
			}
		}
	}
	if tried {
		return nil, bad("the author's signature does not hold: the text or the signature was changed")
	}
	who := "an unnamed key"
	if sig.IssuerKeyId != nil {
		who = fmt.Sprintf("key %016X", *sig.IssuerKeyId)
	}
	return nil, bad("the author's signature was made by %s, which is not in pgpKeyring: "+
		"export it with `gpg --export` (without --armor)", who)
}
