package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

func itoa(n int) string { return strconv.Itoa(n) }

func sessionOf(pid int) (int, error) { return unix.Getsid(pid) }

func mySession() int {
	sid, _ := unix.Getsid(0)
	return sid
}

// raw connects without a client's manners.
func (r *rig) raw() *net.UnixConn {
	r.t.Helper()
	conn, err := net.Dial(wire.Network, host.SocketPath(r.data))
	must(r.t, err)
	r.t.Cleanup(func() { conn.Close() })
	return conn.(*net.UnixConn)
}

const hello = `{"id":1,"op":"hello","params":{"min":1,"max":1}}`

// greeted connects and says hello.
func (r *rig) greeted() *net.UnixConn {
	r.t.Helper()
	conn := r.raw()
	_, err := conn.Write([]byte(hello))
	must(r.t, err)
	if n, err := conn.Read(make([]byte, 1000)); err != nil || n == 0 {
		r.t.Fatalf("no answer to hello: %v", err)
	}
	return conn
}

// fds counts the host's descriptors, but for the network namespaces: some lie
// ready for later grains, and how many differs from moment to moment.
func (r *rig) fds() int {
	r.t.Helper()
	dir := filepath.Join("/proc", itoa(r.cmd.Process.Pid), "fd")
	list, err := os.ReadDir(dir)
	must(r.t, err)
	n := 0
	for _, e := range list {
		name, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err == nil && !strings.HasPrefix(name, "net:") {
			n++
		}
	}
	return n
}

// nets counts the network namespaces that the host holds.
func (r *rig) nets() int {
	r.t.Helper()
	dir := filepath.Join("/proc", itoa(r.cmd.Process.Pid), "fd")
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	must(r.t, err)
	n := 0
	for _, name := range names {
		if link, err := os.Readlink(name); err == nil && strings.HasPrefix(link, "net:") {
			n++
		}
	}
	return n
}

func TestGarbageOnTheSocket(t *testing.T) {
	r := newRig(t, true)
	_, s := r.running()
	before := r.fds()
	file, err := os.Open("/dev/null")
	must(t, err)
	defer file.Close()
	rights := func(n int) []byte {
		fds := make([]int, n)
		for i := range fds {
			fds[i] = int(file.Fd())
		}
		return unix.UnixRights(fds...)
	}
	big := bytes.Repeat([]byte("x"), 100<<10)
	for _, tt := range []struct {
		name    string
		greeted bool
		data    []byte
		oob     []byte
	}{
		{"no hello", false, []byte(`{"id":1,"op":"grains"}`), nil},
		{"hello of the future", false, []byte(`{"id":1,"op":"hello","params":{"min":2,"max":9}}`), nil},
		{"hello with a file", false, []byte(`{"id":1,"op":"hello"}`), rights(1)},
		{"no JSON", true, []byte("\x00\xff garbage"), nil},
		{"empty", true, nil, rights(2)},
		{"wrong types", true, []byte(`{"id":"x","op":7}`), rights(1)},
		{"too large", true, big, rights(1)},
		{"too many files", true, []byte(`{"id":2,"op":"grains"}`), rights(200)},
		{"deep", true, bytes.Repeat([]byte("["), 60000), nil},
		{"half a message", true, []byte(`{"id":2,"op":"gra`), nil},
	} {
		connect := r.raw
		if tt.greeted {
			connect = r.greeted
		}
		conn := connect()
		_, _, err := conn.WriteMsgUnix(tt.data, tt.oob, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		// The host hangs up, perhaps after an answer.
		must(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
		for err = nil; err == nil; {
			_, err = conn.Read(make([]byte, 64<<10))
		}
		if os.IsTimeout(err) {
			t.Errorf("%s: the host goes on with it", tt.name)
		}
	}
	// What is only nonsense is answered.
	conn := r.greeted()
	for i, data := range []string{
		`{"id":%d,"op":"nonsense"}`, `{"id":%d,"op":""}`, `{"id":%d}`,
		`{"id":%d,"op":"start","params":[1]}`, `{"id":%d,"op":"start"}`,
		`{"id":%d,"op":"install","params":{}}`, `{"id":%d,"op":"dial","params":{"grain":"\u0000"}}`,
		`{"id":%d,"op":"log","params":{"grain":"../../../etc","backlog":-5}}`,
	} {
		_, _, err := conn.WriteMsgUnix(fmt.Appendf(nil, data, i+10), rights(1), nil)
		must(t, err)
		buf := make([]byte, 64<<10)
		n, err := conn.Read(buf)
		must(t, err)
		var m wire.Message
		if err := json.Unmarshal(buf[:n], &m); err != nil || m.Error == nil || m.ID != uint64(i+10) {
			t.Errorf("%s: answer %q", data, buf[:n])
		}
	}
	conn.Close()
	if got := r.ask(s, "echo ok"); got != "echo ok" {
		t.Errorf("app says %q", got)
	}
	eventually(t, "descriptors are closed", func() bool { return r.fds() <= before })
}

// TestFloodIsBounded makes calls and never reads an answer.
func TestFloodIsBounded(t *testing.T) {
	r := newRig(t, true)
	conn := r.greeted()
	must(t, conn.SetWriteDeadline(time.Now().Add(time.Second)))
	sent := 0
	for ; ; sent++ {
		if _, err := fmt.Fprintf(conn, `{"id":%d,"op":"info","params":{}}`, sent+10); err != nil {
			break
		}
		if sent > 200_000 {
			t.Fatal("the host takes calls without end")
		}
	}
	if rss := residentSize(t, r.cmd.Process.Pid); rss > 150<<20 {
		t.Errorf("after %d calls the host has %d MiB", sent, rss>>20)
	}
	if _, err := r.client.Info(t.Context()); err != nil {
		t.Errorf("others suffer: %v", err)
	}
	// Many connections are bounded as well, and do not last.
	var held []net.Conn
	for range 200 {
		if c, err := net.Dial(wire.Network, host.SocketPath(r.data)); err == nil {
			held = append(held, c)
		}
	}
	for _, c := range held {
		c.Close()
	}
	conn.Close()
	eventually(t, "others are served again", func() bool {
		c, err := host.Dial(t.Context(), host.SocketPath(r.data))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func residentSize(t *testing.T, pid int) int64 {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "statm"))
	must(t, err)
	var size, resident int64
	_, err = fmt.Sscan(string(data), &size, &resident)
	must(t, err)
	return resident * int64(os.Getpagesize())
}

func testNoLeaks(t *testing.T, r *rig) {
	if r.cmd == nil {
		return // only a process of its own can be counted
	}
	once := func() {
		lease, s := r.running()
		r.ask(s, "echo x")
		l, err := r.client.GrainLog(t.Context(), s.Grain, 100, true)
		must(t, err)
		l.Close()
		must(t, r.client.StopGrain(t.Context(), lease))
		_, err = r.client.StartGrain(t.Context(), host.StartRequest{Lease: lease, Package: r.pkg, Action: actMissing})
		if err == nil {
			t.Error("started what does not exist")
		}
		must(t, r.client.DeleteGrain(t.Context(), lease))
	}
	for range 3 {
		once()
	}
	before := r.fds()
	for range 20 {
		once()
	}
	eventually(t, "no more descriptors than before", func() bool { return r.fds() <= before })
	const spare = 16 // far below the number of grains that were started
	if n := r.nets(); n > spare {
		t.Errorf("the host holds %d network namespaces", n)
	}
}
