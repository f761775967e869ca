package server

import (
	"context"
	"sync"

	"github.com/sandstorm-go/sandstorm"
)

// uidPool gives each grain a user id of its own on this machine, which is also
// its group id. A grain's id is written nowhere but in the ownership of its
// storage.
type uidPool struct {
	first, count int

	mu   sync.Mutex
	next int // offset from first at which to look for an unused one
	used map[int]int
}

func newUIDPool(first, count int) *uidPool {
	return &uidPool{first: first, count: count, used: map[int]int{}}
}

// contains reports whether uid is one that the pool gives out.
func (p *uidPool) contains(uid int) bool { return uid >= p.first && uid < p.first+p.count }

// claim marks a user id as used that was found on disk.
func (p *uidPool) claim(uid int) {
	if p.contains(uid) {
		p.mu.Lock()
		p.used[uid]++
		p.mu.Unlock()
	}
}

// take returns an unused user id. It goes round, so that an id that was given
// back is not soon used again.
func (p *uidPool) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.used) >= p.count {
		return 0, sandstorm.Errorf(sandstorm.Exhausted, "host.user-ids", "all %d user ids from %d on are used by grains", p.count, p.first)
	}
	for {
		uid := p.first + p.next
		p.next = (p.next + 1) % p.count
		if p.used[uid] == 0 {
			p.used[uid] = 1
			return uid, nil
		}
	}
}

// giveBack returns a user id of which nothing is left on disk.
func (p *uidPool) giveBack(uid int) {
	if !p.contains(uid) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used[uid]--; p.used[uid] <= 0 {
		delete(p.used, uid)
	}
}

// owner makes sure that the storage in the grain's directory d belongs to an
// id of the pool, and returns that. Storage that came from elsewhere is given
// to one first; if that is interrupted it starts again, because the top of the
// tree comes last.
func (p *uidPool) owner(ctx context.Context, d *dir) (int, error) {
	st, err := d.stat(fileSandbox)
	if err != nil {
		return 0, err
	}
	if p.contains(int(st.Uid)) {
		return int(st.Uid), nil
	}
	uid, err := p.take()
	if err != nil {
		return 0, err
	}
	if err := chownTree(ctx, d.fd, fileSandbox, uid, uid); err != nil {
		p.giveBack(uid)
		return 0, err
	}
	return uid, nil
}
