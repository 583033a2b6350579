package clientcore

import (
	"errors"
	"fmt"
	"math"

	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Config is what a session is told at its beginning.
type Config struct {
	Timeout    int32 // ms, wished
	Handshake  int64 // ms that a server may take to answer the handshake
	ReadOnly   bool  // whether a read-only server will do
	Login      bool  // whether a SASL login comes first
	MaxRequest int   // longest frame that is sent, bytes
	SessionID  zk.SessionID
	Password   []byte  // with SessionID, to resume a session
	Seen       zk.Zxid // what the session has seen already: the order of what it reads goes on (SessionFIFO)
	Auth       []Credential
}

// Credential is what an auth packet carries.
type Credential struct {
	Scheme string
	Auth   []byte
}

// Core is a session. Its methods are called one at a time.
type Core struct {
	cfg   Config
	state State
	phase Phase

	id        zk.SessionID
	password  []byte
	timeout   int32   // ms, as negotiated
	lastZxid  zk.Zxid // the newest that the session has seen
	readOnly  bool    // of the server
	known     bool    // a read-write server knows the session: it may be resumed
	opened    bool    // there was a session at all
	closing   bool    // Close was called: closeSession was sent, or will be as soon as there is a connection
	xid       int32   // of the last call
	creds     []Credential
	watches   registry
	rearming  int      // setWatches without a reply
	resumed   []*Watch // persistent watches that are told of a gap when those have come
	calls     fifo     // sent, without a reply
	auths     fifo     // the same of auth packets; nil is one that the core sent by itself
	held      []*Call  // not sent yet
	loginCall *Call    // the SASL packet that is under way
	loginLast bool     // its reply ends the login

	dec      jute.Decoder
	out      []byte
	sentAt   int64 // when something was last sent
	heardAt  int64 // when something was last heard, of an established session
	openedAt int64 // when the connection was
	effects  Effects
}

// New is a session without a connection.
func New(cfg Config) *Core {
	c := &Core{cfg: cfg, timeout: cfg.Timeout, lastZxid: cfg.Seen, creds: append([]Credential(nil), cfg.Auth...)}
	if cfg.SessionID != 0 {
		c.id, c.password, c.known = cfg.SessionID, cfg.Password, true
	}
	return c
}

// State is where the session stands.
func (c *Core) State() State { return c.state }

// Phase is where the connection stands.
func (c *Core) Phase() Phase { return c.phase }

// Session is the session's id and password: 0 and nil before the first connection.
func (c *Core) Session() (zk.SessionID, []byte) { return c.id, c.password }

// Timeout is the session's, ms: as negotiated, until then as wished.
func (c *Core) Timeout() int32 { return c.timeout }

// LastZxid is the newest zxid that the session has seen: that a reply has shown, or Config.Seen.
func (c *Core) LastZxid() zk.Zxid { return c.lastZxid }

// HeardAt is when something was last heard from a server that knows the session, if ever.
func (c *Core) HeardAt() (ms int64, ever bool) { return c.heardAt, c.opened }

// Connected says that a socket is open: the handshake goes out (section 2.3).
func (c *Core) Connected(now int64) {
	invariant.Check(c.phase == Idle && !c.state.Ended(), invariant.SessionFIFO, "connected in phase %d, state %d", c.phase, c.state)
	c.phase, c.openedAt, c.sentAt = Greeting, now, now
	hello := wire.ConnectRequest{LastZxidSeen: c.lastZxid, TimeOut: c.cfg.Timeout, Password: make([]byte, wire.PasswordSize),
		ReadOnly: c.cfg.ReadOnly, HasReadOnly: true}
	if c.known { // a session that only a read-only server knew is not one (section 7.7)
		hello.SessionID, hello.Password = c.id, c.password
	}
	var mark int
	c.out, mark = wire.BeginFrame(c.out[:0])
	c.out = wire.EndFrame(hello.Append(c.out), mark)
}

// Disconnected says that the connection is gone, or that one could not be made. What was sent is lost; what was not waits on.
func (c *Core) Disconnected() {
	c.phase = Idle
	c.out = c.out[:0]
	c.rearming, c.resumed = 0, nil
	c.loginCall = nil
	c.effects.Login, c.effects.Hangup = nil, nil
	c.finishAll(&c.calls, zk.ConnectionLoss)
	c.finishAll(&c.auths, zk.ConnectionLoss)
	switch {
	case c.state.Ended():
	case c.closing && !c.known:
		c.end(Closed)
	case c.state != Lapsed:
		c.state = Connecting
	}
}

// hangup asks the driver to close the connection.
func (c *Core) hangup(why error) {
	if c.effects.Hangup == nil {
		c.effects.Hangup = why
	}
}

// Received takes a frame, without its length, and owns it from now on: replies alias it. An error says that the connection is
// broken: it is to be closed, and Disconnected called.
func (c *Core) Received(now int64, frame []byte) error {
	switch c.phase {
	case Idle:
		return nil // of a connection that was given up
	case Greeting:
		return c.greeted(now, frame)
	}
	var h wire.ReplyHeader
	d := &c.dec
	d.Reset(frame)
	if h.Decode(d); d.Err() != nil {
		return fmt.Errorf("a frame of %d bytes is no reply: %w", len(frame), d.Err())
	}
	c.heardAt = now
	if h.Xid == wire.XidNotice {
		e := wire.DecodeNotice(d, h.Zxid)
		if d.Err() != nil {
			return fmt.Errorf("a notice could not be read: %w", d.Err())
		}
		c.watches.fire(&c.effects, e)
		return nil
	}
	// Only replies tell what was seen: a notice may run ahead of what the program knows (section 2.17).
	c.lastZxid = max(c.lastZxid, h.Zxid)
	switch h.Xid {
	case wire.XidPing:
		return nil
	case wire.XidAuth:
		return c.authReplied(h)
	case wire.XidSetWatches:
		return c.rearmed(h)
	}
	k := c.calls.front()
	if k == nil || k.xid != h.Xid {
		return fmt.Errorf("a reply to xid %d, %s", h.Xid, c.expected(k))
	}
	return c.replied(now, k, h, d)
}

func (c *Core) expected(k *Call) string {
	if k == nil {
		return "with no call under way"
	}
	return fmt.Sprintf("where that to %s, xid %d, was next", k.Op.OpCode(), k.xid)
}

// greeted takes the answer to the handshake.
func (c *Core) greeted(now int64, frame []byte) error {
	var r wire.ConnectResponse
	if err := r.Decode(frame); err != nil {
		return fmt.Errorf("the handshake's answer could not be read: %w", err)
	}
	if r.TimeOut <= 0 { // refused (section 2.3)
		if !c.known {
			return errors.New("the server refused a new session")
		}
		if c.closing { // before the connection broke that it was sent on
			c.end(Closed)
		} else {
			c.end(Expired)
		}
		return nil
	}
	c.id, c.timeout, c.password = r.SessionID, r.TimeOut, append([]byte(nil), r.Password[:]...)
	c.known = c.known || !r.ReadOnly
	c.opened, c.heardAt = true, now
	c.readOnly = r.ReadOnly
	if c.cfg.Login {
		c.phase = LoggingIn
		c.effects.Login = &Login{First: true}
		return nil
	}
	c.live(now)
	return nil
}

// live begins the phase in which calls are sent.
func (c *Core) live(now int64) {
	c.phase = Live
	if c.state = Connected; c.readOnly {
		c.state = ConnectedReadOnly
	}
	if c.closing {
		c.sendClose(now)
		return
	}
	for _, cred := range c.creds {
		c.out = wire.AppendRequestFrame(c.out, wire.XidAuth, &wire.Auth{Scheme: cred.Scheme, Auth: cred.Auth})
		c.auths.push(nil)
	}
	c.rearm()
	c.sentAt = now
	calls := c.held
	c.held = nil
	for _, k := range calls {
		if k.fate == held {
			c.send(now, k)
		}
	}
}

// replied takes the reply to the oldest call. One that cannot be read leaves the call to Disconnected.
func (c *Core) replied(now int64, k *Call, h wire.ReplyHeader, d *jute.Decoder) error {
	if h.Err == zk.OK && k.Reply != nil && k.fate == pending {
		if k.Reply.Decode(d); d.Err() != nil {
			return fmt.Errorf("the reply to %s could not be read: %w", k.Op.OpCode(), d.Err())
		}
	}
	c.calls.pop()
	if k == c.loginCall {
		return c.loginReplied(now, h, d)
	}
	switch op := k.Op.(type) {
	case *wire.WatchQuery:
		if op.Remove && h.Err == zk.OK { // of an abandoned call too: the server has forgotten the watches
			c.watches.removed(&c.effects, op.Path, op.Type, zk.StateSyncConnected)
		}
	case *wire.CloseSession:
		c.finish(k, h.Err)
		c.end(Closed)
		return nil
	}
	if k.Watch != nil && k.fate == pending {
		c.register(k, h.Err)
	}
	c.finish(k, h.Err)
	return nil
}

// Close ends the session by asking a server, and takes no more calls. Without a connection what was not sent ends at once, and the
// server is asked as soon as there is one; until then the session lives on, and so it does where the connection breaks before the
// answer. How long that is waited for is the driver's to say: see Detach.
func (c *Core) Close(now int64) {
	if c.state.Ended() || c.closing {
		return
	}
	c.closing = true
	switch {
	case c.phase == Live:
		c.sendClose(now)
	case c.known:
		c.finishHeld(Closed.code())
	default:
		c.end(Closed)
	}
}

func (c *Core) sendClose(now int64) {
	k := &Call{Op: &wire.CloseSession{}, fate: abandoned} // nobody's: the state tells its end
	c.xid = c.nextXid()
	k.xid = c.xid
	c.out = wire.AppendRequestFrame(c.out, k.xid, k.Op)
	c.sentAt = now
	c.calls.push(k)
}

// Detach ends the session here and leaves it to the servers.
func (c *Core) Detach() { c.end(Closed) }

// end makes a state for good.
func (c *Core) end(s State) {
	if c.state.Ended() {
		return
	}
	c.state = s
	c.finishAll(&c.calls, s.code())
	c.finishAll(&c.auths, s.code())
	c.finishHeld(s.code())
	c.watches.ended(&c.effects, s.told())
	c.effects.Login = nil
	if c.phase != Idle {
		c.hangup(errEnded)
	}
}

// errEnded is why a connection is closed whose session is over.
var errEnded = errors.New("the session has ended")

// never is a deadline that does not come.
const never = math.MaxInt64
