package jute

import "github.com/zooid-io/zooid/zk"

// ACL reads a vector of ACL entries; null gives nil, empty a slice that is not nil. nullID tells that some entry's id was
// null (its scheme, if null, reads as ""): the request is then answered with MarshallingError, not InvalidACL. Of an entry of
// scheme auth nobody reads the id, so there it may be null; kazoo sends its CREATOR_ALL_ACL so.
func (d *Decoder) ACL() (acl []zk.ACL, nullID bool) {
	n, null := d.Count(12)
	if null || d.err != nil {
		return nil, false
	}
	acl = make([]zk.ACL, 0, n)
	for range n {
		a := zk.ACL{Perms: zk.Perm(d.Int())}
		a.ID.Scheme = d.String()
		id, isNull := d.NullString()
		a.ID.ID = id
		nullID = nullID || isNull && d.err == nil && a.ID.Scheme != "auth"
		acl = append(acl, a)
	}
	if d.err != nil {
		return nil, false
	}
	return acl, nullID
}

// AppendACL appends a vector of ACL entries; nil is null.
func AppendACL(b []byte, acl []zk.ACL) []byte {
	if acl == nil {
		return AppendInt(b, -1)
	}
	b = AppendInt(b, int32(len(acl)))
	for _, a := range acl {
		b = AppendInt(b, int32(a.Perms))
		b = AppendString(b, a.ID.Scheme)
		b = AppendString(b, a.ID.ID)
	}
	return b
}
