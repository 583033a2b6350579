package client

import (
	"errors"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// ErrNotSent is within the error of a call that never left this process: it has had no effect, and may be made again.
var ErrNotSent = errors.New("the call was not sent")

// ErrClosed is within the error of a call on a Client after Close or Detach. Its code is zk.SessionExpired.
var ErrClosed = errors.New("the client is closed")

// opName is what errors call an operation: the kinds of create are all "create".
func opName(op wire.Op) string {
	switch code := op.OpCode(); code {
	case wire.OpCreate2, wire.OpCreateContainer, wire.OpCreateTTL:
		return "create"
	case wire.OpGetChildren2:
		return "getChildren"
	default:
		return code.String()
	}
}

// badArguments is the error of a call that is refused before it is sent.
func badArguments(op, path string, why error) error {
	return &zk.Error{Op: op, Path: path, Code: zk.BadArguments, Err: errors.Join(why, ErrNotSent)}
}
