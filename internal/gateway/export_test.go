package gateway

import "time"

// SetClock replaces the clock of the certificates.
func (c *Certificates) SetClock(now func() time.Time) { c.now = now }

// Serial is the serial number of the certificate for a name.
func (c *Certificates) Serial(name string) int64 { return c.pick(name).Leaf.SerialNumber.Int64() }

// Recheck is how often changed files are looked for.
const Recheck = recheck

// Hurry makes a Server wait only d for request heads and on idle connections.
func (s *Server) Hurry(d time.Duration) { s.head, s.idle = d, d }
