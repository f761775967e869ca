package author

import (
	"bytes"
	//lint:ignore SA1019 old authors have such keys, and only their size is looked at
	"crypto/dsa"
	"errors"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// certificate is a primary key and its subkeys.
type certificate struct {
	primary *packet.PublicKey
	subkeys []subkey
}

// subkey is a key with the signatures by which the primary key may own it.
type subkey struct {
	key      *packet.PublicKey
	bindings []*packet.Signature
}

// readKeys parses an exported keyring. Names and what others say of the keys do
// not matter here and are skipped.
func readKeys(b []byte) ([]certificate, error) {
	if bytes.HasPrefix(b, []byte("-----BEGIN PGP ")) {
		return nil, bad("pgpKeyring is text: export it with `gpg --export` without --armor")
	}
	var certs []certificate
	in := packet.NewReader(bytes.NewReader(b))
	for {
		p, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, bad("pgpKeyring is malformed: %w: export it with `gpg --export`", err)
		}
		switch p := p.(type) {
		case *packet.PublicKey:
			certs = addKey(certs, p)
		case *packet.PrivateKey:
			return nil, bad("pgpKeyring holds a PRIVATE key, which everybody could read in the package: export with `gpg --export`")
		case *packet.Signature:
			addBinding(certs, p)
		}
	}
	if len(certs) == 0 {
		return nil, bad("pgpKeyring holds no public key that is known here")
	}
	return certs, nil
}

func addKey(certs []certificate, key *packet.PublicKey) []certificate {
	if !key.IsSubkey {
		return append(certs, certificate{primary: key})
	}
	if len(certs) > 0 {
		last := &certs[len(certs)-1]
		last.subkeys = append(last.subkeys, subkey{key: key})
	}
	return certs
}

func addBinding(certs []certificate, sig *packet.Signature) {
	if len(certs) == 0 || sig.SigType != packet.SigTypeSubkeyBinding {
		return
	}
	if subkeys := certs[len(certs)-1].subkeys; len(subkeys) > 0 {
		last := &subkeys[len(subkeys)-1]
		if len(last.bindings) < maxSignatures {
			last.bindings = append(last.bindings, sig)
		}
	}
}

// signingKeys are the keys of c that sig claims to be from. A subkey counts only
// if the primary key has bound it and it has agreed: else anybody could hang his
// own key onto the certificate of somebody famous, or sign with a famous one's
// subkey as himself.
func (c *certificate) signingKeys(sig *packet.Signature, budget *int) []*packet.PublicKey {
	if !usable(c.primary) {
		return nil
	}
	var keys []*packet.PublicKey
	if sig.CheckKeyIdOrFingerprint(c.primary) {
		keys = append(keys, c.primary)
	}
	for _, sub := range c.subkeys {
		if !usable(sub.key) || !sig.CheckKeyIdOrFingerprint(sub.key) {
			continue
		}
		for _, binding := range sub.bindings {
			if *budget -= 2; *budget < 0 {
				return keys
			}
			// With FlagSign set the library also checks the subkey's own
			// signature that is embedded in the binding.
			if binding.FlagsValid && binding.FlagSign && c.primary.VerifyKeySignature(sub.key, binding) == nil {
				keys = append(keys, sub.key)
				break
			}
		}
	}
	return keys
}

// usable keys are those of gpg 2.2 whose numbers do not take minutes to compute
// with.
func usable(key *packet.PublicKey) bool {
	if k, ok := key.PublicKey.(*dsa.PublicKey); ok && k.Q.BitLen() > 512 {
		return false
	}
	bits, err := key.BitLength()
	return err == nil && bits <= maxKeyBits && key.Version == 4 && key.CanSign()
}
