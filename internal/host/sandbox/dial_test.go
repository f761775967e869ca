//go:build linux && amd64

package sandbox

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/sandstorm-go/sandstorm"
)

// echo sends a word through a connection to a serving probe.
func echo(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "hello"); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 5)
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "hello" {
		t.Fatalf("%q %v", buf, err)
	}
}

func TestDial(t *testing.T) {
	l := newLauncher(t)
	// The second one listens only after a while: Dial waits.
	for _, how := range []string{"serve", "late"} {
		b := newBox(t, l, how, "8000")
		p := b.start()
		for range 3 {
			c, err := p.Dial(testContext(t), 8000)
			b.must(err)
			echo(t, c)
			if got := c.RemoteAddr().String(); got != "127.0.0.1:8000" {
				t.Errorf("remote address %s", got)
			}
			b.must(c.Close())
		}
	}
}

// Two grains listen on the same port, and so does the host; each connection
// reaches the right one.
func TestDialSeparate(t *testing.T) {
	l := newLauncher(t)
	a, b := newBox(t, l, "serve", "8000"), newBox(t, l, "late", "8000")
	pa, pb := a.start(), b.start()
	ca, err := pa.Dial(testContext(t), 8000)
	a.must(err)
	defer ca.Close()
	// b does not listen yet: its connection must not end up in a.
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	if c, err := pb.Dial(ctx, 8000); err == nil {
		c.Close()
		t.Error("connected with a cancelled context")
	}
	cb, err := pb.Dial(testContext(t), 8000)
	b.must(err)
	echo(t, ca)
	b.must(pa.Kill())
	<-pa.Done()
	echo(t, cb)
	if _, err := ca.Read(make([]byte, 1)); err == nil {
		t.Error("connection to the dead grain is alive")
	}
}

func TestDialEnds(t *testing.T) {
	b := newBox(t, newLauncher(t), "sleep")
	p := b.start()
	ctx, cancel := context.WithCancel(testContext(t))
	go func() {
		b.readLine()
		cancel()
	}()
	if _, err := p.Dial(ctx, 8000); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	result := make(chan error)
	go func() {
		_, err := p.Dial(testContext(t), 8000)
		result <- err
	}()
	b.must(p.Kill())
	if err := <-result; !sandstorm.IsKind(err, sandstorm.NotFound) {
		t.Errorf("killed: %v", err)
	}
	<-p.Done()
	if _, err := p.Dial(testContext(t), 8000); !sandstorm.IsKind(err, sandstorm.NotFound) {
		t.Errorf("dead: %v", err)
	}
}

func TestListen(t *testing.T) {
	l := newLauncher(t)
	b := newBox(t, l, "late", "8000")
	p := b.start()
	f, err := p.Listen(15239)
	b.must(err)
	listener, err := net.FileListener(f)
	b.must(err)
	b.must(f.Close())
	b.must(listener.Close())
	if _, err := p.Listen(15239); err != nil {
		t.Errorf("second time: %v", err)
	}
}
