package wire

import (
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// GetChildren asks for the names of the children: opcodes getChildren and, WithStat, getChildren2.
type GetChildren struct {
	Path     string
	PathNull bool
	Watch    bool
	WithStat bool
}

// OpCode is OpGetChildren or OpGetChildren2.
func (r *GetChildren) OpCode() OpCode {
	if r.WithStat {
		return OpGetChildren2
	}
	return OpGetChildren
}

// Append appends the record.
func (r *GetChildren) Append(b []byte) []byte {
	return jute.AppendBool(jute.AppendNullString(b, r.Path, r.PathNull), r.Watch)
}

// GetAllChildrenNumber asks how many descendants a znode has.
type GetAllChildrenNumber struct {
	Path     string
	PathNull bool
}

// OpCode is OpGetAllChildrenNumber.
func (*GetAllChildrenNumber) OpCode() OpCode { return OpGetAllChildrenNumber }

// Append appends the record.
func (r *GetAllChildrenNumber) Append(b []byte) []byte {
	return jute.AppendNullString(b, r.Path, r.PathNull)
}

// GetEphemerals asks for the caller's ephemerals whose path starts with Prefix, byte by byte; "" and "/" are all.
type GetEphemerals struct{ Prefix string }

// OpCode is OpGetEphemerals.
func (*GetEphemerals) OpCode() OpCode { return OpGetEphemerals }

// Append appends the record.
func (r *GetEphemerals) Append(b []byte) []byte { return jute.AppendString(b, r.Prefix) }

// ChildrenReply answers getChildren and getEphemerals.
type ChildrenReply struct{ Children []string }

// Append appends the record.
func (r *ChildrenReply) Append(b []byte) []byte { return jute.AppendStrings(b, r.Children) }

// Decode reads the record.
func (r *ChildrenReply) Decode(d *jute.Decoder) { r.Children = d.Strings() }

// Children2Reply answers getChildren2.
type Children2Reply struct {
	Children []string
	Stat     zk.Stat
}

// Append appends the record.
func (r *Children2Reply) Append(b []byte) []byte {
	return jute.AppendStat(jute.AppendStrings(b, r.Children), &r.Stat)
}

// Decode reads the record.
func (r *Children2Reply) Decode(d *jute.Decoder) { r.Children, r.Stat = d.Strings(), d.Stat() }

// NumberReply answers getAllChildrenNumber, and addWatch with 0.
type NumberReply struct{ N int32 }

// Append appends the record.
func (r *NumberReply) Append(b []byte) []byte { return jute.AppendInt(b, r.N) }

// Decode reads the record.
func (r *NumberReply) Decode(d *jute.Decoder) { r.N = d.Int() }
