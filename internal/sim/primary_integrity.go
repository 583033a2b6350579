package sim

// integrity is PrimaryIntegrity: who begins to lead has delivered all that anybody has.
func (k *checks) integrity(s *server) {
	if s.checked < len(k.w.history.log) {
		k.w.fail("PrimaryIntegrity", "%d leads epoch %d with %d txns, and %d were committed", s.sid, s.role.Epoch, s.checked, len(k.w.history.log))
	}
}
