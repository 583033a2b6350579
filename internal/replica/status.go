package replica

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/zab"
)

// Status is what operators are told of a member of an ensemble.
type Status struct {
	Role      zab.Role
	Stage     string // zab.Core.Stage
	Configs   zab.Configs
	Learners  zab.Learners // of a leader, as the next two
	Syncs     int          // of learners, that wait
	Proposals Sizes        // since it leads
}

// Sizes are the last, smallest and largest of some lengths in bytes; all are -1 before the first.
type Sizes struct{ Last, Min, Max int }

var noSizes = Sizes{-1, -1, -1}

func (s *Sizes) note(n int) {
	if s.Last < 0 || n < s.Min {
		s.Min = n
	}
	s.Last, s.Max = n, max(s.Max, n)
}

// Status tells what a member is at the moment; ok is false of a server that stands alone.
func (r *Replica) Status() (_ Status, ok bool) {
	m := r.member
	if m == nil {
		return Status{}, false
	}
	return Status{
		Role: m.role, Stage: m.core.Stage(), Configs: m.core.Configs(), Learners: m.core.Learners(), Syncs: m.core.PendingSyncs(),
		Proposals: m.sizes,
	}, true
}

// ResetSizes forgets the sizes of proposals (srst).
func (r *Replica) ResetSizes() {
	if r.member != nil {
		r.member.sizes = noSizes
	}
}

// LearnerOn is who is at the other end of a learner's link.
func (r *Replica) LearnerOn(link zab.Link) ensemble.SID { return r.member.core.LearnerOn(link) }

// Supporters are who has joined the epoch that this server leads.
func (r *Replica) Supporters() []ensemble.SID { return r.member.core.Supporters() }

// Stage is how far a member is in its role, as in Status.
func (r *Replica) Stage() string { return r.member.core.Stage() }

// Why is the reason for which a member last left a role.
func (r *Replica) Why() string { return r.member.core.Why() }
