package recipes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// The ends of a Hold, and of waiting for one. They are found in errors and in context.Cause of Hold.Context.
var (
	// ErrLost: the session has ended, or cannot be trusted to live, or somebody has deleted the znode.
	ErrLost = errors.New("the hold was lost")
	// ErrReleased: the holder has let go.
	ErrReleased = errors.New("the hold was released")
	// ErrBusy: somebody else holds what was tried for.
	ErrBusy = errors.New("somebody else holds it")
)

// Hold is something held: a lock, a share of one, a lease of a semaphore, an office. It is held while Context goes on, and no longer.
//
// A holder that acts on the outside world should hand Token to it, and the outside world refuse a token lower than one it has seen:
// a process that is stopped at the wrong moment does not see its Context end in time, whatever a library does.
type Hold struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	token  zk.Zxid
	path   string
	free   func(context.Context) error

	once sync.Once
	err  error
}

// Context ends as soon as the hold is released or lost; context.Cause says which (ErrReleased, ErrLost). It is lost when the session
// has ended, when the znode was deleted by somebody else, and when no server was heard from for five sixths of the session's
// timeout: servers may then end the session at any moment. It carries no values of the context that it was acquired with.
func (h *Hold) Context() context.Context { return h.ctx }

// Token is the fencing token: each later holder's is higher. It is the zxid that made the holder's znode.
func (h *Hold) Token() zk.Zxid { return h.token }

// Path is the holder's znode.
func (h *Hold) Path() string { return h.path }

// Release lets go. Context ends first; Release returns when the servers know. Where ctx ends before that, they will be told
// nevertheless. The error is ErrLost if the hold was lost before. A second Release does nothing, and gives the same.
func (h *Hold) Release(ctx context.Context) error {
	h.once.Do(func() {
		lost := context.Cause(h.ctx)
		h.cancel(ErrReleased)
		if lost != nil {
			h.err = lost
			return
		}
		h.err = h.free(ctx)
	})
	return h.err
}

// hold makes a Hold of a place whose turn it is.
func (p *place) hold() *Hold { return newHold(p.c, p.path, p.stat.Czxid, p.leave, p.sweep) }

// newHold guards a znode of this session. free gives it up; lost is called once, if it is lost: a session that was given up for lost
// may come back, and must not keep others waiting.
func newHold(c *client.Client, path string, czxid zk.Zxid, free func(context.Context) error, lost func()) *Hold {
	h := &Hold{token: czxid, path: path, free: free}
	h.ctx, h.cancel = context.WithCancelCause(context.Background())
	go guardSession(h.ctx, h.cancel, c)
	go func() {
		guardZnode(h.ctx, h.cancel, c, path, czxid)
		if errors.Is(context.Cause(h.ctx), ErrLost) {
			lost()
		}
	}()
	return h
}

// removeMine deletes a znode if it is the one that was made by a txn. It looks anew before each attempt: when the reply to a delete is
// lost, the next znode of that name may be somebody else's.
func removeMine(ctx context.Context, c *client.Client, path string, czxid zk.Zxid) error {
	err := Insist(ctx, func() error {
		there, st, err := c.Exists(ctx, path)
		if err != nil || !there || st.Czxid != czxid {
			return err
		}
		return c.Delete(ctx, path, -1)
	})
	if errors.Is(err, zk.NoNode) {
		return nil
	}
	return err
}

// removeThis deletes the znode that is at path now, if there is one, and none that comes after it.
func removeThis(ctx context.Context, c *client.Client, path string) error {
	var there bool
	var st zk.Stat
	err := Insist(ctx, func() (err error) { there, st, err = c.Exists(ctx, path); return err })
	if err != nil || !there {
		return err
	}
	return removeMine(ctx, c, path, st.Czxid)
}

// guardSession ends a hold when its session can no longer be trusted to live.
func guardSession(ctx context.Context, cancel context.CancelCauseFunc, c *client.Client) {
	var doubt <-chan time.Time
	states := c.States(ctx)
	for {
		select {
		case s, ok := <-states:
			switch {
			case !ok: // after its end, of which we have heard, or that of ctx
				cancel(fmt.Errorf("%w: the session has ended", ErrLost))
				return
			case s.State.Ended(), s.State == client.Lapsed:
				cancel(fmt.Errorf("%w: the session is %v", ErrLost, s.State))
				return
			case s.State.IsConnected():
				doubt = nil
			default:
				doubt = time.After(time.Until(s.Heard.Add(s.Timeout * 5 / 6)))
			}
		case <-doubt:
			cancel(fmt.Errorf("%w: no server was heard from for too long", ErrLost))
			return
		case <-ctx.Done():
			return
		}
	}
}

// guardZnode ends a hold when its znode is deleted, or is another one with the same name. It ends with ctx.
func guardZnode(ctx context.Context, cancel context.CancelCauseFunc, c *client.Client, path string, czxid zk.Zxid) {
	for ctx.Err() == nil {
		var st zk.Stat
		var changed <-chan zk.Event
		err := Insist(ctx, func() (err error) { _, st, changed, err = c.GetW(ctx, path); return err })
		switch {
		case err == nil && st.Czxid != czxid, errors.Is(err, zk.NoNode):
			cancel(fmt.Errorf("%w: somebody has deleted %s", ErrLost, path))
			return
		case err != nil:
			if ctx.Err() == nil {
				cancel(fmt.Errorf("%w: %w", ErrLost, err))
			}
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}
