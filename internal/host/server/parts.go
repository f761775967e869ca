package server

// openParts opens what the host process is made of.
func (s *server) openParts(opts *Options) error {
	return s.parts(opts)
}
