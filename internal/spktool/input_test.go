package spktool

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
)

// Who waits for a package that never comes can be interrupted.
func TestInterruptWhileReading(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	in := interruptibleReader(ctx, r)
	if _, err := w.WriteString("ab"); err != nil {
		t.Fatal(err)
	}
	var b [2]byte
	if _, err := io.ReadFull(in, b[:]); err != nil || string(b[:]) != "ab" {
		t.Fatal(string(b[:]), err)
	}
	go cancel()
	if _, err := in.Read(b[:]); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
