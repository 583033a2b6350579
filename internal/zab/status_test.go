package zab

import (
	"slices"
	"testing"

	"github.com/zooid-io/zooid/internal/ensemble"
)

// What a leader tells of its learners, and which configurations have a quorum there: 4 follows and has no vote, 5 has just come.
func TestStatusOfLeader(t *testing.T) {
	x := &solo{t: t}
	x.core = New(Options{SID: 1, Tick: 1 << 40, InitLimit: 10, SyncLimit: 5}, Durable{Configs: three()}, 0)
	x.show(x.core.Ready())
	if s := x.core.Stage(); s != "election" {
		t.Errorf("it begins in %q", s)
	}
	x.step("lead 2 4")
	x.core.Step(&LinkUp{Link: 8}, 0)
	x.core.Step(&Received{Link: 8, Packet: &LearnerInfo{SID: 5, Version: protocolVersion}}, 0)
	c := x.core
	if s := c.Stage(); s != "broadcast" || c.Role().State.String() != "leading" {
		t.Errorf("it is %v in %q", c.Role().State, s)
	}
	if got, want := c.Learners(), (Learners{Connected: 3, Followers: 2, NonVoting: 1}); got != want {
		t.Errorf("learners: %+v, not %+v", got, want)
	}
	if got := c.Supporters(); !slices.Equal(got, []ensemble.SID{1, 2}) {
		t.Errorf("supporters: %v", got)
	}
	if a, b := c.LearnerOn(8), c.LearnerOn(10); a != 5 || b != ensemble.NoSID {
		t.Errorf("on the links are %v and %v", a, b)
	}
	for list, want := range map[string]bool{"1,2": true, "1,2,3": true, "1,3": false, "1,4": true, "2,4,5": true, "1,5": false, "3,4,5": false, "1,2o": true} {
		if got := c.HasQuorum(members(t, list, 9)); got != want {
			t.Errorf("a quorum of %s: %v", list, got)
		}
	}
	c.Step(&Stop{}, 0)
	if c.HasQuorum(members(t, "1", 9)) || c.Learners() != (Learners{}) || c.Why() != "stopping" {
		t.Errorf("behind its end it has %+v, %q", c.Learners(), c.Why())
	}
}
