package interop

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// connect makes a session, which is local, over the server.
func (s *scene) connect() *Conn {
	s.t.Helper()
	s.srv.WaitServing(s.t)
	c, err := Connect(s.srv.Addr(), sessionTimeout)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// ackNext acknowledges the next proposal on a link.
func (s *scene) ackNext(l zab.Link) *zab.Propose {
	s.t.Helper()
	p := getsOn[*zab.Propose](s.t, s.guest, l)
	s.Links.Send(l, &zab.Ack{Zxid: p.Zxid})
	return p
}

// TestSchedulesOfALeader: the server leads, and we follow it as one should not, or otherwise than it expects.
func TestSchedulesOfALeader(t *testing.T) {
	t.Parallel()
	open := zk.WorldACL(zk.PermAll)
	const session = zk.SessionID(0x300000000000077)
	// introduced is a server that leads, up to where it has given us an epoch.
	introduced := func(s *scene) zab.Epoch {
		s.becomes(zab.Following)
		s.link = s.dial(&zab.LearnerInfo{SID: s.sid, Version: 0x10000})
		return getsOn[*zab.LeaderInfo](s.t, s.guest, s.link).Epoch
	}
	playSchedules(t, []schedule{
		{id: "4685 a proposal is acknowledged before NEWLEADER", shows: true, play: func(t *testing.T, k Kind) string {
			setup := Setup{}
			if k == Apache { // which waits for that long
				setup.Conf = []string{"initLimit=8"}
			}
			s := setScene(t, k, setup, nil)
			e := introduced(s)
			s.send(&zab.AckEpoch{})
			getsOn[*zab.NewLeader](t, s.guest, s.link)
			s.send(&zab.Ack{Zxid: zk.Zxid(e)<<32 + 1}, &zab.Ack{Zxid: zk.Zxid(e) << 32})
			if _, gone := getsOrGone[*zab.UpToDate](t, s.guest, s.link); gone {
				return "it leads nobody"
			}
			return ""
		}},
		// Nothing that an observer says may stand for a voter: not its epoch, not its promise, not its acknowledgements.
		{id: "2959 an observer is no voter", play: func(t *testing.T, k Kind) string {
			s := setScene(t, k, Setup{Conf: []string{fmt.Sprintf("server.4=127.0.0.1:%d:%d:observer", freePort(t), freePort(t))}}, nil)
			s.becomes(zab.Following)
			o := s.dial(&zab.LearnerInfo{SID: 4, Observer: true, Accepted: 1, Version: 0x10000})
			s.link = s.dial(&zab.LearnerInfo{SID: s.sid, Version: 0x10000})
			e := getsOn[*zab.LeaderInfo](t, s.guest, s.link).Epoch
			first := zk.Zxid(e) << 32
			if e > 2 {
				return fmt.Sprintf("the epoch is %d", e)
			}
			getsOn[*zab.LeaderInfo](t, s.guest, o)
			s.Links.Send(o, &zab.AckEpoch{})
			s.send(&zab.AckEpoch{})
			getsOn[*zab.NewLeader](t, s.guest, s.link)
			getsOn[*zab.NewLeader](t, s.guest, o)
			s.Links.Send(o, &zab.Ack{Zxid: first})
			s.send(&zab.Ack{Zxid: first})
			getsOn[*zab.UpToDate](t, s.guest, s.link)
			getsOn[*zab.UpToDate](t, s.guest, o)
			answer := ask(s.connect(), &wire.Create{Path: "/a", ACL: open})
			p := getsOn[*zab.Propose](t, s.guest, s.link)
			s.Links.Send(o, &zab.Ack{Zxid: p.Zxid})
			s.Links.Send(o, &zab.Revalidate{Session: session, Timeout: 10000}) // answered behind what the acknowledgement does
			getsOn[*zab.Revalidated](t, s.guest, o)
			s.mu.Lock()
			early := slices.ContainsFunc(s.packets, func(p linkPacket) bool {
				_, commit := p.Packet.(*zab.Commit)
				_, inform := p.Packet.(*zab.Inform)
				return commit || inform
			})
			s.mu.Unlock()
			if early {
				return "an observer's acknowledgement was enough"
			}
			s.send(&zab.Ack{Zxid: p.Zxid})
			if a := answered(t, answer); a.err != nil || a.Err != zk.OK {
				t.Errorf("%+v", a)
			}
			getsOn[*zab.Inform](t, s.guest, o)
			return ""
		}},
		// The end of a session and its ephemeral come close behind each other, over a follower.
		{id: "1208, 2926 an ephemeral behind the end of its session", play: func(t *testing.T, k Kind) string {
			s := setScene(t, k, Setup{}, nil)
			s.followFresh()
			s.send(&zab.Request{Session: session, Op: int32(wire.OpCreateSession), Body: []byte{0, 0, 0x27, 0x10}})
			s.ackNext(s.link)
			create := &wire.Create{Path: "/e", ACL: open, Mode: zk.Ephemeral}
			s.send(&zab.Request{Session: session, Xid: 1, Op: int32(wire.OpCloseSession)},
				&zab.Request{Session: session, Xid: 2, Op: int32(wire.OpCreate), Body: wire.AppendRequestFrame(nil, 2, create)[12:], IDs: []zk.ID{}})
			for range 2 {
				p := s.ackNext(s.link)
				x, err := txn.Decode(p.Payload)
				if err != nil {
					t.Fatal(err)
				}
				if x.Type == txn.TypeCreate {
					return "the ephemeral was created"
				}
			}
			return ""
		}},
		// A session whose client is a follower's: it lives as long as that hears of it, and no longer.
		{id: "4508, 121361 a follower's session", long: true, play: func(t *testing.T, k Kind) string {
			s := setScene(t, k, Setup{Conf: []string{"tickTime=200", "initLimit=100", "syncLimit=100"}}, nil)
			s.followFresh()
			s.send(&zab.Request{Session: session, Op: int32(wire.OpCreateSession), Body: []byte{0, 0, 8, 0}}) // 2048 ms
			s.ackNext(s.link)
			getsOn[*zab.Commit](t, s.guest, s.link)
			for range 25 { // a tenth of a second each
				ping := getsOn[*zab.Ping](t, s.guest, s.link)
				s.send(&zab.Ping{Zxid: ping.Zxid, Answer: true, Touched: []zab.Touch{{Session: session, Timeout: 2048}}})
			}
			s.mu.Lock()
			ended := slices.ContainsFunc(s.packets, func(p linkPacket) bool { _, ok := p.Packet.(*zab.Propose); return ok })
			s.mu.Unlock()
			if ended {
				return "it was ended while its client was heard of"
			}
			p := s.ackNext(s.link)
			if x, err := txn.Decode(p.Payload); err != nil || x.Type != txn.TypeCloseSession || x.Session != session {
				return fmt.Sprintf("it is not ended: %+v, %v", x, err)
			}
			return ""
		}},
		// Its follower is another leader's by now, and has not said so: what is acknowledged there is not known here.
		{id: "20418 a sync after the others have left", shows: true, play: func(t *testing.T, k Kind) string {
			s := setScene(t, k, Setup{Conf: []string{"tickTime=200", "syncLimit=25", "initLimit=100"}}, nil)
			s.followFresh()
			c := s.connect()
			answer := ask(c, &wire.Create{Path: "/a", ACL: open})
			s.ackNext(s.link)
			if a := answered(t, answer); a.err != nil || a.Err != zk.OK {
				t.Fatalf("%+v", a)
			}
			if a := answered(t, ask(c, &wire.Sync{Path: "/a"})); a.err == nil {
				return "it answers a sync, and has asked nobody"
			}
			return ""
		}},
		// A client sends half of a reconfig, and another one creates a znode behind it.
		{id: "A-1 half a reconfig", shows: true, play: func(t *testing.T, k Kind) string {
			s := setScene(t, k, Setup{}, nil)
			s.followFresh()
			c, other := s.connect(), s.connect()
			half := wire.AppendRequestFrame(nil, 77, &wire.Reconfig{Joining: "x", MembersNull: true, CurConfigID: -1})
			c.Write(Frame(half[4 : len(half)-1]))
			call(t, other, &wire.Exists{Path: "/"}, nil)
			created := ask(other, &wire.Create{Path: "/a", ACL: open})
			s.ackNext(s.link)
			if h, _, err := c.Reply(patience); err != nil || h.Xid != 77 || h.Err != zk.MarshallingError {
				return fmt.Sprintf("it is answered with %v, %v", h.Err, err)
			}
			if a := answered(t, created); a.err != nil || a.Err != zk.OK {
				return fmt.Sprintf("a create: %+v", a)
			}
			return ""
		}},
		// Another learner takes its time with a tree of 20 MB: nobody waits for it, and it misses nothing.
		{id: "2201, 3104, 3531, 4858 writes beside a learner that is stuck", play: func(t *testing.T, k Kind) string {
			var h history
			for i := range 40 {
				h.add(1, createsBig(fmt.Sprintf("/big%d", i), 500_000))
			}
			s := setScene(t, k, Setup{}, func(dir string) { plantHistory(t, dir, h) })
			s.becomes(zab.Following)
			s.link = s.dial(&zab.LearnerInfo{SID: s.sid, Accepted: 1, Version: 0x10000})
			e := getsOn[*zab.LeaderInfo](t, s.guest, s.link).Epoch
			s.send(&zab.AckEpoch{Last: h.last(), Current: 1})
			getsOn[*zab.NewLeader](t, s.guest, s.link)
			s.send(&zab.Ack{Zxid: zk.Zxid(e) << 32})
			getsOn[*zab.UpToDate](t, s.guest, s.link)
			s.note(func() { s.stuck = true })
			stuck := s.dial(&zab.LearnerInfo{SID: 2, Version: 0x10000})
			getsOn[*zab.LeaderInfo](t, s.guest, stuck)
			s.Links.Send(stuck, &zab.AckEpoch{})
			snap := getsOn[*zab.Snap](t, s.guest, stuck)
			c := s.connect()
			var last zk.Zxid
			for i := range 20 {
				answer := ask(c, &wire.Create{Path: fmt.Sprintf("/n%d", i), ACL: open})
				s.ackNext(s.link)
				a := answered(t, answer)
				if a.err != nil || a.Err != zk.OK {
					return fmt.Sprintf("a write is answered with %+v", a)
				}
				last = a.Zxid
			}
			s.note(func() { s.stuck = false })
			seen := snap.Zxid
			for seen < last {
				switch p := getsOn[zab.Packet](t, s.guest, stuck).(type) {
				case *zab.Propose:
					if seen == h.last() || seen == zk.Zxid(e)<<32 {
						seen = zk.Zxid(e) << 32
					}
					if p.Zxid > seen+1 {
						return fmt.Sprintf("it is sent %v behind %v", p.Zxid, seen)
					}
					seen = max(seen, p.Zxid)
				case *zab.NewLeader:
					s.Links.Send(stuck, &zab.Ack{Zxid: zk.Zxid(e) << 32})
				}
			}
			return ""
		}},
		// It cannot accept anybody for a while.
		{id: "4203 no file descriptor for a learner", play: func(t *testing.T, k Kind) string {
			s := setScene(t, k, Setup{}, nil)
			s.followFresh()
			var was unix.Rlimit
			if err := unix.Prlimit(s.srv.PID(), unix.RLIMIT_NOFILE, nil, &was); err != nil {
				t.Fatal(err)
			}
			limit := func(n uint64) {
				now := unix.Rlimit{Cur: n, Max: was.Max}
				if err := unix.Prlimit(s.srv.PID(), unix.RLIMIT_NOFILE, &now, nil); err != nil {
					t.Fatal(err)
				}
			}
			limit(3)
			s.dialled += 2
			l := dialledLinks + s.dialled
			s.Links.Dial(zab.Dial{Link: l, Leader: server, Budget: patience.Milliseconds()})
			s.Links.Send(l, &zab.LearnerInfo{SID: 2, Version: 0x10000})
			// Until it has met that.
			for range 5 {
				ping, gone := getsOrGone[*zab.Ping](t, s.guest, s.link)
				if gone {
					break
				}
				s.send(&zab.Ping{Zxid: ping.Zxid, Answer: true})
			}
			limit(was.Cur)
			s.wait(t, "a learner's epoch, or its end as a leader", func() bool {
				return s.down[s.link] || slices.ContainsFunc(s.packets, func(p linkPacket) bool {
					_, ok := p.Packet.(*zab.LeaderInfo)
					return ok && p.link == l
				})
			})
			return ""
		}},
	})
}

// followFresh follows a new server that leads, until it serves.
func (s *scene) followFresh() {
	s.t.Helper()
	s.becomes(zab.Following)
	s.link = s.dial(&zab.LearnerInfo{SID: s.sid, Version: 0x10000})
	e := getsOn[*zab.LeaderInfo](s.t, s.guest, s.link).Epoch
	s.send(&zab.AckEpoch{})
	getsOn[*zab.NewLeader](s.t, s.guest, s.link)
	s.send(&zab.Ack{Zxid: zk.Zxid(e) << 32})
	getsOn[*zab.UpToDate](s.t, s.guest, s.link)
	s.send(&zab.Ack{Zxid: zk.Zxid(e) << 32})
}
