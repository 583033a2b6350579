package interop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// mixes are the ensembles whose members get along. The last of each leads: see startEnsemble.
var mixes = map[string][]Kind{
	"Zooid":             {Zooid, Zooid, Zooid},
	"Apache leads":      {Zooid, Zooid, Apache},
	"Zooid leads":       {Apache, Apache, Zooid},
	"Zooid follows":     {Apache, Zooid, Apache},
	"Zooid leads mixed": {Zooid, Apache, Zooid},
}

func join(t *testing.T, ctx context.Context, addrs ...string) *client.Client {
	t.Helper()
	c, err := client.Dial(ctx, addrs, &client.Options{SessionTimeout: 20 * time.Second, MaxBackoff: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestMixedEnsemble: whoever leads, what is written over one member is read over the others, a refused write is refused, an ephemeral
// and its session move, a session that ends takes it along on all, and all members have the same tree.
func TestMixedEnsemble(t *testing.T) {
	t.Parallel()
	for name, kinds := range mixes {
		t.Run(name, func(t *testing.T) {
			e := StartEnsemble(t, kinds)
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			var all []*client.Client
			for _, a := range e.Addrs() {
				all = append(all, join(t, ctx, a))
			}
			if out, err := e.Servers[len(kinds)-1].FourLetters("srvr"); err != nil || !strings.Contains(out, "Mode: leader") {
				t.Errorf("the last one does not lead: %q, %v", out, err)
			}
			for i, c := range all {
				path := fmt.Sprintf("/n%d", i)
				_, _, err := c.Create(ctx, path, []byte("x"), zk.Persistent)
				must(err)
				_, _, err = c.Create(ctx, path+"/e-", nil, zk.EphemeralSequential)
				must(err)
				if _, err := c.Set(ctx, path, nil, 7); !errors.Is(err, zk.BadVersion) {
					t.Errorf("set of a wrong version over %d: %v", i+1, err)
				}
				m := c.Multi()
				m.Set(path, []byte("y"), 0)
				m.Create(path+"/m", nil, zk.Persistent)
				must(m.Commit(ctx))
				m = c.Multi()
				m.Create(path+"/never", nil, zk.Persistent)
				m.Check(path, 99)
				if err := m.Commit(ctx); !errors.Is(err, zk.BadVersion) {
					t.Errorf("a multi with a failing check over %d: %v", i+1, err)
				}
			}
			for i, c := range all {
				catchUp(t, ctx, c, all)
				for j := range all {
					data, _, err := c.Get(ctx, fmt.Sprintf("/n%d", j))
					if must(err); string(data) != "y" {
						t.Errorf("/n%d over %d: %q", j, i+1, data)
					}
				}
			}
			// A watch over one member fires for a write over another.
			_, _, changed, err := all[1].GetW(ctx, "/n0")
			must(err)
			_, err = all[0].Set(ctx, "/n0", []byte("z"), -1)
			must(err)
			select {
			case ev := <-changed:
				if ev.Type != zk.EventNodeDataChanged {
					t.Errorf("%+v", ev)
				}
			case <-ctx.Done():
				t.Error("no notice")
			}
			// A session moves over to another member with what it owns, and then ends.
			moved, err := client.Dial(ctx, e.Addrs()[2:], &client.Options{Session: all[0].Detach()})
			must(err)
			if paths, err := moved.Ephemerals(ctx, "/"); err != nil || len(paths) != 1 {
				t.Errorf("ephemerals of the session that moved: %q, %v", paths, err)
			}
			must(moved.Close())
			must(all[1].Sync(ctx, "/"))
			if children, _, err := all[1].Children(ctx, "/n0"); err != nil || !slices.Equal(children, []string{"m"}) {
				t.Errorf("children of /n0: %q, %v", children, err)
			}
			all[0] = join(t, ctx, e.Addrs()[0])
			sameTrees(t, ctx, all)
			e.sameDigests(t, Apache, Zooid)
		})
	}
}

// sameDigests asks the members of some kinds whether every digest that a txn carried was the one of their tree. Apache's count some that
// are right where a leader of its kind sends them a snapshot while others write.
func (e *Ensemble) sameDigests(t *testing.T, of ...Kind) {
	t.Helper()
	for i, s := range e.Servers {
		if !slices.Contains(of, s.Kind) {
			continue
		}
		for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) { // it does not tell while it looks for a leader
			out, err := s.FourLetters("mntr")
			n := monitorValue(out, "zk_digest_mismatches_count")
			if n == "0" {
				break
			}
			if n != "absent" || time.Now().After(end) {
				t.Errorf("server %d, %s, counts %q digests that are not its tree's, %v", i+1, s.Kind, n, err)
				break
			}
		}
	}
}

// catchUp syncs, and waits until c's member has applied what any of all has seen. The sync alone would not do: Apache's leader passes it as
// it does a read, and may not have applied yet what followers of its have answered.
func catchUp(t *testing.T, ctx context.Context, c *client.Client, all []*client.Client) {
	t.Helper()
	var seen zk.Zxid
	for _, o := range all {
		seen = max(seen, o.Status().Seen)
	}
	if err := c.Sync(ctx, "/"); err != nil {
		t.Fatal(err)
	}
	for ; c.Status().Seen < seen; time.Sleep(10 * time.Millisecond) {
		if _, _, err := c.Exists(ctx, "/"); err != nil {
			t.Fatal(err)
		}
	}
}

// sameTrees compares what the members show, Stats included.
func sameTrees(t *testing.T, ctx context.Context, all []*client.Client) {
	t.Helper()
	var first map[string]string
	for i, c := range all {
		catchUp(t, ctx, c, all)
		tree := map[string]string{}
		snapshotTree(t, ctx, c, "/", tree)
		if i == 0 {
			first = tree
		} else if !maps.Equal(first, tree) {
			for path := range maps.Keys(first) {
				if first[path] != tree[path] {
					t.Errorf("%s: over server 1 %s, over %d %s", path, first[path], i+1, tree[path])
				}
			}
			t.Errorf("server %d has %d znodes, server 1 has %d", i+1, len(tree), len(first))
		}
	}
}

func snapshotTree(t *testing.T, ctx context.Context, c *client.Client, path string, into map[string]string) {
	t.Helper()
	data, stat, err := c.Get(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	into[path] = fmt.Sprintf("%q %+v", data, stat)
	children, _, err := c.Children(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range children {
		if name == "zookeeper" { // the configuration's time is each server's own
			continue
		}
		snapshotTree(t, ctx, c, strings.TrimSuffix(path, "/")+"/"+name, into)
	}
}

// writer creates znodes one after the other until told to stop, and remembers what was acknowledged. Its session outlives every
// server.
type writer struct {
	c     *client.Client
	name  string
	stop  chan struct{}
	done  sync.WaitGroup
	acked []string
	lost  int // of unknown outcome
	err   error
}

func startWriter(t *testing.T, ctx context.Context, name string, addrs []string) *writer {
	w := &writer{c: join(t, ctx, addrs...), name: name, stop: make(chan struct{})}
	if _, _, err := w.c.Create(ctx, "/"+name, nil, zk.Persistent); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.c.Create(ctx, "/"+name+"-alive", nil, zk.Ephemeral); err != nil {
		t.Fatal(err)
	}
	w.done.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-w.stop:
				return
			default:
			}
			path := fmt.Sprintf("/%s/%07d", name, i)
			switch _, _, err := w.c.Create(ctx, path, nil, zk.Persistent); {
			case err == nil:
				w.acked = append(w.acked, path)
			case errors.Is(err, zk.ConnectionLoss):
				w.lost++
			default:
				w.err = fmt.Errorf("%s: %w", path, err)
				return
			}
		}
	})
	return w
}

// end stops it and looks whether all that was acknowledged is there, over each member.
func (w *writer) end(t *testing.T, ctx context.Context, e *Ensemble) {
	t.Helper()
	close(w.stop)
	w.done.Wait()
	if w.err != nil {
		t.Fatal(w.err)
	}
	t.Logf("%s: %d writes were acknowledged, %d are of unknown outcome", w.name, len(w.acked), w.lost)
	for i, a := range e.Addrs() {
		c := join(t, ctx, a)
		if err := c.Sync(ctx, "/"); err != nil {
			t.Fatal(err)
		}
		names, _, err := c.Children(ctx, "/"+w.name)
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]bool{}
		for _, n := range names {
			have["/"+w.name+"/"+n] = true
		}
		for _, path := range w.acked {
			if !have[path] {
				t.Fatalf("%s was acknowledged and is gone over server %d", path, i+1)
			}
		}
		if ok, _, err := c.Exists(ctx, "/"+w.name+"-alive"); err != nil || !ok {
			t.Errorf("the ephemeral over server %d: %v %v", i+1, ok, err)
		}
	}
}

// TestRollingMigration takes a live ensemble of Apache's to Zooid, one server at a time, and back, while clients write. No session ends,
// nothing acknowledged is lost, and the trees are equal after each step.
func TestRollingMigration(t *testing.T) {
	t.Parallel()
	e := StartEnsemble(t, []Kind{Apache, Apache, Apache})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	writers := []*writer{startWriter(t, ctx, "a", e.Addrs()), startWriter(t, ctx, "b", e.Addrs())}
	for _, step := range []struct {
		i int
		k Kind
	}{{0, Zooid}, {1, Zooid}, {2, Zooid}, {2, Apache}, {1, Apache}, {0, Apache}} {
		e.Replace(t, step.i, step.k)
		var all []*client.Client
		for _, a := range e.Addrs() {
			all = append(all, join(t, ctx, a))
		}
		if err := all[step.i].Sync(ctx, "/"); err != nil {
			t.Fatalf("server %d as %s: %v", step.i+1, step.k, err)
		}
		t.Logf("server %d is %s", step.i+1, step.k)
		e.sameDigests(t, Zooid)
		for _, c := range all {
			c.Close()
		}
	}
	for _, w := range writers {
		w.end(t, ctx, e)
	}
	var all []*client.Client
	for _, a := range e.Addrs() {
		all = append(all, join(t, ctx, a))
	}
	sameTrees(t, ctx, all)
}

// TestLeadersKilled kills the members with -9, one after the other, several times round, while clients write.
func TestLeadersKilled(t *testing.T) {
	t.Parallel()
	e := StartEnsemble(t, []Kind{Zooid, Zooid, Zooid})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	writers := []*writer{startWriter(t, ctx, "a", e.Addrs()), startWriter(t, ctx, "b", e.Addrs())}
	for round := range 3 {
		for i := range e.Servers {
			s := e.Servers[(i+2+round)%3]
			s.Restart(t)
			c := join(t, ctx, s.Addr())
			if err := c.Sync(ctx, "/"); err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
	}
	for _, w := range writers {
		w.end(t, ctx, e)
	}
}
