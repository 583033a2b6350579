package txn

import (
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// Create makes a znode: types create, create2, createContainer, createTTL.
type Create struct {
	Type           Type // which of the four; equal to the type of the txn, or of the entry of a multi
	Path           string
	Data           []byte // nil is null
	ACL            []zk.ACL
	Ephemeral      bool  // types create and create2: owned by Header.Session
	ParentCVersion int32 // the parent's count of creates after this one; -1 in the oldest logs: one more than it is
	TTL            int64 // ms; type createTTL
}

// NewCreate is a plain persistent create, for brevity.
func NewCreate(path string, data []byte, acl []zk.ACL, parentCVersion int32) *Create {
	return &Create{Type: TypeCreate, Path: path, Data: data, ACL: acl, ParentCVersion: parentCVersion}
}

func (c *Create) append(b []byte) []byte {
	b = jute.AppendString(b, c.Path)
	b = jute.AppendBuffer(b, c.Data)
	b = jute.AppendACL(b, c.ACL)
	if c.Type == TypeCreate || c.Type == TypeCreate2 {
		b = jute.AppendBool(b, c.Ephemeral)
	}
	b = jute.AppendInt(b, c.ParentCVersion)
	if c.Type == TypeCreateTTL {
		b = jute.AppendLong(b, c.TTL)
	}
	return b
}

func decodeCreate(t Type, d *jute.Decoder, top bool) *Create {
	c := &Create{Type: t, Path: d.String(), Data: d.Buffer()}
	c.ACL, _ = d.ACL()
	if t == TypeCreate || t == TypeCreate2 {
		c.Ephemeral = d.Bool()
	}
	if t == TypeCreate && top && d.Err() == nil && d.Left() == 0 { // CreateTxnV0
		c.ParentCVersion = -1
		return c
	}
	c.ParentCVersion = d.Int()
	if t == TypeCreateTTL {
		c.TTL = d.Long()
	}
	return c
}

// Delete removes a znode: types delete and deleteContainer.
type Delete struct{ Path string }

func (x *Delete) append(b []byte) []byte { return jute.AppendString(b, x.Path) }

// SetData replaces data: types setData and reconfig.
type SetData struct {
	Path    string
	Data    []byte // nil is null
	Version int32  // the new version
	Known   Known
}

// Known is what the server that prepared a txn found out about the znode that it changes, so that the same server need not find it
// and compute its digest a second time. It is not encoded; all of it may be zero, which only takes longer.
type Known struct {
	Tree      any     // the *tree.Tree of which Node is
	Node      uint32  // 0 is not known
	Czxid     zk.Zxid // of the znode: if a deleted one's number is given out again, that is to a later one
	HasDigest bool    // whether the next two are known
	Was, Is   uint32  // the znode's digest before the txn and after it
}

func (x *SetData) append(b []byte) []byte {
	return jute.AppendInt(jute.AppendBuffer(jute.AppendString(b, x.Path), x.Data), x.Version)
}

// SetACL replaces the ACL.
type SetACL struct {
	Path     string
	ACL      []zk.ACL // expanded
	AVersion int32    // the new one
}

func (x *SetACL) append(b []byte) []byte {
	return jute.AppendInt(jute.AppendACL(jute.AppendString(b, x.Path), x.ACL), x.AVersion)
}

// Check changes nothing; it stands in a multi for a check that held.
type Check struct {
	Path    string
	Version int32
}

func (x *Check) append(b []byte) []byte {
	return jute.AppendInt(jute.AppendString(b, x.Path), x.Version)
}

// Error changes nothing; it is a write that was refused, and takes a zxid like any other.
type Error struct{ Code zk.Code }

func (x *Error) append(b []byte) []byte { return jute.AppendInt(b, int32(x.Code)) }

// CreateSession makes Header.Session.
type CreateSession struct{ TimeOut int32 } // ms

func (x *CreateSession) append(b []byte) []byte { return jute.AppendInt(b, x.TimeOut) }

// CloseSession ends Header.Session and deletes Paths, its ephemerals. Old logs have no paths: then what the tree lists goes.
type CloseSession struct {
	HasPaths bool
	Paths    []string
}

func (x *CloseSession) append(b []byte) []byte {
	if !x.HasPaths {
		return b
	}
	if x.Paths == nil {
		return jute.AppendInt(b, 0)
	}
	return jute.AppendStrings(b, x.Paths)
}

// Sub is one entry of a Multi.
type Sub struct {
	Type Type
	Body Body
}

// Multi is several changes at one zxid. If an entry is an *Error the multi changes nothing.
type Multi struct{ Subs []Sub }

// Failed tells whether an entry is an *Error.
func (x *Multi) Failed() bool {
	for _, s := range x.Subs {
		if s.Type == TypeError {
			return true
		}
	}
	return false
}

func (x *Multi) append(b []byte) []byte {
	b = jute.AppendInt(b, int32(len(x.Subs)))
	for _, s := range x.Subs {
		b = jute.AppendInt(b, int32(s.Type))
		at := len(b)
		b = jute.AppendInt(b, 0)
		b = s.Body.append(b)
		n := jute.AppendInt(nil, int32(len(b)-at-4))
		copy(b[at:], n)
	}
	return b
}

func decodeMulti(d *jute.Decoder) *Multi {
	n, _ := d.Count(8)
	x := &Multi{}
	for range n {
		t := Type(d.Int())
		sub := jute.NewStored(d.Buffer())
		if d.Err() != nil {
			return nil
		}
		body := decodeBody(t, sub, false)
		if sub.Err() != nil {
			d.Fail(sub.Err())
			return nil
		}
		x.Subs = append(x.Subs, Sub{t, body})
	}
	return x
}
