package client

import (
	"context"
	"fmt"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Multi is a transaction: operations that are carried out all or none, with one zxid, each seeing what the earlier ones did.
//
//	tx := c.Multi()
//	tx.Check("/config", 7)
//	member := tx.Create("/members/m-", nil, zk.EphemeralSequential)
//	if err := tx.Commit(ctx); err != nil { ... }
//	fmt.Println(member.Path)
//
// It is used by one goroutine, and committed once.
type Multi struct {
	c    *Client
	ops  []wire.Op
	done []func(r *wire.MultiResult, err error) // fills the result of the op with the same index
	path []string
	err  error // of the first op that cannot be sent
}

// Multi begins a transaction.
func (c *Client) Multi() *Multi { return &Multi{c: c} }

func (m *Multi) add(path string, op wire.Op, err error, done func(*wire.MultiResult, error)) {
	if err == nil && op != nil {
		err = checkPath(op, path)
	}
	if err != nil && m.err == nil {
		m.err = err
	}
	m.ops, m.path, m.done = append(m.ops, op), append(m.path, path), append(m.done, done)
}

// Create adds the creation of a znode: see Client.Create.
func (m *Multi) Create(path string, data []byte, mode zk.Mode, acl ...zk.ACL) *CreateResult {
	op, err := m.c.create(path, data, mode, 0, acl)
	return m.create(path, op, err)
}

// CreateTTL adds the creation of a znode with a time to live: see Client.CreateTTL.
func (m *Multi) CreateTTL(path string, data []byte, mode zk.Mode, ttl time.Duration, acl ...zk.ACL) *CreateResult {
	op, err := m.c.create(path, data, mode, ttl, acl)
	return m.create(path, op, err)
}

func (m *Multi) create(path string, op *wire.Create, err error) *CreateResult {
	res := &CreateResult{Err: ErrNotSent}
	m.add(path, op, err, func(r *wire.MultiResult, err error) {
		if res.Err = err; err == nil {
			res.Path, res.Stat = m.c.in(r.Path), r.Stat
		}
	})
	return res
}

// Delete adds the removal of a znode: see Client.Delete.
func (m *Multi) Delete(path string, version int32) *DeleteResult {
	res := &DeleteResult{Err: ErrNotSent}
	m.add(path, &wire.Delete{Path: m.c.out(path), Version: version}, nil, func(_ *wire.MultiResult, err error) { res.Err = err })
	return res
}

// Set adds a change of data: see Client.Set.
func (m *Multi) Set(path string, data []byte, version int32) *SetResult {
	res := &SetResult{Err: ErrNotSent}
	m.add(path, &wire.SetData{Path: m.c.out(path), Data: data, Version: version}, nil, func(r *wire.MultiResult, err error) {
		if res.Err = err; err == nil {
			res.Stat = r.Stat
		}
	})
	return res
}

// Check adds a condition: the znode exists and has this version; -1 is any.
func (m *Multi) Check(path string, version int32) *CheckResult {
	res := &CheckResult{Err: ErrNotSent}
	m.add(path, &wire.Check{Path: m.c.out(path), Version: version}, nil, func(_ *wire.MultiResult, err error) { res.Err = err })
	return res
}

// Len is the number of operations.
func (m *Multi) Len() int { return len(m.ops) }

// Commit carries the transaction out and fills the results. Where it fails, the error has the path and the code of the operation
// that was refused, the result of that one has it too, and all others have zk.RuntimeInconsistency: they were not carried out.
func (m *Multi) Commit(ctx context.Context) error {
	return m.send(ctx, wire.OpMulti)
}

// MultiRead is a list of reads that are answered together, at one moment: no write comes between them. Servers since 3.6. It is
// used by one goroutine, and sent once.
type MultiRead struct{ m Multi }

// MultiRead begins a list of reads.
func (c *Client) MultiRead() *MultiRead { return &MultiRead{Multi{c: c}} }

// Get adds a read of data: see Client.Get.
func (r *MultiRead) Get(path string) *GetResult {
	res := &GetResult{Err: ErrNotSent}
	r.m.add(path, &wire.GetData{Path: r.m.c.out(path)}, nil, func(r *wire.MultiResult, err error) {
		if res.Err = err; err == nil {
			res.Data, res.Stat = r.Data, r.Stat
		}
	})
	return res
}

// Children adds a listing: see Client.Children. Its result has no Stat.
func (r *MultiRead) Children(path string) *ChildrenResult {
	res := &ChildrenResult{Err: ErrNotSent}
	r.m.add(path, &wire.GetChildren{Path: r.m.c.out(path)}, nil, func(r *wire.MultiResult, err error) {
		if res.Err = err; err == nil {
			res.Children = r.Children
		}
	})
	return res
}

// Len is the number of reads.
func (r *MultiRead) Len() int { return r.m.Len() }

// Read sends the list and fills the results, each with its own error: a read that is refused does not concern the others. The
// error of Read itself says that nothing was answered.
func (r *MultiRead) Read(ctx context.Context) error { return r.m.send(ctx, wire.OpMultiRead) }

// send makes one call of the list and spreads its reply over the results.
func (m *Multi) send(ctx context.Context, typ wire.OpCode) error {
	op, reply := &wire.Multi{Type: typ, Ops: m.ops}, &wire.MultiReply{}
	err := m.err
	if err == nil {
		err = m.c.do(ctx, "", op, reply, nil)
	}
	if err == nil && len(reply.Results) != len(m.ops) {
		err = &zk.Error{Op: opName(op), Code: zk.MarshallingError, Err: fmt.Errorf("%d results for %d operations", len(reply.Results), len(m.ops))}
	}
	if err != nil {
		for _, done := range m.done {
			done(nil, err)
		}
		return err
	}
	var failed error
	for i, done := range m.done {
		r := &reply.Results[i]
		if r.Type != wire.OpError {
			done(r, nil)
			continue
		}
		code := r.Err
		if typ == wire.OpMulti && code == zk.OK {
			code = zk.RuntimeInconsistency // before the one that failed: rolled back (client protocol, section 3.5)
		}
		err := &zk.Error{Op: opName(m.ops[i]), Path: m.path[i], Code: code}
		if done(nil, err); failed == nil && code != zk.RuntimeInconsistency {
			failed = err
		}
	}
	if typ == wire.OpMultiRead {
		return nil
	}
	return failed
}
