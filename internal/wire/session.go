package wire

import "github.com/zooid-io/zooid/internal/jute"

// Ping keeps a session alive.
type Ping struct{}

// OpCode is OpPing.
func (*Ping) OpCode() OpCode { return OpPing }

// Append appends nothing.
func (*Ping) Append(b []byte) []byte { return b }

// CloseSession ends a session and its ephemerals.
type CloseSession struct{}

// OpCode is OpCloseSession.
func (*CloseSession) OpCode() OpCode { return OpCloseSession }

// Append appends nothing.
func (*CloseSession) Append(b []byte) []byte { return b }

// Sync waits until this server has seen what was committed when it was asked.
type Sync struct {
	Path     string
	PathNull bool
}

// OpCode is OpSync.
func (*Sync) OpCode() OpCode { return OpSync }

// Append appends the record.
func (r *Sync) Append(b []byte) []byte { return jute.AppendNullString(b, r.Path, r.PathNull) }

// Reconfig changes the members. Null strings are absent, empty ones are not.
type Reconfig struct {
	Joining, Leaving, Members             string
	JoiningNull, LeavingNull, MembersNull bool
	CurConfigID                           int64
}

// OpCode is OpReconfig.
func (*Reconfig) OpCode() OpCode { return OpReconfig }

// Append appends the record.
func (r *Reconfig) Append(b []byte) []byte {
	b = jute.AppendNullString(b, r.Joining, r.JoiningNull)
	b = jute.AppendNullString(b, r.Leaving, r.LeavingNull)
	b = jute.AppendNullString(b, r.Members, r.MembersNull)
	return jute.AppendLong(b, r.CurConfigID)
}

func (r *Reconfig) decode(d *jute.Decoder) {
	r.Joining, r.JoiningNull = d.NullString()
	r.Leaving, r.LeavingNull = d.NullString()
	r.Members, r.MembersNull = d.NullString()
	r.CurConfigID = d.Long()
}
