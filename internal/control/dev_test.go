package control_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/control"
	"github.com/sandstorm-go/sandstorm/internal/host/hosttest"
	"github.com/sandstorm-go/sandstorm/internal/locale"
	"github.com/sandstorm-go/sandstorm/internal/notify"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

var devApp = sandstorm.AppIDFromKey([32]byte{5})

// devRig is a server's socket for development over a host without sandboxes.
type devRig struct {
	testing.TB
	socket string
	host   *hosttest.Host
	apps   *app.Service
	stop   func()
}

func newDevRig(t testing.TB) *devRig {
	t.Helper()
	dir, err := os.MkdirTemp("", "dev") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	log := slog.New(slog.DiscardHandler)
	st, err := store.Open(t.Context(), store.Options{DataDir: dir, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	messages, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := &devRig{TB: t, socket: filepath.Join(dir, "s"), host: hosttest.New(http.NotFoundHandler())}
	r.apps = app.New(app.Options{Store: st, Host: r.host, Notify: &notify.Hub{}, Log: log})
	l, err := net.Listen("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- control.ServeDev(ctx, l, control.DevServerOptions{Apps: r.apps, Messages: messages.Reference(), Log: log})
	}()
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("the server ended with %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the server does not end")
		}
	}
	t.Cleanup(r.stop)
	return r
}

// spk is what the host takes for a package of the app.
func (r *devRig) spk(title string, version uint32) string {
	spk, _ := r.host.Add(sandstorm.AppIDFromKey([32]byte{99}), title, version)
	return spk
}

func (r *devRig) open(mount bool) *control.Dev {
	r.Helper()
	spk := r.spk("Draft", 1)
	d, err := control.OpenDev(r.Context(), r.socket, control.DevOptions{App: devApp, Mount: mount}, strings.NewReader(spk), int64(len(spk)))
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { d.Close() })
	return d
}

// title is what the app under development is called, "" if there is none.
func (r *devRig) title() string {
	if pkg, _ := r.apps.DevPackage(devApp); pkg != nil {
		return pkg.Manifest.AppTitle.Default
	}
	return ""
}

func (r *devRig) awaitTitle(want string) {
	r.Helper()
	for deadline := time.Now().Add(10 * time.Second); r.title() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.Fatalf("under development is %q, want %q", r.title(), want)
		}
	}
}

func wantKey(t testing.TB, what string, err error, kind sandstorm.Kind, key string) {
	t.Helper()
	var e *control.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Key != key || e.Message == "" {
		t.Errorf("%s: %#v, want %v with key %s", what, err, kind, key)
	}
}

func TestDevelop(t *testing.T) {
	r := newDevRig(t)
	ctx := t.Context()
	d := r.open(true)
	if !d.Package().IsDev() || d.FUSE() == nil || r.title() != "Draft" {
		t.Errorf("package %s, device %v, title %s", d.Package(), d.FUSE(), r.title())
	}
	if st, err := d.FUSE().Stat(); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		t.Errorf("the device is %v, %v", st, err)
	}
	d.FUSE().Close()
	spk := r.spk("Better draft", 2)
	if err := d.Update(ctx, strings.NewReader(spk), int64(len(spk))); err != nil || r.title() != "Better draft" {
		t.Errorf("update: %v, title %s", err, r.title())
	}
	// What is refused leaves all as it was, and the connection usable.
	rubbish := strings.Repeat("rubbish ", 1<<17)
	err := d.Update(ctx, strings.NewReader(rubbish), int64(len(rubbish)))
	wantKey(t, "rubbish", err, sandstorm.Invalid, "package.bad-magic")
	if err := d.Restart(ctx); err != nil || r.title() != "Better draft" {
		t.Errorf("restart: %v, title %s", err, r.title())
	}
	_, err = control.OpenDev(ctx, r.socket, control.DevOptions{App: devApp}, strings.NewReader(spk), int64(len(spk)))
	wantKey(t, "second", err, sandstorm.Conflict, "dev.taken")
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := d.Wait(); err != nil {
		t.Errorf("after Close: %v", err)
	}
	wantKey(t, "after the end", d.Restart(ctx), sandstorm.Unavailable, "dev.closed")
	r.awaitTitle("")
	r.open(false)
}

func TestDevelopIsToldOfTheEnd(t *testing.T) {
	r := newDevRig(t)
	d := r.open(false)
	if d.FUSE() != nil {
		t.Error("a copy has a device")
	}
	r.host.FailDevs(sandstorm.Errorf(sandstorm.Unavailable, "dev.stalled", "no answer"))
	wantKey(t, "files that are not served", d.Wait(), sandstorm.Unavailable, "dev.stalled")
	r.awaitTitle("")
	d = r.open(false)
	r.stop()
	wantKey(t, "the server's end", d.Wait(), sandstorm.Unavailable, "dev.server-ends")
	if r.title() != "" {
		t.Error("the development outlives the server")
	}
	_, err := control.OpenDev(t.Context(), r.socket, control.DevOptions{App: devApp}, strings.NewReader("x"), 1)
	wantKey(t, "no server", err, sandstorm.Unavailable, "dev.server-gone")
}

func TestDevelopRefused(t *testing.T) {
	r := newDevRig(t)
	ctx := t.Context()
	r.host.RefuseDev(sandstorm.Errorf(sandstorm.Unavailable, control.KeyNoFUSE, "no FUSE here"))
	_, err := control.OpenDev(ctx, r.socket, control.DevOptions{App: devApp, Mount: true}, strings.NewReader("x"), 1)
	wantKey(t, "no FUSE", err, sandstorm.Unavailable, control.KeyNoFUSE)
	r.host.RefuseDev(nil)
	_, err = control.OpenDev(ctx, r.socket, control.DevOptions{App: "nonsense"}, strings.NewReader("x"), 1)
	wantKey(t, "app id", err, sandstorm.Invalid, "id.app")
	_, err = control.OpenDev(ctx, r.socket, control.DevOptions{App: devApp}, zeros{}, 1<<40)
	wantKey(t, "size", err, sandstorm.TooLarge, "package.too-large")
	_, err = control.OpenDev(ctx, r.socket, control.DevOptions{App: devApp}, strings.NewReader("half"), 8)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a package that is shorter than announced: %v", err)
	}
	mine := errors.New("the disk is gone")
	_, err = control.OpenDev(ctx, r.socket, control.DevOptions{App: devApp}, io.MultiReader(strings.NewReader("ha"), broken{mine}), 8)
	if !errors.Is(err, mine) {
		t.Errorf("a package that cannot be read: %v", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err = control.OpenDev(ctx, r.socket, control.DevOptions{App: devApp}, strings.NewReader("x"), 1); err == nil {
		t.Error("opened after its context has ended")
	}
	r.awaitTitle("")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// converse says something to the socket and returns the lines that come back.
func (r *devRig) converse(said []byte) (answers []string) {
	r.Helper()
	conn, err := net.Dial("unix", r.socket)
	if err != nil {
		r.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.Fatal(err)
	}
	go func() {
		_, _ = conn.Write(said) // the server may have hung up
		_ = conn.(*net.UnixConn).CloseWrite()
	}()
	scan := bufio.NewScanner(conn)
	for scan.Scan() {
		answers = append(answers, scan.Text())
	}
	if err := scan.Err(); errors.Is(err, os.ErrDeadlineExceeded) {
		r.Errorf("the server does not hang up after %.200q", said)
	}
	return answers
}

func TestDevGarbage(t *testing.T) {
	r := newDevRig(t)
	good := r.spk("Draft", 1)
	hello := `{"version":1,"app":"` + string(devApp) + `","size":7}` + "\n" + good
	if len(good) != 7 {
		t.Fatal(good)
	}
	for name, tt := range map[string]struct {
		said string
		keys []string
	}{
		"nothing":           {"", []string{"dev.protocol"}},
		"no line":           {"hello", []string{"dev.protocol"}},
		"no JSON":           {"hello\n", []string{"dev.protocol"}},
		"endless line":      {strings.Repeat("x", 1<<20), []string{"dev.protocol"}},
		"other version":     {`{"version":2}` + "\n", []string{"dev.version"}},
		"no package":        {`{"version":1,"app":"` + string(devApp) + `"}` + "\n", []string{"dev.protocol"}},
		"negative":          {`{"version":1,"app":"` + string(devApp) + `","size":-1}` + "\n", []string{"dev.protocol"}},
		"half a package":    {`{"version":1,"app":"` + string(devApp) + `","size":70}` + "\n" + good, []string{"host.source"}},
		"good":              {hello, []string{""}},
		"unknown operation": {hello + `{"op":"format"}` + "\n" + `{"op":"restart"}` + "\n", []string{"", "dev.protocol"}},
		"update of nothing": {hello + `{"op":"update"}` + "\n", []string{"", "dev.protocol"}},
		"two requests":      {hello + `{"op":"restart"}` + "\n" + `{"op":"update","size":7}` + "\n" + good, []string{"", "", ""}},
		"rubbish then good": {hello + `{"op":"update","size":4}` + "\nrubb" + `{"op":"restart"}` + "\n", []string{"", "package.bad-magic", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			answers := r.converse([]byte(tt.said))
			if len(answers) != len(tt.keys) {
				t.Fatalf("answers %q", answers)
			}
			for i, line := range answers {
				var a struct{ Error struct{ Key, Message string } }
				if err := json.Unmarshal([]byte(line), &a); err != nil || a.Error.Key != tt.keys[i] {
					t.Errorf("answer %d is %s (%v), want key %q", i, line, err, tt.keys[i])
				}
			}
			r.awaitTitle("")
		})
	}
}

// FuzzDevSocket: whatever is said, the server hangs up in the end and nothing
// stays under development.
func FuzzDevSocket(f *testing.F) {
	hello := `{"version":1,"app":"` + string(devApp) + `","size":7}` + "\nDraft 1"
	f.Add([]byte(hello))
	f.Add([]byte(hello + `{"op":"restart"}` + "\n"))
	f.Add([]byte(hello + `{"op":"update","size":7}` + "\nDraft 1"))
	f.Add([]byte(`{"version":1,"app":"x","size":9223372036854775807}` + "\n"))
	f.Add(bytes.Repeat([]byte("{"), 100<<10))
	r := newDevRig(f)
	r.spk("Draft", 1)
	f.Fuzz(func(t *testing.T, said []byte) {
		here := *r
		here.TB = t
		here.converse(said)
		here.awaitTitle("")
	})
}
