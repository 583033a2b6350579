package replica

import (
	"github.com/zooid-io/zooid/internal/watch"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Conn is a client's connection as the replica sees it. The driver makes one, with Tag and IDs, and gives it with each event.
type Conn struct {
	Tag any     // the driver's own
	ids []zk.ID // identities; replaced, never changed, so that a queued request keeps those it came with

	watcher  watch.Watcher
	session  zk.SessionID
	timeout  int32 // ms, negotiated for this connection
	state    connState
	local    bool // the session is this server's alone
	admitted bool // the identities satisfy enforced authentication
	syncing  bool // in Replica.syncing
	behind   bool // the oldest request need not wait, but the Step that came to it had answered enough
	connect  wire.ConnectRequest

	fifo []entry // requests not yet answered, oldest first
	head int
}

type connState uint8

const (
	connNew     connState = iota // no handshake yet
	connWaiting                  // its createSession is in flight
	connOpen
	connClosing // answers what is queued, takes nothing more
	connGone    // not known to the replica any more
)

// NewConn is a connection from an address whose identity is ip.
func NewConn(tag any, ip zk.ID) *Conn { return &Conn{Tag: tag, ids: []zk.ID{ip}} }

// Session is the connection's session, 0 before the handshake.
func (c *Conn) Session() zk.SessionID { return c.session }

// TimeOut is the negotiated timeout in ms.
func (c *Conn) TimeOut() int32 { return c.timeout }

// Pending is the number of requests not yet answered.
func (c *Conn) Pending() int { return len(c.fifo) - c.head }

// Ready tells that a session is established and goes on.
func (c *Conn) Ready() bool { return c.state == connOpen }

// Behind tells that answers are left for Step(Continue).
func (c *Conn) Behind() bool { return c.behind }

// entryKind says what an entry of a FIFO waits for.
type entryKind uint8

const (
	entryWrite entryKind = iota // its txn
	entryRead                   // its turn
	entrySync                   // its turn, that zxid is applied, and turn has come
	entryError                  // its turn: the answer is a bare header
	entrySasl                   // its turn: the answer is a token
	entryAsk                    // the leader's word that the session lives
)

// entry is one request of a connection, answered when it is the oldest and what it waits for has come.
type entry struct {
	kind   entryKind
	close  bool
	code   zk.Code
	zxid   zk.Zxid // write: its txn; sync: what must be applied; error: the header's zxid, or useLast
	header wire.Header
	op     wire.Op // read, sync: what is asked; nil if it could not be decoded
	ids    []zk.ID
	since  int64
	turn   uint64 // sync, in an ensemble: see Replica.turn
}

// useLast in an entry's zxid stands for the last applied zxid at the time of the answer.
const useLast zk.Zxid = -1 << 63

// queue appends to a connection's FIFO.
func (r *Replica) queue(c *Conn, en entry) {
	if c.fifo == nil {
		if n := len(r.spare); n > 0 {
			c.fifo = r.spare[n-1]
			r.spare = r.spare[:n-1]
		}
	}
	c.fifo = append(c.fifo, en)
	r.inflight++
}

// pop takes the oldest request off, answered. An idle connection keeps no FIFO.
func (r *Replica) pop(c *Conn) {
	c.fifo[c.head] = entry{}
	c.head++
	r.inflight--
	if c.head == len(c.fifo) {
		if cap(c.fifo) <= 128 && len(r.spare) < 256 {
			r.spare = append(r.spare, c.fifo[:0])
		}
		c.fifo, c.head = nil, 0
	}
}
