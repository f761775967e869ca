package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Network is the name that package net has for SOCK_SEQPACKET.
const Network = "unixpacket"

// sendTimeout ends a connection whose other side does not read.
const sendTimeout = 10 * time.Second

// Errors of Conn. ErrTooLarge leaves the connection usable: nothing was sent.
var (
	ErrTooLarge = errors.New("message is larger than 64 KiB")
	ErrProtocol = errors.New("malformed datagram")
)

// Conn sends and receives messages. Send may be called concurrently, Receive
// by one goroutine at a time.
type Conn struct {
	sock *net.UnixConn
	wmu  sync.Mutex
	buf  []byte // of Receive: one byte longer than a message may be
	oob  []byte
}

// NewConn takes over a connected SOCK_SEQPACKET socket.
func NewConn(sock *net.UnixConn) *Conn {
	return &Conn{sock: sock}
}

// Close ends the connection; Receive and Send return errors.
func (c *Conn) Close() error { return c.sock.Close() }

// Socket is the socket itself, for its credentials and options.
func (c *Conn) Socket() *net.UnixConn { return c.sock }

// Send sends one message with copies of files, which stay the caller's.
func (c *Conn) Send(m *Message, files ...*os.File) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(data) > MaxMessage {
		return ErrTooLarge
	}
	var fds []int
	for _, f := range files {
		// Fd would switch the file to blocking mode for good.
		raw, err := f.SyscallConn()
		if err != nil {
			return err
		}
		if err := raw.Control(func(fd uintptr) { fds = append(fds, int(fd)) }); err != nil {
			return err
		}
	}
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.sock.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return err
	}
	_, _, err = c.sock.WriteMsgUnix(data, oob, nil)
	runtime.KeepAlive(files) // no finalizer closes them while they are sent
	return err
}

// Receive returns the next message and the files that came with it, which the
// caller must close. After any error the connection is of no further use;
// io.EOF means that the other side closed it.
func (c *Conn) Receive() (*Message, []*os.File, error) {
	if c.buf == nil {
		c.buf = make([]byte, MaxMessage+1)
		c.oob = make([]byte, unix.CmsgSpace(MaxFiles*4))
	}
	n, oobn, flags, _, err := c.sock.ReadMsgUnix(c.buf, c.oob)
	// Even a failed read may have delivered descriptors.
	files, ferr := takeFiles(c.oob[:oobn])
	if err == nil {
		err = ferr
	}
	if err == nil && (flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 || n > MaxMessage) {
		err = fmt.Errorf("%w: too long or with too many files", ErrProtocol)
	}
	m := new(Message)
	if err == nil {
		if jerr := json.Unmarshal(c.buf[:n], m); jerr != nil {
			err = fmt.Errorf("%w: %w", ErrProtocol, jerr)
		}
	}
	if err != nil {
		CloseAll(files)
		if errors.Is(err, syscall.ECONNRESET) {
			err = io.EOF
		}
		return nil, nil, err
	}
	return m, files, nil
}

// takeFiles turns the control data of a datagram into files.
func takeFiles(oob []byte) ([]*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	var files []*os.File
	for i := range msgs {
		fds, err := unix.ParseUnixRights(&msgs[i])
		if err != nil {
			continue // another kind of control message carries no descriptors
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, nil
}

// CloseAll closes files.
func CloseAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
