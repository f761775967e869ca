// Package wire is the protocol between the server and the host process: one
// JSON message per datagram on a Unix SOCK_SEQPACKET socket, with file
// descriptors beside it. Requests are multiplexed by id:
//
//	{"id":7,"op":"start","params":{…}}      a request
//	{"id":7,"op":"cancel"}                  its caller has gone away
//	{"id":7,"progress":{…}}, {"id":7,"event":{…}}   news of a call in flight
//	{"id":7,"result":{…}} or {"id":7,"error":{…}}   the end of the call
//
// Large things never travel inside a message: an .spk is a socket to read from,
// a large result a sealed memfd, a log and a connection the socket itself.
// The package knows nothing of what is asked for; host and host/server do.
package wire

import "encoding/json"

// Versions of the protocol that this code speaks. A new optional field needs
// no new version, because both sides ignore what they do not know.
const (
	MinVersion = 1
	MaxVersion = 1
)

// Limits of a message, enforced on both sides.
const (
	MaxMessage = 64 << 10 // bytes of JSON
	MaxFiles   = 2        // file descriptors beside it
	MaxBlob    = 64 << 20 // bytes of a result that is passed as a memfd
)

// Operations. Their parameters and results are the types of package host and
// the structs of params.go.
const (
	OpHello     = "hello"
	OpCancel    = "cancel"
	OpInstall   = "install"
	OpRemove    = "remove"
	OpPackage   = "package"
	OpCreate    = "create"
	OpStart     = "start"
	OpStop      = "stop"
	OpDelete    = "delete"
	OpGrains    = "grains"
	OpDial      = "dial"
	OpLog       = "log"
	OpGrainSize = "size"
	OpWatch     = "watch"
	OpInfo      = "info"
	OpShutdown  = "shutdown"

	// An app under development belongs to the connection that it came through,
	// and its call lasts as long as it does: cancelling the call removes it.
	OpDev       = "dev"
	OpDevUpdate = "dev-update"
)

// Message is one datagram. Which fields are set says what it is.
type Message struct {
	ID       uint64          `json:"id"`
	Op       string          `json:"op,omitempty"`
	Params   json.RawMessage `json:"params,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	Blob     bool            `json:"blob,omitempty"` // the result is in the memfd that comes first
	Error    *Error          `json:"error,omitempty"`
	Progress json.RawMessage `json:"progress,omitempty"`
	Event    json.RawMessage `json:"event,omitempty"`
}

// Last reports whether the message ends its call.
func (m *Message) Last() bool { return m.Result != nil || m.Error != nil || m.Blob }

// Error is a sandstorm.Error on the wire.
type Error struct {
	Kind   string            `json:"kind"`
	Key    string            `json:"key,omitempty"`
	Args   map[string]string `json:"args,omitempty"`
	Detail string            `json:"detail,omitempty"`
	Start  json.RawMessage   `json:"start,omitempty"` // the host.StartError in its chain, if any
}
