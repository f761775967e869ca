//go:build linux && amd64

package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/stage"
	"golang.org/x/sys/unix"
)

func TestFeatures(t *testing.T) {
	for _, f := range Features() {
		t.Logf("%+v", f)
		if f.Needed && !f.OK {
			t.Errorf("%s: %s", f.Name, f.Remedy)
		}
		if !f.OK && f.Remedy == "" {
			t.Errorf("%s: no remedy", f.Name)
		}
	}
}

func TestProbeReportsStep(t *testing.T) {
	err := probe(func(p *stage.Program) { p.Call(stepUserNS, unix.SYS_UNSHARE, 1<<1) })
	if !errnoIs(err, stepUserNS, unix.EINVAL) {
		t.Error(err)
	}
	f := needed("x", err)
	if f.OK || f.Remedy == "" {
		t.Errorf("%+v", f)
	}
}

func TestHints(t *testing.T) {
	for _, test := range []struct {
		step  string
		errno unix.Errno
		word  string
	}{
		{stepExecute, unix.ENOENT, "no such program"},
		{stepExecute, unix.ENOEXEC, "architecture"},
		{stepNamespaces, unix.ENOSPC, "namespaces"},
		{stepNamespaces, unix.EAGAIN, "processes"},
		{stepUserNS, unix.EPERM, "namespace"},
		{"mount /tmp", unix.ELOOP, "symbolic link"},
		{"mount /tmp", unix.ENOSYS, "5.12"},
		{"open the package", unix.EMFILE, "LimitNOFILE"},
	} {
		err := startError(test.step, fmt.Errorf("wrapped: %w", test.errno))
		var e *host.StartError
		if !errors.As(err, &e) || !strings.Contains(e.Hint, test.word) {
			t.Errorf("%s, %v: %v", test.step, test.errno, err)
		}
	}
}
