package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pair is a connection with both of its ends here.
func pair(t testing.TB) (a, b *Conn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "end")
		sock, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = NewConn(sock.(*net.UnixConn))
		t.Cleanup(func() { ends[i].Close() })
	}
	return ends[0], ends[1]
}

func TestMessagesAndFilesPass(t *testing.T) {
	a, b := pair(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := a.Send(&Message{ID: 3, Op: OpDial, Params: json.RawMessage(`{"a":1}`)}, w); err != nil {
		t.Fatal(err)
	}
	w.Close()
	m, files, err := b.Receive()
	if err != nil || m.ID != 3 || m.Op != OpDial || string(m.Params) != `{"a":1}` || len(files) != 1 {
		t.Fatalf("%+v, %v, %v", m, files, err)
	}
	flags, err := unix.FcntlInt(files[0].Fd(), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Error("a received file would be inherited")
	}
	if _, err := files[0].WriteString("x"); err != nil {
		t.Error(err)
	}
	CloseAll(files)
	if got, err := io.ReadAll(r); string(got) != "x" || err != nil {
		t.Errorf("through the file came %q, %v", got, err)
	}
	a.Close()
	if _, _, err := b.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

func TestTooLargeIsNotSent(t *testing.T) {
	a, b := pair(t)
	big := json.RawMessage(`"` + strings.Repeat("x", MaxMessage) + `"`)
	if err := a.Send(&Message{ID: 1, Params: big}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("err = %v", err)
	}
	if err := a.Send(&Message{ID: 2}); err != nil {
		t.Fatal(err)
	}
	if m, _, err := b.Receive(); err != nil || m.ID != 2 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestResultsOfAnySize(t *testing.T) {
	a, b := pair(t)
	for _, size := range []int{0, 1000, inlineResult - 2, inlineResult, MaxMessage, 5 << 20} {
		want := strings.Repeat("y", size)
		if err := a.SendResult(9, want); err != nil {
			t.Fatal(err)
		}
		m, files, err := b.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if !m.Last() || m.Blob != (size+2 > inlineResult) {
			t.Errorf("size %d: last %v, blob %v", size, m.Last(), m.Blob)
		}
		if m.Blob {
			if _, err := files[0].WriteAt([]byte("z"), 0); err == nil {
				t.Error("a large result can be changed after it was sent")
			}
		}
		var got string
		if _, err := ReadResult(m, files, &got); err != nil || got != want {
			t.Errorf("size %d: got %d bytes, %v", size, len(got), err)
		}
	}
}

func TestBadBlobs(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var out string
	if _, err := ReadResult(&Message{Blob: true}, []*os.File{r}, &out); !errors.Is(err, ErrProtocol) {
		t.Errorf("a pipe as memory: %v", err)
	}
	if _, err := ReadResult(&Message{Blob: true}, nil, &out); !errors.Is(err, ErrProtocol) {
		t.Errorf("no memory: %v", err)
	}
	fd, err := unix.MemfdCreate("huge", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	huge := os.NewFile(uintptr(fd), "huge")
	if err := huge.Truncate(MaxBlob + 1); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadResult(&Message{Blob: true}, []*os.File{huge}, &out); !errors.Is(err, ErrProtocol) {
		t.Errorf("huge memory: %v", err)
	}
}

// FuzzReceive sends arbitrary datagrams with arbitrary numbers of files: each
// is either a message or an error, and no descriptor is left behind.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(`{"id":1,"op":"hello","params":{"min":1,"max":1}}`), uint8(0))
	f.Add([]byte(`{"id":18446744073709551615,"error":{"kind":"x","args":{"a":"b"}}}`), uint8(1))
	f.Add([]byte(`{"id":1,"blob":true}`), uint8(2))
	f.Add([]byte("\xff\x00["), uint8(9))
	null, err := os.Open(os.DevNull)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { null.Close() })
	f.Fuzz(func(t *testing.T, data []byte, count uint8) {
		if len(data) == 0 || len(data) > 100<<10 {
			return
		}
		a, b := pair(t)
		defer a.Close()
		defer b.Close()
		fds := bytes.Repeat([]byte{1}, int(count%20))
		var oob []byte
		if len(fds) > 0 {
			list := make([]int, len(fds))
			for i := range list {
				list[i] = int(null.Fd())
			}
			oob = unix.UnixRights(list...)
		}
		if _, _, err := a.Socket().WriteMsgUnix(data, oob, nil); err != nil {
			t.Fatal(err)
		}
		before := openFiles(t)
		m, files, err := b.Receive()
		if err != nil && (m != nil || files != nil) {
			t.Errorf("an error came with %v and %v", m, files)
		}
		if err == nil {
			if len(files) > MaxFiles {
				t.Errorf("%d files", len(files))
			}
			var out any
			rest, _ := ReadResult(m, files, &out)
			CloseAll(rest)
			m.Last()
		}
		if after := openFiles(t); after > before {
			t.Errorf("%d descriptors were open, now %d are", before, after)
		}
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
