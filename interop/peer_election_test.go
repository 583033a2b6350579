package interop

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/peer"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// guest is our election and quorum ports in an ensemble of Apache servers, and what came in through them. Nobody thinks here: the
// tests say what it says.
type guest struct {
	*peer.Elections
	*peer.Links
	sid    ensemble.SID
	config *ensemble.Config
	apache map[ensemble.SID]*Server
	answer func(zab.Notification) // called with each notification, under mu; may be nil

	mu      sync.Mutex
	news    *sync.Cond
	notes   map[ensemble.SID][]zab.Notification
	role    zab.State        // what answer goes by
	last    zab.Notification // the last that came
	packets []linkPacket
	links   []zab.Link
	down    map[zab.Link]bool
	stuck   bool     // streams are not read
	stream  []string // the paths of the last snapshot that was read
	told    []string
}

// linkPacket is a packet and where it came in.
type linkPacket struct {
	link zab.Link
	zab.Packet
}

func (g *guest) note(what func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	what()
	g.news.Broadcast()
}

func (g *guest) LinkUp(l zab.Link, remote net.Addr) {
	g.note(func() { g.links, g.told = append(g.links, l), append(g.told, fmt.Sprint("up ", l)) })
}

func (g *guest) Received(l zab.Link, ps []zab.Packet) {
	for _, p := range ps {
		g.note(func() {
			g.packets, g.told = append(g.packets, linkPacket{l, p}), append(g.told, fmt.Sprintf("%T%+v", p, p))
		})
	}
}

func (g *guest) LinkDown(l zab.Link, err error) {
	g.note(func() { g.down[l], g.told = true, append(g.told, fmt.Sprint("down ", l, err)) })
}

// Snapshot reads Apache's stream (ensemble protocol, section 5.4).
func (g *guest) Snapshot(l zab.Link, z zk.Zxid, r *bufio.Reader) error {
	g.mu.Lock()
	for g.stuck {
		g.news.Wait()
	}
	g.mu.Unlock()
	s := stream{r: r}
	for range s.int() {
		s.skip(12) // sessions
	}
	for range s.int() {
		s.skip(8) // ACLs
		for range s.int() {
			s.skip(4)
			s.text()
			s.text()
		}
	}
	var paths []string
	for s.err == nil {
		p := s.text()
		if p == "/" {
			break
		}
		paths = append(paths, p)
		s.text()       // data
		s.skip(8 + 60) // ACL, Stat
	}
	if end := s.text(); s.err == nil && end != "BenWasHere" {
		s.err = fmt.Errorf("the stream ends with %q", end)
	}
	g.note(func() { g.stream = paths })
	return s.err
}

// stream reads fields.
type stream struct {
	r   *bufio.Reader
	err error
}

func (s *stream) skip(n int) []byte {
	b := make([]byte, n)
	if s.err == nil {
		_, s.err = io.ReadFull(s.r, b)
	}
	return b
}

func (s *stream) int() int { return int(int32(binary.BigEndian.Uint32(s.skip(4)))) }

func (s *stream) text() string { return string(s.skip(max(s.int(), 0))) }

// freePorts takes n ports and gives them back: somebody else may have one in the meantime, but hardly ever does.
func freePorts(t *testing.T, n int) (ports []int) {
	for range n {
		ports = append(ports, freePort(t))
	}
	return ports
}

// newGuest makes us server sid of an ensemble of three.
func newGuest(t *testing.T, sid ensemble.SID) *guest {
	t.Helper()
	g := &guest{sid: sid, notes: map[ensemble.SID][]zab.Notification{}, apache: map[ensemble.SID]*Server{}, down: map[zab.Link]bool{}}
	g.news = sync.NewCond(&g.mu)
	log := slog.New(slog.DiscardHandler)
	var err error
	g.Elections, err = peer.NewElections(t.Context(), peer.ElectionOptions{
		SID: sid, Listen: []string{"127.0.0.1:0"}, Logger: log, Connected: func(ensemble.SID, bool) {},
		Heard: func(from ensemble.SID, n zab.Notification) {
			g.note(func() {
				g.notes[from], g.last = append(g.notes[from], n), n
				if g.answer != nil {
					g.answer(n)
				}
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Elections.Close)
	g.Links = peer.NewLinks(peer.LinkOptions{Handler: g, Logger: log})
	t.Cleanup(g.Links.Shutdown)
	if err := g.Links.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}

	g.config = &ensemble.Config{}
	for id := ensemble.SID(1); id <= 3; id++ {
		p := freePorts(t, 2)
		if id == sid {
			p = []int{g.Links.Addrs()[0].(*net.TCPAddr).Port, g.Elections.Addr().(*net.TCPAddr).Port}
		}
		g.config.Members = append(g.config.Members, ensemble.Member{
			ID: id, Peers: []ensemble.Addr{{Host: "127.0.0.1", QuorumPort: p[0], ElectionPort: p[1]}}})
	}
	g.Elections.SetView(g.config, g.config)
	g.Links.SetView(g.config)
	return g
}

// members are the lines of zoo.cfg that tell who there is.
func (g *guest) members() (lines []string) {
	for _, m := range g.config.Members {
		lines = append(lines, fmt.Sprintf("server.%d=127.0.0.1:%d:%d", m.ID, m.Peers[0].QuorumPort, m.Peers[0].ElectionPort))
	}
	return lines
}

// visit makes us server sid of an ensemble of three, and starts those Apache servers of it.
func visit(t *testing.T, sid ensemble.SID, apaches ...ensemble.SID) *guest {
	Need(t, Apache)
	g := newGuest(t, sid)
	conf := append([]string{"tickTime=500", "initLimit=40", "syncLimit=40"}, g.members()...)
	for _, id := range apaches {
		s := &Server{Kind: Apache, Dir: t.TempDir(), setup: Setup{Conf: conf}, cfg: filepath.Join(t.TempDir(), "zoo.cfg")}
		if err := os.WriteFile(filepath.Join(s.Dir, "myid"), []byte(strconv.Itoa(int(id))), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			s.Kill()
			if t.Failed() {
				t.Logf("end of the log of server %d:\n%s", id, tail(s.log.String(), 4000))
			}
		})
		s.Launch(t)
		g.apache[id] = s
	}
	return g
}

// wait waits for a condition, which is called with the lock held.
func (g *guest) wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := false
	timer := time.AfterFunc(3*patience, func() { g.note(func() { late = true }) })
	defer timer.Stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for !ok() {
		if late {
			t.Fatalf("%s does not come; notifications %+v, links %q", what, g.notes, g.told)
		}
		g.news.Wait()
	}
}

// hears waits for a notification.
func (g *guest) hears(t *testing.T, from ensemble.SID, what string, ok func(zab.Notification) bool) {
	t.Helper()
	g.wait(t, fmt.Sprintf("from %d: %s", from, what), func() bool { return slices.ContainsFunc(g.notes[from], ok) })
}

// gets waits for a packet and gives it.
func gets[P zab.Packet](t *testing.T, g *guest) P {
	t.Helper()
	return getsOn[P](t, g, anyLink)
}

// getsOn is gets on one link.
func getsOn[P zab.Packet](t *testing.T, g *guest, l zab.Link) P {
	t.Helper()
	p, gone := getsOrGone[P](t, g, l)
	if gone {
		t.Fatalf("the link ends before a %T: %q", p, g.told)
	}
	return p
}

// getsOrGone is getsOn; gone is that the link ends instead.
func getsOrGone[P zab.Packet](t *testing.T, g *guest, l zab.Link) (p P, gone bool) {
	t.Helper()
	g.wait(t, fmt.Sprintf("a %T", p), func() bool {
		for i, q := range g.packets {
			if r, ok := q.Packet.(P); ok && (l == anyLink || l == q.link) {
				p, g.packets = r, slices.Delete(g.packets, i, i+1)
				return true
			}
		}
		gone = g.down[l]
		return gone
	})
	return p, gone
}

const anyLink = ^zab.Link(0)

func (g *guest) looking(leader ensemble.SID, round int64) zab.Notification {
	return zab.Notification{State: zab.Looking, Vote: zab.Vote{Leader: leader, Round: round}, Config: g.config}
}

// A lone Apache server asks us to call it back, tells us its vote, and takes ours.
func TestApacheLooks(t *testing.T) {
	t.Parallel()
	g := visit(t, 3, 1)
	g.hears(t, 1, "a vote for itself", func(n zab.Notification) bool {
		return n.State == zab.Looking && n.Vote == zab.Vote{Leader: 1, Round: 1} && n.Version == 2 &&
			n.Config != nil && len(n.Config.Members) == 3
	})
	g.Elections.Send(1, g.looking(3, 1))
	g.hears(t, 1, "our vote", func(n zab.Notification) bool { return n.Vote.Leader == 3 })
}

// Apache servers that have a leader say so when we look, whether we are the one who dials or the one who is called back. Then the
// leader takes us in as a learner.
func TestApacheLeads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ us, follower, leader ensemble.SID }{{3, 1, 2}, {1, 2, 3}} {
		t.Run(fmt.Sprintf("we are %d", c.us), func(t *testing.T) {
			g := visit(t, c.us, c.follower, c.leader)
			for _, s := range g.apache {
				s.WaitServing(t)
			}
			g.Elections.Send(c.leader, g.looking(c.us, 1))
			g.Elections.Send(c.follower, g.looking(c.us, 1))
			g.hears(t, c.leader, "that it leads", func(n zab.Notification) bool {
				return n.State == zab.Leading && n.Vote.Leader == c.leader && n.Vote.Epoch == 1
			})
			g.hears(t, c.follower, "that it follows", func(n zab.Notification) bool {
				return n.State == zab.Following && n.Vote.Leader == c.leader && n.Vote.Epoch == 1
			})

			const l = 1
			g.Links.Dial(zab.Dial{Link: l, Leader: c.leader, Budget: patience.Milliseconds()})
			g.Links.Send(l, &zab.LearnerInfo{SID: c.us, Version: 0x10000}) // waits for the link
			if p := gets[*zab.LeaderInfo](t, g); p.Epoch != 1 || p.Version != 0x10000 {
				t.Errorf("%+v", p)
			}
			g.Links.Send(l, &zab.AckEpoch{})
			if p := gets[*zab.Snap](t, g); p.Zxid != 0 && p.Zxid != 0x100000000 {
				t.Errorf("%+v", p)
			}
			if p := gets[*zab.NewLeader](t, g); p.Epoch != 1 || p.Config == nil || len(p.Config.Members) != 3 {
				t.Errorf("%+v", p)
			}
			if !slices.Contains(g.stream, "/zookeeper/config") {
				t.Errorf("the snapshot has %q", g.stream)
			}
			g.Links.Send(l, &zab.Ack{Zxid: 0x100000000})
			gets[*zab.UpToDate](t, g)
			g.Links.Send(l, &zab.Ack{Zxid: 0x100000000})
			ping := gets[*zab.Ping](t, g)
			g.Links.Send(l, &zab.Ping{Zxid: ping.Zxid, Answer: true})

			// A client of the leader's makes a txn, which we see as a proposal and a commit.
			conn, err := Connect(g.apache[c.leader].Addr(), patience)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			z := gets[*zab.Propose](t, g)
			g.Links.Send(l, &zab.Ack{Zxid: z.Zxid})
			if p := gets[*zab.Commit](t, g); p.Zxid != z.Zxid || len(z.Payload) < 32 {
				t.Errorf("%+v, %+v", z, p)
			}

			// Our question about that session is answered.
			g.Links.Send(l, &zab.Revalidate{Session: conn.Session, Timeout: 10000})
			if p := gets[*zab.Revalidated](t, g); p.Session != conn.Session || !p.Valid {
				t.Errorf("%+v", p)
			}
			// And a write of our own, forwarded, comes back as a proposal.
			g.Links.Send(l, &zab.Request{Session: 0x300000000000001, Op: -10, Body: []byte{0, 0, 0x27, 0x10}})
			if p := gets[*zab.Propose](t, g); p.Zxid != z.Zxid+1 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// An Apache server votes for us, follows us, and serves clients on our word.
func TestApacheFollows(t *testing.T) {
	t.Parallel()
	g := visit(t, 3, 1)
	g.hears(t, 1, "its vote", func(n zab.Notification) bool { return n.State == zab.Looking })
	g.Elections.Send(1, g.looking(3, 1))
	p := gets[*zab.LearnerInfo](t, g)
	if *p != (zab.LearnerInfo{SID: 1, Version: 0x10000}) {
		t.Errorf("%+v", p)
	}
	l := g.links[0]
	g.Links.Send(l, &zab.LeaderInfo{Epoch: 1, Version: 0x10000})
	if p := gets[*zab.AckEpoch](t, g); *p != (zab.AckEpoch{}) {
		t.Errorf("%+v", p)
	}
	g.Links.Send(l, &zab.Diff{})
	g.Links.Send(l, &zab.NewLeader{Epoch: 1, Config: g.config})
	if p := gets[*zab.Ack](t, g); p.Zxid != 0x100000000 {
		t.Errorf("%+v", p)
	}
	g.Links.Send(l, &zab.UpToDate{})
	if p := gets[*zab.Ack](t, g); p.Zxid != 0x100000000 {
		t.Errorf("%+v", p)
	}
	g.Links.Send(l, &zab.Ping{Zxid: 0x100000000})
	if p := gets[*zab.Ping](t, g); !p.Answer || p.Zxid != 0x100000000 || len(p.Touched) != 0 {
		t.Errorf("%+v", p)
	}
	g.apache[1].WaitServing(t)

	// A client of its own wants a session: the request comes to us, with the client's timeout.
	c, err := Dial(g.apache[1].Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	hello := binary.BigEndian.AppendUint32(nil, 44)
	hello = append(hello, make([]byte, 4+8)...)         // protocol, zxid
	hello = binary.BigEndian.AppendUint32(hello, 10000) // timeout
	hello = append(hello, make([]byte, 8)...)           // session
	hello = binary.BigEndian.AppendUint32(hello, 16)    // password
	hello = append(hello, make([]byte, 16)...)
	if _, err := c.Write(hello); err != nil {
		t.Fatal(err)
	}
	if p := gets[*zab.Request](t, g); p.Op != -10 || len(p.Body) != 4 || p.IDs != nil || byte(p.Session>>56) != 1 {
		t.Errorf("%+v", p)
	}
}
