//go:build linux

package sandbox

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// thread is an operating system thread of its own, on which functions run that
// must not run elsewhere because it lives in other namespaces. The Go runtime
// never starts threads from a locked one, so its namespaces do not spread.
type thread struct {
	calls chan func()
	ended chan struct{}
}

// newThread starts a thread and runs setup on it. The goroutine stays locked to
// the thread until it ends, and then the thread ends too.
func newThread(setup func() error) (*thread, error) {
	t := &thread{calls: make(chan func()), ended: make(chan struct{})}
	ready := make(chan error, 1)
	go lockThread(func() {
		defer close(t.ended)
		err := setup()
		ready <- err
		if err != nil {
			return
		}
		for call := range t.calls {
			call()
		}
	})
	if err := <-ready; err != nil {
		return nil, err
	}
	return t, nil
}

// lockThread runs f locked to a thread that is not the process's first one:
// that never ends, and its namespaces are those that others see as the process's.
func lockThread(f func()) {
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		f()
		return
	}
	// As long as this goroutine holds the first thread, another one cannot.
	locked := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(locked)
		f()
	}()
	<-locked
	runtime.UnlockOSThread()
}

// do runs f on the thread and returns when it has.
func (t *thread) do(f func()) {
	done := make(chan struct{})
	t.calls <- func() {
		defer close(done)
		f()
	}
	<-done
}

// stop ends the thread. No call of do may follow.
func (t *thread) stop() {
	close(t.calls)
	<-t.ended
}
