package replica

import (
	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/watch"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// Config is what a replica is told at its start. Times are ms.
type Config struct {
	Prep              prep.Config
	Rules             *auth.Rules
	Seed              uint64       // for hash tables
	FirstSession      zk.SessionID // the id that the next new session gets
	Tick              int64
	MinTimeout        int32
	MaxTimeout        int32
	ContainerInterval int64 // between looks for containers and TTL nodes to remove
	ContainerRate     int   // removals a minute, at most
	NeverUsed         int64 // a container that never had a child goes after this; 0 is never
	Audit             bool  // give Effects.Audits
	ReadOnly          bool  // a voter that finds no leader answers reads (readonlymode.enabled)
	LocalSessions     bool  // of a member: new sessions are its own alone (localSessionsEnabled), and so are others'
	LeaderIdle        bool  // of a member: while it leads it has no clients (leaderServes=no)
	LocalUpgrade      bool  // one that creates an ephemeral becomes the ensemble's (localSessionsUpgradingEnabled)

	Zab *zab.Core // this server's part in the agreement of an ensemble; nil where it stands alone
}

// Replica is a server without its clock, disk and network.
type Replica struct {
	cfg      Config
	tree     *tree.Tree
	sessions *session.Table
	locals   *session.Table // of sessions that only this server knows
	member   *member        // nil where the server stands alone
	watches  *watch.Table
	prep     *prep.Prep // nil of a member that does not lead

	next      zk.SessionID
	conns     []*Conn // by watcher number; nil where free
	freeConns []watch.Watcher
	bySession map[zk.SessionID]*Conn

	proposed []proposal // not yet applied, in order of zxid
	phead    int
	inflight int       // requests in FIFOs
	spare    [][]entry // empty FIFOs, for whoever needs one
	syncing  []*Conn   // whose oldest request is a sync that waits for other sessions' txns
	syncDue  zk.Zxid   // the lowest zxid that one of them waits for

	changes []txn.Change
	notices []watch.Notice

	digests digests

	asked map[zk.Zxid]prep.Request // of the txns not yet applied, if they are audited

	doomed     []string // containers and TTL nodes whose time has come
	nextSweep  int64    // on Clock
	sweepQuota float64
	lastTick   int64 // Tick.Now
	lastClock  int64 // Tick.Clock
}

// proposal is a txn that is not on disk yet, and whom to answer.
type proposal struct {
	txn  *txn.Txn
	conn *Conn // nil where nobody waits
}

// New makes a replica of what a store has restored. Sessions start anew with their whole timeout from clock; for now and clock
// see Event.
func New(cfg Config, t *tree.Tree, sessions map[zk.SessionID]int32, now, clock int64) *Replica {
	r := &Replica{
		cfg: cfg, tree: t, watches: watch.New(cfg.Seed), next: cfg.FirstSession,
		bySession: map[zk.SessionID]*Conn{}, nextSweep: clock + cfg.ContainerInterval, lastTick: now, lastClock: clock,
	}
	r.sessions, r.locals = r.newSessions(sessions, clock), session.New(cfg.Tick)
	if cfg.Zab != nil {
		r.cfg.Prep.Ensemble = views{cfg.Zab}
		r.member = &member{core: cfg.Zab, role: cfg.Zab.Role(), sizes: noSizes, looking: clock}
		r.configure(cfg.Zab.Configs())
	} else {
		r.prep = prep.New(cfg.Prep, t, r.sessions)
	}
	return r
}

func (r *Replica) newSessions(all map[zk.SessionID]int32, clock int64) *session.Table {
	t := session.New(r.cfg.Tick)
	for id, timeout := range all {
		t.Add(id, timeout, clock)
	}
	return t
}

// renewed is the sessions of old with their whole time before them, none of them closing: what a leader that is gone had decided and
// not brought through is decided anew.
func (r *Replica) renewed(old *session.Table, clock int64) *session.Table {
	t := session.New(r.cfg.Tick)
	for _, s := range old.All() {
		t.Add(s.ID, s.Timeout, clock)
	}
	return t
}

// Event is something that happened: *Connect, *Request, *Synced, *Continue, *Tick, *Disconnect, *Expire, or, in an ensemble, *Peer in
// the place of *Synced.
//
// There are two times, both in ms. Now is the wall clock's, since 1970: it goes into transactions and is compared with a
// znode's mtime. Clock never steps, from whatever origin: sessions live by it, so that setting the wall clock ends none.
type Event interface{ event() }

// Connect is the first frame of a connection.
type Connect struct {
	Conn    *Conn
	Request wire.ConnectRequest // may alias the frame
	Now     int64
	Clock   int64
}

// Request is a later frame of a connection, decoded; see Decode.
type Request struct {
	Conn   *Conn
	Header wire.Header
	Op     wire.Op // kept: neither it nor what it refers to may be used again
	Err    error   // why there is no Op, from wire.Decoder
	Body   []byte  // the record that Op was decoded from, for the leader
	Now    int64
	Clock  int64 // matters in an ensemble only
	Since  int64 // given back in the Send that answers it

	Throttled bool // it is refused with ThrottledOp, in its turn
}

// Decode makes a Request of a frame without its length. It needs no lock. The request keeps the frame.
func Decode(c *Conn, frame []byte, now, since int64) Request {
	return DecodeBy(&wire.Decoder{Keep: true}, c, frame, now, since)
}

// DecodeBy is Decode with a decoder for many frames, whose Keep must be set.
func DecodeBy(d *wire.Decoder, c *Conn, frame []byte, now, since int64) Request {
	r := Request{Conn: c, Now: now, Since: since}
	if r.Header, r.Body, r.Err = d.Header(frame); r.Err == nil {
		r.Op, r.Err = d.Body(r.Header.Type, r.Body)
	}
	return r
}

// Synced says that every log record up to Zxid is on disk. One Step may leave some of them for another, with the same or a higher
// Zxid: Tree().LastZxid() tells how far it came.
type Synced struct {
	Zxid  zk.Zxid
	Clock int64
}

// Continue says that a connection of Effects.Behind has room for more answers.
type Continue struct{ Conn *Conn }

// Tick says what time it is, at least once each Config.Tick.
type Tick struct {
	Now   int64
	Clock int64
	Heard func(*Conn) int64 // when, on Clock, a connection was last heard from
}

// Expire says that a session's time is over now, whatever its client does. Only who leads can end one that is not local; else nothing
// happens.
type Expire struct {
	Session zk.SessionID
	Now     int64
	Clock   int64
}

// Peer is an event of the agreement.
type Peer struct {
	Event zab.Event
	Now   int64
	Clock int64
	Heard func(*Conn) int64 // as in Tick
	// Tree and Sessions come with a zab.Loaded, and with the zab.Synced that ends a zab.Truncate: what to go on with.
	Tree     *tree.Tree
	Sessions map[zk.SessionID]int32
}

// Disconnect says that a connection is gone.
type Disconnect struct {
	Conn  *Conn
	Heard int64 // when, on Clock, it was last heard from; 0 is not known
}

func (*Connect) event()    {}
func (*Request) event()    {}
func (*Synced) event()     {}
func (*Continue) event()   {}
func (*Tick) event()       {}
func (*Disconnect) event() {}
func (*Expire) event()     {}
func (*Peer) event()       {}

// Step takes one event. It is the only door that changes anything.
func (r *Replica) Step(ev Event, e *Effects) {
	var now, clock int64
	switch ev := ev.(type) {
	case *Request:
		now, clock = ev.Now, ev.Clock
		r.request(ev, e)
	case *Synced:
		r.synced(ev, e)
	case *Continue:
		r.drain(ev.Conn, e)
	case *Connect:
		now, clock = ev.Now, ev.Clock
		r.handshake(ev, e)
	case *Disconnect:
		r.parted(ev.Conn, ev.Heard)
		r.detach(ev.Conn)
		return
	case *Tick:
		now, clock = ev.Now, ev.Clock
		r.tick(ev, e)
	case *Expire:
		now, clock = ev.Now, ev.Clock
		r.expire(ev, e)
	case *Peer:
		now, clock = ev.Now, ev.Clock
		r.peer(ev)
	default:
		invariant.Check(false, invariant.TotalOrder, "unknown event %T", ev)
	}
	if r.member != nil {
		r.settle(now, clock, e)
	}
}

// propose prepares a write and gives its record to the log.
//
// In an ensemble the leader may find that the epoch has no zxid left. Then it has stepped down, and 0 is given: what was asked for
// has no outcome, and the connection is closed.
func (r *Replica) propose(req *prep.Request, c *Conn, clock int64, e *Effects) zk.Zxid {
	if r.member != nil {
		if _, ok := r.member.core.Next(); !ok {
			return 0
		}
	}
	x := r.prep.Prepare(req)
	r.proposed = append(r.proposed, proposal{x, c})
	if r.member == nil {
		e.Log = append(e.Log, x)
	} else {
		p := zab.Proposal{Zxid: x.Zxid, Payload: r.member.encode(x), Config: configOf(x), Value: x}
		r.member.core.Propose(p, clock)
		r.member.sizes.note(len(p.Payload))
		e.Orders.Proposed++
	}
	if r.cfg.Audit {
		r.ask(x.Zxid, req)
	}
	return x.Zxid
}

// InFlight is the number of requests taken and not answered.
func (r *Replica) InFlight() int { return r.inflight }

// Proposed is the number of txns that are not applied.
func (r *Replica) Proposed() int { return len(r.proposed) - r.phead }

// Tree, Sessions and Watches are for the driver to look at, under its lock; only Step changes them.
func (r *Replica) Tree() *tree.Tree { return r.tree }

// Sessions is the table of sessions.
func (r *Replica) Sessions() *session.Table { return r.sessions }

// Watches is the table of watches.
func (r *Replica) Watches() *watch.Table { return r.watches }

// ConnOf is the connection behind a watcher number.
func (r *Replica) ConnOf(w watch.Watcher) *Conn {
	if int(w) < len(r.conns) {
		return r.conns[w]
	}
	return nil
}

// Frozen is a consistent view of everything a snapshot holds.
type Frozen struct {
	View     *tree.View
	Sessions []session.Entry
}

// Freeze takes a view at the last applied zxid. The driver reads it with View.Next under its read lock and closes it.
func (r *Replica) Freeze() *Frozen {
	return &Frozen{View: r.tree.Freeze(), Sessions: r.sessions.All()}
}
