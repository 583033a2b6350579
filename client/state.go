package client

import (
	"context"
	"time"

	"github.com/zooid-io/zooid/zk"
)

// State is where a session stands.
type State int

// The states. The last three are for good.
const (
	// Connecting: there is no connection at the moment. Calls wait, watches and ephemerals live on.
	Connecting State = iota
	// Connected: a server answers.
	Connected
	// ConnectedReadOnly: a server that is cut off from its ensemble answers reads.
	ConnectedReadOnly
	// Lapsed: there is no connection, and nothing was heard from any server for the session's timeout. A server that is up has
	// ended the session by now: a lock is as good as lost, and calls end with zk.ConnectionLoss instead of waiting. It is not
	// certain, since servers that are down, or without a quorum, end no session: Connected may follow, or Expired.
	Lapsed
	// Expired: a server said that it does not know the session (any more). Its ephemerals are gone.
	Expired
	// AuthFailed: a server refused a credential.
	AuthFailed
	// Closed: by Close or Detach.
	Closed
)

// String is the name of the constant.
func (s State) String() string {
	switch s {
	case Connecting:
		return "Connecting"
	case Connected:
		return "Connected"
	case ConnectedReadOnly:
		return "ConnectedReadOnly"
	case Lapsed:
		return "Lapsed"
	case Expired:
		return "Expired"
	case AuthFailed:
		return "AuthFailed"
	case Closed:
		return "Closed"
	}
	return "State?"
}

// IsConnected tells whether a server answers.
func (s State) IsConnected() bool { return s == Connected || s == ConnectedReadOnly }

// Ended tells whether the session is over, and the Client with it.
func (s State) Ended() bool { return s == Expired || s == AuthFailed || s == Closed }

// Status is a session at one moment.
type Status struct {
	State   State
	Since   time.Time     // when State began
	Session zk.SessionID  // 0 before the first connection
	Timeout time.Duration // as negotiated with the server; until then, as asked for
	Server  string        // the address of the server, "" while there is none

	// Suspended is when the connection was lost: the zero time while there is one. A server may end the session as early as
	// Timeout after it last heard of this client, which is not after Heard.
	Suspended time.Time
	Heard     time.Time // when the last byte came from a server

	// Seen is the newest zxid that a reply has shown. Whatever this client asks for from now on is made by a later txn.
	Seen zk.Zxid

	Err error // why the last connection ended; nil while there is one
}

// State is where the session stands now.
func (c *Client) State() State { return c.Status().State }

// Status is the session as it is now.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.present()
}

// present is the status with what changes all the time; the caller holds mu.
func (c *Client) present() Status {
	s := c.status
	s.Heard, s.Seen = c.heard(), c.core.LastZxid()
	return s
}

// heard is when the last byte came from a server; the caller holds mu.
func (c *Client) heard() time.Time {
	at, ever := c.core.HeardAt()
	if !ever {
		return time.Time{}
	}
	return c.epoch.Add(time.Duration(at) * time.Millisecond)
}

// States gives a channel of the session's states: the present one first, then each change. It is closed after a state that is
// for good (State.Ended), or when ctx ends. It holds 16: where the reader is slower, the oldest are lost, never the newest.
func (c *Client) States(ctx context.Context) <-chan Status {
	s := &subscription{ch: make(chan Status, 16)}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.present()
	s.ch <- now
	if now.State.Ended() {
		close(s.ch)
		return s.ch
	}
	c.subs[s] = true
	s.forget = context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.subs[s] {
			delete(c.subs, s)
			close(s.ch)
		}
	})
	return s.ch
}

// subscription is a reader of the states. Its channel is filled and closed under the client's lock.
type subscription struct {
	ch     chan Status
	forget func() bool // of the context
}

// put adds a state, in the place of the oldest where there is no room.
func (s *subscription) put(now Status) {
	for {
		select {
		case s.ch <- now:
			return
		default:
		}
		select {
		case <-s.ch:
		default:
		}
	}
}

// tell makes the status what the core's state is now, and tells who wants to know. The caller holds mu.
func (c *Client) tell() {
	state := State(c.core.State())
	if state == c.status.State {
		return
	}
	now := time.Now()
	s := Status{State: state, Since: now, Timeout: time.Duration(c.core.Timeout()) * time.Millisecond, Suspended: c.status.Suspended}
	s.Session, _ = c.core.Session()
	if s.Suspended.IsZero() && !state.IsConnected() {
		s.Suspended = now
	}
	switch state {
	case Connected, ConnectedReadOnly:
		s.Suspended, s.Server = time.Time{}, c.server
	case Expired:
		s.Err = zk.SessionExpired
	case AuthFailed:
		s.Err = zk.AuthFailed
	case Closed:
		s.Err = ErrClosed
	default:
		s.Err = c.cause
	}
	c.status = s
	s = c.present()
	c.opt.Logger.Info("session", "state", state.String(), "session", s.Session.String(), "server", s.Server, "err", s.Err)
	for sub := range c.subs {
		sub.put(s)
	}
	if state.IsConnected() {
		select {
		case <-c.first:
		default:
			close(c.first)
		}
	}
	if !state.Ended() {
		return
	}
	for sub := range c.subs {
		sub.forget()
		close(sub.ch)
	}
	clear(c.subs)
	if c.timer != nil {
		c.timer.Stop()
	}
	c.stop()
}

// Session is what another client needs to go on with this session (Options.Session): see Detach.
func (c *Client) Session() Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session()
}
