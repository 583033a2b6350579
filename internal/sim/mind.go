package sim

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/zooid-io/zooid/internal/clientcore"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// mind is what thinks in some of the clients: clientcore.Core, as package client ships it. It decides what is sent and when (the
// handshake, pings, watches that are set again, calls that waited), when a connection is given up, and what a frame means. The client
// around it still writes down what was asked and answered, by reading the frames on their way, so that the checkers see both the
// servers and the core: each effect of the core is compared with what the client knows.
type mind struct {
	c     *client
	core  *clientcore.Core
	order []int // of the servers
	at    int   // the next in it
	armed int64 // ms: when the timer will look
	asked []*call
	known bool // a server that serves knows the session
}

// newMind is that of a client: it goes through the servers in an order of its own.
func newMind(c *client) *mind {
	return &mind{c: c, order: c.w.rng.Perm(len(c.w.servers)), armed: never}
}

func (m *mind) now() int64 { return m.c.w.now / 1000 }

// renew begins a session if there is none.
func (m *mind) renew() {
	if m.core != nil && !m.core.State().Ended() {
		return
	}
	c, w := m.c, m.c.w
	c.session, c.watches, c.lasting, c.seen, c.xid = 0, nil, nil, 0, 0
	c.timeout = int32(w.Tick * w.between(2, 20))
	m.asked, m.armed, m.known = nil, never, false
	m.core = clientcore.New(clientcore.Config{Timeout: c.timeout, ReadOnly: c.content, Handshake: w.between(200, 1500), MaxRequest: 1 << 20})
}

// connect tries the next server.
func (m *mind) connect() {
	c, w := m.c, m.c.w
	m.renew()
	if !m.known {
		c.session = 0 // if there is one, it was a read-only server's
	}
	s := w.servers[m.order[m.at%len(m.order)]]
	m.at++
	if s.rep == nil {
		w.after(w.between(1_000, 50_000), c.connect)
		return
	}
	k := &conn{c: c, s: s, life: s.life, here: true, there: true, from: w.now, spoke: w.now, heard: s.clock()}
	c.conn = k
	k.rc = replica.NewConn(k, zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	s.conns = append(s.conns, k)
	m.core.Connected(m.now())
	m.settle()
}

// ask hands a call to the core, which may keep it until there is a connection.
func (m *mind) ask(a *call) {
	if _, closes := a.op.(*wire.CloseSession); closes {
		m.core.Close(m.now())
		m.settle()
		return
	}
	a.called, a.returned = m.c.w.now, -1
	m.asked = append(m.asked, a)
	m.core.Submit(m.now(), &clientcore.Call{Op: a.op, Reply: replyTo(a.op), Watch: a.core(), Owner: a})
	m.settle()
}

// replyTo is what an answer is read into, nil where nobody reads it.
func replyTo(op wire.Op) wire.Reply {
	switch op := op.(type) {
	case *wire.Create:
		return &wire.PathReply{}
	case *wire.SetData, *wire.Exists:
		return &wire.StatReply{}
	case *wire.GetData:
		return &wire.DataReply{}
	case *wire.GetChildren:
		if op.WithStat {
			return &wire.Children2Reply{}
		}
		return &wire.ChildrenReply{}
	case *wire.Multi:
		return &wire.MultiReply{}
	}
	return nil
}

// core is the watch that a call asks for, as the core knows it; nil is none.
func (a *call) core() *clientcore.Watch {
	op, ok := a.op.(*wire.AddWatch)
	if !ok {
		return a.watch.core()
	}
	kind := clientcore.Persistent
	if op.Mode == zk.WatchPersistentRecursive {
		kind = clientcore.Recursive
	}
	return &clientcore.Watch{Kind: kind, Path: op.Path}
}

// core is a one-shot watch as the core knows it.
func (t *armed) core() *clientcore.Watch {
	if t == nil {
		return nil
	}
	return &clientcore.Watch{Kind: [...]clientcore.Kind{clientcore.Data, clientcore.Exist, clientcore.Child}[t.kind], Path: t.path}
}

// settle does what the core wants, and gives what it says of calls and watches.
func (m *mind) settle() (fired []clientcore.Fired, done []*clientcore.Call) {
	e := m.core.Effects()
	fired, done = slices.Clone(e.Fired), slices.Clone(e.Done)
	for _, k := range done {
		if !k.Sent {
			m.asked = slices.DeleteFunc(m.asked, func(a *call) bool { return a == k.Owner })
		}
	}
	if k := m.c.conn; k != nil && k.here {
		m.flush(k)
		if e.Hangup != nil {
			m.c.w.note("client %d: %v", m.c.id, e.Hangup)
			k.cut()
		}
	}
	m.arm()
	return fired, done
}

// flush sends what the core has, frame by frame.
func (m *mind) flush(k *conn) {
	for b := m.core.Bytes(nil); len(b) > 0; {
		n := 4 + binary.BigEndian.Uint32(b)
		m.sends(k, b[4:n])
		b = b[n:]
	}
}

// sends writes down what a frame asks for, and sends it.
func (m *mind) sends(k *conn, frame []byte) {
	c, s, w := m.c, k.s, m.c.w
	m.silence(k)
	k.spoke = w.now
	if !k.hailed {
		k.hailed = true
		var req wire.ConnectRequest
		if err := req.Decode(frame); err != nil {
			w.fail("SessionFIFO", "client %d greets with what cannot be read: %v", c.id, err)
		}
		if req.SessionID != c.session || req.LastZxidSeen != c.seen {
			w.fail("SessionMonotone", "client %d of session %v has seen %v, and greets as %v with %v", c.id, c.session, c.seen, req.SessionID, req.LastZxidSeen)
		}
		w.note("client %d connects to %d, session %v, seen %v", c.id, s.sid, req.SessionID, req.LastZxidSeen)
		k.toServer(func() { s.greet(k, req) })
		return
	}
	a := m.asks(frame)
	if _, closes := a.op.(*wire.CloseSession); closes && !k.asked {
		c.watches, c.lasting = nil, nil // it sets none anew on the connection that it closes
	}
	k.asked = true
	a.client, a.session, a.returned = c.id, c.session, -1
	k.pending = append(k.pending, a)
	if a.xid > 0 {
		w.history.calls = append(w.history.calls, a)
		w.history.wants(a)
	}
	k.toServer(func() {
		k.heard = s.clock()
		if w.plant != "" && w.plant.hasty(s, k, frame) {
			return
		}
		s.request(k, frame)
	})
}

// silence looks whether a client has spoken often enough, and has not waited for too long.
func (m *mind) silence(k *conn) {
	w, ms := m.c.w, int64(m.c.timeout)
	if k.ready && w.now-k.spoke > (ms/3+1)*1000 || k.ready && w.now-k.from > (ms*2/3+1)*1000 {
		w.fail("Liveness", "client %d, timeout %d ms, has last spoken at %d µs, and heard at %d µs", m.c.id, ms, k.spoke, k.from)
	}
}

// asks is the call that a frame is for: the oldest that was asked and not sent, or one of the core's own.
func (m *mind) asks(frame []byte) *call {
	w := m.c.w
	d := wire.Decoder{Keep: true}
	h, body, err := d.Header(frame)
	var op wire.Op
	if err == nil {
		op, err = d.Body(h.Type, body)
	}
	switch {
	case err != nil:
		w.fail("SessionFIFO", "client %d sends what cannot be read: %v", m.c.id, err)
	case h.Xid > 0 && h.Type != wire.OpCloseSession:
		if len(m.asked) == 0 || m.asked[0].op.OpCode() != h.Type {
			w.fail("SessionFIFO", "client %d sends %s %d, and %d calls wait to be sent", m.c.id, h.Type, h.Xid, len(m.asked))
		}
		a := m.asked[0]
		m.asked = m.asked[1:]
		a.xid = h.Xid
		return a
	}
	return &call{op: op, xid: h.Xid, called: w.now}
}

// arm sets the timer to the core's deadline.
func (m *mind) arm() {
	at := m.core.Deadline()
	if at >= m.armed {
		return
	}
	m.armed = at
	core := m.core
	m.c.w.after((at-m.now())*1000, func() {
		if m.core != core || m.armed != at {
			return
		}
		m.armed = never
		core.Tick(m.now())
		m.settle()
		if due := m.core.Deadline(); due <= m.now() {
			m.c.w.fail("Liveness", "client %d: its core wants to be told at %d what it was told at %d", m.c.id, due, m.now())
		}
	})
}

// noticed takes the frame of a notice. before are the watches that the client had.
func (m *mind) noticed(ev zk.Event, before []*armed, frame []byte) {
	m.take(frame)
	fired, _ := m.settle()
	m.fired(ev, before, fired)
}

// answered takes the frame of the answer to a call.
func (m *mind) answered(a *call, frame []byte) {
	m.take(frame)
	if z := m.core.LastZxid(); z != m.c.seen {
		m.c.w.fail("SessionMonotone", "client %d has seen %v, and its core says %v", m.c.id, m.c.seen, z)
	}
	_, done := m.settle()
	m.done(a, done)
}

// take gives a frame to the core.
func (m *mind) take(frame []byte) {
	if err := m.core.Received(m.now(), frame[4:]); err != nil {
		m.c.w.fail("SessionFIFO", "the core of client %d objects: %v", m.c.id, err)
	}
}

// done compares what the core has made of an answer with what the client has.
func (m *mind) done(a *call, done []*clientcore.Call) {
	c, w := m.c, m.c.w
	_, closes := a.op.(*wire.CloseSession)
	if a.xid < 0 || closes {
		return // the core's own
	}
	if len(done) == 0 || done[0].Owner != a || done[0].Code != a.code {
		w.fail("SessionFIFO", "client %d gets the answer to %s %d, %d, and its core says %+v", c.id, a.op.OpCode(), a.xid, a.code, done)
		return
	}
	same := true
	if a.code == zk.OK {
		switch r := done[0].Reply.(type) {
		case *wire.PathReply:
			same = r.Path == a.path
		case *wire.StatReply:
			same = r.Stat == a.stat
		case *wire.DataReply:
			same = r.Stat == a.stat && bytes.Equal(r.Data, a.data)
		case *wire.ChildrenReply:
			same = slices.Equal(r.Children, a.names)
		case *wire.Children2Reply:
			same = slices.Equal(r.Children, a.names) && r.Stat == a.stat
		}
	}
	if !same {
		w.fail("ReadTruth", "client %d: the answer to %s %d is another for its core", c.id, a.op.OpCode(), a.xid)
	}
}

// fired compares the watches that a notice has spent with those that the core has fired.
func (m *mind) fired(ev zk.Event, before []*armed, fired []clientcore.Fired) {
	spent := func(t *armed) bool { return !slices.Contains(m.c.watches, t) }
	for _, t := range before {
		if spent(t) && !slices.ContainsFunc(fired, func(f clientcore.Fired) bool { return f.Watch.Kind == t.core().Kind && f.Watch.Path == t.path }) {
			m.c.w.fail("WatchBeforeData", "client %d: the notice %d of %s is for its watch, and its core has not fired it", m.c.id, ev.Type, ev.Path)
		}
	}
	for _, f := range fired {
		if lasts(f.Watch) {
			if !slices.ContainsFunc(m.c.lasting, func(t *lasting) bool {
				return t.path == f.Watch.Path && t.recursive == (f.Watch.Kind == clientcore.Recursive)
			}) {
				m.c.w.fail("PersistentWatch", "client %d: its core fires a persistent watch of %s that it does not have, for the notice %d of %s", m.c.id, f.Watch.Path, ev.Type, ev.Path)
			}
			continue
		}
		if !slices.ContainsFunc(before, func(t *armed) bool { return spent(t) && f.Watch.Kind == t.core().Kind && f.Watch.Path == t.path }) {
			m.c.w.fail("OneShot", "client %d: its core fires a watch of %s for the notice %d of %s", m.c.id, f.Watch.Path, ev.Type, ev.Path)
		}
	}
}

func lasts(w *clientcore.Watch) bool {
	return w.Kind == clientcore.Persistent || w.Kind == clientcore.Recursive
}

// welcomed takes the answer to the handshake.
func (m *mind) welcomed(k *conn, frame []byte) {
	c, w := m.c, m.c.w
	var r wire.ConnectResponse
	if err := r.Decode(frame[4:]); err != nil {
		w.fail("SessionFIFO", "client %d cannot read the answer to its handshake: %v", c.id, err)
	}
	if r.SessionID == 0 && c.session == 0 {
		w.note("client %d is refused a session", c.id)
		k.cut()
		return
	}
	if r.SessionID == 0 {
		w.note("client %d: session %v has expired", c.id, c.session)
		m.take(frame)
		if !m.core.State().Ended() {
			w.fail("SessionFIFO", "session %v of client %d is over, and its core says %d", c.session, c.id, m.core.State())
		}
		m.settle()
		return
	}
	if c.session != 0 && c.session != r.SessionID {
		w.fail("SessionFIFO", "client %d asks for session %v and gets %v", c.id, c.session, r.SessionID)
	}
	w.check.welcomed(c, k, &r)
	m.known = m.known || !r.ReadOnly
	c.session, c.timeout, k.ready, k.spoke = r.SessionID, r.TimeOut, true, w.now
	w.note("client %d: session %v on %d, read-only %t", c.id, c.session, k.s.sid, r.ReadOnly)
	w.check.connected(c, k)
	m.take(frame)
	m.settle()
}

// cut is the end of a connection: what was sent is lost, and what was not waits on.
func (m *mind) cut(k *conn, lost []*call) {
	m.silence(k)
	m.core.Disconnected()
	_, done := m.settle()
	for _, a := range lost {
		_, closes := a.op.(*wire.CloseSession)
		if a.xid > 0 && !closes && !m.core.State().Ended() && !slices.ContainsFunc(done, func(k *clientcore.Call) bool { return k.Owner == a && k.Sent }) {
			m.c.w.fail("SessionFIFO", "client %d has lost %s %d, and its core has not said so", m.c.id, a.op.OpCode(), a.xid)
		}
	}
}

// turn asks for something now and then, whether there is a connection or not.
func (m *mind) turn() {
	c := m.c
	c.w.after(c.w.between(100, 2*c.w.Think*1000), func() {
		if c.closed {
			return
		}
		n := len(m.asked)
		if k := c.conn; k != nil {
			n += len(k.pending)
			if k.tired() {
				k.cut()
			}
		}
		if m.core != nil && !c.done && n < c.w.Window {
			c.act(c.conn)
		}
		m.turn()
	})
}
