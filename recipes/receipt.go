package recipes

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// ErrUnknown: a transaction was sent, and no server can be asked whether it was carried out: the session has ended, or has lapsed and
// the caller waits no longer.
var ErrUnknown = errors.New("it is unknown whether this was carried out")

// receipts make transactions whose outcome is known although replies are lost. Each transaction also sets the caller's receipt, an
// ephemeral znode that nobody else sets:
//
//	delete /queue/items/i-7  and  set /queue/receipts/r-3, version 4
//	the reply is lost
//	/queue/receipts/r-3 has version 5: it was carried out. Version 4: it was not, and never will be.
type receipts struct {
	c      *client.Client
	folder string

	mu   sync.Mutex
	idle []*receipt
}

type receipt struct {
	*place
	version int32
}

func newReceipts(c *client.Client, path string) *receipts {
	return &receipts{c: c, folder: zk.JoinPath(path, "receipts")}
}

func (r *receipts) take(ctx context.Context) (*receipt, error) {
	r.mu.Lock()
	if n := len(r.idle); n > 0 {
		k := r.idle[n-1]
		r.idle = r.idle[:n-1]
		r.mu.Unlock()
		return k, nil
	}
	r.mu.Unlock()
	p, err := join(ctx, r.c, r.folder, func(guid string) string { return "_c_" + guid + "-receipt-" }, nil)
	if err != nil {
		return nil, err
	}
	return &receipt{place: p}, nil
}

// put keeps a receipt for the next transaction. Before its version is used up another takes its place.
func (r *receipts) put(k *receipt) {
	if k.version == math.MaxInt32-1 {
		go k.sweep()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, k)
}

// commit carries out, exactly once, what build puts into a transaction; build is called for each attempt. An error other than
// ErrUnknown says that nothing was carried out: that of an operation that was refused, with its path, or of ctx before anything was
// sent. What was sent is waited for whatever ctx says, until the session has lapsed.
func (r *receipts) commit(ctx context.Context, build func(tx *client.Multi)) error {
	k, err := r.take(ctx)
	if err != nil {
		return err
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		tx := r.c.Multi()
		build(tx)
		tx.Set(k.path, nil, k.version)
		err := tx.Commit(ctx)
		var e *zk.Error
		switch {
		case err == nil:
			k.version++
			r.put(k)
			return nil
		case unsent(err) && !broken(err):
			r.put(k)
			return err
		case unsent(err):
			if !rest(ctx, pause) {
				r.put(k)
				return gaveUp(ctx, err)
			}
			continue
		case !broken(err) && !errors.Is(err, zk.OperationTimeout) && !errors.Is(err, zk.SessionExpired):
			if errors.Is(err, zk.NoNode) && errors.As(err, &e) && e.Path == k.path { // somebody has deleted the receipt
				if k, err = r.take(ctx); err != nil {
					return err
				}
				continue
			}
			r.put(k)
			return err
		}
		done, err := k.settle(ctx)
		switch {
		case err != nil:
			go k.sweep()
			return err
		case done:
			k.version++
			r.put(k)
			return nil
		case ctx.Err() != nil:
			r.put(k)
			return context.Cause(ctx)
		}
	}
}

// settle asks whether the last transaction was carried out: see place.names for why the answer is final.
func (k *receipt) settle(ctx context.Context) (done bool, err error) {
	bg := context.WithoutCancel(ctx)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		var there bool
		var st zk.Stat
		err := k.c.Sync(bg, k.path)
		if err == nil {
			there, st, err = k.c.Exists(bg, k.path)
		}
		switch {
		case err == nil && there:
			return st.Version != k.version, nil
		case err == nil:
			return false, fmt.Errorf("%w: somebody has deleted %s", ErrUnknown, k.path)
		case !broken(err):
			return false, fmt.Errorf("%w: %w", ErrUnknown, err)
		case ctx.Err() != nil && k.c.State() == client.Lapsed:
			return false, fmt.Errorf("%w: %w", ErrUnknown, err)
		}
		rest(bg, pause)
	}
}

// refused gives the path of the operation that was refused with a code.
func refused(err error, code zk.Code) (path string, ok bool) {
	var e *zk.Error
	if errors.Is(err, code) && errors.As(err, &e) {
		return e.Path, true
	}
	return "", false
}
