package bridge

// Simple servers handle one connection at a time for as long as it is kept
// alive. An idle connection in our pool then blocks every other request of the
// grain. This file finds out and gives way; see also App.width.

// impatient is called when a response takes longer than patience. If the app
// may not have accepted the connection at all, the idle ones are closed, and
// none is kept until this one is answered. again says that it is worth to be
// called again if the response still does not come.
func (a *App) impatient(c *conn) (again bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.open[c]; !ok || c.served || c.known {
		return false
	}
	if len(a.open) <= a.width {
		return true
	}
	if !c.starving {
		c.starving = true
		a.starving++
	}
	c.freed = c.freed || len(a.idle) > 0
	a.dropIdle()
	return true
}

// blocks reports whether a connection that is kept now could block others.
func (a *App) blocks() bool {
	if a.starving > 0 {
		for c := range a.open {
			c.freed = c.freed || c.starving
		}
		return true
	}
	return a.narrow && len(a.open) > a.served
}

// accepted notes the first response over a connection. Connections are
// accepted in the order of their opening, so those that were there before this
// one was dialled wait for an answer, not for being accepted: a long poll does
// not starve.
func (a *App) accepted(c *conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.open[c]; !ok {
		return
	}
	c.served = true
	a.served++
	if a.served > a.width {
		a.width, a.narrow = a.served, false
	}
	if c.starving && c.freed {
		a.narrow = true
	}
	if a.starving == 0 {
		return
	}
	for other := range a.open {
		if other.starving && (other == c || other.seq <= c.before) {
			other.starving, other.known = false, true
			a.starving--
		}
	}
}
