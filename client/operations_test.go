package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/server"
	"github.com/zooid-io/zooid/zk"
)

// must gives what a call returned, if it did not fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func create(t testing.TB, c *client.Client, path string, data string, mode zk.Mode) string {
	t.Helper()
	p, _, err := c.Create(patient(t), path, []byte(data), mode)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fails checks that an error has the code, the operation and the path, and says so to errors.Is.
func fails(t testing.TB, err error, code zk.Code, op, path string) {
	t.Helper()
	var e *zk.Error
	if !errors.Is(err, code) || !errors.As(err, &e) || e.Op != op || e.Path != path || e.Code != code {
		t.Errorf("error is %v, want %s %s: %v", err, op, path, code)
	}
}

func TestCreateInEveryMode(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	for _, x := range []struct {
		mode  zk.Mode
		path  string
		want  string
		owned bool
	}{
		{zk.Persistent, "/p", "/p", false},
		{zk.Ephemeral, "/e", "/e", true},
		{zk.PersistentSequential, "/s-", "/s-0000000002", false},
		{zk.EphemeralSequential, "/es-", "/es-0000000003", true},
		{zk.Container, "/c", "/c", false},
		{zk.PersistentSequential, "/", "/0000000005", false}, // a name that is only a number
	} {
		path, stat, err := c.Create(ctx, x.path, []byte("data"), x.mode)
		if err != nil || path != x.want || stat.DataLength != 4 || stat.Czxid == 0 || (stat.EphemeralOwner != 0) != x.owned {
			t.Errorf("%v %s: %s %+v %v", x.mode, x.path, path, stat, err)
		}
		if x.owned && stat.EphemeralOwner != c.Session().ID {
			t.Errorf("%s belongs to %v", path, stat.EphemeralOwner)
		}
	}
	for _, mode := range []zk.Mode{zk.PersistentTTL, zk.PersistentSequentialTTL} {
		if path, stat, err := c.CreateTTL(ctx, "/ttl", nil, mode, time.Hour); err != nil || !strings.HasPrefix(path, "/ttl") || stat.Czxid == 0 {
			t.Errorf("%v: %s %+v %v", mode, path, stat, err)
		}
	}
	_, _, err := c.CreateTTL(ctx, "/x", nil, zk.Persistent, time.Hour)
	fails(t, err, zk.BadArguments, "create", "/x")
	_, _, err = c.CreateTTL(ctx, "/x", nil, zk.PersistentTTL, time.Microsecond)
	fails(t, err, zk.BadArguments, "create", "/x")
	_, _, err = c.Create(ctx, "/x", nil, 9)
	fails(t, err, zk.BadArguments, "create", "/x")
	_, _, err = c.Create(ctx, "/x", nil, zk.PersistentTTL)
	fails(t, err, zk.BadArguments, "create", "/x")
}

func TestReadsAndWrites(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	create(t, c, "/a", "one", zk.Persistent)
	if data, stat, err := c.Get(ctx, "/a"); err != nil || string(data) != "one" || stat.Version != 0 {
		t.Errorf("get: %q %+v %v", data, stat, err)
	}
	if stat, err := c.Set(ctx, "/a", []byte("two"), 0); err != nil || stat.Version != 1 {
		t.Errorf("set: %+v %v", stat, err)
	}
	if data, _, err := c.Get(ctx, "/a"); err != nil || string(data) != "two" {
		t.Errorf("get after set: %q %v", data, err)
	}
	_, err := c.Set(ctx, "/a", nil, 0)
	fails(t, err, zk.BadVersion, "setData", "/a")
	for _, p := range []string{"/a/x", "/a/y", "/a/x/z"} {
		create(t, c, p, "", zk.Persistent)
	}
	names, stat, err := c.Children(ctx, "/a")
	if slices.Sort(names); err != nil || !slices.Equal(names, []string{"x", "y"}) || stat.NumChildren != 2 {
		t.Errorf("children: %v %+v %v", names, stat, err)
	}
	if n, err := c.AllChildrenNumber(ctx, "/a"); err != nil || n != 3 {
		t.Errorf("all children: %d %v", n, err)
	}
	if found, stat, err := c.Exists(ctx, "/a"); err != nil || !found || stat.Version != 1 {
		t.Errorf("exists: %v %+v %v", found, stat, err)
	}
	if found, stat, err := c.Exists(ctx, "/none"); err != nil || found || stat != (zk.Stat{}) {
		t.Errorf("exists of nothing: %v %+v %v", found, stat, err)
	}
	fails(t, c.Delete(ctx, "/a", -1), zk.NotEmpty, "delete", "/a")
	fails(t, c.Delete(ctx, "/a/y", 7), zk.BadVersion, "delete", "/a/y")
	if err := c.Delete(ctx, "/a/y", 0); err != nil {
		t.Error(err)
	}
	if err := c.Sync(ctx, "/a"); err != nil {
		t.Error(err)
	}
	_, _, err = c.Get(ctx, "/none")
	fails(t, err, zk.NoNode, "getData", "/none")
	_, _, err = c.Children(ctx, "/none")
	fails(t, err, zk.NoNode, "getChildren", "/none")
	_, _, err = c.Create(ctx, "/a", nil, zk.Persistent)
	fails(t, err, zk.NodeExists, "create", "/a")
	_, _, err = c.Create(ctx, "/none/a", nil, zk.Ephemeral)
	fails(t, err, zk.NoNode, "create", "/none/a")
	create(t, c, "/e", "", zk.Ephemeral)
	_, _, err = c.Create(ctx, "/e/x", nil, zk.Persistent)
	fails(t, err, zk.NoChildrenForEphemerals, "create", "/e/x")
}

// nil and empty are different, from end to end (client protocol, section 1.2).
func TestNilDataStaysNil(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	for path, data := range map[string][]byte{"/nil": nil, "/empty": {}} {
		must(must2(c.Create(ctx, path, data, zk.Persistent)))
		if got, _, err := c.Get(ctx, path); err != nil || len(got) != 0 || (got == nil) != (data == nil) {
			t.Errorf("%s: %#v %v", path, got, err)
		}
	}
}

func must2[A, B any](a A, _ B, err error) (A, error) { return a, err }

// A path that no server would take, or which would lead out of a chroot, is refused before it is sent.
func TestPathsAreChecked(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	for _, path := range []string{"", "a", "/a/", "//", "/a/../b", "/a\x00"} {
		_, _, err := c.Get(ctx, path)
		fails(t, err, zk.BadArguments, "getData", path)
		if !errors.Is(err, client.ErrNotSent) {
			t.Errorf("%q: %v does not say that nothing was sent", path, err)
		}
		_, _, err = c.Create(ctx, path, nil, zk.Persistent)
		fails(t, err, zk.BadArguments, "create", path)
		fails(t, c.Sync(ctx, path), zk.BadArguments, "sync", path)
		_, err = c.AddWatch(ctx, path, zk.WatchPersistent)
		fails(t, err, zk.BadArguments, "addWatch", path)
		fails(t, c.RemoveWatches(ctx, path, zk.WatcherAny), zk.BadArguments, "removeWatches", path)
	}
	_, err := c.Ephemerals(ctx, "x")
	fails(t, err, zk.BadArguments, "getEphemerals", "x")
}

func TestACLsAndCredentials(t *testing.T) {
	addr := serverOn(t)
	c, other := dial(t, addr, &client.Options{Auth: []client.Auth{{Scheme: "digest", Auth: []byte("ann:secret")}}}), dial(t, addr, nil)
	ctx := patient(t)
	if _, _, err := c.Create(ctx, "/mine", []byte("x"), zk.Persistent, zk.AuthACL(zk.PermAll)...); err != nil {
		t.Fatal(err)
	}
	acl, stat, err := c.GetACL(ctx, "/mine")
	if err != nil || len(acl) != 1 || acl[0].ID.Scheme != "digest" || !strings.HasPrefix(acl[0].ID.ID, "ann:") || stat.AVersion != 0 {
		t.Fatalf("%v %+v %v", acl, stat, err)
	}
	_, _, err = other.Get(ctx, "/mine")
	fails(t, err, zk.NoAuth, "getData", "/mine")
	if err := other.AddAuth(ctx, "digest", []byte("ann:secret")); err != nil {
		t.Fatal(err)
	}
	if data, _, err := other.Get(ctx, "/mine"); err != nil || string(data) != "x" {
		t.Fatalf("%q %v", data, err)
	}
	ids, err := other.WhoAmI(ctx)
	if err != nil || !slices.Contains(ids, zk.ID{Scheme: "digest", ID: "ann"}) {
		t.Fatalf("%v %v", ids, err)
	}
	if stat, err := c.SetACL(ctx, "/mine", zk.WorldACL(zk.PermRead), 0); err != nil || stat.AVersion != 1 {
		t.Fatalf("%+v %v", stat, err)
	}
	_, err = c.SetACL(ctx, "/mine", zk.WorldACL(zk.PermAll), -1)
	fails(t, err, zk.NoAuth, "setACL", "/mine")
	_, err = c.SetACL(ctx, "/mine", nil, -1)
	fails(t, err, zk.InvalidACL, "setACL", "/mine")
	_, _, err = c.Create(ctx, "/bad", nil, zk.Persistent, zk.ACL{Perms: zk.PermAll, ID: zk.ID{Scheme: "nonsense"}})
	fails(t, err, zk.InvalidACL, "create", "/bad")
}

// A refused credential ends the session for this client, and everything that waits.
func TestARefusedCredentialIsTheEnd(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	create(t, c, "/a", "", zk.Persistent)
	_, _, changed, err := c.GetW(ctx, "/a")
	if err != nil {
		t.Fatal(err)
	}
	fails(t, c.AddAuth(ctx, "nonsense", []byte("x")), zk.AuthFailed, "auth", "")
	if e := <-changed; e.Type != zk.EventNone || e.State != zk.StateAuthFailed {
		t.Errorf("the watch says %+v", e)
	}
	if c.State() != client.AuthFailed {
		t.Errorf("state is %v", c.State())
	}
	_, _, err = c.Get(ctx, "/a")
	fails(t, err, zk.AuthFailed, "getData", "/a")
}

func TestADialWithARefusedCredential(t *testing.T) {
	_, err := client.Dial(patient(t), []string{serverOn(t)}, &client.Options{Auth: []client.Auth{{Scheme: "nonsense"}}})
	fails(t, err, zk.AuthFailed, "dial", "")
}

func TestMulti(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	create(t, c, "/a", "old", zk.Persistent)
	create(t, c, "/gone", "", zk.Persistent)

	tx := c.Multi()
	check := tx.Check("/a", 0)
	made := tx.Create("/a/n-", []byte("x"), zk.PersistentSequential)
	container := tx.Create("/a/c", nil, zk.Container)
	ttl := tx.CreateTTL("/a/t", nil, zk.PersistentTTL, time.Hour)
	set := tx.Set("/a", []byte("new"), 0)
	gone := tx.Delete("/gone", -1)
	if made.Err != client.ErrNotSent || tx.Len() != 6 {
		t.Fatalf("before the commit: %v, %d operations", made.Err, tx.Len())
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if check.Err != nil || made.Err != nil || made.Path != "/a/n-0000000000" || made.Stat.Czxid == 0 || set.Err != nil || set.Stat.Version != 1 ||
		gone.Err != nil || container.Path != "/a/c" || ttl.Path != "/a/t" {
		t.Errorf("%+v %+v %+v %+v %+v %+v", check, made, container, ttl, set, gone)
	}
	if found, _, err := c.Exists(ctx, "/gone"); err != nil || found {
		t.Error("/gone is still there")
	}

	tx = c.Multi()
	before := tx.Create("/b", nil, zk.Persistent)
	bad := tx.Check("/a", 99)
	after := tx.Delete("/a/c", -1)
	fails(t, tx.Commit(ctx), zk.BadVersion, "check", "/a")
	fails(t, bad.Err, zk.BadVersion, "check", "/a")
	fails(t, before.Err, zk.RuntimeInconsistency, "create", "/b")
	fails(t, after.Err, zk.RuntimeInconsistency, "delete", "/a/c")
	if found, _, err := c.Exists(ctx, "/b"); err != nil || found {
		t.Error("half of a transaction was carried out")
	}

	tx = c.Multi()
	bad = tx.Check("relative", 0)
	fails(t, tx.Commit(ctx), zk.BadArguments, "check", "relative")
	fails(t, bad.Err, zk.BadArguments, "check", "relative")
	if err := c.Multi().Commit(ctx); err != nil {
		t.Errorf("an empty transaction: %v", err)
	}
}

func TestMultiRead(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	create(t, c, "/a", "x", zk.Persistent)
	create(t, c, "/a/b", "", zk.Persistent)
	r := c.MultiRead()
	data, none, names := r.Get("/a"), r.Get("/none"), r.Children("/a")
	if err := r.Read(ctx); err != nil {
		t.Fatal(err)
	}
	if string(data.Data) != "x" || data.Err != nil || data.Stat.NumChildren != 1 || names.Err != nil || !slices.Equal(names.Children, []string{"b"}) {
		t.Errorf("%+v %+v", data, names)
	}
	fails(t, none.Err, zk.NoNode, "getData", "/none")
}

func TestBatch(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	b := c.Batch()
	made := b.Create("/a", []byte("0"), zk.Persistent)
	var gets []*client.GetResult
	const n = 500
	for i := range n {
		b.Set("/a", fmt.Append(nil, i), -1)
		gets = append(gets, b.Get("/a"))
	}
	exists, none, names, synced, acl := b.Exists("/a"), b.Exists("/none"), b.Children("/"), b.Sync("/"), b.GetACL("/a")
	ttl := b.CreateTTL("/t", nil, zk.PersistentTTL, time.Hour)
	if made.Err != client.ErrNotSent {
		t.Error("a result before the batch was sent")
	}
	if err := b.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if made.Path != "/a" || made.Err != nil || !exists.Found || none.Found || none.Err != nil || !slices.Contains(names.Children, "a") || synced.Err != nil || ttl.Path != "/t" {
		t.Errorf("%+v %+v %+v %+v %+v %+v", made, exists, none, names, synced, ttl)
	}
	if acl.Err != nil || !slices.Equal(acl.ACL, zk.WorldACL(zk.PermAll)) || acl.Stat.Version != n {
		t.Errorf("%+v", acl)
	}
	for i, g := range gets { // in order: each read sees the write before it, and no later one
		if g.Err != nil || string(g.Data) != fmt.Sprint(i) {
			t.Fatalf("read %d: %q %v", i, g.Data, g.Err)
		}
	}
	if b.Len() != 0 {
		t.Error("the batch is not empty")
	}

	// Used again; the first error is that of Flush, the others have theirs.
	ok, bad, worse := b.Exists("/a"), b.Delete("/none", -1), b.Get("relative")
	fails(t, b.Flush(ctx), zk.NoNode, "delete", "/none")
	fails(t, bad.Err, zk.NoNode, "delete", "/none")
	fails(t, worse.Err, zk.BadArguments, "getData", "relative")
	if ok.Err != nil {
		t.Error(ok.Err)
	}

	// Sent in two parts, and waited for once.
	first := b.Get("/a")
	b.Send()
	second := b.Get("/a")
	b.Send()
	later := b.Get("/a")
	if err := b.Wait(ctx); err != nil || first.Err != nil || second.Err != nil {
		t.Error(err, first.Err, second.Err)
	}
	if later.Err != client.ErrNotSent || b.Len() != 1 {
		t.Errorf("what was not sent has a result: %v, %d left", later.Err, b.Len())
	}
}

func TestEphemerals(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	for _, p := range []string{"/e", "/ex", "/f"} {
		create(t, c, p, "", zk.Ephemeral)
	}
	for prefix, want := range map[string][]string{"/": {"/e", "/ex", "/f"}, "/e": {"/e", "/ex"}, "/x": {}} {
		got, err := c.Ephemerals(ctx, prefix)
		if slices.Sort(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v", prefix, got, err)
		}
	}
}

func TestConfig(t *testing.T) {
	c := dial(t, serverOn(t)+"/app", nil)
	ctx := patient(t)
	data, stat, changed, err := c.GetConfigW(ctx)
	if err != nil || len(data) != 0 || stat.AVersion != -1 || changed == nil { // of a standalone server (section 3.15)
		t.Errorf("%q %+v %v", data, stat, err)
	}
	if _, _, err := c.GetConfig(ctx); err != nil {
		t.Error(err)
	}
	_, _, err = c.Reconfig(ctx, client.Reconfig{Leaving: []string{"3"}, Version: -1})
	if !errors.Is(err, zk.ReconfigDisabled) && !errors.Is(err, zk.Unimplemented) {
		t.Errorf("a standalone server answers a reconfig with %v", err)
	}
}

// The config watch tells the path as it is, whatever the chroot, also one that is above the config; and it is set again at the next
// server. A watch of the znode by its path in the chroot tells that path. (Defect 4565.)
func TestConfigWatchUnderAChroot(t *testing.T) {
	addr := serverOn(t, func(o *server.Options) { o.SkipACL = true })
	p := newProxy(t, addr)
	for _, chroot := range []string{"", "/app", "/zookeeper"} {
		ctx := patient(t)
		c, other := dial(t, p.addr+chroot, nil), dial(t, addr, nil)
		for i, change := range []func() error{
			func() error { _, err := other.Set(ctx, "/zookeeper/config", []byte("1"), -1); return err },
			func() error { // behind its back
				p.cut()
				defer p.mend()
				_, err := other.Set(ctx, "/zookeeper/config", []byte("2"), -1)
				return err
			},
		} {
			_, _, changed, err := c.GetConfigW(ctx)
			if err != nil {
				t.Fatal(err)
			}
			_, _, second, err := c.GetConfigW(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var plain <-chan zk.Event
			if chroot == "/zookeeper" {
				if _, _, plain, err = c.GetW(ctx, "/config"); err != nil {
					t.Fatal(err)
				}
			}
			if err := change(); err != nil {
				t.Fatal(err)
			}
			for _, ch := range []<-chan zk.Event{changed, second} {
				if e := <-ch; e.Type != zk.EventNodeDataChanged || e.Path != "/zookeeper/config" {
					t.Errorf("chroot %q, change %d: %+v", chroot, i, e)
				}
			}
			if plain != nil {
				if e := <-plain; e.Type != zk.EventNodeDataChanged || e.Path != "/config" {
					t.Errorf("chroot %q, change %d: %+v", chroot, i, e)
				}
			}
			for { // until it is connected again
				if data, _, err := c.GetConfig(ctx); err == nil {
					if string(data) != fmt.Sprint(i+1) {
						t.Errorf("chroot %q: config %q", chroot, data)
					}
					break
				} else if !errors.Is(err, zk.ConnectionLoss) {
					t.Fatal(err)
				}
			}
		}
	}
}

// Many goroutines share a connection, and each sees its own writes.
func TestManyCallers(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx := patient(t)
	create(t, c, "/n", "", zk.Persistent)
	var all sync.WaitGroup
	for g := range 20 {
		all.Go(func() {
			path := fmt.Sprintf("/n/%d", g)
			if _, _, err := c.Create(ctx, path, nil, zk.Persistent); err != nil {
				t.Error(err)
				return
			}
			for i := range 50 {
				want := fmt.Append(nil, i)
				stat, err := c.Set(ctx, path, want, int32(i))
				if err != nil || stat.Version != int32(i+1) {
					t.Error(stat, err)
					return
				}
				if got, _, err := c.Get(ctx, path); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%q, want %q: %v", got, want, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// A request that the server would hang up on is refused here, and harms nobody else.
func TestALongRequest(t *testing.T) {
	addr := serverOn(t)
	c := dial(t, addr, nil)
	ctx := patient(t)
	_, _, err := c.Create(ctx, "/long", make([]byte, 1<<20), zk.Persistent)
	fails(t, err, zk.BadArguments, "create", "/long")
	if !errors.Is(err, client.ErrNotSent) || !strings.Contains(err.Error(), "longer than 1048575 bytes") {
		t.Errorf("error is %v", err)
	}
	if _, _, err := c.Create(ctx, "/fits", make([]byte, 1<<20-200), zk.Persistent); err != nil {
		t.Error(err)
	}
	if data, _, err := c.Get(ctx, "/fits"); err != nil || len(data) != 1<<20-200 {
		t.Error(len(data), err)
	}
}

// A reply that is longer than 1 MiB is read in pieces; one that is longer than MaxReply breaks the connection.
func TestALongReply(t *testing.T) {
	addr := serverOn(t)
	c := dial(t, addr, nil)
	ctx := patient(t)
	r := c.MultiRead()
	create(t, c, "/long", strings.Repeat("x", 900_000), zk.Persistent)
	var all []*client.GetResult
	for range 3 {
		all = append(all, r.Get("/long"))
	}
	if err := r.Read(ctx); err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		if len(g.Data) != 900_000 {
			t.Errorf("%d bytes", len(g.Data))
		}
	}
	small := dial(t, addr, &client.Options{MaxReply: 1000})
	_, _, err := small.Get(ctx, "/long")
	fails(t, err, zk.ConnectionLoss, "getData", "/long")
	if !strings.Contains(err.Error(), "MaxReply") {
		t.Errorf("error is %v", err)
	}
}

func TestACancelledContextIsNotEvenSent(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err := c.Get(ctx, "/")
	fails(t, err, zk.OperationTimeout, "getData", "/")
	if !errors.Is(err, context.Canceled) || !errors.Is(err, client.ErrNotSent) {
		t.Errorf("error is %v", err)
	}
}
