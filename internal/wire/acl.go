package wire

import (
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// GetACL asks for the ACL and Stat.
type GetACL struct {
	Path     string
	PathNull bool
}

// OpCode is OpGetACL.
func (*GetACL) OpCode() OpCode { return OpGetACL }

// Append appends the record.
func (r *GetACL) Append(b []byte) []byte { return jute.AppendNullString(b, r.Path, r.PathNull) }

// SetACL replaces the ACL. Version is compared with the aversion; -1 takes any.
type SetACL struct {
	Path      string
	PathNull  bool
	ACL       []zk.ACL // nil is null
	NullACLID bool
	Version   int32
}

// OpCode is OpSetACL.
func (*SetACL) OpCode() OpCode { return OpSetACL }

// Append appends the record.
func (r *SetACL) Append(b []byte) []byte {
	b = jute.AppendNullString(b, r.Path, r.PathNull)
	return jute.AppendInt(jute.AppendACL(b, r.ACL), r.Version)
}

func (r *SetACL) decode(d *jute.Decoder) {
	r.Path, r.PathNull = d.NullString()
	r.ACL, r.NullACLID = d.ACL()
	r.Version = d.Int()
}

// ACLReply answers getACL.
type ACLReply struct {
	ACL  []zk.ACL
	Stat zk.Stat
}

// Append appends the record.
func (r *ACLReply) Append(b []byte) []byte { return jute.AppendStat(jute.AppendACL(b, r.ACL), &r.Stat) }

// Decode reads the record.
func (r *ACLReply) Decode(d *jute.Decoder) {
	r.ACL, _ = d.ACL()
	r.Stat = d.Stat()
}
