package zab

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// world is an ensemble in one value: cores, their disks and trees, notifications and links. It watches, at each step, what has to
// hold always (section 11.4).
type world struct {
	t      *testing.T
	seed   uint64
	now    int64
	rng    *rand.Rand
	config *ensemble.Config
	opts   Options
	nodes  []*node // by sid-1
	slots  map[[2]ensemble.SID]*Notification
	pipes  []*pipe
	even   Link
	// What a client may have been told, in order. It only grows.
	history []Proposal
	reigns  map[Epoch]ensemble.SID // established
	highest Epoch
	writes  int
	idle    int
	// How often something was sent out of the log.
	passages int
	weak     bool // disks fail
	failures int
	mastered int      // how often an observer came to a follower
	trace    []string // the last of what happened
}

// node is a server.
type node struct {
	w       *world
	sid     ensemble.SID
	core    *Core // nil: it is down
	disk    []Disk
	done    uint64
	saved   saved
	tree    []Proposal // delivered
	checked int        // of the tree
	loading []Proposal
	install []Proposal // of the last Install
	loads   Link
	dial    *Dial
	dialled int64
	search  []Search // not answered yet
	role    Role
	asked   []question
}

type question struct {
	n       uint64
	epoch   Epoch
	highest Epoch
}

// saved is what is durable.
type saved struct {
	accepted, current Epoch
	log               []Proposal // all that ever was, as if no snapshot were taken
}

// pipe is a link.
type pipe struct {
	ends  [2]*node // learner, leader
	link  [2]Link
	ways  [2][]parcel // to each end
	alive [2]bool     // what each end believes
}

type parcel struct {
	packet Packet // nil: the end
	tree   []Proposal
}

func newWorld(t *testing.T, seed uint64, voters, observers int) *world {
	w := &world{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), slots: map[[2]ensemble.SID]*Notification{}, even: 2,
		reigns: map[Epoch]ensemble.SID{}, config: &ensemble.Config{},
		opts: Options{Tick: 100, InitLimit: 10, SyncLimit: 5, MaxNotification: 2000}}
	for i := range voters + observers {
		sid := ensemble.SID(i + 1)
		w.config.Members = append(w.config.Members, ensemble.Member{ID: sid, Observer: i >= voters, Peers: []ensemble.Addr{{Host: "h", QuorumPort: 2888, ElectionPort: 3888}}})
		w.nodes = append(w.nodes, &node{w: w, sid: sid})
	}
	return w
}

func (w *world) node(sid ensemble.SID) *node { return w.nodes[sid-1] }

func (w *world) note(format string, args ...any) {
	if len(w.trace) > 400 {
		w.trace = w.trace[200:]
	}
	w.trace = append(w.trace, fmt.Sprintf("%d ", w.now)+fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	for _, l := range w.trace {
		w.t.Log(l)
	}
	w.t.Fatalf("seed %d, at %d: %s", w.seed, w.now, fmt.Sprintf(format, args...))
}

// start starts a server from what it has saved.
func (n *node) start() {
	o := n.w.opts
	o.SID = n.sid
	var last zk.Zxid
	if len(n.saved.log) > 0 {
		last = n.saved.log[len(n.saved.log)-1].Zxid
	}
	recent := n.saved.log[max(0, len(n.saved.log)-5):]
	n.tree, n.checked, n.disk, n.done = slices.Clone(n.saved.log), 0, nil, 0
	n.dial, n.loading, n.loads, n.asked, n.search = nil, nil, 0, nil, nil
	n.role = Role{Leader: ensemble.NoSID}
	n.core = New(o, Durable{Accepted: n.saved.accepted, Current: n.saved.current, Last: last, Recent: slices.Clone(recent),
		Configs: Configs{n.w.config, n.w.config}}, n.w.now)
	n.w.note("%d starts", n.sid)
	n.perform()
}

// crash loses what is not durable. How much of what is under way is durable nobody knows.
func (n *node) crash() {
	n.w.note("%d crashes", n.sid)
	n.sync(n.w.rng.IntN(len(n.disk)+1), false)
	n.core = nil
	for _, p := range slices.Clone(n.w.pipes) {
		if p.ends[0] == n || p.ends[1] == n {
			n.w.cut(p)
		}
	}
}

// cut ends a link for both.
func (w *world) cut(p *pipe) {
	w.pipes = slices.DeleteFunc(w.pipes, func(q *pipe) bool { return p == q })
	for i, n := range p.ends {
		if n.core != nil && p.alive[i] {
			p.alive[i] = false
			n.step(&LinkDown{p.link[i]})
		}
	}
}

func (n *node) step(ev Event) {
	if n.core == nil {
		return
	}
	n.core.Step(ev, n.w.now)
	n.perform()
}

// sync makes operations durable.
func (n *node) sync(k int, tell bool) {
	for i, d := range n.disk[:k] {
		s := &n.saved
		if n.w.weak && tell && n.w.rng.IntN(4) == 0 && n.fails(i) {
			if k = i; i == 0 {
				return
			}
			break
		}
		switch d := d.(type) {
		case *WriteAccepted:
			if d.Epoch <= s.accepted {
				n.w.fail("EpochMonotone: %d accepts %d after %d", n.sid, d.Epoch, s.accepted)
			}
			s.accepted = d.Epoch
		case *WriteCurrent:
			if d.Epoch <= s.current || d.Epoch > s.accepted {
				n.w.fail("EpochMonotone: %d joins %d after %d, accepted %d", n.sid, d.Epoch, s.current, s.accepted)
			}
			s.current = d.Epoch
		case *Append:
			if len(s.log) > 0 && !follows(s.log[len(s.log)-1].Zxid, d.Zxid) {
				n.w.fail("LogContiguous: %d logs %v", n.sid, d.Zxid)
			}
			s.log = append(slices.Clip(s.log), d.Proposal)
		case *Truncate:
			i := slices.IndexFunc(s.log, func(p Proposal) bool { return p.Zxid == d.Zxid })
			if i < 0 && d.Zxid != 0 {
				n.w.fail("%d truncates to %v, which it does not have", n.sid, d.Zxid)
			}
			s.log = slices.Clip(s.log[:i+1])
			if n.core != nil {
				n.tree, n.checked = slices.Clone(s.log), 0
			}
		case *Install:
			s.log = slices.Clip(slices.Clone(n.install))
		}
	}
	n.disk = n.disk[k:]
	n.done += uint64(k)
	if tell && k > 0 {
		n.step(&Synced{n.done})
	}
}

// fails lets the i-th operation fail, if it may. The first, when all before it are done, does so at once.
func (n *node) fails(i int) bool {
	d, s := n.disk[i], &n.saved
	_, install := d.(*Install)
	if _, truncate := d.(*Truncate); !truncate && !install {
		return false
	}
	if i > 0 {
		return true
	}
	if install && n.w.rng.IntN(2) == 0 { // nobody knows
		s.log = slices.Clip(slices.Clone(n.install))
	}
	n.w.note("%d: the disk fails", n.sid)
	n.w.failures++
	n.disk, n.tree, n.checked = nil, slices.Clone(s.log), 0
	n.step(&Failed{s.last(), s.current})
	return true
}

func (s *saved) last() zk.Zxid {
	if len(s.log) == 0 {
		return 0
	}
	return s.log[len(s.log)-1].Zxid
}

func (s *saved) has(z zk.Zxid) bool {
	_, ok := slices.BinarySearchFunc(s.log, z, func(p Proposal, z zk.Zxid) int { return int(int64(p.Zxid) - int64(z)) })
	return ok
}

// perform does what a Ready says.
func (n *node) perform() {
	w := n.w
	r := n.core.Ready()
	for _, s := range r.Trace {
		w.note("%d: %s", n.sid, s)
	}
	established := false
	if r.Role != nil {
		established = r.Role.Serving && !n.role.Serving && r.Role.State == Leading
		n.role = *r.Role
	}
	for _, p := range r.Committed {
		if len(n.tree) > 0 && p.Zxid <= n.tree[len(n.tree)-1].Zxid {
			w.fail("TotalOrder: %d applies %v", n.sid, p.Zxid)
		}
		n.tree = append(n.tree, p)
		if n.core.phase == leading {
			n.w.durable(n, p.Zxid)
		}
	}
	for _, d := range r.Disk {
		if _, ok := d.(*Install); ok {
			if len(n.tree) == 0 || n.tree[len(n.tree)-1].Zxid != d.(*Install).Zxid {
				n.tree, n.checked = slices.Clone(n.loading), 0
			}
			n.install = slices.Clone(n.tree)
		}
		n.disk = append(n.disk, d)
	}
	if n.role.Serving {
		n.check(established)
	}
	for _, m := range r.Notify {
		m := m
		w.slots[[2]ensemble.SID{n.sid, m.To}] = &m.Notification
	}
	n.search = append(n.search, r.Search...)
	for _, s := range r.Send {
		n.truth(s.Packet)
		p, side := w.pipe(n, s.Link)
		if p == nil {
			w.fail("%d sends on link %d, which is down", n.sid, s.Link)
		}
		b := parcel{packet: s.Packet}
		if snap, ok := s.Packet.(*Snap); ok {
			b.tree = slices.Clone(n.tree)
			if last := b.tree; len(last) == 0 && snap.Zxid != 0 || len(last) > 0 && last[len(last)-1].Zxid != snap.Zxid {
				w.fail("%d sends SNAP %v of another tree", n.sid, snap.Zxid)
			}
		}
		p.ways[1-side] = append(p.ways[1-side], b)
		if s.Passage != nil {
			p.ways[1-side] = append(p.ways[1-side], n.passage(s.Passage)...)
		}
	}
	if r.Dial != nil {
		n.dial, n.dialled = r.Dial, w.now
	}
	for _, l := range r.Close {
		if n.dial != nil && n.dial.Link == l {
			n.dial = nil
		}
		if p, side := w.pipe(n, l); p != nil {
			p.alive[side] = false
			p.ways[1-side] = append(p.ways[1-side], parcel{})
			if !p.alive[1-side] {
				w.pipes = slices.DeleteFunc(w.pipes, func(q *pipe) bool { return p == q })
			}
		}
	}
	for _, u := range r.Upper {
		if p, ok := u.Packet.(*Ping); ok && !p.Answer {
			if !n.core.Send(0, &Ping{Zxid: p.Zxid, Answer: true}) {
				w.fail("%d cannot answer a PING", n.sid)
			}
			n.perform()
		}
	}
	n.answered()
}

// passage is what a driver reads out of the log: here all of it is there, and what was delivered may not be on disk yet.
func (n *node) passage(p *Passage) (list []parcel) {
	last := p.After
	for _, x := range n.tree {
		if x.Zxid > p.After && x.Zxid <= p.To {
			if last = x.Zxid; len(list) == 0 && !follows(p.After, x.Zxid) {
				n.w.fail("%d sends %v behind %v", n.sid, x.Zxid, p.After)
			}
			list = append(list, parcel{packet: &Propose{x}}, parcel{packet: &Commit{x.Zxid}})
		}
	}
	if last != p.To {
		n.w.fail("%d sends the log up to %v, and has it to %v", n.sid, p.To, last)
	}
	n.w.passages++
	return list
}

// find answers the oldest Search, and sometimes the log is not what it takes.
func (n *node) find() {
	q := n.search[0]
	n.search = n.search[1:]
	f := &Found{Link: q.Link, At: -1}
	for _, x := range n.saved.log {
		if x.Zxid <= q.Last {
			f.At = x.Zxid
		}
	}
	f.OK = f.At >= 0 && n.saved.has(q.To) && n.w.rng.IntN(10) > 0
	n.step(f)
}

// durable is CommitDurable.
func (w *world) durable(leader *node, z zk.Zxid) {
	if !w.config.Quorum(func(sid ensemble.SID) bool { return w.node(sid).saved.has(z) }) {
		w.fail("CommitDurable: %d commits %v", leader.sid, z)
	}
}

// truth is AckTruth: what is said is durable.
func (n *node) truth(p Packet) {
	ok := true
	unlogged := n.core.o.Unlogged && n.core.role == Observing // what it says counts nowhere
	switch p := p.(type) {
	case *LeaderInfo:
		ok = n.saved.accepted == p.Epoch
	case *AckEpoch:
		ok = n.saved.accepted == n.core.accepted && (p.Current == -1 || p.Current == n.saved.current) &&
			(p.Last == n.saved.last() || unlogged || n.core.hollow && p.Last == 0 && (p.Current == -1 || n.core.role == Observing))
	case *Ack:
		if p.Zxid.Counter() == 0 {
			ok = n.saved.current == Epoch(p.Zxid.Epoch()) || unlogged
		} else {
			ok = n.saved.has(p.Zxid)
		}
	}
	if !ok {
		n.w.fail("AckTruth: %d sends %s %+v", n.sid, packetName(p), p)
	}
}

// check compares the tree of a server that serves with what clients were told: PrefixConsistency, NoLostWrite.
func (n *node) check(established bool) {
	w := n.w
	if established {
		e := n.role.Epoch
		if by, ok := w.reigns[e]; ok {
			w.fail("Leadership: %d and %d lead epoch %d", by, n.sid, e)
		}
		w.reigns[e] = n.sid
		w.highest = max(w.highest, e)
		if len(n.tree) < len(w.history) {
			w.fail("NoLostWrite: %d leads epoch %d with %d of %d", n.sid, e, len(n.tree), len(w.history))
		}
	}
	for ; n.checked < len(n.tree); n.checked++ {
		p := n.tree[n.checked]
		if n.checked == len(w.history) {
			w.history = append(w.history, p)
		} else if q := w.history[n.checked]; q.Zxid != p.Zxid || !bytes.Equal(p.Payload, q.Payload) {
			w.fail("PrefixConsistency: %d has %v %q, others %v %q", n.sid, p.Zxid, p.Payload, q.Zxid, q.Payload)
		}
	}
}

// ask asks for a sync.
func (n *node) ask() {
	n.asked = append(n.asked, question{n.core.Confirm(n.w.now), n.role.Epoch, n.w.highest})
	n.perform()
}

// answered checks that who confirms a question led when it was asked.
func (n *node) answered() {
	if !n.role.Serving || n.role.State != Leading {
		n.asked = nil
	}
	for len(n.asked) > 0 && n.asked[0].n <= n.core.Confirmed() {
		if q := n.asked[0]; q.epoch < q.highest {
			n.w.fail("%d confirms that it led epoch %d, after epoch %d had begun", n.sid, q.epoch, q.highest)
		}
		n.asked = n.asked[1:]
	}
}

func (w *world) pipe(n *node, l Link) (*pipe, int) {
	for _, p := range w.pipes {
		for i := range p.ends {
			if p.ends[i] == n && p.link[i] == l && p.alive[i] {
				return p, i
			}
		}
	}
	return nil, 0
}

// connect lets a dial succeed, if its leader listens, or fail when it is due.
func (n *node) connect() {
	w, d := n.w, n.dial
	if d == nil || n.core == nil {
		return
	}
	to := w.node(d.Leader)
	if m := w.nodes[w.rng.IntN(len(w.nodes))]; n.role.State == Observing && w.opts.Master && m != n {
		to = m
	}
	switch {
	case to.core != nil && (to.role.State == Leading || to.role.State == Following && to.role.Serving && w.opts.Master && n.role.State == Observing):
		if to.role.State == Following {
			w.mastered++
		}
		n.dial = nil
		p := &pipe{ends: [2]*node{n, to}, link: [2]Link{d.Link, w.even}, alive: [2]bool{true, true}}
		w.even += 2
		w.pipes = append(w.pipes, p)
		to.step(&LinkUp{p.link[1]})
		n.step(&LinkUp{p.link[0]})
	case w.now >= n.dialled+d.Budget:
		n.dial = nil
		n.step(&LinkDown{d.Link})
	}
}

// carry delivers the next parcel to one end of a link.
func (w *world) carry(p *pipe, side int) {
	if len(p.ways[side]) == 0 || !p.alive[side] {
		return
	}
	b := p.ways[side][0]
	p.ways[side] = p.ways[side][1:]
	n := p.ends[side]
	if n.core == nil {
		return
	}
	if b.packet == nil {
		p.alive[side] = false
		w.pipes = slices.DeleteFunc(w.pipes, func(q *pipe) bool { return p == q })
		n.step(&LinkDown{p.link[side]})
		return
	}
	n.step(&Received{p.link[side], b.packet})
	if snap, ok := b.packet.(*Snap); ok && n.core.phase == loading {
		n.loading = b.tree
		n.step(&Loaded{p.link[side], snap.Zxid})
	}
}

// tell delivers one notification.
func (w *world) tell(from, to ensemble.SID) {
	k := [2]ensemble.SID{from, to}
	if m := w.slots[k]; m != nil && w.node(to).core != nil {
		delete(w.slots, k)
		w.node(to).step(&Notified{from, *m})
	}
}

// calm runs the ensemble without faults for a time.
func (w *world) calm(ms int64, until func() bool) bool {
	for end := w.now + ms; w.now < end; w.now += 5 {
		for range 3 {
			for _, a := range w.nodes {
				for _, b := range w.nodes {
					w.tell(a.sid, b.sid)
				}
				a.connect()
			}
			for _, p := range slices.Clone(w.pipes) {
				for side := range 2 {
					for range len(p.ways[side]) {
						w.carry(p, side)
					}
				}
			}
			for _, n := range w.nodes {
				n.sync(len(n.disk), n.core != nil)
				for n.core != nil && len(n.search) > 0 {
					n.find()
				}
			}
		}
		if until() {
			return true
		}
		for _, n := range w.nodes {
			if n.core != nil && w.now >= n.core.Deadline() {
				n.step(&Timer{})
			}
		}
	}
	return false
}

// leader is the newest one that serves. There may be an older one, which has not heard.
func (w *world) leader() *node {
	var newest *node
	for _, n := range w.nodes {
		if n.core != nil && n.role.State == Leading && n.role.Serving && (newest == nil || n.role.Epoch > newest.role.Epoch) {
			newest = n
		}
	}
	return newest
}

// propose lets a leader write something. It tells whether that led.
func (n *node) propose() bool {
	z, ok := n.core.Next()
	if ok {
		n.w.writes++
		n.core.Propose(Proposal{Zxid: z, Payload: fmt.Appendf(nil, "%d by %d", n.w.writes, n.sid)}, n.w.now)
	}
	n.perform()
	return ok
}

// all tells whether every server serves in the newest epoch, and has all that was told.
func (w *world) all() bool {
	for _, n := range w.nodes {
		if n.core == nil || !n.role.Serving || n.role.Epoch != w.highest || len(n.tree) != len(w.history) {
			return false
		}
	}
	return true
}

func TestThreeServersElectSyncAndBroadcast(t *testing.T) {
	w := newWorld(t, 1, 3, 1)
	for _, n := range w.nodes {
		n.start()
	}
	if !w.calm(5000, w.all) {
		w.fail("no leader")
	}
	for range 10 {
		if !w.leader().propose() {
			w.fail("the leader does not lead")
		}
	}
	if !w.calm(1000, func() bool { return len(w.history) == 10 && w.all() }) {
		w.fail("10 writes, and %d are committed", len(w.history))
	}
	// A server that was away gets a difference; the leader's end makes the others elect anew.
	old := w.leader()
	old.crash()
	if !w.calm(10000, func() bool { return w.leader() != nil }) {
		w.fail("no second leader")
	}
	w.leader().propose()
	old.start()
	if !w.calm(5000, func() bool { return len(w.history) == 11 && w.all() }) {
		w.fail("not all serve")
	}
}
