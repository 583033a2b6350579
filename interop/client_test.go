package interop

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// TestClient plays a scenario with our own client against each server: what it does must not depend on which one it is.
func TestClient(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{Apache, Zooid} {
		t.Run(kind.String(), func(t *testing.T) {
			s := Start(t, kind, Setup{Props: []string{"zookeeper.extendedTypesEnabled=true"}})
			p := newProxy(t, s.Addr())
			ctx, cancel := context.WithTimeout(context.Background(), hang)
			defer cancel()
			dial := func(addr string) *client.Client {
				c, err := client.Dial(ctx, []string{addr}, &client.Options{SessionTimeout: sessionTimeout, MaxBackoff: 100 * time.Millisecond,
					Auth: []client.Auth{{Scheme: "digest", Auth: []byte("ann:secret")}}})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				return c
			}
			a, b := dial(p.Addr), dial(s.Addr())
			clientOperations(t, ctx, a)
			clientWatches(t, ctx, a, b, p)
			clientSessions(t, ctx, a, b)
		})
	}
}

func clientOperations(t *testing.T, ctx context.Context, c *client.Client) {
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for mode, path := range map[zk.Mode]string{zk.Persistent: "/p", zk.Ephemeral: "/e", zk.PersistentSequential: "/s-", zk.EphemeralSequential: "/es-", zk.Container: "/c"} {
		_, stat, err := c.Create(ctx, path, []byte("x"), mode)
		if check("create "+path, err); stat.DataLength != 1 || (stat.EphemeralOwner == c.Session().ID) != mode.IsEphemeral() {
			t.Errorf("%s: %+v", path, stat)
		}
	}
	_, _, err := c.CreateTTL(ctx, "/ttl", nil, zk.PersistentTTL, time.Hour)
	check("createTTL", err)
	_, err = c.Set(ctx, "/p", []byte("y"), 0)
	check("set", err)
	if data, stat, err := c.Get(ctx, "/p"); err != nil || string(data) != "y" || stat.Version != 1 {
		t.Errorf("get: %q %+v %v", data, stat, err)
	}
	if _, err := c.Set(ctx, "/p", nil, 0); !errors.Is(err, zk.BadVersion) {
		t.Errorf("set of an old version: %v", err)
	}
	if found, _, err := c.Exists(ctx, "/none"); err != nil || found {
		t.Errorf("exists: %v %v", found, err)
	}
	names, _, err := c.Children(ctx, "/")
	if check("children", err); !slices.Contains(names, "p") || !slices.Contains(names, "zookeeper") {
		t.Errorf("children: %v", names)
	}
	if n, err := c.AllChildrenNumber(ctx, "/"); err != nil || n < 9 {
		t.Errorf("all children: %d %v", n, err)
	}
	if mine, err := c.Ephemerals(ctx, "/e"); err != nil || len(mine) != 2 {
		t.Errorf("ephemerals: %v %v", mine, err)
	}
	if ids, err := c.WhoAmI(ctx); err != nil || !slices.Contains(ids, zk.ID{Scheme: "digest", ID: "ann"}) {
		t.Errorf("whoami: %v %v", ids, err)
	}
	_, err = c.SetACL(ctx, "/p", zk.AuthACL(zk.PermAll), 0)
	check("setACL", err)
	if acl, _, err := c.GetACL(ctx, "/p"); err != nil || len(acl) != 1 || acl[0].ID.Scheme != "digest" {
		t.Errorf("getACL: %v %v", acl, err)
	}
	check("sync", c.Sync(ctx, "/"))
	_, _, err = c.GetConfig(ctx)
	check("getConfig", err)

	tx := c.Multi()
	tx.Check("/p", 1)
	made, set := tx.Create("/m", nil, zk.Persistent), tx.Set("/p", []byte("z"), -1)
	check("multi", tx.Commit(ctx))
	if made.Path != "/m" || set.Stat.Version != 2 {
		t.Errorf("multi: %+v %+v", made, set)
	}
	tx = c.Multi()
	before, bad, after := tx.Delete("/m", -1), tx.Check("/p", 99), tx.Delete("/c", -1)
	if err := tx.Commit(ctx); !errors.Is(err, zk.BadVersion) || !errors.Is(bad.Err, zk.BadVersion) ||
		!errors.Is(before.Err, zk.RuntimeInconsistency) || !errors.Is(after.Err, zk.RuntimeInconsistency) {
		t.Errorf("multi: %v, %v %v %v", err, before.Err, bad.Err, after.Err)
	}
	r := c.MultiRead()
	data, none := r.Get("/p"), r.Children("/none")
	if check("multiRead", r.Read(ctx)); string(data.Data) != "z" || !errors.Is(none.Err, zk.NoNode) {
		t.Errorf("multiRead: %+v %+v", data, none)
	}
	batch := c.Batch()
	var all []*client.GetResult
	for range 300 {
		batch.Set("/m", []byte("m"), -1)
		all = append(all, batch.Get("/m"))
	}
	check("batch", batch.Flush(ctx))
	for i, g := range all {
		if g.Err != nil || g.Stat.Version != int32(i+1) {
			t.Fatalf("batch: read %d is %+v", i, g)
		}
	}
	check("delete", c.Delete(ctx, "/m", -1))
}

// clientWatches has a's watches set again after its connection was lost, and told of what b did meanwhile.
func clientWatches(t *testing.T, ctx context.Context, a, b *client.Client, p *proxy) {
	event := func(ch <-chan zk.Event, want zk.EventType, path string) {
		t.Helper()
		select {
		case e := <-ch:
			if e.Type != want || e.Path != path {
				t.Errorf("event is %+v, want %d %s", e, want, path)
			}
		case <-ctx.Done():
			t.Fatalf("no event %d %s", want, path)
		}
	}
	for _, path := range []string{"/w", "/w/data", "/w/child", "/w/stream"} {
		if _, _, err := b.Create(ctx, path, nil, zk.Persistent); err != nil {
			t.Fatal(err)
		}
	}
	_, _, data, err1 := a.GetW(ctx, "/w/data")
	_, _, child, err2 := a.ChildrenW(ctx, "/w/child")
	_, _, missing, err3 := a.ExistsW(ctx, "/w/missing")
	stream, err4 := a.AddWatch(ctx, "/w/stream", zk.WatchPersistentRecursive)
	_, _, removed, err5 := a.GetW(ctx, "/w")
	if err := errors.Join(err1, err2, err3, err4, err5, a.RemoveWatches(ctx, "/w", zk.WatcherData)); err != nil {
		t.Fatal(err)
	}
	event(removed, zk.EventDataWatchRemoved, "/w")
	p.Cut()
	_, err1 = b.Set(ctx, "/w/data", []byte("x"), -1)
	_, _, err2 = b.Create(ctx, "/w/child/c", nil, zk.Persistent)
	_, _, err3 = b.Create(ctx, "/w/missing", nil, zk.Persistent)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	p.Mend()
	event(data, zk.EventNodeDataChanged, "/w/data")
	event(child, zk.EventNodeChildrenChanged, "/w/child")
	event(missing, zk.EventNodeCreated, "/w/missing")
	if n, err := stream.Next(ctx); err != nil || n.Missed != client.MissedReconnect {
		t.Errorf("the stream says %+v, %v", n, err)
	}
	if _, _, err := b.Create(ctx, "/w/stream/s", nil, zk.Persistent); err != nil {
		t.Fatal(err)
	}
	if n, err := stream.Next(ctx); err != nil || n.Type != zk.EventNodeCreated || n.Path != "/w/stream/s" {
		t.Errorf("the stream says %+v, %v", n, err)
	}
	if err := stream.Close(ctx); err != nil {
		t.Error(err)
	}
}

// clientSessions hands a session over, and ends it.
func clientSessions(t *testing.T, ctx context.Context, a, b *client.Client) {
	found, stat, gone, err := b.ExistsW(ctx, "/e")
	if err != nil || !found || stat.EphemeralOwner != a.Session().ID {
		t.Fatalf("%v %+v %v", found, stat, err)
	}
	address := a.Status().Server
	next, err := client.Dial(ctx, []string{address}, &client.Options{Session: a.Detach()})
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
	select {
	case e := <-gone:
		if e.Type != zk.EventNodeDeleted {
			t.Errorf("%+v", e)
		}
	case <-ctx.Done():
		t.Fatal("the ephemeral outlives its session")
	}
}
