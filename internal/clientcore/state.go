package clientcore

import "github.com/zooid-io/zooid/zk"

// State is where a session stands, as its program sees it.
type State uint8

// The states, in the order of those of package client.
const (
	Connecting State = iota
	Connected
	ConnectedReadOnly
	Lapsed // not connected, and nothing heard for the session's timeout
	Expired
	AuthFailed
	Closed
)

// Ended tells whether the state is for good.
func (s State) Ended() bool { return s >= Expired }

// code is what calls end with in a state that is for good.
func (s State) code() zk.Code {
	if s == AuthFailed {
		return zk.AuthFailed
	}
	return zk.SessionExpired // of a closed session too, as in Apache's client
}

// told is the state as watches are told of it.
func (s State) told() zk.State {
	switch s {
	case AuthFailed:
		return zk.StateAuthFailed
	case Closed:
		return zk.StateClosed
	}
	return zk.StateExpired
}

// Phase is where a connection stands.
type Phase uint8

// The phases.
const (
	Idle      Phase = iota // there is none
	Greeting               // the handshake was sent
	LoggingIn              // the session is established, SASL is under way
	Live
)
