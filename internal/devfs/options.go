package devfs

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"runtime/debug"

	"github.com/hanwen/go-fuse/v2/fuse"
)

func (f *FS) mountOptions() *fuse.MountOptions {
	return &fuse.MountOptions{
		Logger:        log.New(&logWriter{f.log}, "", 0),
		PanicHandler:  f.recovered,
		DisableXAttrs: true, // the kernel asks once and never again
		// A symlink that changes is another node, see nodes.
		EnableSymlinkCaching: true,
		// With AUTO, a plain listing does not cost a stat of every file.
		ExtraCapabilities: fuse.CAP_READDIRPLUS_AUTO,
	}
}

// logWriter takes what go-fuse logs: trouble with the connection, most of it
// because the file system went away in the middle of something.
type logWriter struct{ log *slog.Logger }

func (w *logWriter) Write(p []byte) (int, error) {
	w.log.Debug("fuse", "message", string(bytes.TrimSpace(p)))
	return len(p), nil
}

// recovered makes an I/O error for one request of what else would end the
// packager's tool together with the app under development.
func (f *FS) recovered(cause any) fuse.Status {
	f.log.LogAttrs(context.Background(), slog.LevelError, "panic in the file system",
		slog.Any("cause", cause), slog.String("stack", string(debug.Stack())))
	return fuse.EIO
}
