package sim

// owners is EphemeralsEnd, at any time: who owns a znode is a session.
func (k *checks) owners(s *server) {
	t := s.rep.Tree()
	if t.EphemeralCount() == 0 {
		return
	}
	for _, id := range t.EphemeralOwners() {
		if !s.rep.Sessions().Known(id) {
			k.w.fail("EphemeralsEnd", "at %d, as of %v, session %v is no more and owns %v", s.sid, t.LastZxid(), id, t.Ephemerals(id))
		}
	}
}

// ephemerals is EphemeralsEnd at the end of a run: every session is over, and has left nothing.
func (k *checks) ephemerals() {
	for _, s := range k.w.running() {
		if n, m := s.rep.Tree().EphemeralCount(), s.rep.Sessions().Len(); n > 0 || m > 0 {
			k.w.fail("EphemeralsEnd", "all sessions are over, and %d has %d ephemerals, %d sessions", s.sid, n, m)
		}
	}
}
