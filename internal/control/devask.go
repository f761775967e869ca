package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sandstorm-go/sandstorm"
)

// ask sends a request with its package and waits for the answer.
func (d *Dev) ask(ctx context.Context, request any, pkg io.Reader, size int64) (devAnswer, error) {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return devAnswer{}, context.Cause(ctx)
	case <-d.done:
		return devAnswer{}, d.over()
	}
	sent := make(chan error, 1)
	go func() { sent <- d.send(request, pkg, size) }()
	for {
		select {
		case answer := <-d.answers:
			if answer.Error != nil {
				closeFiles(answer.files)
				return devAnswer{}, answer.Error.error()
			}
			return answer, nil
		case err := <-sent:
			sent = nil
			var source *sourceError
			if errors.As(err, &source) {
				// The server still waits for the rest: there is no way on.
				d.end(source.err)
				return devAnswer{}, source.err
			}
			// Else the server says why it hung up, or that it did.
		case <-d.done:
			return devAnswer{}, d.over()
		case <-ctx.Done():
			d.end(context.Cause(ctx))
			return devAnswer{}, context.Cause(ctx)
		}
	}
}

// sourceError is a failure to read the package that was to be sent.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }

func (d *Dev) send(request any, pkg io.Reader, size int64) error {
	if err := d.line.write(request); err != nil {
		return err
	}
	if size == 0 {
		return nil
	}
	src := &watchedSource{src: io.LimitReader(pkg, size)}
	n, err := io.Copy(d.line.conn, src)
	if src.err != nil {
		return &sourceError{src.err}
	}
	if err == nil && n < size {
		return &sourceError{fmt.Errorf("the package has %d bytes, not %d: %w", n, size, io.ErrUnexpectedEOF)}
	}
	return err
}

// watchedSource keeps apart whether reading or writing failed.
type watchedSource struct {
	src io.Reader
	err error
}

func (s *watchedSource) Read(p []byte) (int, error) {
	n, err := s.src.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// receive hands answers to who asked until the server hangs up.
func (d *Dev) receive() {
	for {
		var answer devAnswer
		err := d.line.read(&answer)
		answer.files = d.line.takeFiles()
		if d.closing.Load() && (err != nil || answer.Ended != nil) {
			closeFiles(answer.files)
			d.end(nil)
			return
		}
		if err != nil {
			closeFiles(answer.files)
			d.end(&Error{
				Kind: sandstorm.Unavailable, Key: "dev.server-gone",
				Message: "The server has ended. Start it again, then `spk dev`.", Detail: err.Error(),
			})
			return
		}
		if answer.Ended != nil {
			closeFiles(answer.files)
			d.end(answer.Ended.error())
			return
		}
		select {
		case d.answers <- answer:
		case <-d.done:
			closeFiles(answer.files)
			return
		}
	}
}

// over is the error of a request after the end.
func (d *Dev) over() error {
	if d.err != nil {
		return d.err
	}
	return &Error{Kind: sandstorm.Unavailable, Key: "dev.closed", Message: "The development of this app has ended."}
}

func devUnreachable(socket string, err error) error {
	out := &Error{Kind: sandstorm.Unavailable, Key: "dev.server-gone", Detail: err.Error()}
	switch {
	case errors.Is(err, os.ErrPermission):
		out.Kind, out.Key = sandstorm.Denied, "dev.denied"
		out.Message = "You may not develop apps on this server: " + socket + " is only for its group. Ask its administrator to add you to the group."
	default:
		out.Message = "No server answers at " + socket + ". Start one (`sandstorm dev`), or say where its data directory is."
	}
	return out
}
