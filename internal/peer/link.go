package peer

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/zab"
)

// link is one connection on the quorum port.
type link struct {
	id   zab.Link
	s    *Links
	from Side // who is at the other end
	// Of a link that is dialled: instead of the leader, if any; and who it is.
	masters []Master
	to      ensemble.SID // guarded by mu
	addr    string       // where; for run
	heard   bool         // something has come; for run
	lag     int          // bound of commits; 0 is none
	ctx     context.Context
	cancel  context.CancelFunc // ends a dial
	wake    chan struct{}      // capacity 1: there is something in queue, or closing
	done    chan struct{}      // closed when dead

	mu      sync.Mutex
	conn    net.Conn // nil while it is dialled
	sock    *sock    // nil where only the writer can write
	queue   []entry
	writing bool   // somebody writes, and nobody else may: the writer, or a flush
	posted  bool   // a flush is due
	rest    []byte // that a flush has begun to write, for the writer
	scratch []byte // of the flush that is writing
	spare   []entry
	waiting int          // bytes in queue and on their way
	commits int          // of these, of commits; if lag bounds them
	since   time.Time    // when the first of queue came, if Left wants to know
	sid     ensemble.SID // of a learner that has said who it is; else NoSID
	closing bool
	closeBy time.Time
	dead    bool
	err     error // why
}

// entry is a packet or a stream.
type entry struct {
	packet zab.Packet
	stream func(io.Writer) error
}

func newLink(s *Links, id zab.Link, from Side) *link {
	l := &link{id: id, s: s, from: from, sid: ensemble.NoSID, wake: make(chan struct{}, 1), done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(s.ctx)
	return l
}

func (l *link) send(e entry, size int) bool {
	l.mu.Lock()
	ok := l.enqueue(e, size)
	l.mu.Unlock()
	wake(l.wake)
	return ok
}

// post is send without waking the writer; first says that a flush was not due before.
func (l *link) post(e entry, size int) (ok, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ok = l.enqueue(e, size); ok && !l.posted {
		l.posted, first = true, true
	}
	return ok, first
}

// enqueue is called with the lock held.
func (l *link) enqueue(e entry, size int) bool {
	switch {
	case l.closing || l.dead:
		return false
	case l.waiting+size > l.s.o.MaxQueue:
		l.end(ErrQueue)
		return false
	}
	if n := l.lagging(e.packet, size); n > 0 {
		if l.commits > 0 && l.commits+n > l.lag {
			l.s.log.Warn("An observer is too far behind, and has to come again", "sid", l.sid, "bytes", l.commits+n)
			l.end(ErrLag)
			return false
		}
		l.commits += n
	}
	l.waiting += size
	if l.s.o.Left != nil && len(l.queue) == 0 && l.sid != ensemble.NoSID {
		l.since = time.Now()
	}
	l.queue = append(l.queue, e)
	return true
}

// lagging is how much a packet counts towards lag.
func (l *link) lagging(p zab.Packet, size int) int {
	if l.lag > 0 {
		switch p.(type) {
		case *zab.Inform, *zab.InformActivate:
			return size
		}
	}
	return 0
}

// flush writes what is queued, if that is packets and few, the socket takes them at once, and nobody is writing. Everything else is the
// writer's.
func (l *link) flush() {
	l.mu.Lock()
	l.posted = false
	if l.writing && !l.dead {
		l.mu.Unlock()
		return // who writes looks again
	}
	if l.sock == nil || l.closing || l.dead || l.waiting > batchBytes || len(l.rest) > 0 || streams(l.queue) {
		l.mu.Unlock()
		wake(l.wake)
		return
	}
	l.writing = true
	batch := l.queue
	l.queue, l.spare = l.spare[:0], nil
	buf, size, commits := l.scratch[:0], l.waiting, l.commits
	l.leave(len(batch))
	l.mu.Unlock()
	for i := range batch {
		buf = AppendPacket(buf, batch[i].packet)
	}
	n, err := l.sock.tryWrite(buf)
	clear(batch)
	l.mu.Lock()
	l.writing = false
	l.waiting -= size
	l.commits -= commits
	l.spare, l.scratch = batch, buf
	if err == nil && n < len(buf) {
		l.rest, l.scratch = buf[n:], nil
	}
	more := len(l.queue) > 0 || len(l.rest) > 0 || l.closing || l.dead
	l.mu.Unlock()
	if err != nil {
		l.fail(err)
	}
	if more {
		wake(l.wake)
	}
}

// leave tells of packets that leave. The caller holds the lock.
func (l *link) leave(n int) {
	if l.s.o.Left != nil && n > 0 && l.sid != ensemble.NoSID {
		l.s.o.Left(l.sid, n, time.Since(l.since))
	}
}

// introduced notes who a learner is.
func (l *link) introduced(batch []zab.Packet) {
	for _, p := range batch {
		if p, ok := p.(*zab.LearnerInfo); ok {
			l.mu.Lock()
			l.sid, l.since = p.SID, time.Now()
			l.mu.Unlock()
		}
	}
}

// streams tells whether one of the entries is a stream.
func streams(q []entry) bool {
	for i := range q {
		if q[i].stream != nil {
			return true
		}
	}
	return false
}

// fail ends a link at once. The first reason counts.
func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(err)
}

// end is fail with the lock held.
func (l *link) end(err error) {
	if l.dead {
		return
	}
	l.dead, l.err = true, err
	if l.closing {
		l.err = nil
	}
	if l.conn != nil {
		l.conn.Close()
	}
	close(l.done)
}

// close ends a link behind what is in its queue.
func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing || l.dead {
		return
	}
	l.closing = true
	l.closeBy = time.Now().Add(l.s.o.CloseTimeout)
	l.cancel()
	if l.conn != nil {
		_ = l.conn.SetDeadline(l.closeBy) // on error it is closed already
	}
	wake(l.wake)
}

func (l *link) isClosing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closing
}

// run is the life of a link. d is nil of an accepted one.
func (l *link) run(d *zab.Dial) {
	defer l.cancel()
	announced := d != nil // whether somebody waits to hear of its end
	err := l.open(d)
	if err == nil {
		announced = true
		l.mu.Lock()
		l.sock = newSock(l.conn)
		l.mu.Unlock()
		l.s.o.Handler.LinkUp(l.id, l.conn.RemoteAddr())
		var writer sync.WaitGroup
		writer.Go(l.write)
		if err = l.read(); l.isClosing() {
			writer.Wait() // both ends may be closing: the other one still reads
		}
		l.fail(err)
		writer.Wait()
	}
	l.fail(err)
	l.discard()
	if l.addr != "" && !l.heard {
		l.s.routes.bad(l.addr)
	}
	l.s.mu.Lock()
	delete(l.s.links, l.id)
	l.s.mu.Unlock()
	if announced {
		l.s.o.Handler.LinkDown(l.id, l.err)
	} else {
		l.s.log.Info("A connection to the quorum port is refused", "err", err)
	}
}

// open dials, if that is to be done, and does what comes before packets.
func (l *link) open(d *zab.Dial) error {
	leader := ensemble.NoSID
	if d != nil {
		c, addr, to, err := l.s.connect(l.ctx, d, l.masters)
		if err != nil {
			return err
		}
		leader, l.addr = to, addr
		l.mu.Lock()
		l.conn, l.to = c, to
		l.mu.Unlock()
	}
	if l.s.o.Authenticate != nil {
		if err := l.deadline(l.s.o.GreetTimeout); err != nil {
			return err
		}
		if err := l.s.o.Authenticate(l.conn, leader, d != nil); err != nil {
			return err
		}
	}
	return l.deadline(0)
}

// deadline bounds what is read and written from now on; 0 takes the bound away. It fails if the link is closed.
func (l *link) deadline(d time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing || l.dead {
		return errStop
	}
	var t time.Time
	if d != 0 {
		t = time.Now().Add(d)
	}
	return l.conn.SetDeadline(t)
}

// read hands over what comes until the link ends.
func (l *link) read() error {
	h := l.s.o.Handler
	r := PacketReader{R: bufio.NewReaderSize(l.conn, 64<<10), From: l.from, MaxField: l.s.o.MaxField}
	var batch []zab.Packet
	for {
		var stream *zab.Snap
		p, err := r.Next()
		for ; ; p, err = r.Next() {
			if err == nil {
				batch = append(batch, p)
				if stream, _ = p.(*zab.Snap); stream != nil && l.from == Leader {
					break // what follows is no packet
				}
				stream = nil
			} else if u, ok := err.(*UnknownError); ok {
				l.s.log.Debug("Packet is ignored", "link", uint64(l.id), "type", u.Type, "zxid", u.Zxid)
				err = nil
			}
			if err != nil || len(batch) >= batchPackets || !r.whole() {
				break
			}
		}
		if l.isClosing() {
			return l.linger(r.R)
		}
		if len(batch) > 0 {
			if !l.heard && l.addr != "" {
				l.s.routes.good(l.addr)
			}
			l.heard = true
			if l.from == Learner && l.s.o.Left != nil && l.sid == ensemble.NoSID { // nobody else writes it
				l.introduced(batch)
			}
			h.Received(l.id, batch)
			clear(batch)
			batch = batch[:0]
		}
		if err == nil && stream != nil {
			err = h.Snapshot(l.id, stream.Zxid, r.R)
		}
		if err != nil {
			return err
		}
	}
}

// batchPackets bounds how many packets are handed over at once.
const batchPackets = 1024

// linger reads on until the other end has closed, too, or closeBy. To close a socket with unread input would reset it, and what
// was sent last could be lost.
func (l *link) linger(r io.Reader) error {
	_, _ = io.Copy(io.Discard, r) // it ends, one way or another
	return nil
}

// The writer's buffer: what it collects before it writes, and how large it may stay.
const (
	batchBytes = 64 << 10
	batchKeep  = 1 << 20
)

// write writes what is queued until the link ends.
func (l *link) write() {
	var batch []entry
	var buf []byte
	owner := false // of writing
	for {
		l.mu.Lock()
		if owner {
			l.writing = false
		}
		flushing := l.writing
		closing, dead := l.closing, l.dead
		var rest []byte
		if !flushing {
			batch, l.queue = l.queue, batch[:0]
			rest, l.rest = l.rest, nil
			l.leave(len(batch))
		}
		owner = !flushing && len(batch)+len(rest) > 0
		l.writing = flushing || owner
		l.mu.Unlock()
		if !owner {
			switch {
			case dead:
				return
			case closing && !flushing:
				l.half()
				return
			}
			select {
			case <-l.wake:
			case <-l.done:
			}
			continue
		}
		var n int
		var err error
		if len(rest) > 0 {
			_, err = l.Write(rest)
		}
		if err == nil {
			buf, n, err = l.writeBatch(buf[:0], batch)
		}
		if err != nil {
			l.fail(err)
			discard(batch[n:])
			return
		}
		clear(batch)
		if cap(batch) > batchBytes/8 {
			batch = nil
		}
		if cap(buf) > batchKeep {
			buf = nil
		}
	}
}

// writeBatch writes entries, as few times as it can. n is how many of them have been begun.
func (l *link) writeBatch(buf []byte, batch []entry) (_ []byte, n int, err error) {
	size, commits := 0, 0
	flush := func() {
		if err == nil && len(buf) > 0 {
			_, err = l.Write(buf)
		}
		l.mu.Lock()
		l.waiting -= size
		l.commits -= commits
		l.mu.Unlock()
		buf, size, commits = buf[:0], 0, 0
	}
	for i, e := range batch {
		if e.stream != nil {
			if flush(); err != nil {
				return buf, i, err
			}
			w := bufio.NewWriterSize(l, batchBytes)
			if err = e.stream(w); err == nil {
				err = w.Flush()
			}
		} else {
			buf = AppendPacket(buf, e.packet)
			n := packetSize(e.packet)
			size += n
			commits += l.lagging(e.packet, n)
			if len(buf) >= batchBytes {
				flush()
			}
		}
		if err != nil {
			return buf, i + 1, err
		}
	}
	flush()
	return buf, len(batch), err
}

// Write writes to the socket, within WriteTimeout and closeBy.
func (l *link) Write(b []byte) (int, error) {
	l.mu.Lock()
	if l.dead {
		l.mu.Unlock()
		return 0, net.ErrClosed
	}
	t := time.Now().Add(l.s.o.WriteTimeout)
	if l.closing && l.closeBy.Before(t) {
		t = l.closeBy
	}
	err := l.conn.SetWriteDeadline(t)
	l.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := l.conn.Write(b)
	l.mu.Lock()
	if err == nil && !l.closing {
		err = l.conn.SetWriteDeadline(time.Time{}) // it would end a flush that comes later
	}
	l.mu.Unlock()
	return n, err
}

// half says to the other end that nothing follows.
func (l *link) half() {
	if c, ok := l.conn.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil {
		return
	}
	l.fail(errStop)
}

// discard ends what is queued on a dead link.
func (l *link) discard() {
	l.mu.Lock()
	q := l.queue
	l.queue = nil
	l.mu.Unlock()
	discard(q)
}

// gone is the writer of a link that has ended.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, net.ErrClosed }

// discard lets streams release what they hold.
func discard(q []entry) {
	for _, e := range q {
		if e.stream != nil {
			_ = e.stream(gone{}) // it cannot succeed
		}
	}
}
