package server

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// readAll reads the log from pos to its end.
func readAllLog(t *testing.T, l *grainLog, pos int64) string {
	t.Helper()
	var out bytes.Buffer
	buf := make([]byte, 1000)
	for {
		n, next, _, err := l.read(pos, buf)
		mustDo(t, err)
		if n == 0 {
			return out.String()
		}
		out.Write(buf[:n])
		pos = next
	}
}

func TestLogIsBounded(t *testing.T) {
	path, d := openTestDir(t)
	l, err := openLog(d)
	mustDo(t, err)
	defer l.close()
	var all bytes.Buffer
	for i := range 40 {
		chunk := bytes.Repeat([]byte(fmt.Sprintf("%07d\n", i)), 8<<10) // 64 KiB
		all.Write(chunk)
		_, err := l.Write(chunk)
		mustDo(t, err)
		var total int64
		for _, name := range []string{fileLog, fileOldLog} {
			if info, err := os.Stat(filepath.Join(path, name)); err == nil {
				total += info.Size()
			}
		}
		if total > 1<<20 {
			t.Fatalf("%d bytes on disk", total)
		}
	}
	if got := readAllLog(t, l, l.tail(100_000)); got != all.String()[all.Len()-100_000:] {
		t.Error("the last 100,000 bytes are not those written last")
	}
	whole := readAllLog(t, l, l.tail(-1))
	if len(whole) < logPart || !strings.HasSuffix(all.String(), whole) {
		t.Errorf("the whole log has %d bytes, or is not the end of what was written", len(whole))
	}
}

func TestLogReaderSurvivesRotation(t *testing.T) {
	_, d := openTestDir(t)
	l, err := openLog(d)
	mustDo(t, err)
	defer l.close()
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	_, err = l.Write([]byte("first\n"))
	mustDo(t, err)
	pos := l.tail(-1)
	for range 9 {
		_, err = l.Write(chunk)
		mustDo(t, err)
	}
	if got := readAllLog(t, l, pos); len(got) != 6+9*64<<10 || !strings.HasPrefix(got, "first\n") {
		t.Errorf("read %d bytes that start with %.10q", len(got), got)
	}
	for range 30 {
		_, err = l.Write(chunk)
		mustDo(t, err)
	}
	if got := readAllLog(t, l, pos); !strings.Contains(got[:100], "bytes of the log were dropped") {
		t.Errorf("an overtaken reader got %.100q", got)
	}
}

func TestLogReopens(t *testing.T) {
	path, d := openTestDir(t)
	mustDo(t, os.WriteFile(filepath.Join(path, fileLog), []byte("new"), 0o644))
	mustDo(t, os.WriteFile(filepath.Join(path, fileOldLog), []byte("old,"), 0o600))
	l, err := openLog(d)
	mustDo(t, err)
	defer l.close()
	_, err = l.Write([]byte("er"))
	mustDo(t, err)
	if got := readAllLog(t, l, l.tail(7)); got != "d,newer" {
		t.Errorf("got %q", got)
	}
	if info, err := os.Stat(filepath.Join(path, fileLog)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestLogOfAnEarlierServer has a log that was bounded only now and then.
func TestLogOfAnEarlierServer(t *testing.T) {
	path, d := openTestDir(t)
	big := strings.Repeat("a", 2<<20) + "end"
	mustDo(t, os.WriteFile(filepath.Join(path, fileLog), []byte(big), 0o600))
	l, err := openLog(d)
	mustDo(t, err)
	defer l.close()
	got := readAllLog(t, l, l.tail(-1))
	if len(got) != logPart || !strings.HasSuffix(got, "aend") {
		t.Errorf("%d bytes are left", len(got))
	}
}

// TestLogIsNotFollowedOut has traps where the log should be. Apps cannot put
// them there, but a restored or imported directory could.
func TestLogIsNotFollowedOut(t *testing.T) {
	path, d := openTestDir(t)
	victim := filepath.Join(t.TempDir(), "victim")
	mustDo(t, os.WriteFile(victim, nil, 0o600))
	mustDo(t, os.Symlink(victim, filepath.Join(path, fileLog)))
	if _, err := openLog(d); err == nil {
		t.Error("opened a symlink as log")
	}
	mustDo(t, os.Remove(filepath.Join(path, fileLog)))
	mustDo(t, unix.Mkfifo(filepath.Join(path, fileLog), 0o600))
	if _, err := openLog(d); err == nil {
		t.Error("opened a FIFO as log")
	}
}

func TestPipeCopiesWithoutWriters(t *testing.T) {
	_, d := openTestDir(t)
	p, err := openLogPipe(d)
	mustDo(t, err)
	defer p.close()
	_, err = p.app.WriteString("hello")
	mustDo(t, err)
	p.app.Close()
	var out bytes.Buffer
	mustDo(t, copyLog(t.Context(), p.takeReader(), &out))
	if out.String() != "hello" {
		t.Errorf("copied %q", &out)
	}
}

// TestPipeSurvivesItsReader is a host that dies and comes back: what the app
// wrote meanwhile is still read.
func TestPipeSurvivesItsReader(t *testing.T) {
	_, d := openTestDir(t)
	p, err := openLogPipe(d)
	mustDo(t, err)
	defer p.close()
	p.takeReader().Close()
	_, err = p.app.WriteString("meanwhile")
	mustDo(t, err)
	again, err := openLogReader(d)
	mustDo(t, err)
	p.app.Close()
	var out bytes.Buffer
	mustDo(t, copyLog(t.Context(), again, &out))
	if out.String() != "meanwhile" {
		t.Errorf("copied %q", &out)
	}
}

// TestFullDiskDoesNotStopTheApp drains the pipe although nothing can be kept.
func TestFullDiskDoesNotStopTheApp(t *testing.T) {
	_, d := openTestDir(t)
	p, err := openLogPipe(d)
	mustDo(t, err)
	defer p.close()
	copied := make(chan error, 1)
	reader := p.takeReader()
	go func() { copied <- copyLog(t.Context(), reader, fullDisk{}) }()
	for range 10 {
		_, err := p.app.Write(make([]byte, 60<<10))
		mustDo(t, err)
	}
	p.app.Close()
	if err := <-copied; err == nil {
		t.Error("the loss was not reported")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, unix.ENOSPC }
