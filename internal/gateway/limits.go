package gateway

import (
	"sync"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// fieldPool keeps the field lists of requests.
var fieldPool = sync.Pool{New: func() any { f := make([]bridge.Field, 0, 32); return &f }}

// maxVisits bounds how many sessions are remembered while nothing is under way.
const maxVisits = 4096

// visits counts the requests of each session that are under way and remembers
// what all its responses carry. It is asked only after the session was proved,
// so it cannot be filled from outside.
type visits struct {
	max  int // requests of one session at a time
	mu   sync.Mutex
	list map[sandstorm.HostID]*visit
}

// visit is what the gateway remembers of a session.
type visit struct {
	n      int            // requests under way
	parent string         // who may frame it
	fields []bridge.Field // of every response; not changed any more
}

func (v *visits) enter(host sandstorm.HostID) (*visit, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.list[host]
	if s == nil {
		if v.list == nil {
			v.list = make(map[sandstorm.HostID]*visit)
		}
		v.forget()
		s = &visit{}
		v.list[host] = s
	}
	if s.n >= v.max {
		return nil, &bridge.Failure{Status: 503, Err: sandstorm.Errorf(sandstorm.Exhausted, "session.busy",
			"more than %d requests at a time on host %s", v.max, host.Short())}
	}
	s.n++
	return s, nil
}

func (v *visits) leave(s *visit) {
	v.mu.Lock()
	s.n--
	v.mu.Unlock()
}

// forget makes room: sessions without requests go, whichever come first.
func (v *visits) forget() {
	if len(v.list) < maxVisits {
		return
	}
	room := maxVisits / 8
	for host, s := range v.list {
		if s.n == 0 && room > 0 {
			delete(v.list, host)
			room--
		}
	}
}

// fieldsFor returns what every response of the session carries.
func (g *Gateway) fieldsFor(s *visit, parent string, host sandstorm.HostID) []bridge.Field {
	g.visits.mu.Lock()
	defer g.visits.mu.Unlock()
	if s.fields == nil || s.parent != parent {
		s.parent, s.fields = parent, g.sessionFields(parent, g.hosts.SessionOrigin(host))
	}
	return s.fields
}
