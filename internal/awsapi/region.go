package awsapi

// In returns the same scope in another Region: credentials and meter are shared,
// so that nobody is asked for a code again. An endpoint that is no simulator's
// belongs to its Region and is not taken along.
func (s *Scope) In(region string) *Scope {
	t := &Scope{cfg: s.cfg.Copy(), origin: s.origin, meter: s.meter, creds: s.creds}
	if s.local {
		t.endpoint, t.local = s.endpoint, true
	}
	t.cfg.Region = region
	t.clients()
	return t
}
