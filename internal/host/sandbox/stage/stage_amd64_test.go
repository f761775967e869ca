package stage

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

type report struct {
	step  uint32
	value int32
}

// run executes p as a process of its own. Descriptor 3 is its status pipe, 4
// its program, unless it is part of the executable.
func run(t *testing.T, p *Program, embedded bool) (stdout string, reports []report, state *os.ProcessState) {
	t.Helper()
	program, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	prog := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(prog, program, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(prog)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	exe := filepath.Join(t.TempDir(), "stage")
	var args []string
	image, err := Image(nil)
	if embedded {
		image, err = Image(program)
	} else {
		args = []string{Argument(4)}
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exe, image, 0o700); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out bytes.Buffer
	cmd := exec.Command(exe, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.ExtraFiles = []*os.File{w, file}
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for ; len(all) >= ReportLen; all = all[ReportLen:] {
		reports = append(reports, report{binary.LittleEndian.Uint32(all), int32(binary.LittleEndian.Uint32(all[4:]))})
	}
	return out.String(), reports, cmd.ProcessState
}

func TestCalls(t *testing.T) {
	for _, embedded := range []bool{false, true} {
		p := New(3)
		p.Try(unix.SYS_CLOSE, 999)
		fd := p.CallTo("open", unix.SYS_OPENAT, uint64(1<<64-100), p.String("/dev/zero"), 0)
		p.CallOn(fd, "read", unix.SYS_READ, p.Bytes(make([]byte, 8)), 8)
		p.Call("write", unix.SYS_WRITE, 1, p.String("hello"), 5)
		p.Call("exit", unix.SYS_EXIT_GROUP, 7)
		out, reports, state := run(t, p, embedded)
		if out != "hello" || len(reports) != 0 || state.ExitCode() != 7 {
			t.Errorf("embedded %v: %q %v %v", embedded, out, reports, state)
		}
	}
}

func TestFailureNamesStep(t *testing.T) {
	p := New(3)
	p.Call("first", unix.SYS_GETPID)
	p.Call("second", unix.SYS_CLOSE, 999)
	p.Call("third", unix.SYS_WRITE, 1, p.String("no"), 2)
	out, reports, state := run(t, p, false)
	if out != "" || len(reports) != 1 || p.Step(reports[0].step) != "second" ||
		reports[0].value != int32(syscall.EBADF) || state.ExitCode() != 126 {
		t.Errorf("%q %v %v", out, reports, state)
	}
	if p.Step(99) != "" || p.Step(StepStarted) != "" {
		t.Error("step out of range has a name")
	}
}

func TestSpawnAndReap(t *testing.T) {
	for _, test := range []struct {
		script string
		out    string
		code   int
		status syscall.WaitStatus
	}{
		{`echo $0 $1 $VAR`, "sh-name one x=y\n", 0, 0},
		{`exit 42`, "", 42, 42 << 8},
		{`kill -SEGV $$`, "", 128 + 11, 11},
		// An orphan that outlives its parent is collected and not mistaken for it.
		{`(sh -c "exit 3" &); (sh -c "exit 4" &) ; exit 5`, "", 5, 5 << 8},
	} {
		p := New(3)
		p.Spawn("execute", "/bin/sh", []string{"/bin/sh", "-c", test.script, "sh-name", "one"}, []string{"VAR=x=y", "PATH=/bin:/usr/bin"})
		p.Reap()
		out, reports, state := run(t, p, false)
		if out != test.out || state.ExitCode() != test.code {
			t.Errorf("%s: %q %v", test.script, out, state)
		}
		if len(reports) != 2 || reports[0] != (report{StepStarted, 0}) || reports[1].step != StepEnded ||
			syscall.WaitStatus(reports[1].value)&^0x80 != test.status {
			t.Errorf("%s: %v", test.script, reports)
		}
	}
}

func TestSpawnFailure(t *testing.T) {
	p := New(3)
	p.Spawn("execute", "/no/such/program", []string{"/no/such/program"}, nil)
	p.Reap()
	_, reports, state := run(t, p, false)
	if len(reports) != 1 || p.Step(reports[0].step) != "execute" || reports[0].value != int32(syscall.ENOENT) {
		t.Errorf("%v %v", reports, state)
	}
}

func TestTooLong(t *testing.T) {
	p := New(3)
	for range maxRecords + 1 {
		p.Try(unix.SYS_GETPID)
	}
	if _, err := p.Encode(); err != ErrTooLong {
		t.Error(err)
	}
	p = New(3)
	p.String(strings.Repeat("x", mapLen))
	if _, err := p.Encode(); err != ErrTooLong {
		t.Error(err)
	}
}

func TestImageSize(t *testing.T) {
	image, err := Image(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("grain-init is %d bytes", len(image))
	if len(image) > 4096 {
		t.Errorf("grain-init is %d bytes, more than a page", len(image))
	}
}
