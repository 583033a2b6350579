package wire

import (
	"errors"
	"fmt"

	"github.com/zooid-io/zooid/internal/jute"
)

// Op is one request. Each operation has its own type; all are pointers.
type Op interface {
	OpCode() OpCode
	Append(b []byte) []byte // the record, without header and frame
}

// Reply is the record behind a successful reply header.
type Reply interface {
	Append(b []byte) []byte
	Decode(d *jute.Decoder)
}

// ErrHeader says that a frame is too short for its header: the connection is closed.
var ErrHeader = errors.New("wire: frame is too short for a request header")

// ErrUnknownOp says that no client may send this operation: it is answered with Unimplemented, then the connection closes.
var ErrUnknownOp = errors.New("wire: unknown or forbidden operation")

// BodyError says that a request's record could not be decoded: it is answered with MarshallingError and the connection
// goes on.
type BodyError struct {
	Op       OpCode
	Err      error
	UsesZxid bool // whether the failure takes a zxid (an error txn), as multi's do upstream
}

func (e *BodyError) Error() string { return fmt.Sprintf("wire: %s request: %v", e.Op, e.Err) }

func (e *BodyError) Unwrap() error { return e.Err }

// Decoder turns frames into values. It owns one value of each operation that is frequent and cheap, and returns that: what
// it returns lives until its next call. With Keep each value is new, and lives as long as the frame.
type Decoder struct {
	Keep        bool
	d           jute.Decoder
	exists      Exists
	getData     GetData
	getChildren GetChildren
	setData     SetData
	del         Delete
	create      Create
	sync        Sync
}

// Header reads the header of a frame and returns what follows.
func (d *Decoder) Header(frame []byte) (Header, []byte, error) {
	if len(frame) < 8 {
		return Header{}, nil, ErrHeader
	}
	d.d.Reset(frame)
	return Header{d.d.Int(), OpCode(d.d.Int())}, frame[8:], nil
}

// Body reads the record of an operation that a client may send. Bytes behind the record are ignored. The error is
// ErrUnknownOp or a *BodyError.
func (d *Decoder) Body(op OpCode, body []byte) (Op, error) {
	if !op.FromClient() {
		return nil, ErrUnknownOp
	}
	j := &d.d
	j.Reset(body)
	v := d.body(op, j)
	if err := j.Err(); err != nil {
		var be *BodyError
		if errors.As(err, &be) {
			return nil, be
		}
		return nil, &BodyError{Op: op, Err: err, UsesZxid: op == OpMulti}
	}
	return v, nil
}

// fresh is a new T, or the decoder's own one, emptied.
func fresh[T any](keep bool, own *T) *T {
	if keep {
		return new(T)
	}
	var zero T
	*own = zero
	return own
}

func (d *Decoder) body(op OpCode, j *jute.Decoder) Op {
	switch op {
	case OpCreate, OpCreate2, OpCreateContainer, OpCreateTTL:
		v := fresh(d.Keep, &d.create)
		v.decode(op, j)
		return v
	case OpDelete:
		v := fresh(d.Keep, &d.del)
		v.decode(j)
		return v
	case OpExists:
		v := fresh(d.Keep, &d.exists)
		v.Path, v.PathNull = j.NullString()
		v.Watch = j.Bool()
		return v
	case OpGetData:
		v := fresh(d.Keep, &d.getData)
		v.Path, v.PathNull = j.NullString()
		v.Watch = j.Bool()
		return v
	case OpSetData:
		v := fresh(d.Keep, &d.setData)
		v.decode(j)
		return v
	case OpGetACL:
		v := &GetACL{}
		v.Path, v.PathNull = j.NullString()
		return v
	case OpSetACL:
		v := &SetACL{}
		v.decode(j)
		return v
	case OpGetChildren, OpGetChildren2:
		v := fresh(d.Keep, &d.getChildren)
		v.WithStat = op == OpGetChildren2
		v.Path, v.PathNull = j.NullString()
		v.Watch = j.Bool()
		return v
	case OpSync:
		v := fresh(d.Keep, &d.sync)
		v.Path, v.PathNull = j.NullString()
		return v
	case OpPing:
		return &Ping{}
	case OpMulti, OpMultiRead:
		v := &Multi{Type: op}
		v.decode(j)
		return v
	case OpReconfig:
		v := &Reconfig{}
		v.decode(j)
		return v
	case OpCheckWatches, OpRemoveWatches:
		v := &WatchQuery{Remove: op == OpRemoveWatches}
		v.decode(j)
		return v
	case OpAuth:
		v := &Auth{}
		v.decode(j)
		return v
	case OpSasl:
		return &Sasl{Token: j.Buffer()}
	case OpSetWatches, OpSetWatches2:
		v := &SetWatches{Type: op}
		v.decode(j)
		return v
	case OpGetEphemerals:
		return &GetEphemerals{Prefix: j.String()}
	case OpGetAllChildrenNumber:
		v := &GetAllChildrenNumber{}
		v.Path, v.PathNull = j.NullString()
		return v
	case OpAddWatch:
		v := &AddWatch{}
		v.decode(j)
		return v
	case OpWhoAmI:
		return &WhoAmI{}
	case OpCloseSession:
		return &CloseSession{}
	}
	j.Fail(ErrUnknownOp)
	return nil
}
