package replica

import (
	"testing"

	"github.com/zooid-io/zooid/zk"
)

// A learner's session that the leader does not know may be local, unless it has just ended: the leader remembers that for a while, and
// not for ever.
func TestForeign(t *testing.T) {
	const ours, theirs = zk.SessionID(1 << 56), zk.SessionID(-2 << 56) // the second is server 254
	r := &Replica{cfg: Config{FirstSession: ours, LocalSessions: true}, member: &member{}}
	now := int64(1000)
	check := func(id zk.SessionID, want bool) {
		t.Helper()
		if got := r.foreign(id); got != want {
			t.Errorf("at %d: %v: %v", now, id, got)
		}
	}
	check(ours+7, false)
	check(theirs+1, true)
	r.member.ended.note(theirs+1, now)
	check(theirs+1, false)
	check(theirs+2, true)
	now += endedFor - 1
	r.member.ended.note(theirs+2, now)
	now++
	r.member.ended.note(theirs+3, now) // the first two are old now
	check(theirs+1, false)
	check(theirs+2, false)
	check(theirs+3, false)
	now += endedFor
	r.member.ended.note(theirs+4, now)
	check(theirs+1, true)
	check(theirs+2, true)
	check(theirs+3, false)
	now += 2 * endedFor
	r.member.ended.note(theirs+5, now)
	for i := range zk.SessionID(4) {
		check(theirs+1+i, true)
	}
	check(theirs+5, false)
	r.cfg.LocalSessions = false
	check(theirs+1, false)
}
