package wire

import (
	"errors"
	"fmt"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// Multi is a list of operations: all or nothing for opcode multi (create, delete, setData, check), each for itself for
// multiRead (getData, getChildren).
type Multi struct {
	Type OpCode // OpMulti or OpMultiRead; zero is OpMulti
	Ops  []Op
}

// OpCode is Type.
func (m *Multi) OpCode() OpCode {
	if m.Type == 0 {
		return OpMulti
	}
	return m.Type
}

// Append appends the list: MultiHeader{type, done=0, err=-1} and record for each, then MultiHeader{-1, done=1, -1}.
func (m *Multi) Append(b []byte) []byte {
	for _, op := range m.Ops {
		b = appendMultiHeader(b, op.OpCode(), false, -1)
		b = op.Append(b)
	}
	return appendMultiHeader(b, OpError, true, -1)
}

func appendMultiHeader(b []byte, t OpCode, done bool, err zk.Code) []byte {
	b = jute.AppendInt(b, int32(t))
	b = jute.AppendBool(b, done)
	return jute.AppendInt(b, int32(err))
}

// errNullACL is the one fault of a multi that takes no zxid (3.9.5).
var errNullACL = errors.New("a create has a null acl")

// decode reads the list and refuses, for the whole request, what Apache 3.9.5 refuses while it decodes: unknown kinds, a
// mixture of reads and writes, reads in a multi or writes in a multiRead, unknown or TTL flags on a plain create.
func (m *Multi) decode(d *jute.Decoder) {
	reads, writes, null := 0, 0, false
	for d.Err() == nil {
		t, done := OpCode(d.Int()), d.Bool()
		d.Int() // err, ignored
		if d.Err() != nil || done {
			break
		}
		var op Op
		switch t {
		case OpCreate, OpCreate2, OpCreateContainer, OpCreateTTL:
			c := &Create{}
			c.decode(t, d)
			m.settleMode(c, d)
			op = c
		case OpDelete:
			v := &Delete{}
			v.decode(d)
			op = v
		case OpSetData:
			v := &SetData{}
			v.decode(d)
			op = v
		case OpCheck:
			v := &Check{}
			v.Path, v.PathNull = d.NullString()
			v.Version = d.Int()
			op = v
		case OpGetData:
			v := &GetData{}
			v.Path, v.PathNull = d.NullString()
			v.Watch = d.Bool()
			null = null || v.PathNull
			op = v
		case OpGetChildren:
			v := &GetChildren{}
			v.Path, v.PathNull = d.NullString()
			v.Watch = d.Bool()
			null = null || v.PathNull
			op = v
		default:
			d.Fail(fmt.Errorf("%s is not an operation of a multi", t))
			return
		}
		if t == OpGetData || t == OpGetChildren {
			reads++
		} else {
			writes++
		}
		if reads > 0 && writes > 0 {
			d.Fail(errors.New("reads and writes are mixed"))
		}
		m.Ops = append(m.Ops, op)
	}
	if d.Err() != nil {
		return
	}
	if m.Type == OpMulti && reads > 0 {
		d.Fail(errors.New("a multi of reads"))
	}
	if m.Type == OpMultiRead && (writes > 0 || null) {
		d.Fail(errors.New("a multiRead of writes, or of a null path"))
	}
}

// settleMode turns a create within a multi into the operation that Apache 3.9.5 makes of it: there the flags decide, not
// the opcode.
func (m *Multi) settleMode(c *Create, d *jute.Decoder) {
	if d.Err() != nil {
		return
	}
	if !c.Mode.Known() || (c.Mode.IsTTL() && c.Type != OpCreateTTL) {
		d.Fail(fmt.Errorf("flags %d on %s", c.Mode, c.Type))
		return
	}
	if c.ACL == nil {
		d.Fail(&BodyError{Op: OpMulti, Err: errNullACL})
		return
	}
	switch {
	case c.Mode == zk.Container:
		c.Type = OpCreateContainer
	case c.Type == OpCreateContainer && c.Mode == zk.Ephemeral:
		c.Mode = zk.Container
	case c.Type == OpCreateContainer && c.Mode == zk.EphemeralSequential:
		c.Mode = zk.PersistentSequential
	case c.Type == OpCreateTTL && !c.Mode.IsTTL():
		c.Type = OpCreate
	}
	if c.Type != OpCreateTTL {
		c.TTL = -1
	}
}

// MultiResult is one entry of a MultiReply. Type is OpCreate (Path), OpCreate2 (Path, Stat), OpDelete, OpCheck, OpSetData
// (Stat), OpGetData (Data, Stat), OpGetChildren (Children), or OpError (Err).
type MultiResult struct {
	Type     OpCode
	Err      zk.Code
	Path     string
	Stat     zk.Stat
	Data     []byte
	Children []string
}

// MultiReply answers multi and multiRead.
type MultiReply struct{ Results []MultiResult }

// Append appends the list.
func (r *MultiReply) Append(b []byte) []byte {
	for i := range r.Results {
		b = r.Results[i].append(b)
	}
	return appendMultiHeader(b, OpError, true, -1)
}

func (r *MultiResult) append(b []byte) []byte {
	b = appendMultiHeader(b, r.Type, false, r.Err)
	switch r.Type {
	case OpError:
		b = jute.AppendInt(b, int32(r.Err))
	case OpCreate:
		b = jute.AppendString(b, r.Path)
	case OpCreate2:
		b = jute.AppendStat(jute.AppendString(b, r.Path), &r.Stat)
	case OpSetData:
		b = jute.AppendStat(b, &r.Stat)
	case OpGetData:
		b = jute.AppendStat(jute.AppendBuffer(b, r.Data), &r.Stat)
	case OpGetChildren:
		b = jute.AppendStrings(b, r.Children)
	}
	return b
}

// Decode reads the list.
func (r *MultiReply) Decode(d *jute.Decoder) {
	r.Results = nil
	for d.Err() == nil {
		v := MultiResult{Type: OpCode(d.Int())}
		done := d.Bool()
		v.Err = zk.Code(d.Int())
		if done {
			return
		}
		switch v.Type {
		case OpError:
			v.Err = zk.Code(d.Int())
		case OpCreate:
			v.Path = d.String()
		case OpCreate2:
			v.Path, v.Stat = d.String(), d.Stat()
		case OpSetData:
			v.Stat = d.Stat()
		case OpGetData:
			v.Data, v.Stat = d.Buffer(), d.Stat()
		case OpGetChildren:
			v.Children = d.Strings()
		case OpDelete, OpCheck:
		default:
			d.Fail(fmt.Errorf("multi result of type %d", v.Type))
			return
		}
		r.Results = append(r.Results, v)
	}
}
