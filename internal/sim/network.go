package sim

import (
	"bufio"
	"bytes"
	"slices"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/zab"
)

// network is what is between the servers. Notifications have one slot for each direction of a pair, newest wins. Links are FIFO, and
// lose packets only with their end. What is blocked waits, as TCP has it.
type network struct {
	w       *world
	slots   map[[2]ensemble.SID]*slot
	pipes   []*pipe
	blocked map[[2]ensemble.SID]int // by how many partitions
}

// slot holds a notification that has not left.
type slot struct {
	n      *zab.Notification
	flying bool
}

// pipe is a link. Side 0 is the learner's, 1 the leader's.
type pipe struct {
	ends  [2]*server
	life  [2]int
	link  [2]zab.Link
	ways  [2]way  // to each end
	alive [2]bool // what each end believes
	slow  int64   // µs that it is slower than others

	said stream // by the leader, for the checkers
}

// way is one direction.
type way struct {
	parcels []parcel
	at      int64 // when the last parcel is due
	pumping bool
	cut     bool // what is sent from now on is lost
}

// parcel is a packet, what follows one, or the end.
type parcel struct {
	due     int64
	packet  zab.Packet
	tree    *shipment
	passage *zab.Passage // of the log, which is yet to be read; then its packets are in its place
}

// unread tells whether the sender has not read yet what is to go.
func (b *parcel) unread() bool { return b.passage != nil || b.tree != nil && b.tree.ready == nil }

// shipment is a tree on its way.
type shipment struct {
	snap   *zab.Snap
	ledger ledger
	ready  []byte // nil until the leader has read it all
}

func (n *network) init(w *world) {
	n.w, n.slots, n.blocked = w, map[[2]ensemble.SID]*slot{}, map[[2]ensemble.SID]int{}
}

func pair(a, b *server) [2]ensemble.SID { return [2]ensemble.SID{a.sid, b.sid} }

func (n *network) apart(a, b *server) bool { return n.blocked[pair(a, b)]+n.blocked[pair(b, a)] > 0 }

// notify puts a notification into its slot.
func (n *network) notify(s *server, m zab.Notify) {
	to := n.w.server(m.To)
	if !s.knows(to) && !to.knows(s) {
		return // nobody dials
	}
	sl := n.slots[pair(s, to)]
	if sl == nil {
		sl = &slot{}
		n.slots[pair(s, to)] = sl
	}
	sl.n = &m.Notification
	n.fly(s, to, sl)
}

func (n *network) fly(s, to *server, sl *slot) {
	if sl.flying {
		return
	}
	sl.flying = true
	w := n.w
	var land func()
	land = func() {
		if n.blocked[pair(s, to)] > 0 {
			w.after(w.between(5_000, 30_000), land)
			return
		}
		sl.flying = false
		m := *sl.n
		if w.nemesis.loses() {
			w.note("lost: notification of %d to %d", s.sid, to.sid)
			return
		}
		hear := func() {
			if w.plant == DeafServer && to.sid == 1 {
				return
			}
			w.note("%d hears %d: %v %d %v %d %d", to.sid, s.sid, m.State, m.Vote.Leader, m.Vote.Zxid, m.Vote.Round, m.Vote.Epoch)
			w.check.hears(to, m.Vote)
			to.agree(&zab.Notified{From: s.sid, Notification: m})
		}
		to.now(to.life, hear)
		if w.nemesis.repeats() {
			to.after(w.between(1, 300_000), hear)
		}
	}
	w.after(w.nemesis.latency(nil), land)
}

// meet tells two servers that their election ports are connected, or are not.
func (n *network) meet(a, b *server, up bool) {
	for _, p := range [][2]*server{{a, b}, {b, a}} {
		p[0].after(n.w.between(100, 5_000), func() {
			if up && (p[1].rep == nil || n.apart(a, b)) {
				return
			}
			p[0].agree(&zab.PeerConn{SID: p[1].sid, Up: up})
		})
	}
}

// arrived is a server's start.
func (n *network) arrived(s *server) {
	for _, o := range n.w.servers {
		if o != s && o.rep != nil && !n.apart(s, o) && (s.knows(o) || o.knows(s)) {
			n.meet(s, o, true)
		}
	}
}

// acquaint is arrived again, for those whom a configuration has made known to a server.
func (n *network) acquaint(s *server) {
	for _, o := range n.w.servers {
		if o != s && o.rep != nil && !n.apart(s, o) && s.knows(o) && !s.knew(o) && !o.knows(s) {
			n.meet(s, o, true)
		}
	}
}

// left is a server's end. Its peers may be told late.
func (n *network) left(s *server) {
	for _, o := range n.w.servers {
		if o != s && o.rep != nil {
			n.meet(s, o, false)
		}
	}
	late := n.w.nemesis.late()
	for _, p := range slices.Clone(n.pipes) {
		for side := range 2 {
			if p.ends[side] == s && p.alive[side] {
				p.alive[side] = false
				p.ways[side] = way{cut: true}
				n.finish(p, 1-side, late)
			}
		}
	}
}

// finish puts the end behind what is on its way to a side.
func (n *network) finish(p *pipe, side int, late int64) {
	y := &p.ways[side]
	if y.cut {
		return
	}
	for i := range y.parcels {
		if y.parcels[i].unread() {
			y.parcels = y.parcels[:i]
			break
		}
	}
	y.parcels = append(y.parcels, parcel{due: max(y.at, n.w.now+late)})
	y.cut = true
	n.pump(p, side)
}

func (n *network) find(s *server, l zab.Link) (*pipe, int) {
	for _, p := range n.pipes {
		for side := range 2 {
			if p.ends[side] == s && p.life[side] == s.life && p.link[side] == l && p.alive[side] {
				return p, side
			}
		}
	}
	return nil, 0
}

// dial is peer.Links.DialAny: an observer tries the masters first, and in the end the leader, too.
func (n *network) dial(s *server, d zab.Dial) {
	w, try := n.w, 1
	s.dialling = d.Link
	end := w.now + d.Budget*1000
	masters := s.masters(d.Leader)
	var attempt func()
	var knock func(doors []ensemble.SID)
	knock = func(doors []ensemble.SID) {
		if s.dialling != d.Link {
			return // given up
		}
		if len(doors) == 0 {
			if try == 5 || w.now >= end {
				s.agree(&zab.LinkDown{Link: d.Link})
				return
			}
			try++
			s.after(100_000, attempt)
			return
		}
		switch to := w.server(doors[0]); {
		case n.apart(s, to) && to.sid == d.Leader:
			s.after(end-w.now, func() { s.agree(&zab.LinkDown{Link: d.Link}) })
		case n.apart(s, to):
			s.after(min(1_000_000, end-w.now), func() { knock(doors[1:]) })
		case to.admits(s, d.Leader):
			n.link(s, to, d)
		default:
			knock(doors[1:])
		}
	}
	attempt = func() {
		doors := masters
		if len(masters) == 0 || try > 2 {
			doors = append(slices.Clone(masters), d.Leader)
		}
		knock(doors)
	}
	s.after(n.w.nemesis.latency(nil), attempt)
}

// link connects a learner to a server that admits it.
func (n *network) link(s, to *server, d zab.Dial) {
	w := n.w
	to.given += 2
	p := &pipe{ends: [2]*server{s, to}, life: [2]int{s.life, to.life}, link: [2]zab.Link{d.Link, to.given}, alive: [2]bool{true, true}}
	p.slow = w.nemesis.slow()
	n.pipes = append(n.pipes, p)
	w.note("link %d-%d", s.sid, to.sid)
	if to.sid != d.Leader {
		w.mastered++
	}
	to.now(to.life, func() { to.agree(&zab.LinkUp{Link: p.link[1]}) })
	s.after(w.nemesis.latency(p), func() {
		if p.alive[0] {
			s.agree(&zab.LinkUp{Link: d.Link})
		}
	})
}

// send sends a packet, and behind a Snap the tree.
func (n *network) send(s *server, o replica.LinkOrder) {
	p, side := n.find(s, o.Link)
	if p == nil {
		if o.Tree != nil {
			o.Tree.View.Close()
		}
		return
	}
	n.push(p, 1-side, parcel{packet: o.Packet})
	if o.Passage != nil {
		n.push(p, 1-side, parcel{passage: o.Passage})
		s.recount(o.Passage, func(packets []zab.Packet, err error) {
			if err != nil {
				n.w.note("%d: the log does not lead from %v to %v: %v", s.sid, o.Passage.After, o.Passage.To, err)
				n.close(s, o.Link)
				return
			}
			n.fill(p, 1-side, o.Passage, packets)
		})
	}
	if o.Tree == nil {
		return
	}
	t := &shipment{snap: o.Packet.(*zab.Snap), ledger: s.issued.cut(o.Packet.(*zab.Snap).Zxid)}
	n.push(p, 1-side, parcel{tree: t})
	s.pieces(o.Tree, func(all []byte) {
		var b bytes.Buffer
		if err := store.WriteStream(&b, s.frozen(o.Tree, once(all))); err != nil {
			n.w.fail("Stream", "server %d cannot write its tree: %v", s.sid, err)
		}
		o.Tree.View.Close()
		t.ready = b.Bytes()
		n.pump(p, 1-side)
	})
}

// fill puts what was read out of the log where it belongs.
func (n *network) fill(p *pipe, side int, of *zab.Passage, packets []zab.Packet) {
	y := &p.ways[side]
	at := slices.IndexFunc(y.parcels, func(b parcel) bool { return b.passage == of })
	if at < 0 {
		return // the link has ended
	}
	read := make([]parcel, len(packets))
	for i := range packets {
		read[i] = parcel{due: max(y.parcels[at].due, n.w.now), packet: packets[i]}
	}
	y.parcels = slices.Replace(y.parcels, at, at+1, read...)
	n.w.passages++
	n.pump(p, side)
}

func (n *network) push(p *pipe, side int, b parcel) {
	y := &p.ways[side]
	if y.cut {
		return
	}
	y.at = max(y.at, n.w.now+n.w.nemesis.latency(p))
	b.due = y.at
	y.parcels = append(y.parcels, b)
	n.pump(p, side)
}

// pump delivers what is due, one after the other.
func (n *network) pump(p *pipe, side int) {
	y := &p.ways[side]
	if y.pumping || len(y.parcels) == 0 {
		return
	}
	if y.parcels[0].unread() {
		return
	}
	y.pumping = true
	w := n.w
	w.after(y.parcels[0].due-w.now, func() {
		y := &p.ways[side]
		y.pumping = false
		if len(y.parcels) == 0 {
			return
		}
		if n.blocked[pair(p.ends[1-side], p.ends[side])] > 0 {
			y.parcels[0].due = w.now + w.between(2_000, 20_000)
			n.pump(p, side)
			return
		}
		b := y.parcels[0]
		y.parcels = y.parcels[1:]
		n.w.check.carried(p, side, b.packet)
		p.ends[side].now(p.life[side], func() { n.deliver(p, side, b) })
		n.pump(p, side)
	})
}

func (n *network) deliver(p *pipe, side int, b parcel) {
	if !p.alive[side] {
		return
	}
	s, l := p.ends[side], p.link[side]
	switch {
	case b.packet != nil:
		n.w.note("%d>%d %s", p.ends[1-side].sid, s.sid, say(b.packet))
		s.agree(&zab.Received{Link: l, Packet: n.w.plant.packet(n.w, s, b.packet)})
		if ack, ok := n.w.plant.acks(s, b.packet); ok {
			n.send(s, replica.LinkOrder{Send: zab.Send{Link: l, Packet: ack}})
		}
	case b.tree != nil:
		t, sessions, err := s.st.ReadStream(bufio.NewReader(bytes.NewReader(b.tree.ready)), b.tree.snap.Zxid, n.w.fresh)
		if err != nil {
			n.w.fail("Stream", "server %d cannot read a tree: %v", s.sid, err)
		}
		s.offered = b.tree.ledger
		s.step(&replica.Peer{Event: &zab.Loaded{Link: l, Zxid: b.tree.snap.Zxid}, Tree: t, Sessions: sessions})
	default:
		n.gone(p, side)
		n.w.note("%d: link to %d is down", s.sid, p.ends[1-side].sid)
		s.agree(&zab.LinkDown{Link: l})
	}
}

// gone ends a link for one side.
func (n *network) gone(p *pipe, side int) {
	p.alive[side] = false
	n.finish(p, 1-side, 0)
	if !p.alive[0] && !p.alive[1] {
		n.pipes = slices.DeleteFunc(n.pipes, func(q *pipe) bool { return p == q })
	}
}

// close is peer.Links.Close.
func (n *network) close(s *server, l zab.Link) {
	if s.dialling == l {
		s.dialling = 0
	}
	if p, side := n.find(s, l); p != nil {
		n.gone(p, side)
		s.after(n.w.between(1, 1000), func() { s.agree(&zab.LinkDown{Link: l}) })
	}
}

// reset ends a link in the middle. Each side finds out in its time, and what is under way is lost, or some of it.
func (n *network) reset(p *pipe) {
	for side := range 2 {
		y := &p.ways[side]
		if y.cut || !p.alive[side] {
			continue
		}
		y.parcels = y.parcels[:n.w.rng.IntN(len(y.parcels)+1)]
		n.finish(p, side, n.w.nemesis.late())
	}
}
