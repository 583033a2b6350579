package txn

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// Type is the kind of a transaction; the numbers are those of the operations that make them.
type Type int32

// The types.
const (
	TypeError           Type = -1
	TypeCreateSession   Type = -10
	TypeCloseSession    Type = -11
	TypeCreate          Type = 1
	TypeDelete          Type = 2
	TypeSetData         Type = 5
	TypeSetACL          Type = 7
	TypeCheck           Type = 13
	TypeMulti           Type = 14
	TypeCreate2         Type = 15
	TypeReconfig        Type = 16
	TypeCreateContainer Type = 19
	TypeDeleteContainer Type = 20
	TypeCreateTTL       Type = 21
)

// Header is common to all transactions. 32 bytes on disk.
type Header struct {
	Session zk.SessionID
	Cxid    int32 // the xid of the client's request
	Zxid    zk.Zxid
	Time    int64 // ms since 1970, the leader's clock when it prepared the txn
	Type    Type
}

// HeaderSize is the length of an encoded Header.
const HeaderSize = 32

// DigestVersion is the version of the tree digest that is written (AdHash v2).
const DigestVersion = 2

// Txn is one transaction.
type Txn struct {
	Header
	Body      Body  // of the type that Header.Type names; never nil
	HasDigest bool  // whether Digest is known
	Digest    int64 // digest of the whole tree after this txn, version DigestVersion
}

// Body is what a transaction does: *Create, *Delete, *SetData, *SetACL, *Check, *Multi, *Error, *CreateSession or
// *CloseSession.
type Body interface {
	append(b []byte) []byte
}

// Append appends header, body and, if it has one, the digest: the payload of a log record or a proposal.
func (x *Txn) Append(b []byte) []byte {
	b = jute.AppendLong(b, int64(x.Session))
	b = jute.AppendInt(b, x.Cxid)
	b = jute.AppendLong(b, int64(x.Zxid))
	b = jute.AppendLong(b, x.Time)
	b = jute.AppendInt(b, int32(x.Type))
	b = x.Body.append(b)
	if x.HasDigest {
		b = jute.AppendInt(b, DigestVersion)
		b = jute.AppendLong(b, x.Digest)
	}
	return b
}

// ErrType says that a transaction is of a type that this version does not know.
type ErrType struct{ Type Type }

func (e *ErrType) Error() string { return fmt.Sprintf("txn: unsupported type %d", int32(e.Type)) }

// Decode reads the payload of a log record or a proposal. The txn aliases b. Legacy forms are read: a create without
// parentCVersion (it becomes -1), a closeSession without paths (HasPaths is false), no digest, a digest of another version
// (as if there were none).
func Decode(b []byte) (*Txn, error) {
	d := jute.NewStored(b)
	x := &Txn{Header: Header{
		Session: zk.SessionID(d.Long()), Cxid: d.Int(), Zxid: zk.Zxid(d.Long()), Time: d.Long(), Type: Type(d.Int()),
	}}
	if d.Err() != nil {
		return nil, fmt.Errorf("txn: header: %w", d.Err())
	}
	x.Body = decodeBody(x.Type, d, true)
	if d.Err() != nil {
		return nil, fmt.Errorf("txn %v: type %d: %w", x.Zxid, int32(x.Type), d.Err())
	}
	if d.Left() >= 12 {
		version, digest := d.Int(), d.Long()
		x.HasDigest, x.Digest = version == DigestVersion, digest
	}
	return x, nil
}

func decodeBody(t Type, d *jute.Decoder, top bool) Body {
	switch t {
	case TypeCreate, TypeCreate2, TypeCreateContainer, TypeCreateTTL:
		return decodeCreate(t, d, top)
	case TypeDelete, TypeDeleteContainer:
		return &Delete{Path: d.String()}
	case TypeSetData, TypeReconfig:
		return &SetData{Path: d.String(), Data: d.Buffer(), Version: d.Int()}
	case TypeSetACL:
		v := &SetACL{Path: d.String()}
		v.ACL, _ = d.ACL()
		v.AVersion = d.Int()
		return v
	case TypeCheck:
		return &Check{Path: d.String(), Version: d.Int()}
	case TypeError:
		return &Error{Code: zk.Code(d.Int())}
	case TypeCreateSession:
		return &CreateSession{TimeOut: d.Int()}
	case TypeCloseSession:
		// Until 3.5, and with closeSessionTxn.enabled=false, there is no list; a digest may follow all the same. It looks like a
		// list of two empty paths, which no session has.
		if d.Left() == 0 || (top && d.Left() == 12 && binary.BigEndian.Uint32(d.Rest()) == DigestVersion) {
			return &CloseSession{}
		}
		return &CloseSession{HasPaths: true, Paths: d.Strings()}
	case TypeMulti:
		if !top {
			d.Fail(errors.New("multi within a multi"))
			return nil
		}
		return decodeMulti(d)
	}
	d.Fail(&ErrType{t})
	return nil
}
