package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
)

// devVersion is the protocol of the socket for development: lines of JSON, each
// followed by as many bytes of a package as it says.
const devVersion = 1

// Operations of a devRequest.
const (
	devUpdate  = "update"
	devRestart = "restart"
)

// maxDevLine bounds a line, in bytes.
const maxDevLine = 64 << 10

// What client and server say.
type (
	// devHello comes first.
	devHello struct {
		Version int             `json:"version"`
		App     sandstorm.AppID `json:"app"`
		Mount   bool            `json:"mount"`
		Proc    bool            `json:"proc"`
		Size    int64           `json:"size"` // bytes of the package that follows
	}
	devRequest struct {
		Op   string `json:"op"`
		Size int64  `json:"size,omitempty"`
	}
	// devAnswer is what the server says; exactly one of its fields is set, but
	// for URL.
	devAnswer struct {
		Package sandstorm.PackageID `json:"package,omitempty"` // answers devHello
		URL     string              `json:"url,omitempty"`     // goes with Package: where people open the server
		OK      bool                `json:"ok,omitempty"`
		Error   *failure            `json:"error,omitempty"`
		Ended   *failure            `json:"ended,omitempty"` // unasked: it is over, and why

		files []*os.File
	}
)

// devLine reads and writes lines, and bytes between them, over a connection that
// may bring files. Reading and writing are for one goroutine each.
type devLine struct {
	conn  *net.UnixConn
	rest  []byte // read but not used yet; in spare as long as it fits
	spare []byte
	files []*os.File
	buf   []byte
	oob   []byte
}

func newDevLine(conn *net.UnixConn) *devLine {
	return &devLine{conn: conn, buf: make([]byte, 32<<10), oob: make([]byte, unix.CmsgSpace(4*4))}
}

// write sends one line, with copies of files.
func (l *devLine) write(v any, files ...*os.File) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if len(files) == 0 {
		_, err = l.conn.Write(line)
		return err
	}
	var fds []int
	for _, f := range files {
		raw, err := f.SyscallConn() // Fd would make the file blocking for good
		if err != nil {
			return err
		}
		if err := raw.Control(func(fd uintptr) { fds = append(fds, int(fd)) }); err != nil {
			return err
		}
	}
	n, _, err := l.conn.WriteMsgUnix(line, unix.UnixRights(fds...), nil)
	if err == nil && n < len(line) {
		_, err = l.conn.Write(line[n:])
	}
	return err
}

// read takes one line.
func (l *devLine) read(into any) error {
	for {
		if i := bytes.IndexByte(l.rest, '\n'); i >= 0 {
			line := l.rest[:i]
			l.rest = l.rest[i+1:]
			if err := json.Unmarshal(line, into); err != nil {
				return fmt.Errorf("malformed line: %w", err)
			}
			return nil
		}
		if len(l.rest) > maxDevLine {
			return errors.New("a line is too long")
		}
		if err := l.more(); err != nil {
			return err
		}
	}
}

// more reads on, and keeps the files that come along.
func (l *devLine) more() error {
	n, oobn, flags, _, err := l.conn.ReadMsgUnix(l.buf, l.oob)
	if oobn > 0 {
		l.files = append(l.files, devFiles(l.oob[:oobn])...)
	}
	if err == nil && (flags&unix.MSG_CTRUNC != 0 || len(l.files) > 4) {
		err = errors.New("too many files")
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return err
	}
	if len(l.rest) == 0 {
		l.rest = append(l.spare[:0], l.buf[:n]...)
		l.spare = l.rest
	} else {
		l.rest = append(l.rest, l.buf[:n]...)
	}
	return nil
}

// Read implements io.Reader for the bytes after a line.
func (l *devLine) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if err := l.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// takeFiles returns the files that came since the last call.
func (l *devLine) takeFiles() []*os.File {
	files := l.files
	l.files = nil
	return files
}

func devFiles(oob []byte) (files []*os.File) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range msgs {
		fds, err := unix.ParseUnixRights(&msgs[i])
		if err != nil {
			continue // another kind of control message
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// error is what the client makes of a failure.
func (f *failure) error() error {
	return &Error{Kind: sandstorm.ParseKind(f.Kind), Key: f.Key, Message: f.Message, Detail: f.Detail}
}
