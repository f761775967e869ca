//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A starter runs the payload with the given standard output and returns how to
// wait for its end.
type starter func(out *os.File) (wait func() error, err error)

// program is one contestant and its times.
type program struct {
	name   string
	start  starter
	peer   bool // compared with ours
	broken error
	ready  [][]time.Duration // by batch
	exit   [][]time.Duration
}

// times of one start.
type times struct{ ready, exit time.Duration }

// sample adds one start to a batch.
func (p *program) sample(batch int) {
	if p.broken != nil {
		return
	}
	for len(p.ready) <= batch {
		p.ready, p.exit = append(p.ready, nil), append(p.exit, nil)
	}
	t, err := measure(p.start)
	if err != nil {
		p.broken = err
		return
	}
	p.ready[batch] = append(p.ready[batch], t.ready)
	p.exit[batch] = append(p.exit[batch], t.exit)
}

// measure starts the payload once. It is ready when the byte has arrived and
// the start has returned.
func measure(start starter) (times, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return times{}, err
	}
	out := os.NewFile(uintptr(fds[1]), "out")
	text := make(chan string, 1)
	arrived := make(chan time.Time, 1)
	go readOutput(fds[0], arrived, text)

	begin := time.Now()
	wait, err := start(out)
	returned := time.Now()
	if err != nil {
		_ = out.Close()
		<-arrived
		return times{}, fmt.Errorf("%w %s", err, brief(<-text))
	}
	_ = out.Close()
	err = wait()
	exit := time.Since(begin)
	ready := <-arrived
	if output := <-text; err != nil || output != payloadOutput {
		return times{}, fmt.Errorf("%v %s", err, brief(output))
	}
	if returned.After(ready) {
		ready = returned
	}
	return times{ready.Sub(begin), exit}, nil
}

// readOutput waits in a thread of its own, as cheaply as one can, for the first
// byte and then for the end.
func readOutput(fd int, arrived chan<- time.Time, text chan<- string) {
	defer unix.Close(fd)
	buf := make([]byte, 4096)
	n, _ := unix.Read(fd, buf)
	arrived <- time.Now()
	total := max(n, 0)
	for n > 0 && total < len(buf) {
		n, _ = unix.Read(fd, buf[total:])
		total += max(n, 0)
	}
	text <- string(buf[:total])
}

// brief is the first line of a program's complaint.
func brief(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
