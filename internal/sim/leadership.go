package sim

// leads is Leadership.
func (k *checks) leads(s *server) {
	e := s.role.Epoch
	if by, ok := k.reigns[e]; ok {
		k.w.fail("Leadership", "%d and %d lead epoch %d", by, s.sid, e)
	}
	k.reigns[e] = s.sid
}

// reigned is how many epochs had a leader.
func (k *checks) reigned() int { return len(k.reigns) }
