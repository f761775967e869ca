package control

import (
	"context"
	"io"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/app"
)

// body is the package that follows a line.
func (l *devLine) body(size int64) (*devBody, error) {
	if size <= 0 {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "dev.protocol", "a package of %d bytes", size)
	}
	if size > maxDevPackage {
		return nil, sandstorm.Errorf(sandstorm.TooLarge, "package.too-large", "a package of %d bytes", size)
	}
	return &devBody{line: l, left: size}, nil
}

// devBody reads exactly as many bytes as were announced.
type devBody struct {
	line *devLine
	left int64
}

func (b *devBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.line.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err != nil {
		err = sandstorm.Errorf(sandstorm.Unavailable, "host.source", "the client sent %d bytes too few: %w", b.left, err)
	}
	return n, err
}

// answerAll answers requests until the client hangs up or breaks the protocol.
func (s *devServer) answerAll(ctx context.Context, line *devLine, d *app.Development) {
	for {
		var request devRequest
		err := line.read(&request)
		closeFiles(line.takeFiles())
		if err != nil {
			return
		}
		if !s.answer(ctx, line, d, request) {
			return
		}
	}
}

func (s *devServer) answer(ctx context.Context, line *devLine, d *app.Development, request devRequest) (goOn bool) {
	var err error
	switch request.Op {
	case devRestart:
		err = d.Restart(ctx)
	case devUpdate:
		var body *devBody
		if body, err = line.body(request.Size); err != nil {
			break
		}
		goOn = true
		if err = d.Update(ctx, body); err != nil && body.left > 0 {
			// What is left of a package that was refused is no request.
			_ = line.conn.SetReadDeadline(time.Now().Add(devDrain))
			_, lost := io.Copy(io.Discard, body)
			goOn = lost == nil && line.conn.SetReadDeadline(time.Time{}) == nil
		}
	default:
		err = sandstorm.Errorf(sandstorm.Invalid, "dev.protocol", "unknown operation %.40q", request.Op)
	}
	if err != nil {
		s.tell(line, devAnswer{Error: describeFailure(s.Messages, err)})
		return goOn || request.Op == devRestart
	}
	s.tell(line, devAnswer{OK: true})
	return true
}
