package sim

import (
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// server is one server: the replica and the store as they ship, and what package server does for them, in virtual time.
type server struct {
	w    *world
	sid  ensemble.SID
	mem  *vfs.Mem
	fs   *vfs.Faulty
	st   *store.Store
	rep  *replica.Replica // nil: it is down
	eff  replica.Effects
	life int // what was planned in an earlier life does not happen

	paused  bool
	backlog []func()
	origin  int64 // ms of its steady clock when the world began
	skew    int64 // ms that its wall clock is ahead
	armed   int64 // ms: when the timer will look
	role    zab.Role
	disk    disk
	core    *zab.Core
	membership
	conns []*conn
	given zab.Link // the last even number

	spell    *spell   // while it is in read-only mode
	cached   []byte   // a planted bug's
	dialling zab.Link // the last link that was asked for, unless it was given up

	// What the checkers compare with.
	issued  ledger // what the disk will have
	durable ledger
	shot    ledger   // what the newest snapshot shows: a quorum of others may have it, and not this server's log
	limbo   []ledger // what the disk may have instead, if the power goes: the outcomes of the operation under way
	epochs  [2]zab.Epoch
	checked int // of issued, compared with the history
	shown   zk.Zxid
	begins  bool   // it serves, and was not looked at since
	offered ledger // of the tree that a leader's stream has brought, until it is installed
}

func newServer(w *world, sid ensemble.SID) *server {
	s := &server{w: w, sid: sid, mem: vfs.NewMem(), origin: w.between(1000, 1_000_000)}
	s.kept.committed = w.first
	return s
}

// clock is ms that never step; wall is ms since 1970.
func (s *server) clock() int64 { return s.origin + s.w.now/1000 }
func (s *server) wall() int64  { return 1_700_000_000_000 + s.w.now/1000 + s.skew }

// after lets something happen to this life of the server. While it is paused it waits.
func (s *server) after(us int64, do func()) {
	life := s.life
	s.w.after(us, func() { s.now(life, do) })
}

func (s *server) now(life int, do func()) {
	switch {
	case s.life != life || s.rep == nil:
	case s.paused:
		s.backlog = append(s.backlog, func() { s.now(life, do) })
	default:
		do()
	}
}

// resume ends a pause.
func (s *server) resume() {
	s.paused = false
	backlog := s.backlog
	s.backlog = nil
	for i, do := range backlog {
		if s.paused {
			s.backlog = append(s.backlog, backlog[i:]...)
			return
		}
		do()
	}
}

var discard = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))

// recent is how many txns a server remembers of its log.
const recent = 500

// open opens what is on the disk.
func (s *server) open() (*store.Store, *store.Restored, error) {
	w := s.w
	st, err := store.Open(s.fs, "data", "", store.Options{
		PreAlloc: w.PreAlloc, ForceSync: w.plant != UnsyncedDisk, SnapCount: w.SnapCount, LogSizeLimit: w.LogSizeLimit, AutoCreateDir: true, AutoCreateDB: true,
		Digest: true, LastZxid: true, ExtendedTypes: true, Compression: w.Compression, Logger: discard, Recent: recent,
		Now:  func() time.Time { return time.UnixMilli(s.wall()) },
		Rand: func(n int) int { return w.rng.IntN(max(n, 1)) },
	})
	if err != nil {
		return nil, nil, err
	}
	res, err := st.Restore(w.fresh)
	return st, res, err
}

// start starts the server on what is on its disk.
func (s *server) start() {
	w := s.w
	if !s.listed() {
		w.note("%d does not start: it is not in its own list of servers", s.sid)
		return
	}
	s.fs = vfs.NewFaulty(s.mem)
	s.life++
	s.eff = replica.Effects{}
	st, res, err := s.open()
	if err != nil {
		w.fail("Restart", "server %d cannot read its disk: %v", s.sid, err)
	}
	accepted, current, err := st.Epochs(res.LastZxid)
	if err != nil {
		w.fail("Restart", "server %d cannot read its epochs: %v", s.sid, err)
	}
	w.check.restored(s, res, zab.Epoch(accepted), zab.Epoch(current))
	configs := s.configs()
	w.check.starts(s, &configs)
	s.st = st
	d := zab.Durable{
		Accepted: zab.Epoch(accepted), Current: zab.Epoch(current), Last: res.LastZxid,
		Configs: configs,
	}
	for _, e := range res.Recent {
		d.Recent = append(d.Recent, zab.Proposal{Zxid: e.Zxid, Payload: e.Payload})
	}
	if w.Reconfig {
		replica.Understand(d.Recent)
	}
	core := zab.New(zab.Options{
		SID: s.sid, Tick: w.Tick, InitLimit: w.InitLimit, SyncLimit: w.SyncLimit, MaxNotification: w.MaxNotification, CommitLog: 500,
		ForceSnapshot: w.ForceSnapshot, Reconfig: w.Reconfig, CommitLogBytes: w.Memory, Passages: w.Factor >= 0, Master: w.Masters,
	}, d, s.clock())
	s.core = core
	s.rep = replica.New(replica.Config{
		Prep: prep.Config{
			Rules: w.rules, ExtendedTypes: true, CloseSessionPaths: w.CloseSessionPaths, Digest: true, MaxTxn: 2 << 20, ReconfigEnabled: w.Reconfig,
		},
		Rules: w.rules, Seed: w.Seed, FirstSession: session.FirstID(int64(s.sid), s.wall()), Tick: w.Tick,
		MinTimeout: int32(2 * w.Tick), MaxTimeout: int32(20 * w.Tick), ContainerInterval: w.Sweep, ContainerRate: 10000,
		LocalSessions: w.Local && (w.plant != GlobalSession || s.sid != 1), LocalUpgrade: w.Local && w.Upgrade, ReadOnly: w.ReadOnly, Zab: core,
	}, res.Tree, res.Sessions, s.wall(), s.clock())
	s.role = zab.Role{Leader: ensemble.NoSID}
	s.disk, s.conns, s.given, s.armed = disk{}, nil, 0, never
	s.checked, s.shown, s.offered, s.dialling, s.spell = 0, -1, nil, 0, nil
	s.see(d.Configs)
	w.note("%d starts at %v, epochs %d %d", s.sid, res.LastZxid, accepted, current)
	s.step(&replica.Peer{Event: &zab.Timer{}})
	s.tick()
	w.net.arrived(s)
}

const never = 1<<63 - 1

// stop ends the server's life: crash is the loss of what was not synced.
func (s *server) stop(crash bool) {
	if s.rep == nil {
		return
	}
	if crash {
		s.mem = s.mem.Crash(s.w.rng)
	} else if err := s.st.Close(); err != nil {
		s.mem = s.mem.Crash(s.w.rng)
	}
	s.rep, s.st, s.paused, s.backlog = nil, nil, false, nil
	s.life++
	s.role, s.port, s.master = zab.Role{Leader: ensemble.NoSID}, 0, false
	s.w.net.left(s)
	for _, c := range slices.Clone(s.conns) {
		c.broken()
	}
	s.conns = nil
}

// crash is the end without a word.
func (s *server) crash(why string) {
	s.w.note("%d crashes: %s", s.sid, why)
	s.stop(true)
}

// leave is the end as an operator wants it.
func (s *server) leave() {
	if s.rep == nil {
		return
	}
	s.w.note("%d leaves", s.sid)
	s.agree(&zab.Stop{})
	if s.rep != nil {
		s.stop(false)
	}
}

func (s *server) agree(ev zab.Event) { s.step(&replica.Peer{Event: ev}) }

// step gives the replica an event, and does what follows.
func (s *server) step(ev replica.Event) {
	if p, ok := ev.(*replica.Peer); ok {
		p.Now, p.Clock, p.Heard = s.wall(), s.clock(), s.heard
	}
	s.rep.Step(ev, &s.eff)
	s.perform()
}

// greet gives the replica a client's handshake.
func (s *server) greet(k *conn, req wire.ConnectRequest) {
	k.heard = s.clock()
	if s.rep.ReadOnly() {
		k.spell = s.spell
	}
	s.step(&replica.Connect{Conn: k.rc, Request: req, Now: s.wall(), Clock: s.clock()})
}

func (s *server) heard(rc *replica.Conn) int64 { return rc.Tag.(*conn).heard }

// tick is server.tickLoop.
func (s *server) tick() {
	tick := s.w.Tick
	s.after((tick-s.clock()%tick)*1000, func() {
		now := s.wall()
		if s.w.plant == HastySweep {
			now += 10_000
		}
		s.step(&replica.Tick{Now: now, Clock: s.clock(), Heard: s.heard})
		s.tick()
	})
}

// perform is server.perform and member.carryOut.
func (s *server) perform() {
	w := s.w
	e := &s.eff
	for i := range e.Sends {
		send := &e.Sends[i]
		w.check.reply(s, send)
		for range w.plant.sends(w, send) {
			send.Conn.Tag.(*conn).answer(e.Bytes(send), send.Close)
		}
	}
	for _, rc := range e.Behind {
		s.after(w.between(10, 500), func() { s.step(&replica.Continue{Conn: rc}) })
	}
	e.Reset()

	o := &e.Orders
	if o.Config != nil {
		s.see(*o.Config)
		w.net.acquaint(s)
	}
	if o.Role != nil {
		s.become(*o.Role)
	}
	for i := range o.Disk {
		s.give(o.Disk[i])
	}
	w.plant.disturb(s)
	w.check.state(s)
	w.check.replied(s)
	for i := range o.Notify {
		w.check.notify(s, &o.Notify[i])
		w.net.notify(s, o.Notify[i])
	}
	for i := range o.Links {
		if w.plant.loses(w, o.Links[i].Packet) {
			continue
		}
		w.check.send(s, &o.Links[i])
		w.net.send(s, o.Links[i])
	}
	for _, q := range o.Search {
		s.search(q)
	}
	for _, d := range o.Dial {
		w.net.dial(s, d)
	}
	for _, l := range o.Close {
		w.net.close(s, l)
	}
	for _, text := range o.Trace {
		w.note("%d: %s", s.sid, text)
	}
	o.Reset()
	if at := s.rep.Deadline(); at < s.armed {
		s.arm(at)
	}
}

// arm sets the timer.
func (s *server) arm(at int64) {
	s.armed = at
	s.after((at-s.clock())*1000, func() {
		if s.armed != at {
			return // a nearer one was set
		}
		s.armed = never
		if due := s.rep.Deadline(); s.clock() < due {
			if due < never {
				s.arm(due)
			}
			return
		}
		s.agree(&zab.Timer{})
	})
}

// become is member.become.
func (s *server) become(r zab.Role) {
	was := s.role
	if s.w.plant == WrongEpoch && r.State == zab.Leading && r.Serving && r.Epoch > 1 {
		r.Epoch--
	}
	s.role = r
	s.listen()
	s.w.note("%d is %v of %d epoch %d serving %v", s.sid, r.State, r.Leader, r.Epoch, r.Serving)
	if r.Serving && !was.Serving {
		s.checked, s.shown, s.begins = 0, -1, true
	}
}

// frozen is a view for the store to write.
func (s *server) frozen(f *replica.Frozen, next func([]byte, int) ([]byte, bool)) store.Snapshot {
	sn := store.Snapshot{Zxid: f.View.Zxid(), ACLs: f.View.ACLs(), Digest: f.View.Digest(), HasDigest: true, Next: next}
	for _, e := range f.Sessions {
		sn.Sessions = append(sn.Sessions, store.Session{ID: e.ID, Timeout: e.Timeout})
	}
	return sn
}
