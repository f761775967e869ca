package spktool

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/schollz/progressbar/v3"

	"github.com/sandstorm-go/sandstorm/internal/terminal"
)

// newFile is a file that appears at its path only when it is complete.
type newFile struct {
	*os.File
	path string
}

// createFile starts a file that will be at path once commit is called, in place
// of what is there. discard is to be called in any case.
func createFile(path string) (*newFile, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	return &newFile{File: f, path: path}, nil
}

func (f *newFile) commit() error {
	err := f.Chmod(0o666 &^ umask())
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), f.path)
}

func (f *newFile) discard() {
	f.Close()
	_ = os.Remove(f.Name()) // it has another name if it was committed
}

// progress shows on a terminal how far long work is; elsewhere it is silent.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress begins to show work of total bytes, -1 if nobody knows.
func newProgress(w io.Writer, what string, total int64) *progress {
	f, ok := terminal.File(w)
	if !ok {
		return &progress{}
	}
	return &progress{progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*1e6))}
}

// at says how many bytes are done.
func (p *progress) at(done int64) {
	if p.bar != nil {
		_ = p.bar.Set64(done)
	}
}

func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
