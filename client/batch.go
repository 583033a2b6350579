package client

import (
	"context"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Batch is a list of calls that are sent at once, one behind the other, without a goroutine for each. Unlike a Multi they stand
// each for itself: some may fail, and other clients' writes may come between them. They are carried out in order.
//
//	b := c.Batch()
//	for i, path := range paths {
//		results[i] = b.Get(path)
//	}
//	err := b.Flush(ctx)
//
// Send and Wait are the halves of Flush, to do something else meanwhile. After Wait the batch is empty and may be used again. It is
// used by one goroutine.
type Batch struct {
	c     *Client
	calls []*call
	sent  int // calls[:sent] were sent
}

// Batch begins a list of calls.
func (c *Client) Batch() *Batch { return &Batch{c: c} }

// Create adds Client.Create.
func (b *Batch) Create(path string, data []byte, mode zk.Mode, acl ...zk.ACL) *CreateResult {
	op, err := b.c.create(path, data, mode, 0, acl)
	return b.create(path, op, err)
}

// CreateTTL adds Client.CreateTTL.
func (b *Batch) CreateTTL(path string, data []byte, mode zk.Mode, ttl time.Duration, acl ...zk.ACL) *CreateResult {
	op, err := b.c.create(path, data, mode, ttl, acl)
	return b.create(path, op, err)
}

func (b *Batch) create(path string, op *wire.Create, err error) *CreateResult {
	res, r := &CreateResult{Err: ErrNotSent}, &wire.Create2Reply{}
	b.add(path, op, err, r, func(err error) error {
		if res.Err = err; err == nil {
			res.Path, res.Stat = b.c.in(r.Path), r.Stat
		}
		return res.Err
	})
	return res
}

// Get adds Client.Get.
func (b *Batch) Get(path string) *GetResult {
	res, r := &GetResult{Err: ErrNotSent}, &wire.DataReply{}
	b.add(path, &wire.GetData{Path: b.c.out(path)}, nil, r, func(err error) error {
		if res.Err = err; err == nil {
			res.Data, res.Stat = r.Data, r.Stat
		}
		return res.Err
	})
	return res
}

// Set adds Client.Set.
func (b *Batch) Set(path string, data []byte, version int32) *SetResult {
	res, r := &SetResult{Err: ErrNotSent}, &wire.StatReply{}
	b.add(path, &wire.SetData{Path: b.c.out(path), Data: data, Version: version}, nil, r, func(err error) error {
		res.Stat, res.Err = r.Stat, err
		return res.Err
	})
	return res
}

// Delete adds Client.Delete.
func (b *Batch) Delete(path string, version int32) *DeleteResult {
	res := &DeleteResult{Err: ErrNotSent}
	b.add(path, &wire.Delete{Path: b.c.out(path), Version: version}, nil, nil, func(err error) error { res.Err = err; return err })
	return res
}

// Exists adds Client.Exists.
func (b *Batch) Exists(path string) *ExistsResult {
	res, r := &ExistsResult{Err: ErrNotSent}, &wire.StatReply{}
	b.add(path, &wire.Exists{Path: b.c.out(path)}, nil, r, func(err error) error {
		res.Found, res.Err = existence(err)
		res.Stat = r.Stat
		return res.Err
	})
	return res
}

// Children adds Client.Children.
func (b *Batch) Children(path string) *ChildrenResult {
	res, r := &ChildrenResult{Err: ErrNotSent}, &wire.Children2Reply{}
	b.add(path, &wire.GetChildren{Path: b.c.out(path), WithStat: true}, nil, r, func(err error) error {
		if res.Err = err; err == nil {
			res.Children, res.Stat = r.Children, r.Stat
		}
		return res.Err
	})
	return res
}

// GetACL adds Client.GetACL.
func (b *Batch) GetACL(path string) *ACLResult {
	res, r := &ACLResult{Err: ErrNotSent}, &wire.ACLReply{}
	b.add(path, &wire.GetACL{Path: b.c.out(path)}, nil, r, func(err error) error {
		if res.Err = err; err == nil {
			res.ACL, res.Stat = r.ACL, r.Stat
		}
		return res.Err
	})
	return res
}

// Sync adds Client.Sync.
func (b *Batch) Sync(path string) *SyncResult {
	res := &SyncResult{Err: ErrNotSent}
	b.add(path, &wire.Sync{Path: b.c.out(path)}, nil, &wire.PathReply{}, func(err error) error { res.Err = err; return err })
	return res
}

// add appends a call; one that cannot be made is there too, and has its error.
func (b *Batch) add(path string, op wire.Op, err error, reply wire.Reply, fill func(error) error) {
	k := &call{path: path, done: make(chan struct{}), fill: fill}
	if err == nil {
		err = checkPath(op, path)
	}
	if k.err = err; err == nil {
		k.core.Op, k.core.Reply = op, reply
	}
	b.calls = append(b.calls, k)
}

// Len is the number of calls.
func (b *Batch) Len() int { return len(b.calls) }

// Flush is Send, then Wait.
func (b *Batch) Flush(ctx context.Context) error {
	b.Send()
	return b.Wait(ctx)
}

// Send sends the calls that were added since the last Send and does not wait. Where there is no connection they wait for one, as
// any call does.
func (b *Batch) Send() {
	b.c.submit(b.calls[b.sent:]...)
	b.sent = len(b.calls)
}

// Wait returns when every call that was sent has its result, and empties the batch. When ctx ends first, the calls that have none
// get the error that a single call would. The error is the first in the order of the calls, or nil.
func (b *Batch) Wait(ctx context.Context) error {
	var first error
	for _, k := range b.calls[:b.sent] {
		if err := k.fill(b.c.wait(ctx, k)); first == nil {
			first = err
		}
	}
	b.calls, b.sent = append([]*call(nil), b.calls[b.sent:]...), 0
	return first
}
