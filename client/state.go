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

	Err error // why the last connection ended; nil while there is one
}

// State is where the session stands now.
func (c *Client) State() State { return c.Status().State }

// Status is the session as it is now.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// States gives a channel of the session's states: the present one first, then each change. It is closed after a state that is
// for good (State.Ended), or when ctx ends. It holds 16: where the reader is slower, the oldest are lost, never the newest.
func (c *Client) States(ctx context.Context) <-chan Status { return c.subscribe(ctx) }

// Session is what another client needs to go on with this session (Options.Session): see Detach.
func (c *Client) Session() Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session()
}
