package client

import (
	"context"
	"errors"
	"sync"

	"github.com/zooid-io/zooid/internal/clientcore"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Get reads the data of the znode at path, and its Stat. Data that was created as nil comes back as nil. The caller owns it.
//
// Errors: zk.NoNode, zk.NoAuth (READ).
func (c *Client) Get(ctx context.Context, path string) ([]byte, zk.Stat, error) {
	g := gets.Get().(*get)
	g.op = wire.GetData{Path: c.out(path)}
	err := c.do(ctx, path, &g.op, &g.reply, nil)
	data, stat := g.reply.Data, g.reply.Stat
	if ctx.Err() == nil { // or else the core may know it still
		*g = get{}
		gets.Put(g)
	}
	return data, stat, err
}

// get is the operation and the reply of a Get, to be used again; set of a Set.
type get struct {
	op    wire.GetData
	reply wire.DataReply
}

var gets = sync.Pool{New: func() any { return new(get) }}

// GetW is Get, and watches: the channel gives one event, when the data is next changed or the znode deleted, and is then closed.
// It also gives one when the session ends (Type zk.EventNone, State zk.StateExpired, zk.StateClosed or zk.StateAuthFailed) and
// when the watch is removed by RemoveWatches (zk.EventDataWatchRemoved). Nobody needs to read it. With an error it is nil.
func (c *Client) GetW(ctx context.Context, path string) ([]byte, zk.Stat, <-chan zk.Event, error) {
	var r wire.DataReply
	w := newOneShot(clientcore.Data)
	err := c.do(ctx, path, &wire.GetData{Path: c.out(path), Watch: true}, &r, w)
	return r.Data, r.Stat, w.unless(err), err
}

// Exists tells whether there is a znode at path, and its Stat. A missing znode is not an error.
//
// Errors: zk.NoAuth (READ; not by servers before 3.8.4 and 3.9.2).
func (c *Client) Exists(ctx context.Context, path string) (bool, zk.Stat, error) {
	var r wire.StatReply
	err := c.do(ctx, path, &wire.Exists{Path: c.out(path)}, &r, nil)
	found, err := existence(err)
	return found, r.Stat, err
}

// ExistsW is Exists, and watches: the channel gives one event, when a missing znode is created, or a present one is changed or
// deleted. For the rest it is as that of GetW.
func (c *Client) ExistsW(ctx context.Context, path string) (bool, zk.Stat, <-chan zk.Event, error) {
	var r wire.StatReply
	w := newOneShot(clientcore.Exist)
	err := c.do(ctx, path, &wire.Exists{Path: c.out(path), Watch: true}, &r, w)
	found, err := existence(err)
	return found, r.Stat, w.unless(err), err
}

// existence makes an answer of the error that a missing znode is on the wire.
func existence(err error) (bool, error) {
	if errors.Is(err, zk.NoNode) {
		return false, nil
	}
	return err == nil, err
}

// Children lists the names (not the paths) of the children of the znode at path, in no order, and gives its Stat.
//
// Errors: zk.NoNode, zk.NoAuth (READ).
func (c *Client) Children(ctx context.Context, path string) ([]string, zk.Stat, error) {
	var r wire.Children2Reply
	err := c.do(ctx, path, &wire.GetChildren{Path: c.out(path), WithStat: true}, &r, nil)
	return r.Children, r.Stat, err
}

// ChildrenW is Children, and watches: the channel gives one event, when a child is created or deleted or the znode itself is
// deleted. For the rest it is as that of GetW; a removed watch is zk.EventChildWatchRemoved.
func (c *Client) ChildrenW(ctx context.Context, path string) ([]string, zk.Stat, <-chan zk.Event, error) {
	var r wire.Children2Reply
	w := newOneShot(clientcore.Child)
	err := c.do(ctx, path, &wire.GetChildren{Path: c.out(path), Watch: true, WithStat: true}, &r, w)
	return r.Children, r.Stat, w.unless(err), err
}

// AllChildrenNumber counts the znodes below path, at every depth; path itself is not counted. Servers since 3.6.
//
// Errors: zk.NoNode, zk.NoAuth (READ).
func (c *Client) AllChildrenNumber(ctx context.Context, path string) (int, error) {
	var r wire.NumberReply
	err := c.do(ctx, path, &wire.GetAllChildrenNumber{Path: c.out(path)}, &r, nil)
	return int(r.N), err
}

// Ephemerals lists the paths of this session's ephemeral znodes that begin with prefix, letter by letter: "/a" matches "/a/b" and
// "/ab". "/" is all (below the chroot). The order is not specified. Servers since 3.6.
func (c *Client) Ephemerals(ctx context.Context, prefix string) ([]string, error) {
	var r wire.ChildrenReply
	if err := c.do(ctx, prefix, &wire.GetEphemerals{Prefix: c.out(prefix)}, &r, nil); err != nil {
		return nil, err
	}
	return c.within(r.Children), nil
}

// GetACL reads the access control list of the znode at path, and its Stat. Without ADMIN the hashes of digests are hidden.
//
// Errors: zk.NoNode, zk.NoAuth (READ or ADMIN).
func (c *Client) GetACL(ctx context.Context, path string) ([]zk.ACL, zk.Stat, error) {
	var r wire.ACLReply
	err := c.do(ctx, path, &wire.GetACL{Path: c.out(path)}, &r, nil)
	return r.ACL, r.Stat, err
}

// Sync waits until the server that answers this client has seen all that was committed in the ensemble when Sync was called: a
// read after it shows no older state. The path is only echoed by servers; it need not exist.
func (c *Client) Sync(ctx context.Context, path string) error {
	return c.do(ctx, path, &wire.Sync{Path: c.out(path)}, &wire.PathReply{}, nil)
}

// WhoAmI lists the identities of this connection, in no order: its address (scheme ip) and those of the credentials. What must not be
// shown, as the hash of a password, is left off. Servers since 3.7.
func (c *Client) WhoAmI(ctx context.Context) ([]zk.ID, error) {
	var r wire.WhoAmIReply
	err := c.do(ctx, "", &wire.WhoAmI{}, &r, nil)
	return r.Infos, err
}
