package replica

import (
	"math"

	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/zab"
)

// Read-only mode (ensemble protocol, section 6.9; client protocol, section 7.7): a voter that has looked for a leader for a while
// answers reads of clients that have said that they will have no more.
//
// What they see is the tree that the voter would bring into the next epoch. It holds what is logged here, and some of that may not be
// committed: a leader that never had it takes it back. Apache's servers show the same. So nothing is known of how old, or how
// lasting, an answer is, and that is what a client accepts with its readOnly flag.
//
// Sessions are local ones, also where those are not enabled otherwise: nobody else hears of them, and they end with the mode.

// ReadOnly tells whether this server is in read-only mode. Its Role is that of one who looks for a leader.
func (r *Replica) ReadOnly() bool { return r.member != nil && r.member.readOnly }

// readOnlyAfter is how many ms a voter looks for a leader before it gives up hope for the moment.
func (r *Replica) readOnlyAfter() int64 { return max(2000, r.cfg.Tick) }

// readOnlyAt is when, on Clock, read-only mode begins if no leader is found before.
func (r *Replica) readOnlyAt() int64 {
	m := r.member
	// While the disk is busy the tree is not yet what the voter votes for, and may still be exchanged for another.
	if !r.cfg.ReadOnly || m.readOnly || m.role.State != zab.Looking || !m.core.Electing() {
		return math.MaxInt64
	}
	return m.looking + r.readOnlyAfter()
}

// beginReadOnly begins the mode when it is time.
func (r *Replica) beginReadOnly(clock int64) {
	if clock < r.readOnlyAt() {
		return
	}
	r.member.readOnly = true
	r.locals = r.renewed(r.locals, clock)
}

// endReadOnly ends it: a leader is found, or this server is one.
func (r *Replica) endReadOnly() {
	r.member.readOnly = false
	if !r.cfg.LocalSessions {
		r.locals = session.New(r.cfg.Tick)
	}
}
