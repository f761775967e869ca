package email

import (
	"net/netip"
	"sync"
	"time"
)

// maxClients bounds a limiter's memory.
const maxClients = 10000

// limiter lets each client do something a number of times at once and then once
// an interval. It lives in memory: what must hold across restarts, the codes of
// an address, is counted in the store.
type limiter struct {
	burst    int
	interval time.Duration

	mu      sync.Mutex
	clients map[netip.Prefix]bucket
}

// bucket is what one client has left.
type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(burst int, interval time.Duration) *limiter {
	return &limiter{burst: burst, interval: interval, clients: map[netip.Prefix]bucket{}}
}

// allow takes one permit of the client, if it has one.
func (l *limiter) allow(clientIP string, now time.Time) bool {
	client := clientOf(clientIP)
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.clients[client]
	if !known {
		if len(l.clients) >= maxClients {
			l.forget(now)
		}
		b = bucket{left: float64(l.burst), at: now}
	}
	b = l.refill(b, now)
	ok := b.left >= 1
	if ok {
		b.left--
	}
	l.clients[client] = b
	return ok
}

func (l *limiter) refill(b bucket, now time.Time) bucket {
	if gone := now.Sub(b.at); gone > 0 {
		b.left = min(float64(l.burst), b.left+float64(gone)/float64(l.interval))
		b.at = now
	}
	return b
}

// forget drops the clients that have all permits again and, if those are few,
// any until a tenth is gone: with so many clients at once some get off lightly,
// but memory stays bounded.
func (l *limiter) forget(now time.Time) {
	for c, b := range l.clients {
		if l.refill(b, now).left >= float64(l.burst) {
			delete(l.clients, c)
		}
	}
	for c := range l.clients {
		if len(l.clients) <= maxClients*9/10 {
			return
		}
		delete(l.clients, c)
	}
}

// clientOf is who a client is: an IPv4 address, or an IPv6 network of 64 bits,
// of which one person has plenty of addresses. What cannot be read counts as one
// client together.
func clientOf(clientIP string) netip.Prefix {
	ip, err := netip.ParseAddr(clientIP)
	if err != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
