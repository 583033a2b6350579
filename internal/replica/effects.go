package replica

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Send is bytes for one connection, in the order in which they must leave.
type Send struct {
	Conn     *Conn
	from, to int
	Close    bool        // close the connection behind these bytes
	Notice   bool        // a watcher event, not a reply
	Refused  bool        // the reply to a write that became an error txn, or to an unknown operation
	Header   wire.Header // of the request that is answered
	Zxid     zk.Zxid     // in the reply's header
	Since    int64       // Request.Since, for latencies
	Op       wire.Op     // the read that is answered, nil for a write
	Path     string      // what a write changed, where it is one znode, and
	Written  int         // how many bytes of path and data
}

// Effects are what the driver must do after a Step. The driver gives the same value to each Step; Log grows until the driver
// takes it, Sends until Reset.
type Effects struct {
	Log     []*txn.Txn // to be on disk, in this order; not to be changed
	Sends   []Send
	Expired []zk.SessionID // sessions whose time is over, for the log
	Auths   []AuthNote     // auth packets, for the log
	Audits  []Audit        // applied writes, for the audit log
	Orders  Orders         // in an ensemble; grow until the driver takes them
	Behind  []*Conn        // have answers left: Step(Continue) for each when its output has room
	buf     []byte
	extra   int // bytes beyond enough that may be sent at the moment
}

// enough is how many bytes the sends of one Step are before what can wait is left for later: a thousand reads of a megabyte may
// stand behind one write. What a single answer or the notices of a single txn are comes on top.
const enough = 1 << 20

// full tells that the sends are enough for one Step.
func (e *Effects) full() bool { return len(e.buf) >= enough+e.extra }

// Bytes is what a Send carries, valid until Reset.
func (e *Effects) Bytes(s *Send) []byte { return e.buf[s.from:s.to] }

// Sent is how many bytes the sends are.
func (e *Effects) Sent() int { return len(e.buf) }

// Reset forgets the sends, once the driver has them in its outboxes.
func (e *Effects) Reset() {
	clear(e.Sends)
	e.Sends = e.Sends[:0]
	e.Expired = e.Expired[:0]
	clear(e.Auths)
	clear(e.Audits)
	clear(e.Behind)
	e.Auths, e.Audits, e.Behind = e.Auths[:0], e.Audits[:0], e.Behind[:0]
	if cap(e.buf) > 1<<20 {
		e.buf = nil
	}
	e.buf = e.buf[:0]
}

// TakeLog gives the txns collected so far and leaves spare, emptied, to collect the next.
func (e *Effects) TakeLog(spare []*txn.Txn) []*txn.Txn {
	l := e.Log
	clear(spare)
	e.Log = spare[:0]
	return l
}

// begin starts a Send; the caller appends to buf and calls end.
func (e *Effects) begin() int { return len(e.buf) }

func (e *Effects) end(at int, s Send) {
	s.from, s.to = at, len(e.buf)
	e.Sends = append(e.Sends, s)
}

// close closes a connection behind whatever it was sent.
func (e *Effects) close(c *Conn) {
	e.Sends = append(e.Sends, Send{Conn: c, from: len(e.buf), to: len(e.buf), Close: true, Notice: true})
}
