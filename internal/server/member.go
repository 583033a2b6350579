package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/peer"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// member is what makes a server one of an ensemble: the sockets to its peers, the disk under the agreement, its timer. Like clients'
// sockets, they feed the replica events, and do what its Orders say.
type member struct {
	s         *Server
	o         *EnsembleOptions
	fresh     func() *tree.Tree
	elections *peer.Elections // guarded by Server.mu once it is open
	links     *peer.Links

	disk     diskQueue
	dynamic  dynamic // for diskLoop
	lost     bool    // for diskLoop: what is on disk cannot follow the leader
	places           // guarded by Server.mu
	searches sync.WaitGroup
	armed    int64         // guarded by Server.mu: when the timer will look again
	wake     chan struct{} // capacity 1: armed has come nearer
	up       zab.Link      // guarded by Server.mu: the last that was dialled
	listens  zab.State     // guarded by Server.mu: as what the port for learners was opened last
	turn     int           // guarded by Server.mu: which observer master is the next
	standing               // guarded by Server.mu
}

// newMember makes the agreement of what is on disk. res is what the store has restored.
func newMember(s *Server, fs vfs.FS, fresh func() *tree.Tree, res *store.Restored) (*member, *zab.Core, error) {
	o := s.opt.Ensemble
	accepted, current, err := s.store.Epochs(res.LastZxid)
	if err != nil {
		return nil, nil, err
	}
	d := zab.Durable{
		Accepted: zab.Epoch(accepted), Current: zab.Epoch(current), Last: res.LastZxid, Recent: proposals(res.Recent),
		Configs: zab.Configs{Committed: o.Config, LastSeen: o.Config},
	}
	if o.ReconfigEnabled {
		replica.Understand(d.Recent)
	}
	if o.Next != nil && o.Next.Version > o.Config.Version {
		d.LastSeen = o.Next
	}
	m := &member{s: s, o: o, fresh: fresh, wake: make(chan struct{}, 1), armed: math.MaxInt64}
	m.disk.init()
	m.turn = chance(1 << 16)
	m.begin(s.ctx)
	m.dynamic = dynamic{fs: fs, static: o.StaticFile, moved: o.DynamicFile != "", self: o.SID, committed: o.Config.Version}
	if o.Next != nil {
		m.dynamic.next = o.Next.Version
	}
	core := zab.New(zab.Options{
		SID: o.SID, Tick: s.opt.TickTime.Milliseconds(), InitLimit: int64(o.InitLimit), SyncLimit: int64(o.SyncLimit), ConnectLimit: int64(o.ConnectLimit),
		MinNotification: o.MinNotification.Milliseconds(), MaxNotification: o.MaxNotification.Milliseconds(), CommitLog: o.CommitLogCount,
		ForceSnapshot: o.ForceSnapshot, Passages: o.SnapshotSizeFactor >= 0, MaxSnapSyncs: o.MaxSnapSyncs, MaxDiffSyncs: o.MaxDiffSyncs,
		Unlogged: !o.SyncEnabled, Master: o.ObserverMasterPort > 0, Reconfig: o.ReconfigEnabled,
	}, d, s.clock())
	return m, core, nil
}

func proposals(entries []store.Entry) []zab.Proposal {
	list := make([]zab.Proposal, len(entries))
	for i, e := range entries {
		list[i] = zab.Proposal{Zxid: e.Zxid, Payload: e.Payload}
	}
	return list
}

// open takes the election port and begins to talk.
func (m *member) open() error {
	self, ok := m.o.Config.Member(m.o.SID)
	if !ok {
		return fmt.Errorf("server %d is not in the list of servers", m.o.SID)
	}
	m.links = peer.NewLinks(peer.LinkOptions{
		Handler: (*linkHandler)(m), MaxField: m.s.opt.maxRecord(), Dial: m.o.Dial, Logger: m.s.log, Left: m.departed,
	})
	m.s.mu.Lock() // until it is known where to send, nobody is heard
	err := m.openElections(self)
	m.s.mu.Unlock()
	if err != nil {
		return err
	}
	m.s.wg.Add(2)
	go m.diskLoop()
	go m.timerLoop()
	m.agree(replica.Peer{Event: &zab.Timer{}}) // the first thing to do is there already
	return nil
}

// openElections begins to talk. The caller holds the lock.
func (m *member) openElections(self ensemble.Member) (err error) {
	if m.self = self; self.ClientAddr == "" {
		m.self.ClientAddr, m.self.FromStatic = m.s.opt.ClientAddr, true
	}
	if m.elections, err = m.electionsOf(m.s.ctx, self); err != nil {
		return err
	}
	c, _ := m.s.rep.Status()
	m.links.SetView(c.Configs.Committed)
	m.elections.SetView(c.Configs.Committed, c.Configs.LastSeen)
	m.look(m.s.clock())
	return nil
}

// electionsOf opens the election port where a configuration has it.
func (m *member) electionsOf(ctx context.Context, self ensemble.Member) (*peer.Elections, error) {
	tries := m.o.BindRetry
	if tries == 0 {
		tries = -1
	}
	return peer.NewElections(ctx, peer.ElectionOptions{
		SID: m.o.SID, Listen: m.addrs(self, func(a ensemble.Addr) int { return a.ElectionPort }), BindTries: tries, ConnectTimeout: m.o.CnxTimeout,
		MultiAddress: m.o.MultiAddress, AnswerTimeout: m.o.AnswerTimeout,
		GreetTimeout: time.Duration(m.o.SyncLimit) * m.s.opt.TickTime, Dial: m.o.Dial, Logger: m.s.log,
		Heard: func(from ensemble.SID, n zab.Notification) {
			m.agree(replica.Peer{Event: &zab.Notified{From: from, Notification: n}})
		},
		Connected: func(sid ensemble.SID, up bool) { m.agree(replica.Peer{Event: &zab.PeerConn{SID: sid, Up: up}}) },
	})
}

// addrs is where a member listens.
func (m *member) addrs(self ensemble.Member, port func(ensemble.Addr) int) (list []string) {
	for _, a := range self.Peers {
		host := a.Host
		if m.o.ListenOnAllIPs {
			host = ""
		}
		if addr := net.JoinHostPort(host, strconv.Itoa(port(a))); !slices.Contains(list, addr) {
			list = append(list, addr)
		}
	}
	return list
}

// agree gives the replica an event of the agreement, and does what follows from it.
func (m *member) agree(ev replica.Peer) {
	s := m.s
	ev.Now, ev.Clock, ev.Heard = time.Now().UnixMilli(), s.clock(), heard
	var few [8]*conn
	s.mu.Lock()
	s.rep.Step(&ev, &s.eff)
	dirty := s.perform(few[:0])
	s.mu.Unlock()
	s.flush(dirty)
}

// carryOut does what the replica orders, or sees that it is done, without waiting for anything: the order of packets on a link, and of
// operations on the disk, is that of the lock that the caller holds.
func (m *member) carryOut() {
	o := &m.s.eff.Orders
	if o.Config != nil {
		m.links.SetView(o.Config.Committed)
		m.elections.SetView(o.Config.Committed, o.Config.LastSeen)
		m.place(o.Config.Committed)
	}
	if o.Role != nil {
		m.become(*o.Role)
	}
	m.report(o)
	m.disk.add(o.Disk)
	for i := range o.Notify {
		m.elections.Send(o.Notify[i].To, o.Notify[i].Notification)
	}
	for i := range o.Links {
		m.links.Post(o.Links[i].Link, o.Links[i].Packet)
		if p := o.Links[i].Passage; p != nil {
			m.links.SendSnapshot(o.Links[i].Link, func(w io.Writer) error { return m.recount(w, p) })
		}
		if f := o.Links[i].Tree; f != nil && !m.links.SendSnapshot(o.Links[i].Link, func(w io.Writer) error { return m.stream(w, f) }) {
			f.View.Close()
		}
	}
	for _, q := range o.Search {
		m.searches.Go(func() { m.search(q) })
	}
	for _, d := range o.Dial {
		m.up = d.Link
		m.links.DialAny(d, m.masters(d.Leader))
	}
	for _, l := range o.Close {
		m.links.Close(l)
	}
	if m.s.scribe.debug {
		for _, text := range o.Trace {
			m.s.scribe.note(slog.LevelDebug, text)
		}
	}
	o.Reset()
	if at := m.s.rep.Deadline(); at < m.armed {
		m.armed = at
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
}

// become opens and closes the port for learners: a leader's quorum port, so that a learner that comes too early is refused and tries
// again, and does not take us for a leader that has given up; and a serving follower's port for observers.
func (m *member) become(r zab.Role) {
	m.enter(r)
	if m.learnersPort(r) == nil {
		m.links.StopListening()
		return
	}
	if m.listens != r.State {
		m.links.StopListening() // a follower that was named to lead had the other port
		m.listens = r.State
	}
	if r.State == zab.Leading && r.Serving || len(m.links.Addrs()) > 0 {
		return
	}
	m.listen(r)
}

// learnersPort tells which port of an address is open for learners; nil is none.
func (m *member) learnersPort(r zab.Role) func(ensemble.Addr) int {
	switch {
	case r.State == zab.Leading:
		return func(a ensemble.Addr) int { return a.QuorumPort }
	case r.State == zab.Following && r.Serving && m.o.ObserverMasterPort > 0:
		return func(ensemble.Addr) int { return m.o.ObserverMasterPort }
	}
	return nil
}

// listen opens the port for learners.
func (m *member) listen(r zab.Role) {
	lag := 0
	if r.State == zab.Following {
		lag = m.o.ObserverMasterLimit
	}
	if err := m.links.ListenBounded(lag, m.addrs(m.self, m.learnersPort(r))...); err != nil {
		m.s.scribe.note(slog.LevelError, err.Error())
		if r.State == zab.Leading { // nobody would come: another has to lead
			m.searches.Go(func() { m.agree(replica.Peer{Event: &zab.Unreachable{}}) })
		}
	}
}

// stream writes a tree for a learner, behind Snap.
func (m *member) stream(w io.Writer, f *replica.Frozen) error {
	b := bufio.NewWriterSize(w, 256<<10)
	err := store.WriteStream(b, m.s.frozen(f))
	if err == nil {
		err = b.Flush()
	}
	m.s.mu.Lock()
	f.View.Close()
	m.s.mu.Unlock()
	return err
}

// timerLoop says when time has passed.
func (m *member) timerLoop() {
	defer m.s.wg.Done()
	for {
		m.s.mu.Lock()
		at := m.s.rep.Deadline()
		m.armed = at
		m.s.mu.Unlock()
		wait := time.Duration(min(at-m.s.clock(), int64(time.Hour/time.Millisecond))) * time.Millisecond
		if wait > 0 {
			t := time.NewTimer(wait)
			select {
			case <-t.C:
			case <-m.wake:
				t.Stop()
				continue
			case <-m.s.ctx.Done():
				t.Stop()
				return
			}
		}
		if m.s.ctx.Err() != nil {
			return
		}
		if m.s.clock() >= at {
			m.agree(replica.Peer{Event: &zab.Timer{}})
		}
	}
}

// leave tells the peers that this server ends: a leader's followers elect another at once.
func (m *member) leave() {
	m.stay()
	m.agree(replica.Peer{Event: &zab.Stop{}})
	m.searches.Wait()
	var wg sync.WaitGroup
	wg.Go(m.links.Shutdown)
	wg.Go(m.elections.Close)
	wg.Wait()
}

// linkHandler hears of the links.
type linkHandler member

func (h *linkHandler) m() *member { return (*member)(h) }

func (h *linkHandler) LinkUp(l zab.Link, remote net.Addr) {
	if to, ok := h.links.Dialled(l); ok && l&1 != 0 {
		h.s.log.Info(fmt.Sprintf("Connected to server %d, to learn from it", to), "remote", remote)
	}
	h.m().agree(replica.Peer{Event: &zab.LinkUp{Link: l}})
}

func (h *linkHandler) LinkDown(l zab.Link, err error) {
	h.m().agree(replica.Peer{Event: &zab.LinkDown{Link: l}})
}

// Received takes the lock once for all packets that have come.
func (h *linkHandler) Received(l zab.Link, ps []zab.Packet) {
	s := h.s
	for _, p := range ps {
		h.m().received(p)
	}
	if slices.ContainsFunc(ps, isWork) {
		s.opt.Monitor.Busy()
	}
	received := zab.Received{Link: l}
	ev := replica.Peer{Event: &received, Now: time.Now().UnixMilli(), Clock: s.clock(), Heard: heard}
	var few [8]*conn
	for at := 0; at < len(ps); {
		s.mu.Lock()
		for at < len(ps) && s.eff.Sent() < highOutbox {
			received.Packet = ps[at]
			s.rep.Step(&ev, &s.eff)
			at++
		}
		dirty := s.perform(few[:0])
		alone := l&1 != 0 && len(ps) == 1 && s.rep.Undelivered() == 1 // from the leader
		s.mu.Unlock()
		if !alone {
			s.flush(dirty)
			continue
		}
		h.links.Flush()
		flushClients(dirty)
		h.m().alone()
	}
}

// isWork tells a packet from a sign of life.
func isWork(p zab.Packet) bool {
	_, ping := p.(*zab.Ping)
	return !ping
}

// Snapshot reads the tree that a leader sends.
func (h *linkHandler) Snapshot(l zab.Link, z zk.Zxid, r *bufio.Reader) error {
	t, sessions, err := h.s.store.ReadStream(r, z, h.fresh)
	if err != nil {
		return err
	}
	h.m().agree(replica.Peer{Event: &zab.Loaded{Link: l, Zxid: z}, Tree: t, Sessions: sessions})
	return context.Cause(h.s.ctx)
}
