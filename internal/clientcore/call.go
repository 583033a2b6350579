package clientcore

import (
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Call is one request and what becomes of it.
type Call struct {
	Op    wire.Op
	Reply wire.Reply // filled from the reply; nil where there is nothing behind its header
	Watch *Watch     // registered when the reply says that the server has it; nil is none

	// Once the call is done.
	Code zk.Code // OK, or why it failed
	Sent bool    // whether it may have reached a server
}

// Kind is the list that a watch stands in.
type Kind uint8

// The kinds.
const (
	Data Kind = iota
	Exist
	Child
	Persistent
	Recursive
)

// Watch is a registration.
type Watch struct {
	Kind  Kind
	Path  string // as the server knows it
	Owner any    // the driver's
}
