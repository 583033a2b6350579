package replica

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Entry is one record to append to the log.
type Entry struct {
	Zxid    zk.Zxid
	Payload []byte // an encoded txn; stays valid until the driver drops it
}

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
}

// Effects are what the driver must do after a Step. The driver gives the same value to each Step; Log grows until the driver
// takes it, Sends until Reset.
type Effects struct {
	Log     []Entry
	Sends   []Send
	Expired []zk.SessionID // sessions whose time is over, for the log
	Auths   []AuthNote     // auth packets, for the log
	Audits  []Audit        // applied writes, for the audit log
	buf     []byte
	log     []byte
}

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
	e.Auths, e.Audits = e.Auths[:0], e.Audits[:0]
	if cap(e.buf) > 1<<20 {
		e.buf = nil
	}
	e.buf = e.buf[:0]
}

// TakeLog gives the records collected so far and leaves spare, emptied, to collect the next.
func (e *Effects) TakeLog(spare []Entry) []Entry {
	l := e.Log
	clear(spare)
	e.Log, e.log = spare[:0], nil
	return l
}

// append makes a record of x.
func (e *Effects) append(x *txn.Txn) {
	if e.log == nil {
		e.log = make([]byte, 0, 64<<10)
	}
	at := len(e.log)
	e.log = x.Append(e.log)
	e.Log = append(e.Log, Entry{Zxid: x.Zxid, Payload: e.log[at:len(e.log):len(e.log)]})
	if len(e.log) > 60<<10 {
		e.log = nil // records keep the array they are in
	}
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
