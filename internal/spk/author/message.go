package author

import (
	"bytes"
	"errors"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// message is a signed text: content and signatures in one, as `gpg --sign`
// makes it.
type message struct {
	content    []byte
	signatures []*packet.Signature
}

// readMessage parses what gpg --decrypt takes: binary, armored or clear-signed.
func readMessage(b []byte) (*message, error) {
	m := &message{}
	var body io.Reader = bytes.NewReader(b)
	switch {
	case bytes.HasPrefix(b, []byte("-----BEGIN PGP SIGNED MESSAGE-----")):
		block, rest := clearsign.Decode(b)
		if block == nil || len(bytes.TrimSpace(rest)) > 0 || len(block.Bytes) > maxContent {
			return nil, malformed(errors.New("the clear-signed text is not complete"))
		}
		m.content, body = block.Bytes, block.ArmoredSignature.Body
	case bytes.HasPrefix(b, []byte("-----BEGIN PGP ")):
		block, err := armor.Decode(body)
		if err != nil {
			return nil, malformed(err)
		}
		body = block.Body
	}
	if err := m.readPackets(packet.NewReader(body)); err != nil {
		return nil, err
	}
	switch {
	case m.content == nil && len(m.signatures) > 0:
		return nil, bad("pgpSignature is a detached signature, without the text that was signed: make it with `gpg --sign`, not --detach-sign")
	case m.content == nil:
		return nil, bad("pgpSignature holds no signed text: make it with `gpg --sign`")
	case len(m.signatures) == 0:
		return nil, bad("pgpSignature holds a text but no signature that is known here: make it with `gpg --sign`")
	}
	return m, nil
}

func (m *message) readPackets(in *packet.Reader) error {
	for {
		p, err := in.NextWithUnsupported()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return malformed(err)
		}
		switch p := p.(type) {
		case *packet.Compressed:
			limit := int64(2 * maxContent)
			if err := in.Push(p.LimitedBodyReader(&limit)); err != nil {
				return malformed(err)
			}
		case *packet.LiteralData:
			if m.content != nil {
				return bad("pgpSignature holds two texts")
			}
			m.content, err = io.ReadAll(io.LimitReader(p.Body, maxContent+1))
			if err != nil {
				return malformed(err)
			}
			if len(m.content) > maxContent {
				return bad("the text in pgpSignature is longer than %d bytes", maxContent)
			}
		case *packet.OnePassSignature: // announces a signature behind the text
		case *packet.Signature:
			if m.signatures = append(m.signatures, p); len(m.signatures) > maxSignatures {
				return bad("pgpSignature holds more than %d signatures", maxSignatures)
			}
		case *packet.SymmetricKeyEncrypted, *packet.EncryptedKey, *packet.SymmetricallyEncrypted, *packet.AEADEncrypted:
			return bad("pgpSignature is encrypted: make it with `gpg --sign` alone")
		case *packet.PublicKey, *packet.PrivateKey:
			return bad("pgpSignature is a key, not a signed text")
		case *packet.UnsupportedPacket:
			return malformed(p.Error)
		}
	}
}

func malformed(err error) error {
	return bad("pgpSignature is malformed: %w: make it with `gpg --sign`", err)
}

// holds reports whether key made sig over the text.
func (m *message) holds(sig *packet.Signature, key *packet.PublicKey) bool {
	// Other types sign keys: their bytes could be taken from elsewhere.
	if sig.SigType != packet.SigTypeBinary && sig.SigType != packet.SigTypeText {
		return false
	}
	h, err := sig.PrepareVerify()
	if err != nil {
		return false
	}
	if sig.SigType == packet.SigTypeText {
		openpgp.NewCanonicalTextHash(h).Write(m.content)
	} else {
		h.Write(m.content)
	}
	return key.VerifySignature(h, sig) == nil
}
