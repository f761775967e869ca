package appindex

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/schema"
)

// State is what an author wants of a package; the values are the wire's.
type State uint16

// The states.
const (
	Ignore  State = State(schema.SubmissionState_ignore)  // neither reviewed nor listed
	Review  State = State(schema.SubmissionState_review)  // reviewed, but not listed
	Publish State = State(schema.SubmissionState_publish) // listed as soon as it is approved
)

// Verdict is what the index thinks of a package.
type Verdict uint8

// The verdicts.
const (
	Pending     Verdict = iota
	NeedsUpdate         // Status.Text says what is wrong
	Approved            // Status.Text is where it is listed, or will be
	NotUploaded         // the index does not have the package
)

// Status is the index's reply about a package.
type Status struct {
	Requested    State // what the author asked for last
	Verdict      Verdict
	Text         string    // see Verdict; harmless to print
	Published    time.Time // when it was first listed; zero if never
	NextSequence uint64    // the lowest number that SetState may use next
}

// maxReply bounds a reply, and the message that it unpacks to, in bytes.
const maxReply = 256 << 10

// request makes the body of POST /status. A nil state only asks.
func request(webkey Webkey, key ed25519.PrivateKey, pkg sandstorm.PackageID, state *State, sequence uint64) ([]byte, error) {
	id, err := hex.DecodeString(string(pkg))
	if err != nil || len(id) != 16 {
		return nil, fmt.Errorf("%.80q is not a package id", string(pkg))
	}
	msg, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	root, err := schema.NewRootSubmissionRequest(seg)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	packageID, err := root.NewPackageId()
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	// The struct's bytes are the id's.
	packageID.SetId0(binary.LittleEndian.Uint64(id))
	packageID.SetId1(binary.LittleEndian.Uint64(id[8:]))
	root.SetCheckStatus()
	if state != nil {
		root.SetSetState()
		root.SetState().SetNewState(schema.SubmissionState(*state))
		root.SetState().SetSequenceNumber(sequence)
	}
	if err := root.SetAppIndexWebkeyHash(webkey.hash()); err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	body, err := msg.MarshalPacked()
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	return append(body, ed25519.Sign(key, body)...), nil
}

// parseReply reads the reply to POST /status: a NUL byte and a packed
// SubmissionStatus, or an error in words.
func parseReply(b []byte) (*Status, error) {
	if len(b) == 0 {
		return nil, errors.New("the index replied with nothing: is this the address of an app index?")
	}
	if b[0] != 0 {
		return nil, fmt.Errorf("the index says: %s", printable(b, 2000))
	}
	dec := capnp.NewPackedDecoder(bytes.NewReader(b[1:]))
	dec.MaxMessageSize = maxReply
	msg, err := dec.Decode()
	if err != nil {
		return nil, fmt.Errorf("the index's reply is malformed: %w", err)
	}
	root, err := schema.ReadRootSubmissionStatus(msg)
	if err != nil {
		return nil, fmt.Errorf("the index's reply is malformed: %w", err)
	}
	return readStatus(root)
}

func readStatus(in schema.SubmissionStatus) (*Status, error) {
	out := &Status{Requested: State(in.RequestState()), NextSequence: in.NextSequenceNumber()}
	if out.Requested > Publish {
		return nil, fmt.Errorf("the index replied with state %d, which this tool does not know: use a newer one", out.Requested)
	}
	if date := in.PublishDate(); date != 0 {
		out.Published = time.Unix(date, 0)
	}
	var text string
	var err error
	switch in.Which() {
	case schema.SubmissionStatus_Which_pending:
		out.Verdict = Pending
	case schema.SubmissionStatus_Which_needsUpdate:
		out.Verdict = NeedsUpdate
		text, err = in.NeedsUpdate()
	case schema.SubmissionStatus_Which_approved:
		out.Verdict = Approved
		text, err = in.Approved()
	case schema.SubmissionStatus_Which_notUploaded:
		out.Verdict = NotUploaded
	default:
		return nil, fmt.Errorf("the index replied with verdict %d, which this tool does not know: use a newer one", in.Which())
	}
	if err != nil {
		return nil, fmt.Errorf("the index's reply is malformed: %w", err)
	}
	out.Text = printable([]byte(text), maxReply)
	return out, nil
}
