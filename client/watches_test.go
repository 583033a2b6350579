package client_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// event waits for a watch's event, checks that it is the one, and that the channel is closed behind it.
func event(t testing.TB, ch <-chan zk.Event, want zk.EventType, path string) {
	t.Helper()
	ctx := patient(t)
	select {
	case e, ok := <-ch:
		if !ok || e.Type != want || e.Path != path {
			t.Errorf("event is %+v, want %d %s", e, want, path)
		}
	case <-ctx.Done():
		t.Fatalf("no event %d %s", want, path)
	}
	if _, open := <-ch; open {
		t.Error("the channel has a second event")
	}
}

// notice waits for the next item of a stream.
func notice(t testing.TB, w *client.Watch, want zk.EventType, path string) {
	t.Helper()
	n, err := w.Next(patient(t))
	if err != nil || n.Type != want || n.Path != path || n.Missed != client.MissedNothing {
		t.Errorf("notice is %+v, %v; want %d %s", n, err, want, path)
	}
}

func TestOneShotWatches(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	_, _, created, err := c.ExistsW(ctx, "/a")
	if err != nil {
		t.Fatal(err)
	}
	create(t, c, "/a", "", zk.Persistent)
	event(t, created, zk.EventNodeCreated, "/a")

	_, _, changed, err := c.GetW(ctx, "/a")
	if err != nil {
		t.Fatal(err)
	}
	_, _, also, err := c.ExistsW(ctx, "/a")
	if err != nil {
		t.Fatal(err)
	}
	_, _, children, err := c.ChildrenW(ctx, "/a")
	if err != nil {
		t.Fatal(err)
	}
	must(c.Set(ctx, "/a", []byte("x"), -1))
	event(t, changed, zk.EventNodeDataChanged, "/a")
	event(t, also, zk.EventNodeDataChanged, "/a")
	create(t, c, "/a/b", "", zk.Persistent)
	event(t, children, zk.EventNodeChildrenChanged, "/a")

	_, _, gone, err := c.ChildrenW(ctx, "/a/b")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(ctx, "/a/b", -1); err != nil {
		t.Fatal(err)
	}
	event(t, gone, zk.EventNodeDeleted, "/a/b")

	_, _, none, err := c.GetW(ctx, "/none")
	if fails(t, err, zk.NoNode, "getData", "/none"); none != nil {
		t.Error("a watch without a znode")
	}
}

func TestPersistentWatches(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	p, err := c.AddWatch(ctx, "/p", zk.WatchPersistent)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.AddWatch(ctx, "/p", zk.WatchPersistentRecursive)
	if err != nil {
		t.Fatal(err)
	}
	create(t, c, "/p", "", zk.Persistent)
	create(t, c, "/p/k", "", zk.Persistent)
	must(c.Set(ctx, "/p", nil, -1))
	must(c.Set(ctx, "/p/k", nil, -1))
	for _, path := range []string{"/p/k", "/p"} {
		if err := c.Delete(ctx, path, -1); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []zk.EventType{zk.EventNodeCreated, zk.EventNodeChildrenChanged, zk.EventNodeDataChanged, zk.EventNodeChildrenChanged, zk.EventNodeDeleted} {
		notice(t, p, want, "/p")
	}
	for _, want := range []struct {
		zk.EventType
		path string
	}{{zk.EventNodeCreated, "/p"}, {zk.EventNodeCreated, "/p/k"}, {zk.EventNodeDataChanged, "/p"}, {zk.EventNodeDataChanged, "/p/k"},
		{zk.EventNodeDeleted, "/p/k"}, {zk.EventNodeDeleted, "/p"}} {
		notice(t, r, want.EventType, want.path)
	}
	if _, err := c.AddWatch(ctx, "/p", 7); !errors.Is(err, zk.BadArguments) {
		t.Error(err)
	}
}

// Two streams of one path: the server keeps its watch until both are closed.
func TestClosingStreams(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	one := must(c.AddWatch(ctx, "/a", zk.WatchPersistent))
	two := must(c.AddWatch(ctx, "/a", zk.WatchPersistent))
	if err := one.Close(ctx); err != nil {
		t.Fatal(err)
	}
	create(t, c, "/a", "", zk.Persistent)
	notice(t, two, zk.EventNodeCreated, "/a")
	if n, open := <-one.C(); open {
		t.Errorf("a closed stream has %+v", n)
	}
	if _, err := one.Next(ctx); !errors.Is(err, client.ErrWatchClosed) {
		t.Errorf("its end is %v", err)
	}
	if err := one.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := two.Close(ctx); err != nil {
		t.Error(err)
	}
	// The server has none left: it says so.
	fails(t, c.RemoveWatches(ctx, "/a", zk.WatcherPersistent), zk.NoWatcher, "removeWatches", "/a")
}

func TestRemoveWatches(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	create(t, c, "/a", "", zk.Persistent)
	fails(t, c.RemoveWatches(ctx, "/a", zk.WatcherAny), zk.NoWatcher, "removeWatches", "/a")
	fails(t, c.RemoveWatches(ctx, "/a", 9), zk.BadArguments, "removeWatches", "/a")
	_, _, data, err1 := c.GetW(ctx, "/a")
	_, _, children, err2 := c.ChildrenW(ctx, "/a")
	stream, err3 := c.AddWatch(ctx, "/a", zk.WatchPersistentRecursive)
	if err := errors.Join(err1, err2, err3, c.RemoveWatches(ctx, "/a", zk.WatcherData)); err != nil {
		t.Fatal(err)
	}
	event(t, data, zk.EventDataWatchRemoved, "/a")
	if err := c.RemoveWatches(ctx, "/a", zk.WatcherAny); err != nil {
		t.Fatal(err)
	}
	event(t, children, zk.EventChildWatchRemoved, "/a")
	if _, err := stream.Next(ctx); !errors.Is(err, client.ErrWatchClosed) {
		t.Errorf("the stream ends with %v", err)
	}
}

// A slow reader loses the newest events, is told so where they would have stood, and what comes after it has caught up is complete.
func TestAStreamIsBounded(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	create(t, c, "/a", "", zk.Persistent)
	w := must(c.AddWatch(ctx, "/a", zk.WatchPersistent))
	b := c.Batch()
	for i := range client.WatchBuffer + 50 {
		b.Set("/a", fmt.Append(nil, i), -1)
	}
	if err := b.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for range client.WatchBuffer {
		notice(t, w, zk.EventNodeDataChanged, "/a")
	}
	if n, err := w.Next(ctx); err != nil || n.Missed != client.MissedOverflow || n.Path != "/a" {
		t.Fatalf("behind a full stream stands %+v, %v", n, err)
	}
	if len(w.C()) != 0 {
		t.Fatalf("%d more", len(w.C()))
	}
	if err := c.Delete(ctx, "/a", -1); err != nil {
		t.Fatal(err)
	}
	notice(t, w, zk.EventNodeDeleted, "/a")
}

// Watches outlive a connection; what happened meanwhile is told, or for streams, that something may have.
func TestWatchesAreSetAgain(t *testing.T) {
	addr := serverOn(t)
	p := newProxy(t, addr)
	c, other := dial(t, p.addr, nil), dial(t, addr, nil)
	ctx := patient(t)
	for _, path := range []string{"/data", "/quiet", "/child", "/stream", "/config"} {
		create(t, other, path, "", zk.Persistent)
	}
	_, _, data, err1 := c.GetW(ctx, "/data")
	_, _, quiet, err2 := c.GetW(ctx, "/quiet")
	_, _, missing, err3 := c.ExistsW(ctx, "/missing")
	_, _, child, err4 := c.ChildrenW(ctx, "/child")
	stream, err5 := c.AddWatch(ctx, "/stream", zk.WatchPersistentRecursive)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	p.cut()
	must(other.Set(ctx, "/data", []byte("x"), -1))
	create(t, other, "/missing", "", zk.Persistent)
	create(t, other, "/child/c", "", zk.Persistent)
	create(t, other, "/stream/s", "", zk.Persistent)
	p.mend()
	event(t, data, zk.EventNodeDataChanged, "/data")
	event(t, missing, zk.EventNodeCreated, "/missing")
	event(t, child, zk.EventNodeChildrenChanged, "/child")
	if n, err := stream.Next(ctx); err != nil || n.Missed != client.MissedReconnect || n.Path != "/stream" {
		t.Errorf("the stream says %+v, %v", n, err)
	}
	must(other.Set(ctx, "/stream/s", nil, -1))
	notice(t, stream, zk.EventNodeDataChanged, "/stream/s")
	select {
	case e := <-quiet:
		t.Errorf("a watch fired for nothing: %+v", e)
	default:
	}
	must(other.Set(ctx, "/quiet", nil, -1))
	event(t, quiet, zk.EventNodeDataChanged, "/quiet")
}

// The end of a session is told to all that wait for something in it.
func TestTheEndIsToldToWatches(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	_, _, ch, err := c.ExistsW(ctx, "/a")
	if err != nil {
		t.Fatal(err)
	}
	w := must(c.AddWatch(ctx, "/a", zk.WatchPersistent))
	c.Close()
	event(t, ch, zk.EventNone, "/a")
	if _, err := w.Next(ctx); !errors.Is(err, zk.SessionExpired) || !errors.Is(err, client.ErrClosed) {
		t.Errorf("the stream ends with %v", err)
	}
	if err := w.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestNextEndsWithItsContext(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	w := must(c.AddWatch(patient(t), "/a", zk.WatchPersistent))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
