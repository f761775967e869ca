package grain

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// session is an open grain session in memory: what one request needs, behind
// one map look-up.
type session struct {
	sandstorm.GrainSession
	revoked atomic.Bool
	lastUse atomic.Int64          // Unix seconds; written to the store now and then
	visit   atomic.Pointer[visit] // how to reach the app; replaced when the grain is started anew
}

// revoke refuses further requests and cuts what is under way.
func (s *session) revoke() {
	s.revoked.Store(true)
	if v := s.visit.Load(); v != nil {
		v.bridge.Close()
	}
}

// visit is a session at one instance of its grain.
type visit struct {
	live   *live
	bridge *bridge.Session
}

// Visit is what a request to a session's host is served with.
type Visit struct {
	Session *bridge.Session
	App     *bridge.App
}

// Open mints a session of the grain for the account. The grain itself starts
// with the first request.
func (m *Manager) Open(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID) (sandstorm.SessionID, error) {
	g, err := m.owned(ctx, who, id)
	if err != nil {
		return sandstorm.SessionID{}, err
	}
	if g.Trashed != nil {
		return sandstorm.SessionID{}, sandstorm.Errorf(sandstorm.Conflict, "grain.in-trash", "grain %s is in the trash", id)
	}
	if _, err := m.choose(ctx, g); err != nil {
		return sandstorm.SessionID{}, err
	}
	secret := sandstorm.NewSessionID()
	now := m.opts.Now()
	s := sandstorm.GrainSession{
		Host: secret.HostID(), Tab: secret.TabID(),
		Grain: id, Account: who.ID, Login: who.Login,
		Created: now, LastUsed: now,
	}
	if err := m.opts.Store.InsertGrainSession(ctx, &s); err != nil {
		return sandstorm.SessionID{}, err
	}
	return secret, m.opts.Store.TouchGrain(ctx, id, now)
}

// Visit returns how to serve a request to the session's host, starting the
// grain if it does not run. The caller has checked that the browser holds the
// session's secret.
func (m *Manager) Visit(ctx context.Context, hostID sandstorm.HostID) (*Visit, error) {
	s, err := m.lookup(ctx, hostID)
	if err != nil {
		return nil, err
	}
	s.lastUse.Store(m.opts.Now().Unix())
	v := s.visit.Load()
	if v == nil || v.live.ended.Load() {
		if v, err = m.newVisit(ctx, s); err != nil {
			return nil, err
		}
	}
	return &Visit{Session: v.bridge, App: v.live.app}, nil
}

func (m *Manager) newVisit(ctx context.Context, s *session) (*visit, error) {
	l, err := m.ensure(ctx, s.Grain)
	if err != nil {
		return nil, err
	}
	b, err := m.describe(ctx, s, l)
	if err != nil {
		return nil, err
	}
	v := &visit{live: l, bridge: b}
	s.visit.Store(v)
	if s.revoked.Load() { // while we looked things up
		b.Close()
		return nil, errEnded(s.Host)
	}
	return v, nil
}

// describe makes what the app sees of the session (gateway.md §11).
func (m *Manager) describe(ctx context.Context, s *session, l *live) (*bridge.Session, error) {
	g, err := m.opts.Store.Grain(ctx, s.Grain)
	if err != nil {
		return nil, err
	}
	account, err := m.opts.Store.Account(ctx, s.Account)
	if err != nil {
		return nil, err
	}
	if account.Suspended {
		return nil, sandstorm.Errorf(sandstorm.Denied, "account.suspended", "account %s is suspended", s.Account)
	}
	b := &bridge.Session{
		UserID:      g.IdentityID[:32],
		Username:    account.Profile.Name,
		TabID:       string(s.Tab),
		Handle:      account.Profile.Handle,
		Permissions: permissionNames(l.ran.pkg.Bridge),
		Type:        "normal",
		ID:          strconv.FormatInt(l.seq.Add(1)-1, 10),
		BasePath:    m.opts.SessionURL(s.Host),
	}
	if m.opts.PictureURL != nil {
		b.Picture = m.opts.PictureURL(&account.Account)
	}
	if account.Profile.Pronoun != sandstorm.PronounNeutral {
		b.Pronouns = string(account.Profile.Pronoun)
	}
	return b, nil
}

// permissionNames are those of the owner, who has them all.
func permissionNames(cfg *sandstorm.BridgeConfig) []string {
	if cfg == nil {
		return nil
	}
	var names []string
	for _, p := range cfg.Permissions {
		names = append(names, p.Name)
	}
	return names
}

// KeepAlive marks a session as in use and tells how the app is doing. It is
// NotFound if the session ended: the page then opens another.
func (m *Manager) KeepAlive(ctx context.Context, who *sandstorm.Account, hostID sandstorm.HostID) (Health, error) {
	s, err := m.lookup(ctx, hostID)
	if err != nil {
		return Health{}, err
	}
	if s.Account != who.ID {
		return Health{}, errEnded(hostID)
	}
	now := m.opts.Now()
	s.lastUse.Store(now.Unix())
	if err := m.opts.Store.TouchGrainSession(ctx, hostID, now); err != nil {
		return Health{}, err
	}
	return m.health(ctx, s.Grain)
}

func (m *Manager) health(ctx context.Context, id sandstorm.GrainID) (Health, error) {
	g, err := m.opts.Store.Grain(ctx, id)
	if err != nil {
		return Health{}, err
	}
	h := Health{Revision: m.revision(g.AppID)}
	if m.peek(id) != nil {
		h.Running = true
		return h, nil
	}
	r := m.run(id)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.exit != nil {
		h.Crash, h.Detail = describeExit(*r.exit)
	}
	return h, nil
}

// EndSessions ends every grain session that was opened through a browser
// session, for when that one is signed out.
func (m *Manager) EndSessions(ctx context.Context, login sandstorm.LoginID) error {
	// The store first: what is then revoked in memory cannot be read again.
	_, err := m.opts.Store.DeleteGrainSessionsOfLogin(ctx, login)
	m.sessions.revoke(func(s *session) bool { return s.Login == login })
	return err
}

// endGrainSessions ends the sessions of a grain: the next request to any of
// their hosts finds nothing.
func (m *Manager) endGrainSessions(ctx context.Context, id sandstorm.GrainID) error {
	_, err := m.opts.Store.DeleteGrainSessions(ctx, id)
	m.sessions.revoke(func(s *session) bool { return s.Grain == id })
	return err
}

func errEnded(hostID sandstorm.HostID) error {
	return sandstorm.Errorf(sandstorm.NotFound, "session.ended", "no session at host %s…", hostID.Short())
}

func (m *Manager) lookup(ctx context.Context, hostID sandstorm.HostID) (*session, error) {
	s, revocations := m.sessions.get(hostID)
	for s == nil {
		row, err := m.opts.Store.GrainSession(ctx, hostID)
		if err != nil {
			if sandstorm.IsKind(err, sandstorm.NotFound) {
				return nil, errEnded(hostID)
			}
			return nil, err
		}
		s, revocations = m.sessions.add(*row, revocations)
	}
	if s.revoked.Load() || m.opts.Now().Unix()-s.lastUse.Load() > int64(m.opts.SessionTimeout/time.Second) {
		return nil, errEnded(hostID)
	}
	return s, nil
}

// syncSessions writes down when the sessions in memory were last used, and ends
// those that the store does not know any more: whoever ended them there may have
// been another process, or have missed one that began in that moment.
func (m *Manager) syncSessions(ctx context.Context) {
	for host, used := range m.sessions.lastUses() {
		err := m.opts.Store.TouchGrainSession(ctx, host, used)
		switch {
		case sandstorm.IsKind(err, sandstorm.NotFound):
			m.sessions.revoke(func(s *session) bool { return s.Host == host })
		case err != nil:
			m.opts.Log.Error("cannot write down the use of sessions", "err", err)
			return
		}
	}
}

// sessionCache holds the sessions in use. It holds nothing that the store does
// not, except how recently each was used.
type sessionCache struct {
	mu          sync.RWMutex
	byHost      map[sandstorm.HostID]*session
	revocations int // how often sessions were revoked
}

// get returns a session, nil if it is not here, and what add is to be told.
func (c *sessionCache) get(id sandstorm.HostID) (s *session, revocations int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byHost[id], c.revocations
}

// add takes up a session that was read from the store when there had been that
// many revocations. If there was one since, the row may be of a session that it
// ended: then add returns nil, and the row is to be read again.
func (c *sessionCache) add(row sandstorm.GrainSession, revocations int) (s *session, now int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.byHost[row.Host]; s != nil {
		return s, c.revocations
	}
	if c.revocations != revocations {
		return nil, c.revocations
	}
	s = &session{GrainSession: row}
	s.lastUse.Store(row.LastUsed.Unix())
	c.byHost[row.Host] = s
	return s, c.revocations
}

// revoke ends the sessions that match, at once, also for requests that have
// looked them up already.
func (c *sessionCache) revoke(match func(*session) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revocations++
	for host, s := range c.byHost {
		if match(s) {
			s.revoke()
			delete(c.byHost, host)
		}
	}
}

// dropBefore forgets sessions that were not used since t; they can be looked
// up again.
func (c *sessionCache) dropBefore(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for host, s := range c.byHost {
		if s.lastUse.Load() < t.Unix() {
			delete(c.byHost, host)
		}
	}
}

// lastUses is when each session was last used.
func (c *sessionCache) lastUses() map[sandstorm.HostID]time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	last := make(map[sandstorm.HostID]time.Time, len(c.byHost))
	for host, s := range c.byHost {
		last[host] = time.Unix(s.lastUse.Load(), 0)
	}
	return last
}

// lastUseByGrain is when a session of each grain was last used.
func (c *sessionCache) lastUseByGrain() map[sandstorm.GrainID]time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	last := map[sandstorm.GrainID]time.Time{}
	for _, s := range c.byHost {
		if t := time.Unix(s.lastUse.Load(), 0); t.After(last[s.Grain]) {
			last[s.Grain] = t
		}
	}
	return last
}
