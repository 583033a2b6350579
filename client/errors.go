package client

import (
	"errors"
	"fmt"
	"strings"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// ErrNotSent is within the error of a call that never left this process: it has had no effect, and may be made again.
var ErrNotSent = errors.New("the call was not sent")

// ErrClosed is within the error of a call on a Client after Close or Detach. Its code is zk.SessionExpired.
var ErrClosed = errors.New("the client is closed")

// causes are several reasons for one failure.
type causes []error

func (c causes) Error() string {
	var s []string
	for _, err := range c {
		s = append(s, err.Error())
	}
	return strings.Join(s, "; ")
}

func (c causes) Unwrap() []error { return c }

// because joins the reasons that there are.
func because(errs ...error) error {
	var there causes
	for _, err := range errs {
		if err != nil {
			there = append(there, err)
		}
	}
	switch len(there) {
	case 0:
		return nil
	case 1:
		return there[0]
	}
	return there
}

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
	return &zk.Error{Op: op, Path: path, Code: zk.BadArguments, Err: because(why, ErrNotSent)}
}

// failure is the error of a call that the core has done, or nil. The caller holds mu.
func (c *Client) failure(k *call) error {
	if k.core.Code == zk.OK {
		return nil
	}
	e := &zk.Error{Op: opName(k.core.Op), Path: k.path, Code: k.core.Code}
	var why, unsent error
	switch e.Code {
	case zk.ConnectionLoss:
		why = c.cause
	case zk.SessionExpired:
		if c.core.State() == coreClosed || !c.core.State().Ended() && c.closing {
			why = ErrClosed
		}
	case zk.BadArguments:
		if !k.core.Sent {
			why = fmt.Errorf("the request is longer than %d bytes", c.opt.MaxRequest)
		}
	}
	if !k.core.Sent {
		unsent = ErrNotSent
	}
	e.Err = because(why, unsent)
	return e
}
