package interop

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// TestSchedulesOfAFollower: we lead, and end where it hurts.
func TestSchedulesOfAFollower(t *testing.T) {
	t.Parallel()
	const session = zk.SessionID(0x300000000000077)
	playSchedules(t, []schedule{
		{id: "1264 behind, then a restart", play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			s.begin(&h, creates("/a"), creates("/b")).hangUp()
			h.add(1, creates("/c"), deletes("/a"))
			h.add(2, creates("/d"))
			return s.keeps(h)
		}},
		// Its acknowledgement of NEWLEADER says that all of the difference is in its log, and then it dies.
		{id: "3023, 3911, 4643, 4646, 4785 killed behind the acknowledgement", shows: true, play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			s.begin(&h, creates("/a")).hangUp()
			for i := range 3000 {
				h.add(1, createsBig(fmt.Sprintf("/n%04d", i), 1000))
			}
			r := s.lead()
			r.sync(h)
			r.newLeader()
			s.restart()
			r = s.lead()
			wrong := ""
			if r.has.Last != h.last() {
				wrong = fmt.Sprintf("it acknowledged all up to %v, and has all up to %v, in epoch %d", h.last(), r.has.Last, r.has.Current)
			}
			return wrong
		}},
		{id: "4685 acknowledgements of proposals before that of NEWLEADER", shows: true, luck: true, play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			s.begin(&h, creates("/a")).hangUp()
			for i := range 3000 {
				h.add(1, creates(fmt.Sprintf("/n%04d", i)))
			}
			r := s.lead()
			r.sync(h)
			r.send(&zab.NewLeader{Epoch: r.Epoch, Config: r.config})
			if p := getsOn[*zab.Ack](t, s.guest, s.link); p.Zxid != r.first() {
				return fmt.Sprintf("the first acknowledgement is that of %v", p.Zxid)
			}
			return ""
		}},
		{id: "3642 SNAP, and nothing behind it", play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			s.begin(&h, creates("/a")).hangUp()
			h.add(1, creates("/b"), creates("/c"))
			s.lead().snap(h)
			s.hangUp()
			h.add(2, creates("/d"))
			return s.keeps(h)
		}},
		{id: "54572 the zxid behind a snapshot", play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			s.begin(&h, creates("/a")).hangUp()
			h.add(1, creates("/b"), creates("/c"))
			r := s.lead()
			r.snap(h)
			r.complete()
			s.hangUp()
			for range 2 {
				if r = s.lead(); r.has.Last != h.last() {
					return fmt.Sprintf("it was sent a tree as of %v, and says %v", h.last(), r.has.Last)
				}
				s.restart()
			}
			return ""
		}},
		{id: "4394 a COMMIT between NEWLEADER and UPTODATE", shows: true, play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			s.begin(&h, creates("/a")).hangUp()
			r := s.lead()
			p := r.next(creates("/b"))
			r.send(&zab.Diff{Zxid: h.last()}, p)
			r.newLeader()
			r.send(&zab.Commit{Zxid: p.Zxid}, &zab.UpToDate{})
			if !r.ackedOrGone(r.first()) {
				return "it hangs up"
			}
			s.srv.WaitServing(t)
			s.settles(p.Zxid)
			h = append(h, p)
			return wrongly(s.shows(), h.paths(t)...)
		}},
		{id: "4503 asked before it is up to date", play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			s.begin(&h, creates("/a")).hangUp()
			h.add(1, creates("/b"))
			r := s.lead()
			r.send(&zab.Diff{Zxid: h.last()})
			r.pairs(h[1:])
			r.newLeader()
			if c, err := Dial(s.srv.Addr()); err == nil {
				defer c.Close()
				c.Write(Frame(NewSession(sessionTimeout).Append(nil)))
				if b, err := c.ReadFrame(300 * time.Millisecond); err == nil {
					return fmt.Sprintf("it answers %x", b)
				}
			}
			r.upToDate()
			return wrongly(s.shows(), h.paths(t)...)
		}},
		// Something that only this server has logged. What came of it: another leads, and does not have it.
		{id: "2832 an uncommitted tail, and a whole tree that is older", shows: true, play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			r := s.begin(&h, creates("/a"))
			p := r.next(creates("/never"))
			r.send(p)
			r.acked(p.Zxid)
			s.hangUp()
			r = s.lead()
			r.snap(h)
			r.complete()
			if wrong := wrongly(s.shows(), h.paths(t)...); wrong != "" {
				return wrong
			}
			s.restart()
			if r = s.lead(); r.has.Last != h.last() {
				return fmt.Sprintf("it was sent a tree as of %v, and says %v after a restart", h.last(), r.has.Last)
			}
			return ""
		}},
		{id: "2845 an uncommitted tail, and no restart", play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			r := s.begin(&h, createsSession(session), creates("/a"), createsEphemeral(session, "/mine"))
			for _, x := range []txn.Txn{creates("/never"), createsEphemeral(session, "/never-mine"), deletes("/a"), closesSession(session, "/mine", "/never-mine")} {
				p := r.next(x)
				r.send(p)
				r.acked(p.Zxid)
			}
			s.hangUp()
			return s.cuts(&h, creates("/b"))
		}},
		// It has hardly begun to write what nobody else has.
		{id: "4712 a backlog when the leader hangs up", long: true, play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			r := s.begin(&h, creates("/a"))
			for i := range 4000 {
				r.send(r.next(createsBig(fmt.Sprintf("/never%04d", i), 10_000)))
			}
			s.hangUp()
			return s.cuts(&h, creates("/b"))
		}},
		// It stands for leader with such a tail, as it has to, and nobody follows.
		{id: "1549, 4837, 5010 an uncommitted tail in a snapshot", shows: true, play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			r := s.begin(&h, createsSession(session), creates("/a"), createsEphemeral(session, "/mine"))
			for _, x := range []txn.Txn{creates("/never"), createsEphemeral(session, "/never-mine")} {
				p := r.next(x)
				r.send(p)
				r.acked(p.Zxid)
			}
			s.restart()
			s.becomes(zab.Following)
			s.link = s.dial(&zab.LearnerInfo{SID: s.sid, Accepted: 1, Version: 0x10000})
			getsOn[*zab.LeaderInfo](t, s.guest, s.link)
			s.restart()
			return s.cuts(&h, closesSession(session, "/mine"))
		}},
		{id: "5094 a cut that is not the end of it", shows: true, play: func(t *testing.T, k Kind) string {
			s, h, _ := cutScene(t, k)
			s.hangUp()
			h.add(2, creates("/c"))
			return s.keeps(h)
		}},
		{id: "1367 a restart behind the end of a session", play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			s.begin(&h, createsSession(session), creates("/a"), createsEphemeral(session, "/mine"), closesSession(session, "/mine"))
			s.restart()
			how, has := s.follow(h, h[0].Zxid, 1)
			if wrong := wrongly(has, h.paths(t)...); wrong != "" {
				return "as a leader, by " + how + ": " + wrong
			}
			s.restart()
			return s.finds(h)
		}},
		{id: "2355 a proposal that cannot be read", play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			r := s.begin(&h, createsSession(session), creates("/a"), createsEphemeral(session, "/mine"))
			p := r.next(closesSession(session, "/mine"))
			h = append(h, p)
			half := *p
			half.Payload = half.Payload[:20]
			r.send(&half, &zab.Commit{Zxid: p.Zxid})
			if r.ackedOrGone(p.Zxid) {
				return "it acknowledges what it cannot read"
			}
			return s.finds(h)
		}},
		// What we are sent by it when it leads: it was sent a tree, over the beginning of which it has a log.
		{id: "2099, 2846 a log that ends before a snapshot", shows: true, play: func(t *testing.T, k Kind) string { return logBeforeSnapshot(t, k, true) }},
		{id: "4352 a log that ends before a snapshot, and nothing behind it", play: func(t *testing.T, k Kind) string { return logBeforeSnapshot(t, k, false) }},
		{id: "4925 txns behind a cut", shows: true, play: func(t *testing.T, k Kind) string {
			s, h, r := cutScene(t, k)
			r.complete()
			r.last = h.last()
			r.do(creates("/c"))
			h.add(2, creates("/c"))
			r.settles(r.last)
			s.hangUp()
			how, has := s.follow(h, h[0].Zxid, 1)
			if wrong := wrongly(has, h.paths(t)...); wrong != "" {
				return how + ": " + wrong
			}
			return ""
		}},
		// Two are there, one of whom leads; they have come to that in different ways, and say so.
		{id: "1818 the same leader, elected otherwise", play: func(t *testing.T, k Kind) string {
			s, second := &scene{guest: newGuest(t, 3), t: t}, newGuest(t, 2)
			s.config.Members[1] = second.config.Members[1]
			says := func(g *guest, state zab.State, v zab.Vote) {
				g.Elections.SetView(s.config, s.config)
				g.answer = func(zab.Notification) {
					g.Elections.Send(server, zab.Notification{State: state, Vote: v, Config: s.config})
				}
			}
			says(s.guest, zab.Leading, zab.Vote{Leader: 3, Zxid: 4<<32 + 7, Round: 9, Epoch: 5})
			says(second, zab.Following, zab.Vote{Leader: 3, Zxid: 0, Round: 2, Epoch: 5})
			s.enter(k, Setup{}, nil)
			s.wait(t, "a link of the server's", func() bool { return len(s.links) > 0 })
			return ""
		}},
		// Its leader has no use for half a reconfig, and for what comes behind it from another client it has.
		{id: "A-1 half a reconfig over a follower", shows: true, play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{}, nil), history{}
			r := s.begin(&h)
			begin := func() *Conn {
				c, err := Connect(s.srv.Addr(), sessionTimeout)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				return c
			}
			c, other := begin(), begin()
			half := wire.AppendRequestFrame(nil, 77, &wire.Reconfig{Joining: "x", MembersNull: true, CurConfigID: -1})
			c.Write(Frame(half[4 : len(half)-1]))
			refused := false
			go func() { // ends with the connection at the latest
				if h, _, err := c.Reply(patience); err == nil && h.Err == zk.MarshallingError {
					s.note(func() { refused = true })
				}
			}()
			request := func(op wire.OpCode) bool {
				return slices.ContainsFunc(s.packets, func(p linkPacket) bool {
					q, ok := p.Packet.(*zab.Request)
					return ok && q.Op == int32(op)
				})
			}
			s.wait(t, "an answer, or a request", func() bool { return refused || request(wire.OpReconfig) })
			created := ask(other, &wire.Create{Path: "/a", ACL: zk.WorldACL(zk.PermAll)})
			s.wait(t, "a request", func() bool { return request(wire.OpCreate) })
			for {
				if q := getsOn[*zab.Request](t, s.guest, s.link); q.Op == int32(wire.OpCreate) {
					x := creates("/a")
					x.Session, x.Cxid = q.Session, q.Xid
					r.do(x)
					break
				}
			}
			if a := answered(t, created); a.err != nil || a.Err != zk.OK {
				return fmt.Sprintf("a create of another client is answered with %v, %v", a.Err, a.err)
			}
			return ""
		}},
		// Alone, it serves readers meanwhile.
		{id: "3526 read-only", play: func(t *testing.T, k Kind) string {
			s, h := setScene(t, k, Setup{Props: []string{"readonlymode.enabled=true"}}, nil), history{}
			s.begin(&h, creates("/a"), creates("/b"), creates("/c")).hangUp()
			for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
				if out, _ := s.srv.fourLetters("srvr", 500*time.Millisecond); strings.Contains(out, "Mode: read-only") {
					break
				} else if time.Now().After(end) {
					t.Fatalf("no read-only mode: %s", out)
				}
			}
			for range 3 {
				c, err := Dial(s.srv.Addr())
				if err != nil {
					t.Fatal(err)
				}
				hello := NewSession(sessionTimeout)
				hello.ReadOnly = true
				if r, err := c.Handshake(hello); err != nil || r.SessionID == 0 {
					t.Fatalf("%+v, %v", r, err)
				}
				c.Call(&wire.Create{Path: "/n", ACL: zk.WorldACL(zk.PermAll)}, nil)
				c.Call(&wire.CloseSession{}, nil)
				c.Close()
			}
			how, has := s.follow(h, h[1].Zxid, 1)
			if wrong := wrongly(has, h.paths(t)...); wrong != "" {
				return how + ": " + wrong
			}
			return ""
		}},
		// The tree of a new epoch was on disk, and its number not yet.
		{id: "1653, 2307, 2354 an epoch that is older than the zxid", shows: true, play: func(t *testing.T, k Kind) string {
			s := setScene(t, k, Setup{}, func(dir string) {
				plantSnapshot(t, dir, 2<<32+1, nil)
				plant(t, filepath.Join(dir, "version-2", "currentEpoch"), "1")
				plant(t, filepath.Join(dir, "version-2", "acceptedEpoch"), "2")
			})
			s.becomes(zab.Leading)
			ended := false
			go func() { // ends with the server
				<-s.srv.Done()
				s.note(func() { ended = true })
			}()
			s.wait(t, "a link of the server's, or its end", func() bool { return ended || len(s.links) > 0 })
			if ended {
				for line := range strings.Lines(s.srv.Log()) {
					if strings.Contains(line, "Exception: The current epoch") {
						return "it ends: " + line
					}
				}
				t.Fatalf("it ends: %s", tail(s.srv.Log(), 2000))
			}
			return ""
		}},
	})
}

// cuts leads the server once more, has its tail cut off, and makes one more txn.
func (s *scene) cuts(h *history, x txn.Txn) string {
	s.t.Helper()
	if wrong := s.finds(*h); wrong != "" {
		return wrong
	}
	return s.goesOn(h, x)
}

// cutScene: what the server has acknowledged behind /a was never committed, and the next reign cuts it off and sends /b; nothing of h is said to
// be in force yet.
func cutScene(t *testing.T, k Kind) (*scene, history, *reign) {
	s, h := setScene(t, k, Setup{}, nil), history{}
	r := s.begin(&h, creates("/a"))
	p := r.next(creates("/never"))
	r.send(p)
	r.acked(p.Zxid)
	s.hangUp()
	h.add(2, creates("/b"))
	r = s.lead()
	r.send(&zab.Trunc{Zxid: h[0].Zxid})
	r.pairs(h[1:])
	return s, h, r
}

// logBeforeSnapshot: the log of a server ends, it is sent a tree that is newer, and then logs on, or not.
func logBeforeSnapshot(t *testing.T, k Kind, goesOn bool) string {
	// Apache sends of its log what is no more than a part of the snapshot's size; 0 is all.
	s, h := setScene(t, k, Setup{Props: []string{"zookeeper.snapshotSizeFactor=0"}}, nil), history{}
	r := s.begin(&h, creates("/a"))
	p := r.next(creates("/never"))
	r.send(p)
	r.acked(p.Zxid)
	s.hangUp()
	h.add(2, creates("/b"), creates("/c"))
	r = s.lead()
	r.snap(h)
	r.complete()
	if goesOn {
		r.last = h.last()
		r.do(creates("/d"))
		h.add(2, creates("/d"))
		r.settles(r.last)
	}
	s.hangUp()
	how, has := s.follow(h, h[0].Zxid, 1)
	if wrong := wrongly(has, h.paths(t)...); wrong != "" {
		return how + ": " + wrong
	}
	return ""
}
