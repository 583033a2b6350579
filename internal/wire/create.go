package wire

import (
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// Create asks for a new znode: opcodes create, create2, createContainer and createTTL.
type Create struct {
	Type      OpCode // OpCreate, OpCreate2, OpCreateContainer or OpCreateTTL; zero is OpCreate
	Path      string
	PathNull  bool
	Data      []byte   // nil is null, and is kept as null
	ACL       []zk.ACL // nil is null
	NullACLID bool     // an entry's id was null
	Mode      zk.Mode
	TTL       int64 // ms, on the wire only with OpCreateTTL
}

// OpCode is Type.
func (c *Create) OpCode() OpCode {
	if c.Type == 0 {
		return OpCreate
	}
	return c.Type
}

// Append appends CreateRequest, or CreateTTLRequest for OpCreateTTL.
func (c *Create) Append(b []byte) []byte {
	b = jute.AppendNullString(b, c.Path, c.PathNull)
	b = jute.AppendBuffer(b, c.Data)
	b = jute.AppendACL(b, c.ACL)
	b = jute.AppendInt(b, int32(c.Mode))
	if c.Type == OpCreateTTL {
		b = jute.AppendLong(b, c.TTL)
	}
	return b
}

func (c *Create) decode(op OpCode, d *jute.Decoder) {
	*c = Create{Type: op, TTL: -1}
	c.Path, c.PathNull = d.NullString()
	c.Data = d.Buffer()
	c.ACL, c.NullACLID = d.ACL()
	c.Mode = zk.Mode(d.Int())
	if op == OpCreateTTL {
		c.TTL = d.Long()
	}
}

// PathReply answers create and sync.
type PathReply struct {
	Path     string
	PathNull bool
}

// Append appends the record.
func (r *PathReply) Append(b []byte) []byte { return jute.AppendNullString(b, r.Path, r.PathNull) }

// Decode reads the record.
func (r *PathReply) Decode(d *jute.Decoder) { r.Path, r.PathNull = d.NullString() }

// Create2Reply answers create2, createContainer and createTTL.
type Create2Reply struct {
	Path string
	Stat zk.Stat
}

// Append appends the record.
func (r *Create2Reply) Append(b []byte) []byte {
	return jute.AppendStat(jute.AppendString(b, r.Path), &r.Stat)
}

// Decode reads the record.
func (r *Create2Reply) Decode(d *jute.Decoder) { r.Path, r.Stat = d.String(), d.Stat() }
