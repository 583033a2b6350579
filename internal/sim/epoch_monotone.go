package sim

import "github.com/zooid-io/zooid/internal/zab"

// epoch is EpochMonotone, of what is written: which is 0 for acceptedEpoch, 1 for currentEpoch.
func (k *checks) epoch(s *server, which int, e zab.Epoch) {
	if e < s.epochs[which] || which == 1 && e > s.epochs[0] {
		k.w.fail("EpochMonotone", "%d writes epoch %d, with %v before (0 is accepted, 1 is current: %d)", s.sid, e, s.epochs, which)
	}
}

// promises is EpochMonotone, of what a start finds.
func (k *checks) promises(s *server, accepted, current zab.Epoch) {
	if accepted < s.epochs[0] || current < s.epochs[1] || current > accepted {
		k.w.fail("EpochMonotone", "%d finds epochs %d %d, and had written %v", s.sid, accepted, current, s.epochs)
	}
	s.epochs = [2]zab.Epoch{accepted, current}
}
