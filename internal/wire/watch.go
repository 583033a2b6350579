package wire

import (
	"errors"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// SetWatches re-arms watches after a reconnect: opcodes setWatches and setWatches2 (which has the last two lists).
// A null list (nil) is answered with MarshallingError once the lists before it are carried out.
type SetWatches struct {
	Type         OpCode // OpSetWatches or OpSetWatches2; zero is OpSetWatches
	RelativeZxid zk.Zxid
	Data         []string
	Exist        []string
	Child        []string
	Persistent   []string
	Recursive    []string
}

// OpCode is Type.
func (r *SetWatches) OpCode() OpCode {
	if r.Type == 0 {
		return OpSetWatches
	}
	return r.Type
}

// Append appends the record; a nil list is written as null.
func (r *SetWatches) Append(b []byte) []byte {
	b = jute.AppendLong(b, int64(r.RelativeZxid))
	b = jute.AppendStrings(b, r.Data)
	b = jute.AppendStrings(b, r.Exist)
	b = jute.AppendStrings(b, r.Child)
	if r.OpCode() == OpSetWatches2 {
		b = jute.AppendStrings(b, r.Persistent)
		b = jute.AppendStrings(b, r.Recursive)
	}
	return b
}

func (r *SetWatches) decode(d *jute.Decoder) {
	r.RelativeZxid = zk.Zxid(d.Long())
	r.Data, r.Exist, r.Child = d.Strings(), d.Strings(), d.Strings()
	if r.Type == OpSetWatches2 {
		r.Persistent, r.Recursive = d.Strings(), d.Strings()
	} else {
		r.Persistent, r.Recursive = []string{}, []string{}
	}
}

// AddWatch adds a persistent watch.
type AddWatch struct {
	Path     string
	PathNull bool // accepted; the watch never fires
	Mode     zk.AddWatchMode
}

// OpCode is OpAddWatch.
func (*AddWatch) OpCode() OpCode { return OpAddWatch }

// Append appends the record.
func (r *AddWatch) Append(b []byte) []byte {
	return jute.AppendInt(jute.AppendNullString(b, r.Path, r.PathNull), int32(r.Mode))
}

func (r *AddWatch) decode(d *jute.Decoder) {
	r.Path, r.PathNull = d.NullString()
	r.Mode = zk.AddWatchMode(d.Int())
	if d.Err() == nil && r.Mode != zk.WatchPersistent && r.Mode != zk.WatchPersistentRecursive {
		d.Fail(errors.New("unknown watch mode"))
	}
}

// WatchQuery looks for watches, or removes them: opcodes checkWatches and removeWatches.
type WatchQuery struct {
	Remove   bool
	Path     string
	PathNull bool
	Type     zk.WatcherType
}

// OpCode is OpCheckWatches or OpRemoveWatches.
func (r *WatchQuery) OpCode() OpCode {
	if r.Remove {
		return OpRemoveWatches
	}
	return OpCheckWatches
}

// Append appends the record.
func (r *WatchQuery) Append(b []byte) []byte {
	return jute.AppendInt(jute.AppendNullString(b, r.Path, r.PathNull), int32(r.Type))
}

func (r *WatchQuery) decode(d *jute.Decoder) {
	r.Path, r.PathNull = d.NullString()
	r.Type = zk.WatcherType(d.Int())
	if d.Err() == nil && (r.Type < zk.WatcherChildren || r.Type > zk.WatcherPersistentRecursive) {
		d.Fail(errors.New("unknown watcher type"))
	}
}
