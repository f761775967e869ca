//go:build linux

package sandbox

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// spareNets is how many network namespaces lie ready: making one takes longer
// than the rest of a start.
const spareNets = 4

// quiet is how long after a start the pool waits before it replaces what was
// taken, so as not to compete with the app that is starting.
const quiet = 20 * time.Millisecond

// retryAfter is how long the pool waits for somebody to tell of a failure.
const retryAfter = time.Second

// threadNet is the network namespace of the calling thread.
const threadNet = "/proc/thread-self/ns/net"

// netPool keeps network namespaces with their loopback up.
type netPool struct {
	log   *slog.Logger
	ready chan *os.File
	taken chan struct{} // a start has taken one
	empty chan struct{} // a start is waiting
	fail  chan error
	quit  chan struct{}
	home  *os.File // this process's own namespace
	t     *thread
	once  sync.Once
	idle  sync.WaitGroup
}

// newNetPool makes one namespace before it returns, so that a machine that
// cannot is found out at once.
func newNetPool(log *slog.Logger) (*netPool, error) {
	home, err := os.Open(threadNet)
	if err != nil {
		return nil, startError("open the network namespace", err)
	}
	p := &netPool{
		log:   log,
		ready: make(chan *os.File, spareNets), taken: make(chan struct{}, 1), empty: make(chan struct{}, 1),
		fail: make(chan error), quit: make(chan struct{}), home: home,
	}
	p.t, err = newThread(func() error {
		f, err := p.create()
		if err == nil {
			p.ready <- f
		}
		return err
	})
	if err != nil {
		_ = home.Close()
		return nil, err
	}
	p.idle.Go(func() { p.t.do(p.fill) })
	return p, nil
}

// fill runs on the pool's thread until quit.
func (p *netPool) fill() {
	for {
		for len(p.ready) < spareNets {
			f, err := p.create()
			if err == nil {
				p.ready <- f // there is room: nobody else puts any in
				continue
			}
			p.log.Warn("no network namespace in reserve", "err", err)
			select {
			case p.fail <- err:
			case <-time.After(retryAfter): // so that nobody gets old news
			case <-p.quit:
				return
			}
		}
		select {
		case <-p.taken:
		case <-p.empty:
		case <-p.quit:
			return
		}
		if len(p.ready) == 0 {
			continue
		}
		select {
		case <-time.After(quiet):
		case <-p.empty:
		case <-p.quit:
			return
		}
	}
}

// create makes a namespace and comes home, so that this thread does not keep
// the namespace alive when its grain is gone.
func (p *netPool) create() (f *os.File, err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, startError(stepNetNS, err)
	}
	f, err = os.Open(threadNet)
	if err == nil {
		err = loopbackUp()
	}
	if back := unix.Setns(int(p.home.Fd()), unix.CLONE_NEWNET); err == nil {
		err = back
	}
	if err != nil {
		closeAll(f)
		return nil, startError("set up a network namespace", err)
	}
	return f, nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}

// get takes a namespace; the caller closes it.
func (p *netPool) get(ctx context.Context) (*os.File, error) {
	select {
	case f := <-p.ready:
		p.wake(p.taken)
		return f, nil
	default:
		p.wake(p.empty)
	}
	select {
	case f := <-p.ready:
		return f, nil
	case err := <-p.fail:
		return nil, err
	case <-p.quit:
		return nil, startError(stepNetNS, os.ErrClosed)
	case <-ctx.Done():
		return nil, startError(stepNetNS, ctx.Err())
	}
}

// wake tells fill once, however often it is called before fill listens.
func (p *netPool) wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (p *netPool) close() {
	p.once.Do(func() {
		close(p.quit)
		p.idle.Wait()
		p.t.stop()
		for {
			select {
			case f := <-p.ready:
				_ = f.Close()
				continue
			default:
			}
			break
		}
		_ = p.home.Close()
	})
}
