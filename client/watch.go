package client

import (
	"context"
	"errors"

	"github.com/zooid-io/zooid/internal/clientcore"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// oneShot is a watch that yields one event, into a channel with room for it: nobody waits for its reader.
type oneShot struct {
	clientcore.Watch
	ch       chan zk.Event
	absolute bool // paths are told without taking the chroot off
}

func newOneShot(kind clientcore.Kind) *oneShot {
	w := &oneShot{ch: make(chan zk.Event, 1)}
	w.Kind, w.Owner = kind, w
	return w
}

// unless gives the channel, or nil if the call failed.
func (w *oneShot) unless(err error) <-chan zk.Event {
	if err != nil {
		return nil
	}
	return w.ch
}

// fire hands the event over; the core does so once. The caller holds the client's lock.
func (w *oneShot) fire(c *Client, e zk.Event) {
	if !w.absolute {
		e.Path = c.in(e.Path)
	}
	w.ch <- e
	close(w.ch)
}

// Missed says why a stream of events may have a gap.
type Missed int

// The reasons.
const (
	// MissedNothing: this is an event, and none before it was lost.
	MissedNothing Missed = iota
	// MissedReconnect: the connection was lost and the watch is set again. What happened in between was not told: servers do not
	// do so for these watches.
	MissedReconnect
	// MissedOverflow: the reader was too slow, and events were dropped from here on.
	MissedOverflow
)

// Notice is an item of a Watch: an event, or a gap.
type Notice struct {
	zk.Event        // of a gap: Type zk.EventNone, the path that is watched
	Missed   Missed // other than MissedNothing: read anew what you hold; events after this one are complete again
}

// WatchBuffer is how many events a Watch holds for its reader.
const WatchBuffer = 256

// Watch is a persistent watch: a stream of events that goes on over lost connections until Close or the session's end.
type Watch struct {
	core clientcore.Watch
	c    *Client
	ch   chan Notice // room for WatchBuffer events and one gap; filled under the client's lock
	gap  bool        // events were dropped, and ch says so behind the last that was not
	err  error       // why ch is closed; under the client's lock
}

// AddWatch watches the znode at path, which need not exist. With zk.WatchPersistent the events are that it was created, changed
// or deleted, and that its list of children changed. With zk.WatchPersistentRecursive they are that it or any znode below it was
// created, changed or deleted, each with its own path, and lists of children are not told of. Servers since 3.6; before 3.9 they
// mix up several watches of one path, so use one kind for each path there.
func (c *Client) AddWatch(ctx context.Context, path string, mode zk.AddWatchMode) (*Watch, error) {
	w := &Watch{c: c, ch: make(chan Notice, WatchBuffer+1)}
	w.core.Owner = w
	switch mode {
	case zk.WatchPersistent:
		w.core.Kind = clientcore.Persistent
	case zk.WatchPersistentRecursive:
		w.core.Kind = clientcore.Recursive
	default:
		return nil, badArguments("addWatch", path, errors.New("unknown mode"))
	}
	if err := c.doWatch(ctx, path, &wire.AddWatch{Path: c.out(path), Mode: mode}, &wire.NumberReply{}, &w.core); err != nil {
		return nil, err
	}
	return w, nil
}

// take puts what the core tells of a watch into its stream. The caller holds the client's lock.
func (w *Watch) take(f clientcore.Fired) {
	f.Event.Path = w.c.in(f.Event.Path)
	switch {
	case f.Last:
		w.err = ErrWatchClosed
		if f.Event.Type == zk.EventNone {
			w.err = &zk.Error{Op: "addWatch", Path: f.Event.Path, Code: zk.SessionExpired}
			switch f.Event.State {
			case zk.StateAuthFailed:
				w.err = &zk.Error{Op: "addWatch", Path: f.Event.Path, Code: zk.AuthFailed}
			case zk.StateClosed:
				w.err = &zk.Error{Op: "addWatch", Path: f.Event.Path, Code: zk.SessionExpired, Err: ErrClosed}
			}
		}
		close(w.ch)
	case f.Gap:
		w.put(Notice{Event: f.Event, Missed: MissedReconnect})
	default:
		w.put(Notice{Event: f.Event})
	}
}

// put appends to the stream, or drops. Only put fills ch, so that the place behind WatchBuffer is free for the gap whenever there was
// none since the last time that there was room.
func (w *Watch) put(n Notice) {
	if len(w.ch) < WatchBuffer {
		w.ch <- n
		w.gap = false
	} else if !w.gap {
		e := zk.Event{Type: zk.EventNone, State: zk.StateSyncConnected, Path: w.c.in(w.core.Path), Zxid: -1}
		w.ch <- Notice{Event: e, Missed: MissedOverflow}
		w.gap = true
	}
}

// C is the stream. It is closed after the last item: Err then tells why. It holds WatchBuffer events; where the reader is slower,
// the newest are dropped, and the stream says so by a gap where they would have stood.
func (w *Watch) C() <-chan Notice { return w.ch }

// Next waits for the next item. It ends with an error when ctx ends, or with Err when the stream has.
func (w *Watch) Next(ctx context.Context) (Notice, error) {
	select {
	case n, ok := <-w.ch:
		if !ok {
			return Notice{}, w.Err()
		}
		return n, nil
	case <-ctx.Done():
		return Notice{}, ctx.Err()
	}
}

// ErrWatchClosed is the end of a stream by Watch.Close or RemoveWatches.
var ErrWatchClosed = errors.New("the watch was removed")

// Err is why the stream ended: ErrWatchClosed, or an error with zk.SessionExpired or zk.AuthFailed when the session is over. It is
// nil while the stream goes on.
func (w *Watch) Err() error {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	return w.err
}

// Close ends the stream at once. If no other Watch of this client has the same path and mode, the server is told to forget it, and
// Close waits for that; the error says that it could not be told, which does no harm. A second Close does nothing.
func (w *Watch) Close(ctx context.Context) error {
	c := w.c
	c.mu.Lock()
	if w.err != nil {
		c.mu.Unlock()
		return nil
	}
	last := c.core.Forget(&w.core)
	w.err = ErrWatchClosed
	close(w.ch)
	connected := c.status.State.IsConnected()
	c.mu.Unlock()
	if !last || !connected { // without a connection the server has forgotten it, and it is not set again
		return nil
	}
	op := &wire.WatchQuery{Remove: true, Path: w.core.Path, Type: w.core.Kind.Type()}
	err := c.do(ctx, c.in(w.core.Path), op, nil, nil)
	if errors.Is(err, zk.NoWatcher) || errors.Is(err, zk.MarshallingError) { // a server before 3.9 cannot remove just these
		return nil
	}
	return err
}

// RemoveWatches removes the watches of one type that this client has at path, from the server and here: a channel of GetW, ExistsW
// or ChildrenW gives an event of Type zk.EventDataWatchRemoved or zk.EventChildWatchRemoved, a Watch ends with ErrWatchClosed.
// zk.WatcherData are those of GetW and ExistsW, zk.WatcherAny is every type. Servers before 3.9 do not know the persistent types,
// and answer zk.MarshallingError to them.
//
// Errors: zk.NoWatcher.
func (c *Client) RemoveWatches(ctx context.Context, path string, which zk.WatcherType) error {
	if which < zk.WatcherChildren || which > zk.WatcherPersistentRecursive {
		return badArguments("removeWatches", path, errors.New("unknown type of watch"))
	}
	return c.do(ctx, path, &wire.WatchQuery{Remove: true, Path: c.out(path), Type: which}, nil, nil)
}

// ForgetWatches is RemoveWatches without a server, for who has no connection and does not want to wait for one: the watches are removed
// here, as RemoveWatches tells it, and are not set again with the next connection.
//
// Errors: zk.NoWatcher.
func (c *Client) ForgetWatches(path string, which zk.WatcherType) error {
	if which < zk.WatcherChildren || which > zk.WatcherPersistentRecursive {
		return badArguments("removeWatches", path, errors.New("unknown type of watch"))
	}
	op := &wire.WatchQuery{Remove: true, Path: c.out(path), Type: which}
	if err := checkPath(op, path); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.core.Unwatch(op.Path, which) {
		return &zk.Error{Op: opName(op), Path: path, Code: zk.NoWatcher}
	}
	c.perform()
	return nil
}
