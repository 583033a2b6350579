package recipes

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Counter is a number that many add to. It is written in decimal digits, as kazoo's Counter does.
//
// In the tree: path is the number; path/receipts see receipt.go.
type Counter struct {
	c        *client.Client
	path     string
	receipts *receipts
}

// NewCounter is a handle of the counter at path, which begins at 0.
func NewCounter(c *client.Client, path string) *Counter {
	return &Counter{c: c, path: path, receipts: newReceipts(c, path)}
}

// Value is the number now.
func (k *Counter) Value(ctx context.Context) (int64, error) {
	n, _, err := k.read(ctx)
	return n, err
}

func (k *Counter) read(ctx context.Context) (n int64, version int32, err error) {
	var data []byte
	var st zk.Stat
	for {
		err = Insist(ctx, func() (err error) { data, st, err = k.c.Get(ctx, k.path); return err })
		if !errors.Is(err, zk.NoNode) {
			break
		}
		if err = MakeFolder(ctx, k.c, k.path, zk.Persistent); err != nil {
			break
		}
	}
	if err != nil || len(data) == 0 {
		return 0, st.Version, err
	}
	if n, err = strconv.ParseInt(string(data), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("counter %s: %w", k.path, err)
	}
	return n, st.Version, nil
}

// Add adds delta, exactly once, and gives the sum. Errors: ErrUnknown; others say that nothing was added.
func (k *Counter) Add(ctx context.Context, delta int64) (int64, error) {
	for {
		n, version, err := k.read(ctx)
		if err != nil {
			return 0, err
		}
		n += delta
		err = k.receipts.commit(ctx, func(tx *client.Multi) { tx.Set(k.path, strconv.AppendInt(nil, n, 10), version) })
		if !errors.Is(err, zk.BadVersion) && !errors.Is(err, zk.NoNode) {
			return n, err
		}
	}
}

// IDs gives numbers that nobody else gets. Within a handle they rise. To ask the servers only now and then, a handle takes a block of
// them at a time; what it has not given out when its process ends is never used.
type IDs struct {
	counter *Counter
	block   int64

	mu        sync.Mutex
	next, end int64
}

// NewIDs is a handle of the ids at path, from 1. block is how many it takes at a time, at least 1.
func NewIDs(c *client.Client, path string, block int) *IDs {
	return &IDs{counter: NewCounter(c, path), block: int64(max(block, 1))}
}

// Next gives one.
func (i *IDs) Next(ctx context.Context) (int64, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.next == i.end {
		end, err := i.counter.Add(ctx, i.block)
		if err != nil {
			return 0, err
		}
		i.next, i.end = end-i.block, end
	}
	i.next++
	return i.next, nil
}
