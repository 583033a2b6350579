package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Create makes a znode. It returns its path, which for a sequential mode has ten digits more than the one given, and its Stat.
// Without an acl everybody has all permissions. Data nil and empty are different, and stay so. For the modes with a time to live,
// see CreateTTL.
//
// Errors: zk.NodeExists, zk.NoNode (the parent is missing), zk.NoAuth (CREATE on the parent), zk.NoChildrenForEphemerals,
// zk.InvalidACL, zk.BadArguments, zk.QuotaExceeded. After zk.ConnectionLoss the znode may have been made: for a sequential one,
// put something of your own into the name, and look.
func (c *Client) Create(ctx context.Context, path string, data []byte, mode zk.Mode, acl ...zk.ACL) (string, zk.Stat, error) {
	op, err := c.create(path, data, mode, 0, acl)
	if err != nil {
		return "", zk.Stat{}, err
	}
	return c.doCreate(ctx, path, op)
}

// CreateTTL makes a znode that the servers delete once it has no children and its data was not changed for ttl (1 ms to about 34
// years; servers look about once a minute). The mode is zk.PersistentTTL or zk.PersistentSequentialTTL. Servers must be configured
// for it (extendedTypesEnabled), or answer zk.Unimplemented. For the rest, see Create.
func (c *Client) CreateTTL(ctx context.Context, path string, data []byte, mode zk.Mode, ttl time.Duration, acl ...zk.ACL) (string, zk.Stat, error) {
	if !mode.IsTTL() {
		return "", zk.Stat{}, badArguments("create", path, fmt.Errorf("mode %d has no time to live", mode))
	}
	op, err := c.create(path, data, mode, ttl, acl)
	if err != nil {
		return "", zk.Stat{}, err
	}
	return c.doCreate(ctx, path, op)
}

func (c *Client) doCreate(ctx context.Context, path string, op *wire.Create) (string, zk.Stat, error) {
	var r wire.Create2Reply
	if err := c.do(ctx, path, op, &r, nil); err != nil {
		return "", zk.Stat{}, err
	}
	return c.in(r.Path), r.Stat, nil
}

// openACL is what a create without an ACL asks for.
var openACL = zk.WorldACL(zk.PermAll)

// create is the operation that makes a znode: the mode decides the opcode (client protocol, section 3.8).
func (c *Client) create(path string, data []byte, mode zk.Mode, ttl time.Duration, acl []zk.ACL) (*wire.Create, error) {
	op := &wire.Create{Type: wire.OpCreate2, Path: c.out(path), Data: data, ACL: acl, Mode: mode}
	if len(acl) == 0 {
		op.ACL = openACL
	}
	switch {
	case !mode.Known():
		return nil, badArguments("create", path, fmt.Errorf("mode %d is unknown", mode))
	case mode == zk.Container:
		op.Type = wire.OpCreateContainer
	case mode.IsTTL():
		if op.TTL = ttl.Milliseconds(); op.TTL <= 0 || op.TTL > zk.MaxTTL {
			return nil, badArguments("create", path, fmt.Errorf("time to live %v is not between 1 ms and %d ms", ttl, zk.MaxTTL))
		}
		op.Type = wire.OpCreateTTL
	}
	return op, nil
}

// Set replaces the data of the znode at path if its version is the one given, or whatever it is for version -1.
//
// Errors: zk.NoNode, zk.BadVersion, zk.NoAuth (WRITE), zk.QuotaExceeded.
func (c *Client) Set(ctx context.Context, path string, data []byte, version int32) (zk.Stat, error) {
	s := sets.Get().(*set)
	s.op = wire.SetData{Path: c.out(path), Data: data, Version: version}
	err := c.do(ctx, path, &s.op, &s.reply, nil)
	stat := s.reply.Stat
	if ctx.Err() == nil { // or else the core may know it still
		*s = set{}
		sets.Put(s)
	}
	return stat, err
}

type set struct {
	op    wire.SetData
	reply wire.StatReply
}

var sets = sync.Pool{New: func() any { return new(set) }}

// Delete removes the znode at path if its version is the one given, or whatever it is for version -1.
//
// Errors: zk.NoNode, zk.BadVersion, zk.NotEmpty, zk.NoAuth (DELETE on the parent).
func (c *Client) Delete(ctx context.Context, path string, version int32) error {
	return c.do(ctx, path, &wire.Delete{Path: c.out(path), Version: version}, nil, nil)
}

// SetACL replaces the access control list of the znode at path if its ACL's version (Stat.AVersion) is the one given, or whatever
// it is for version -1.
//
// Errors: zk.NoNode, zk.BadVersion, zk.NoAuth (ADMIN), zk.InvalidACL.
func (c *Client) SetACL(ctx context.Context, path string, acl []zk.ACL, version int32) (zk.Stat, error) {
	if len(acl) == 0 {
		return zk.Stat{}, &zk.Error{Op: "setACL", Path: path, Code: zk.InvalidACL, Err: errors.Join(errors.New("the list is empty"), ErrNotSent)}
	}
	var r wire.StatReply
	err := c.do(ctx, path, &wire.SetACL{Path: c.out(path), ACL: acl, Version: version}, &r, nil)
	return r.Stat, err
}

// AddAuth gives a credential to the server, and from now on to every server that the client connects to. It returns when the
// server has taken it.
//
// Errors: zk.AuthFailed; the session is then over for this client (State AuthFailed), as it is with Apache's. A credential that
// was sent stays, and is given to the next server, also where AddAuth ended with its context or with zk.ConnectionLoss.
func (c *Client) AddAuth(ctx context.Context, scheme string, auth []byte) error {
	return c.do(ctx, "", &wire.Auth{Scheme: scheme, Auth: append([]byte{}, auth...)}, nil, nil)
}
