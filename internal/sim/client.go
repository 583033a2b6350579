package sim

import (
	"fmt"
	"slices"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// client is a model of a client: one session at a time, requests in flight, watches that it arms anew, servers that it changes. It
// writes down what it asked and what it was told, and when.
type client struct {
	w       *world
	id      int
	conn    *conn // nil between connections
	session zk.SessionID
	timeout int32 // ms
	seen    zk.Zxid
	xid     int32
	watches []*armed
	lasting []*lasting
	done    bool // asks for nothing more
	closed  bool
	content bool  // with a read-only server
	mind    *mind // nil: this model does it all by itself
	guest   Guest // who has this connection only, and no session in this world; see Ensemble
}

// conn is a connection of a client. The client's side and the server's end by themselves.
type conn struct {
	c      *client
	s      *server
	life   int
	rc     *replica.Conn
	heard  int64 // ms of the server's clock
	up     lane
	down   lane
	here   bool   // the client's side is open
	there  bool   // the server's side is
	ready  bool   // the session is established
	spell  *spell // the server is in read-only mode; nil: it serves
	hailed bool   // the handshake was sent, by a mind
	asked  bool   // so was something behind it

	pending []*call // not answered, in order
	from    int64   // µs: when the server was last heard
	spoke   int64   // µs: when the client last spoke
	held    []byte  // a planted bug's
	wrote   zk.Zxid // of the last write that was answered
}

// lane is one direction of a connection: FIFO.
type lane struct{ at int64 }

func (l *lane) due(w *world) int64 {
	l.at = max(l.at, w.now+w.nemesis.latency(nil))
	return l.at - w.now
}

// call is a request, and what became of it.
type call struct {
	client   int
	session  zk.SessionID
	xid      int32
	op       wire.Op
	called   int64 // µs
	returned int64 // µs; -1 is never
	code     zk.Code
	zxid     zk.Zxid
	path     string // of a create
	data     []byte
	stat     zk.Stat
	names    []string
	alone    bool  // by a read-only server, which shows what it has
	synced   int64 // µs: of a read right behind a sync, when that was called; else -1
	watch    *armed
	rearm    []*armed
}

func newClient(w *world, id int) *client {
	return &client{w: w, id: id, content: w.ReadOnly && w.chance(2)}
}

// begin connects after a while.
func (c *client) begin() {
	c.w.after(c.w.between(0, 300_000), c.connect)
	if c.mind != nil {
		c.mind.turn()
	}
}

// connect tries a server.
func (c *client) connect() {
	w := c.w
	if c.conn != nil || c.closed {
		return
	}
	if c.content && w.chance(4) {
		c.anew() // a read-only server takes in nobody who has a session
	}
	if c.mind != nil {
		c.mind.connect()
		return
	}
	s := w.servers[w.rng.IntN(len(w.servers))]
	if s.rep == nil {
		w.after(w.between(1_000, 50_000), c.connect)
		return
	}
	if c.session == 0 {
		c.timeout = int32(w.Tick * w.between(2, 20))
	}
	k := &conn{c: c, s: s, life: s.life, here: true, there: true, from: w.now, spoke: w.now, heard: s.clock()}
	c.conn = k
	if c.session == 0 {
		c.xid = 0
	}
	k.rc = replica.NewConn(k, zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	s.conns = append(s.conns, k)
	req := wire.ConnectRequest{TimeOut: c.timeout, SessionID: c.session, LastZxidSeen: c.seen, HasReadOnly: true, ReadOnly: c.content}
	if c.session != 0 {
		p := session.Password(c.session)
		req.Password = p[:]
	}
	w.note("client %d connects to %d, session %v, seen %v", c.id, s.sid, c.session, c.seen)
	k.toServer(func() { s.greet(k, req) })
	c.watchdog(k)
}

// anew is another client in the place of this one, which leaves its session to its timeout.
func (c *client) anew() {
	if m := c.mind; m != nil && m.core != nil {
		m.core.Detach()
		m.settle()
	}
	c.session, c.watches, c.lasting, c.seen = 0, nil, nil, 0
}

// watchdog gives up a connection that is silent, and keeps one alive.
func (c *client) watchdog(k *conn) {
	w := c.w
	third := int64(c.timeout) * 1000 / 3
	w.after(third/4, func() {
		if !k.here {
			return
		}
		if w.now-k.from > 2*third {
			k.cut()
			return
		}
		if k.ready && w.now-k.spoke > third {
			c.ask(&call{op: &wire.Ping{}, xid: wire.XidPing})
		}
		c.watchdog(k)
	})
}

// toServer lets something happen at the server, behind what was sent before.
func (k *conn) toServer(do func()) {
	k.c.w.after(k.up.due(k.c.w), func() {
		k.s.now(k.life, func() {
			if k.there {
				do()
			}
		})
	})
}

// toClient lets something happen at the client.
func (k *conn) toClient(do func()) {
	k.c.w.after(k.down.due(k.c.w), func() {
		if k.here {
			do()
		}
	})
}

// cut is the client's end of a connection.
func (k *conn) cut() {
	if !k.here {
		return
	}
	k.here = false
	c := k.c
	c.w.note("client %d leaves %d, %d in flight", c.id, k.s.sid, len(k.pending))
	lost := k.pending
	k.pending = nil // their outcome is not known
	c.conn = nil
	for _, t := range c.lasting {
		t.live = false
	}
	switch {
	case c.mind != nil:
		c.mind.cut(k, lost)
	case k.spell != nil && c.session != 0 && c.w.chance(2):
		c.session = 0 // as clientcore does; else it tries what becomes of a session that it should not go on with
	}
	if c.guest != nil {
		c.guest.Closed()
	}
	k.toServer(func() {
		k.gone()
		k.s.step(&replica.Disconnect{Conn: k.rc, Heard: k.heard})
	})
	c.w.after(c.w.between(100, 50_000), c.connect)
}

// tired is true now and then of a connection to a read-only server: the client looks for another.
func (k *conn) tired() bool { return k.spell != nil && k.ready && k.c.w.chance(50) }

// gone ends the server's side.
func (k *conn) gone() {
	k.there = false
	for i, o := range k.s.conns {
		if o == k {
			k.s.conns = append(k.s.conns[:i:i], k.s.conns[i+1:]...)
			return
		}
	}
}

// broken is a connection whose server is no more.
func (k *conn) broken() {
	k.there = false
	k.toClient(k.cut)
}

// answer is what the server sends: a frame, or nothing, and perhaps the end.
func (k *conn) answer(b []byte, end bool) {
	if !k.there {
		return
	}
	if len(b) > 0 {
		frame := append([]byte(nil), b...)
		if w := k.c.w; w.plant == SwappedReplies && k.held == nil && k.ready && w.chance(50) {
			k.held = frame
			return
		}
		k.toClient(func() { k.c.receive(k, frame) })
		if held := k.held; held != nil {
			k.held = nil
			k.toClient(func() { k.c.receive(k, held) })
		}
	}
	if end {
		k.gone()
		k.toClient(k.cut)
		// The replica has let go of it already; Disconnect does no harm.
		k.s.after(k.c.w.between(1, 1000), func() { k.s.step(&replica.Disconnect{Conn: k.rc, Heard: k.heard}) })
	}
}

// ask sends a request.
func (c *client) ask(a *call) {
	if c.mind != nil {
		c.mind.ask(a)
		return
	}
	k := c.conn
	if a.xid == 0 {
		c.xid++
		a.xid = c.xid
	}
	a.client, a.session, a.called, a.returned = c.id, c.session, c.w.now, -1
	k.pending = append(k.pending, a)
	k.spoke = c.w.now
	if a.xid > 0 {
		c.w.history.calls = append(c.w.history.calls, a)
		c.w.history.wants(a)
	}
	frame := wire.AppendRequestFrame(nil, a.xid, a.op)[4:]
	s := k.s
	k.toServer(func() {
		k.heard = s.clock()
		if w := c.w; w.plant != "" && w.plant.hasty(s, k, frame) {
			return
		}
		s.request(k, frame)
	})
}

// request is conn.reads and conn.requests of package server.
func (s *server) request(k *conn, frame []byte) {
	d := wire.Decoder{Keep: true}
	if h, body, err := d.Header(frame); err == nil && h.Type.FromClient() && !h.Type.IsWrite() && h.Type != wire.OpSync && h.Type != wire.OpAuth {
		if op, err := d.Body(h.Type, body); err == nil {
			if out, ok := s.rep.Read(k.rc, h, op, nil); ok {
				k.answer(out, false)
				return
			}
		}
	}
	r := replica.Decode(k.rc, frame, s.wall(), 0)
	r.Clock = s.clock()
	s.step(&r)
}

// receive takes a frame.
func (c *client) receive(k *conn, frame []byte) {
	if c.guest != nil {
		c.guest.Receive(frame)
		return
	}
	w := c.w
	k.from = w.now
	switch {
	case k.ready && c.mind != nil && c.mind.core.State().Ended():
		return // of a connection that is about to be closed
	case k.ready:
	case c.mind != nil:
		c.mind.welcomed(k, frame)
		return
	default:
		c.welcomed(k, frame)
		return
	}
	d := jute.NewDecoder(frame[4:])
	var h wire.ReplyHeader
	h.Decode(d)
	if h.Xid == wire.XidNotice {
		ev := wire.DecodeNotice(d, h.Zxid)
		w.note("client %d: notice %d %s %v", c.id, ev.Type, ev.Path, ev.Zxid)
		before := slices.Clone(c.watches)
		w.check.notice(c, ev)
		if c.mind != nil {
			c.mind.noticed(ev, before, frame)
		}
		return
	}
	if len(k.pending) == 0 || k.pending[0].xid != h.Xid {
		w.fail("SessionFIFO", "client %d gets the answer to %d, and waits for %d requests", c.id, h.Xid, len(k.pending))
		return
	}
	a := k.pending[0]
	k.pending = k.pending[1:]
	a.returned, a.code, a.zxid = w.now, h.Err, h.Zxid
	c.decode(a, d)
	if err := d.Err(); err != nil {
		w.fail("SessionFIFO", "client %d cannot read the answer to %T: %v", c.id, a.op, err)
	}
	w.note("client %d: %s %d: %d %v", c.id, a.op.OpCode(), a.xid, a.code, a.zxid)
	w.check.answered(c, k, a)
	c.seen = max(c.seen, h.Zxid)
	if _, ok := a.op.(*wire.CloseSession); ok {
		c.session, c.watches, c.lasting = 0, nil, nil
	}
	if c.mind != nil {
		c.mind.answered(a, frame)
	}
}

func (c *client) decode(a *call, d *jute.Decoder) {
	if a.code != zk.OK {
		return
	}
	switch op := a.op.(type) {
	case *wire.Create:
		r := wire.PathReply{}
		r.Decode(d)
		a.path = r.Path
	case *wire.Reconfig:
		r := wire.DataReply{}
		r.Decode(d)
		a.data, a.stat = r.Data, r.Stat
	case *wire.SetData, *wire.Exists:
		r := wire.StatReply{}
		r.Decode(d)
		a.stat = r.Stat
	case *wire.GetData:
		r := wire.DataReply{}
		r.Decode(d)
		a.data, a.stat = r.Data, r.Stat
	case *wire.GetChildren:
		if op.WithStat {
			r := wire.Children2Reply{}
			r.Decode(d)
			a.names, a.stat = r.Children, r.Stat
		} else {
			r := wire.ChildrenReply{}
			r.Decode(d)
			a.names = r.Children
		}
	case *wire.Multi:
		r := wire.MultiReply{}
		r.Decode(d)
	}
}

// welcomed takes the answer to the handshake.
func (c *client) welcomed(k *conn, frame []byte) {
	w := c.w
	var r wire.ConnectResponse
	if err := r.Decode(frame[4:]); err != nil {
		w.fail("SessionFIFO", "client %d cannot read the answer to its handshake: %v", c.id, err)
	}
	if r.SessionID == 0 {
		w.note("client %d: session %v has expired", c.id, c.session)
		c.session, c.watches, c.lasting, c.seen = 0, nil, nil, 0
		k.cut()
		return
	}
	if c.session != 0 && c.session != r.SessionID {
		w.fail("SessionFIFO", "client %d asks for session %v and gets %v", c.id, c.session, r.SessionID)
	}
	w.check.welcomed(c, k, &r)
	c.session, c.timeout, k.ready = r.SessionID, r.TimeOut, true
	w.note("client %d: session %v on %d, read-only %t", c.id, c.session, k.s.sid, r.ReadOnly)
	w.check.connected(c, k)
	if len(c.watches)+len(c.lasting) > 0 {
		c.rearm()
	}
	c.turn(k)
}

// turn asks for something now and then.
func (c *client) turn(k *conn) {
	c.w.after(c.w.between(100, 2*c.w.Think*1000), func() {
		if !k.here || c.session == 0 {
			return
		}
		if k.tired() {
			k.cut()
			return
		}
		if !c.done && len(k.pending) < c.w.Window {
			c.act(k)
		}
		c.turn(k)
	})
}

// value is one that no other write has.
func (c *client) value() []byte {
	c.w.values++
	return fmt.Appendf(nil, "%d.%d", c.id, c.w.values)
}

// end lets a client ask for nothing more: it closes its session if it can, and else leaves it to its timeout.
func (c *client) end() {
	c.done, c.closed = true, true
	if k := c.conn; k != nil && k.ready && c.session != 0 && c.w.chance(2) {
		c.ask(&call{op: &wire.CloseSession{}})
	} else if k != nil {
		k.cut()
	}
}
