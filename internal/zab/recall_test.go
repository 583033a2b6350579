package zab

import (
	"testing"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// A server whose files were written anew, for it to come back, knows of the changes in its log: it was removed, and may not lead, nor count for,
// an ensemble that it was in before. (Found by the simulator: two servers of three, one of them removed, went on without the third,
// which the change had made a part of every quorum.)
func TestALogRecallsItsChanges(t *testing.T) {
	const first, second = zk.Zxid(1<<32 + 2), zk.Zxid(1<<32 + 4)
	log := func(changes ...zk.Zxid) (l []Proposal) {
		for z := first - 1; z <= second+1; z++ {
			p := Proposal{Zxid: z}
			for _, v := range changes {
				if z == v {
					p.Config = members(t, "1,2", v)
				}
			}
			l = append(l, p)
		}
		return l
	}
	for _, x := range []struct {
		name            string
		off             bool
		log             []Proposal
		file, next      zk.Zxid
		committed, seen zk.Zxid
	}{
		{"nothing", false, log(), 0, 0, 0, 0},
		{"a change", false, log(second), 0, 0, 0, second},
		{"two: the first is decided", false, log(first, second), 0, 0, first, second},
		{"the files have both", false, log(first, second), second, 0, second, second},
		{"the files have the first", false, log(first, second), first, 0, first, second},
		{"the files have the first as proposed", false, log(first, second), 0, first, first, second},
		{"the files have what is not in the log", false, log(second), 0, first - 1<<32, 0, second},
		{"no reconfiguration", true, log(second), 0, 0, 0, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			g := members(t, "1,2,3", x.file)
			d := Durable{Accepted: 1, Current: 1, Last: second + 1, Recent: x.log, Configs: Configs{g, g}}
			if x.next != 0 {
				d.LastSeen = members(t, "1,2", x.next)
			}
			c := New(Options{SID: ensemble.SID(3), Tick: 100, InitLimit: 10, SyncLimit: 5, Reconfig: !x.off}, d, 0)
			got := c.Configs()
			if got.Committed.Version != x.committed || got.LastSeen.Version != x.seen {
				t.Errorf("%v and %v; want %v and %v", got.Committed.Version, got.LastSeen.Version, x.committed, x.seen)
			}
			if told := c.Ready().Config != nil; told != (got != d.Configs) {
				t.Errorf("the driver is told: %t", told)
			}
		})
	}
}
