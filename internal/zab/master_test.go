package zab

import (
	"testing"

	"github.com/zooid-io/zooid/zk"
)

// Who comes to a follower's port for observers, and what becomes of it (section 6.8).
func TestWhoMayComeToAFollower(t *testing.T) {
	const behind = zk.Zxid(1<<32 + 2)
	for _, x := range []struct {
		name     string
		observer bool
		accepted Epoch
		last     zk.Zxid
		gets     []string // "" is the end of the link
	}{
		{"an observer that has nothing", true, 0, 0, []string{"LEADERINFO", "SNAP", "NEWLEADER"}},
		{"one that has a part", true, 1, behind, []string{"LEADERINFO", "DIFF", "PROPOSAL", "COMMIT"}},
		{"one that has all", true, 1, 1<<32 + 10, []string{"LEADERINFO", "DIFF", "NEWLEADER", "UPTODATE", "INFORM"}},
		{"one that has seen more than this follower", true, 1, 1<<32 + 11, []string{"LEADERINFO", ""}},
		{"a voter", false, 1, behind, []string{""}},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := newWorld(t, 1, 3, 1)
			w.opts.Master = true
			for _, n := range w.nodes[:3] {
				n.start()
			}
			if !w.calm(5000, func() bool {
				return w.leader() != nil && w.highest == 1 && w.nodes[0].role.Serving && w.nodes[1].role.Serving
			}) {
				w.fail("no leader")
			}
			for range 10 {
				w.leader().propose()
			}
			var f *node
			for _, n := range w.nodes[:3] {
				if n.role.State == Following {
					f = n
				}
			}
			if !w.calm(5000, func() bool { return len(w.history) == 10 && len(f.tree) == 10 }) {
				w.fail("no writes")
			}
			const link = 1 << 20
			var got []string
			say := func(ev Event) {
				f.core.Step(ev, w.now)
				for r := f.core.Ready(); !r.Empty(); r = f.core.Ready() {
					for _, s := range r.Send {
						if s.Link == link {
							got = append(got, packetName(s.Packet))
						}
					}
					for _, l := range r.Close {
						if l == link {
							got = append(got, "")
						}
					}
				}
			}
			say(&LinkUp{link})
			say(&Received{link, &LearnerInfo{SID: 4, Observer: x.observer, Accepted: x.accepted, Version: protocolVersion}})
			if len(got) > 0 && got[0] != "" {
				say(&Received{link, &AckEpoch{Last: x.last, Current: x.accepted}})
			}
			if len(got) > 0 && got[len(got)-1] == "NEWLEADER" {
				say(&Received{link, &Ack{zxidOf(1)}})
				say(&Received{f.core.up.link, &Propose{Proposal{Zxid: 1<<32 + 11}}})
				say(&Received{f.core.up.link, &Commit{1<<32 + 11}})
			}
			for i, want := range x.gets {
				if i >= len(got) || got[i] != want {
					t.Fatalf("it gets %q, not %q", got, x.gets)
				}
			}
			if f.core.phase != following {
				t.Errorf("the follower is %v", f.core.phase)
			}
		})
	}
}

// An observer that comes to a follower while a reconfiguration is under way is told what is committed: it takes what it is told so for
// that. (Found by the simulator.)
func TestAFollowerTellsWhatIsCommitted(t *testing.T) {
	g := members(t, "1,2,3,4o", 1)
	c := New(Options{SID: 1, Tick: 100, InitLimit: 10, SyncLimit: 5, Reconfig: true, Master: true}, Durable{Configs: Configs{g, g}}, 0)
	x := &solo{t: t, core: c}
	x.show(c.Ready())
	for _, line := range []string{"follow 2", "recv 1 PROPOSAL 0x100000001 members=1,2,3,4o,5", "up 2", "recv 2 OBSERVERINFO 4 1", "recv 2 ACKEPOCH 0x0 -1"} {
		x.step(line)
	}
	if last := x.text[len(x.text)-1]; last != "send 2 NEWLEADER 1 0x1" {
		t.Errorf("%q", x.text)
	}
}
