package wire

import (
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// Exists asks for a Stat; a watch is set even where the znode is missing.
type Exists struct {
	Path     string
	PathNull bool
	Watch    bool
}

// OpCode is OpExists.
func (*Exists) OpCode() OpCode { return OpExists }

// Append appends the record.
func (r *Exists) Append(b []byte) []byte {
	return jute.AppendBool(jute.AppendNullString(b, r.Path, r.PathNull), r.Watch)
}

// GetData asks for data and Stat.
type GetData struct {
	Path     string
	PathNull bool
	Watch    bool
}

// OpCode is OpGetData.
func (*GetData) OpCode() OpCode { return OpGetData }

// Append appends the record.
func (r *GetData) Append(b []byte) []byte {
	return jute.AppendBool(jute.AppendNullString(b, r.Path, r.PathNull), r.Watch)
}

// SetData replaces the data. Version -1 takes any.
type SetData struct {
	Path     string
	PathNull bool
	Data     []byte // nil is null
	Version  int32
}

// OpCode is OpSetData.
func (*SetData) OpCode() OpCode { return OpSetData }

// Append appends the record.
func (r *SetData) Append(b []byte) []byte {
	b = jute.AppendNullString(b, r.Path, r.PathNull)
	return jute.AppendInt(jute.AppendBuffer(b, r.Data), r.Version)
}

func (r *SetData) decode(d *jute.Decoder) {
	r.Path, r.PathNull = d.NullString()
	r.Data, r.Version = d.Buffer(), d.Int()
}

// StatReply answers exists, setData and setACL.
type StatReply struct{ Stat zk.Stat }

// Append appends the record.
func (r *StatReply) Append(b []byte) []byte { return jute.AppendStat(b, &r.Stat) }

// Decode reads the record.
func (r *StatReply) Decode(d *jute.Decoder) { r.Stat = d.Stat() }

// DataReply answers getData and reconfig.
type DataReply struct {
	Data []byte // nil is null
	Stat zk.Stat
}

// Append appends the record.
func (r *DataReply) Append(b []byte) []byte {
	return jute.AppendStat(jute.AppendBuffer(b, r.Data), &r.Stat)
}

// Decode reads the record.
func (r *DataReply) Decode(d *jute.Decoder) { r.Data, r.Stat = d.Buffer(), d.Stat() }
