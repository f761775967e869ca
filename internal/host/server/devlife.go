package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// live waits for the end and brings it about.
func (d *devPackage) live(life net.Conn) {
	defer life.Close()
	closed := make(chan struct{})
	d.server.background.Go(func() {
		defer close(closed)
		_, _ = io.Copy(io.Discard, life) // until the other end is closed
	})
	select {
	case <-closed:
	case <-d.server.life.Done():
	case err := <-d.failed:
		d.server.log.Warn("an app under development failed", "pkg", d.id, "err", err)
		if text, err := json.Marshal(host.EncodeError(err)); err == nil {
			_ = life.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = life.Write(text)
		}
	}
	d.close()
	life.Close()
	<-closed
}

// close ends everything that runs from it, and removes it.
func (d *devPackage) close() {
	s := d.server
	s.devs.remove(d.id) // nothing begins to start from it any more
	force := time.AfterFunc(devKillTimeout, d.abort)
	defer force.Stop()
	if s.life.Err() != nil {
		// The host ends and waits for no grain: these must not go on all the same.
		force.Stop()
		d.abort()
	}
	d.use.Lock()
	d.over = true
	d.use.Unlock()
	d.stopGrains()
	d.abort()
	if d.tree != nil {
		d.tree.Remove()
	}
	s.log.Info("an app is no longer under development", "pkg", d.id, "app", d.opts.App)
}

// stopGrains ends what runs from the package, all at the same time.
func (d *devPackage) stopGrains() {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, r := range d.server.table.runs() {
		if r.status.Package != d.id {
			continue
		}
		if d.server.life.Err() != nil {
			_ = r.proc.Kill() // nobody is left to see it end; the next host looks
			continue
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(d.server.life, devStartTimeout)
			defer cancel()
			if err := d.server.end(ctx, r); err != nil {
				d.server.log.Error("a grain of an app under development does not end", "grain", r.status.Grain, "err", err)
			}
		})
	}
}

// abort ends the file system, if it is one: whoever waits for it gets an error.
func (d *devPackage) abort() {
	if d.fuse == nil {
		return
	}
	if err := d.fuse.Abort(); err != nil {
		d.server.log.Error("cannot abort a file system", "pkg", d.id, "err", err)
	}
}

// stall is called when the files were not served in time.
func (d *devPackage) stall() {
	d.abort()
	select {
	case d.failed <- errStalled(d.id):
	default: // it has failed before
	}
}

func errStalled(id sandstorm.PackageID) error {
	return startError(sandstorm.Unavailable, "dev.stalled", "read the app's files",
		fmt.Sprintf("The program that serves the files of %s did not answer.", id), nil)
}

func errDevOver(id sandstorm.PackageID) error {
	return startError(sandstorm.Unavailable, "dev.over", "find the package",
		fmt.Sprintf("%.40s is not under development any more.", id), nil)
}
