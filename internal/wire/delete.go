package wire

import "github.com/zooid-io/zooid/internal/jute"

// Delete removes a znode that has no children. Version -1 takes any.
type Delete struct {
	Path     string
	PathNull bool
	Version  int32
}

// OpCode is OpDelete.
func (*Delete) OpCode() OpCode { return OpDelete }

// Append appends the record.
func (r *Delete) Append(b []byte) []byte {
	return jute.AppendInt(jute.AppendNullString(b, r.Path, r.PathNull), r.Version)
}

func (r *Delete) decode(d *jute.Decoder) {
	r.Path, r.PathNull = d.NullString()
	r.Version = d.Int()
}

// Check, only within a multi, holds if the znode has this version; -1 takes any that exists.
type Check struct {
	Path     string
	PathNull bool
	Version  int32
}

// OpCode is OpCheck.
func (*Check) OpCode() OpCode { return OpCheck }

// Append appends the record.
func (r *Check) Append(b []byte) []byte {
	return jute.AppendInt(jute.AppendNullString(b, r.Path, r.PathNull), r.Version)
}
