package recipes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Queue is a queue of items that live until they are taken: first in, first out, unless an item has a priority or may not be taken
// before some time. Any number of producers and consumers use it, each through a handle.
//
// No item is lost, and none is put or taken twice, whatever becomes of connections: see Take and Lease for what a consumer that dies
// leaves behind. An item that is being put or taken when the session ends is the exception: its call says ErrUnknown, if the process
// lives to hear it.
//
// In the tree: path/items has the items, with time, priority and number in their names; path/claims an ephemeral znode for each item
// that is leased; path/receipts see receipt.go. A queue is for thousands of items, not for millions: consumers list it.
type Queue struct {
	c        *client.Client
	items    string
	claims   string
	receipts *receipts
}

// NewQueue is a handle of the queue at path.
func NewQueue(c *client.Client, path string) *Queue {
	return &Queue{c: c, items: zk.JoinPath(path, "items"), claims: zk.JoinPath(path, "claims"), receipts: newReceipts(c, path)}
}

// PutOptions say which items go first.
type PutOptions struct {
	// Priority: an item with a lower one goes first, from 0 to 999. Negative numbers and those above are brought into this range.
	// Put's is 500.
	Priority int
	// NotBefore is when the item may be taken, by the consumers' clocks; the zero time is now.
	NotBefore time.Time
}

// usual is the priority of Put.
const usual = 500

// Put appends an item. When it returns nil the item is in the queue, once. Errors: ErrUnknown; others say that it is not there.
func (q *Queue) Put(ctx context.Context, data []byte) error {
	return q.PutWith(ctx, data, PutOptions{Priority: usual})
}

// PutWith is Put of an item that is not like the others.
func (q *Queue) PutWith(ctx context.Context, data []byte, opt PutOptions) error {
	var due int64
	if !opt.NotBefore.IsZero() {
		due = max(opt.NotBefore.UnixMilli(), 0)
	}
	prefix := zk.JoinPath(q.items, fmt.Sprintf("item-%013d-%03d-", due, min(max(opt.Priority, 0), 999)))
	for {
		err := q.receipts.commit(ctx, func(tx *client.Multi) { tx.Create(prefix, data, zk.PersistentSequential) })
		if path, ok := refused(err, zk.NoNode); !ok || path != prefix {
			return err
		}
		if err := MakeFolder(ctx, q.c, q.items, zk.Container); err != nil {
			return err
		}
	}
}

// queued is an item as its name tells.
type queued struct {
	name     string
	due      int64 // ms since 1970
	priority int
	number   int32
}

// parseQueued reads "item-" time "-" priority "-" number.
func parseQueued(name string) (i queued, ok bool) {
	rest, ok := strings.CutPrefix(name, "item-")
	if !ok || len(rest) < 18 {
		return i, false
	}
	var err1, err2 error
	i.name = name
	i.due, err1 = strconv.ParseInt(rest[:13], 10, 64)
	i.priority, err2 = strconv.Atoi(rest[14:17])
	i.number, ok = number(name)
	return i, ok && err1 == nil && err2 == nil
}

// Take removes the first item and gives its data; where there is none it waits. What a consumer has taken and not done when it dies
// is lost: Lease is for work that must not be. Errors: those of ctx, with nothing taken; ErrUnknown: something may have been.
func (q *Queue) Take(ctx context.Context) ([]byte, error) {
	var data []byte
	err := q.first(ctx, func(name string) (err error) {
		item, claim := zk.JoinPath(q.items, name), zk.JoinPath(q.claims, name)
		err = Insist(ctx, func() (err error) { data, _, err = q.c.Get(ctx, item); return err })
		if err != nil {
			return err
		}
		// The claim comes and goes to make sure that nobody has it.
		return q.receipts.commit(ctx, func(tx *client.Multi) {
			tx.Create(claim, nil, zk.Ephemeral)
			tx.Delete(claim, -1)
			tx.Delete(item, -1)
		})
	})
	return data, err
}

// Item is an item that is leased: nobody else gets it while the Hold lasts. When the consumer's session ends before Done, the item is
// in its old place in the queue again. So it may be worked on twice, but never by two whose tokens are the same, and never by none.
type Item struct {
	*Hold
	Data []byte

	q    *Queue
	name string
}

// Lease gives the first item that nobody has; where there is none it waits. Call Done when the work is done, or Release to give the
// item back.
func (q *Queue) Lease(ctx context.Context) (*Item, error) {
	it := &Item{q: q}
	err := q.first(ctx, func(name string) error {
		item, claim := zk.JoinPath(q.items, name), zk.JoinPath(q.claims, name)
		err := q.receipts.commit(ctx, func(tx *client.Multi) {
			tx.Check(item, -1)
			tx.Create(claim, nil, zk.Ephemeral)
		})
		if err != nil {
			return err
		}
		var there bool
		var st zk.Stat
		err = Insist(ctx, func() (err error) {
			if it.Data, _, err = q.c.Get(ctx, item); err == nil {
				there, st, err = q.c.Exists(ctx, claim)
			}
			return err
		})
		bg := context.WithoutCancel(ctx)
		if err != nil || !there {
			go removeThis(bg, q.c, claim) // ours as long as the session lives
			return cmp.Or(err, ErrLost)
		}
		it.name = name
		back := func(ctx context.Context) error { return removeMine(ctx, q.c, claim, st.Czxid) }
		it.Hold = newHold(q.c, claim, st.Czxid, func(ctx context.Context) error {
			err := back(ctx)
			if err != nil && ctx.Err() != nil {
				go back(bg)
			}
			return err
		}, func() { _ = back(bg) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return it, nil
}

// Done removes the item, and with it the lease. The error is ErrLost if the lease was lost: then the item is in the queue again, or
// another consumer has it. After ErrUnknown it may be.
func (i *Item) Done(ctx context.Context) error {
	if cause := context.Cause(i.ctx); cause != nil {
		return cause
	}
	err := i.q.receipts.commit(ctx, func(tx *client.Multi) {
		tx.Delete(i.path, -1)
		tx.Delete(zk.JoinPath(i.q.items, i.name), -1)
	})
	if _, ok := refused(err, zk.NoNode); ok {
		err = ErrLost
	}
	if err == nil {
		i.once.Do(func() { i.cancel(ErrReleased) })
	}
	return err
}

// first tries the items in their order until take has one. take says zk.NoNode or zk.NodeExists for one that somebody else has.
func (q *Queue) first(ctx context.Context, take func(name string) error) error {
	items, claims := listing{c: q.c, folder: q.items}, listing{c: q.c, folder: q.claims}
	for {
		if err := claims.refresh(ctx); err != nil {
			return err
		}
		if err := items.refresh(ctx); err != nil {
			return err
		}
		ready, next := due(items.names, claims.names, time.Now().UnixMilli())
		for _, i := range ready {
			err := take(i.name)
			path, missing := refused(err, zk.NoNode)
			switch {
			case missing && strings.HasPrefix(path, q.claims):
				// The container has gone while nobody had a claim. The list that follows makes it.
				claims.changed = nil
				if err := MakeFolder(ctx, q.c, q.claims, zk.Container); err != nil {
					return err
				}
				next = 0
			case missing, errors.Is(err, zk.NodeExists):
			default:
				return err
			}
		}
		var alarm <-chan time.Time
		if next >= 0 {
			alarm = time.After(time.Until(time.UnixMilli(next)))
		}
		select {
		case <-items.changed:
			items.changed = nil
		case <-claims.changed:
			claims.changed = nil
		case <-alarm:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// due orders the items that may be taken now, and tells when the next one may, -1 for none.
func due(items, claimed []string, now int64) (ready []queued, next int64) {
	next = -1
	taken := make(map[string]bool, len(claimed))
	for _, name := range claimed {
		taken[name] = true
	}
	for _, name := range items {
		i, ok := parseQueued(name)
		switch {
		case !ok || taken[name]:
		case i.due <= now:
			ready = append(ready, i)
		case next < 0 || i.due < next:
			next = i.due
		}
	}
	slices.SortFunc(ready, func(a, b queued) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), before(a.number, b.number))
	})
	return ready, next
}

// listing is the children of a folder, read anew when they have changed.
type listing struct {
	c       *client.Client
	folder  string
	names   []string
	changed <-chan zk.Event // nil where names are to be read
}

func (l *listing) refresh(ctx context.Context) (err error) {
	if l.changed == nil {
		l.names, l.changed, err = watchChildren(ctx, l.c, l.folder)
	}
	return err
}

// Len is how many items there are, leased ones too.
func (q *Queue) Len(ctx context.Context) (n int, err error) {
	var names []string
	err = Insist(ctx, func() (err error) { names, _, err = q.c.Children(ctx, q.items); return err })
	if errors.Is(err, zk.NoNode) {
		return 0, nil
	}
	for _, name := range names {
		if _, ok := parseQueued(name); ok {
			n++
		}
	}
	return n, err
}
