package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
	"github.com/zooid-io/zooid/zktest"
)

// until waits until a cache, or what is made of one, is as it should be.
func until(t *testing.T, changed func() <-chan struct{}, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		ch := changed()
		if ok() {
			return
		}
		select {
		case <-ch:
		case <-deadline:
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func TestCache(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c, w := srv.Client(t), srv.Client(t)
	must(t, prepare(ctx, w, "/a"))
	must(t, prepare(ctx, w, "/a/b"))
	var changes atomic.Int32
	k, err := recipes.NewCache(ctx, c, "/a", func(recipes.Change) { changes.Add(1) })
	must(t, err)
	defer k.Close()
	if k.Get("/a/b") == nil || len(k.All()) != 2 || changes.Load() != 2 {
		t.Errorf("%v, %d changes", k.All(), changes.Load())
	}
	_, err = w.Set(ctx, "/a/b", []byte("x"), -1)
	must(t, err)
	until(t, k.Changed, "new data", func() bool { return string(k.Get("/a/b").Data) == "x" })
	must(t, prepare(ctx, w, "/a/b/c"))
	until(t, k.Changed, "a new znode", func() bool { return k.Get("/a/b/c") != nil })
	srv.Drop()
	must(t, insist(func() error { return w.Delete(ctx, "/a/b/c", -1) }))
	until(t, k.Changed, "a znode that is gone", func() bool { return k.Get("/a/b/c") == nil })
	if b := k.Below("/a"); len(b) != 1 || b[0].Path != "/a/b" {
		t.Errorf("%v", b)
	}
	srv.Expire(c.Session().ID)
	<-k.Done()
	if !errors.Is(k.Err(), zk.SessionExpired) {
		t.Error(k.Err())
	}
}

// insist makes a call until its connection holds.
func insist(call func() error) error {
	for {
		if err := call(); !errors.Is(err, zk.ConnectionLoss) {
			if errors.Is(err, zk.NoNode) {
				err = nil
			}
			return err
		}
	}
}

// Whatever happens on the way, in the end a cache has what the tree has.
func TestCacheInAStorm(t *testing.T) {
	t.Parallel()
	s := &storm{t: t, srv: zktest.Start(t), doomed: map[zk.SessionID]bool{}, count: map[string]int{}}
	reader := s.srv.Client(t)
	ctx := patient(t)
	k, err := recipes.NewCache(ctx, reader, "/t", nil)
	must(t, err)
	defer k.Close()
	s.run(3, func(ctx context.Context, me *sailor, c *client.Client) {
		for i := 0; ctx.Err() == nil && !c.State().Ended(); i++ {
			path := fmt.Sprintf("/t/%d-%d", me.id, i%7)
			for _, p := range []string{"/t", path} {
				_, _, _ = c.Create(ctx, p, nil, zk.Persistent)
			}
			_, _ = c.Set(ctx, path, fmt.Append(nil, i), -1)
			if i%3 == 0 {
				_ = c.Delete(ctx, path, -1)
			}
		}
	}, func() bool { return len(k.All()) > 1 })
	want, err := recipes.ReadTree(patient(t), s.srv.Client(t), "/t")
	must(t, err)
	until(t, k.Changed, "the cache is as the tree", func() bool {
		all := k.All()
		if len(all) != len(want) {
			return false
		}
		for _, n := range all {
			if w := want[n.Path]; w == nil || w.Stat.Mzxid != n.Stat.Mzxid || string(w.Data) != string(n.Data) {
				return false
			}
		}
		return true
	})
}

type limits struct{ Rate int }

func TestConfig(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	a, err := recipes.NewConfig(ctx, srv.Client(t), "/config/limits", recipes.JSON[limits]())
	must(t, err)
	defer a.Close()
	c := srv.Client(t)
	b, err := recipes.NewConfig(ctx, c, "/config/limits", recipes.JSON[limits]())
	must(t, err)
	defer b.Close()
	if s := a.Get(); s.Version != -1 || s.Err != nil {
		t.Errorf("%+v", s)
	}
	watching, stop := context.WithCancel(ctx)
	seen := make(chan recipes.Setting[limits], 100)
	ended := make(chan error)
	go func() { ended <- a.Watch(watching, func(s recipes.Setting[limits]) { seen <- s }) }()
	see := func(ok func(recipes.Setting[limits]) bool) {
		t.Helper()
		for {
			select {
			case s := <-seen:
				if ok(s) {
					return
				}
			case <-ctx.Done():
				t.Fatal("not seen")
			}
		}
	}
	version, err := b.Set(ctx, limits{5}, -1)
	must(t, err)
	see(func(s recipes.Setting[limits]) bool { return s.Value.Rate == 5 && s.Version == version })
	if _, err := b.Set(ctx, limits{6}, -1); !errors.Is(err, zk.BadVersion) {
		t.Error(err)
	}
	must(t, b.Update(ctx, func(l limits) (limits, error) { l.Rate++; return l, nil }))
	see(func(s recipes.Setting[limits]) bool { return s.Value.Rate == 6 })
	_, err = c.Set(ctx, "/config/limits", []byte("{"), -1)
	must(t, err)
	see(func(s recipes.Setting[limits]) bool { return s.Err != nil && s.Value.Rate == 6 })
	must(t, c.Delete(ctx, "/config/limits", -1))
	see(func(s recipes.Setting[limits]) bool { return s.Version == -1 })
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestDiscovery(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c := srv.Client(t)
	s, err := recipes.Discover(ctx, c, "/services/mail")
	must(t, err)
	defer s.Close()
	if _, err := s.Pick(recipes.Random{}); !errors.Is(err, recipes.ErrNoInstance) {
		t.Error(err)
	}
	var holds []*recipes.Hold
	for i, weight := range []int{3, -1, 0} {
		h, err := recipes.Register(ctx, srv.Client(t), "/services/mail", recipes.Instance{Name: fmt.Sprint(i), Addr: fmt.Sprintf("h%d:25", i), Weight: weight})
		must(t, err)
		holds = append(holds, h)
	}
	until(t, s.Changed, "three instances", func() bool { return len(s.Instances()) == 3 })
	count := map[string]map[string]int{}
	for name, p := range map[string]recipes.Picker{"round": &recipes.RoundRobin{}, "random": recipes.Random{}, "weighted": recipes.Weighted{}} {
		count[name] = map[string]int{}
		for range 4000 {
			i, err := s.Pick(p)
			must(t, err)
			count[name][i.Addr]++
		}
	}
	if n := count["round"]; n["h0:25"] != 1334 || n["h1:25"] != 1333 {
		t.Errorf("%v", n)
	}
	if n := count["weighted"]; n["h1:25"] != 0 || n["h0:25"] < 2*n["h2:25"] || n["h2:25"] == 0 {
		t.Errorf("%v", n)
	}
	if n := count["random"]; len(n) != 3 {
		t.Errorf("%v", n)
	}
	must(t, holds[0].Release(ctx))
	until(t, s.Changed, "two instances", func() bool { return len(s.Instances()) == 2 })
	g := recipes.NewGroup(c, "/services/mail")
	if _, err := g.Join(ctx, "1", nil); !errors.Is(err, recipes.ErrBusy) {
		t.Error(err)
	}
	all, err := g.Members(ctx)
	must(t, err)
	if len(all) != 2 || all[0].Name != "1" || all[1].Token != holds[2].Token() {
		t.Errorf("%+v", all)
	}
}

func TestBarrier(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	b := recipes.NewBarrier(srv.Client(t), "/b")
	must(t, b.Wait(ctx))
	must(t, b.Lower(ctx))
	must(t, b.Lower(ctx))
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := b.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	through := make(chan error)
	go func() { through <- recipes.NewBarrier(srv.Client(t), "/b").Wait(ctx) }()
	must(t, b.Lift(ctx))
	must(t, <-through)
}

// In each round nobody works before all have come, and nobody goes on before all have worked; a dead party does not hold up the next.
func TestDoubleBarrier(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	const parties, rounds = 3, 5
	dead := srv.Client(t)
	for range parties { // a round whose parties all die in it
		go func() { _, _ = recipes.NewDoubleBarrier(dead, "/d", parties).Enter(ctx) }()
	}
	watcher := srv.Client(t)
	eventually(t, "the round of the dead has begun", func() bool {
		data, _, err := watcher.Get(ctx, "/d")
		return err == nil && string(data) == "begun"
	})
	srv.Expire(dead.Session().ID)
	var in [rounds]atomic.Int32
	var wg sync.WaitGroup
	for range parties {
		c := srv.Client(t)
		wg.Go(func() {
			b := recipes.NewDoubleBarrier(c, "/d", parties)
			for i := range rounds {
				r, err := b.Enter(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				in[i].Add(1)
				if err := r.Leave(ctx); err != nil {
					t.Error(err)
				}
				if n := in[i].Load(); n != parties {
					t.Errorf("round %d: %d had worked when one left", i, n)
				}
				if i+1 < rounds && in[i+1].Load() > 0 && in[i].Load() != parties {
					t.Errorf("round %d began too early", i+1)
				}
			}
		})
	}
	wg.Wait()
	eventuallyEmpty(t, watcher, "/d")
}

// What is read together was there together: two znodes that are always set together are never seen apart.
func TestReadTogether(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c, w := srv.Client(t), srv.Client(t)
	for _, p := range []string{"/t", "/t/a", "/t/b"} {
		must(t, prepare(ctx, c, p))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 300 {
			tx := w.Multi()
			tx.Set("/t/a", fmt.Append(nil, i), -1)
			tx.Set("/t/b", fmt.Append(nil, i), -1)
			if i%10 == 0 {
				tx.Create(fmt.Sprintf("/t/%d", i), nil, zk.Persistent)
			}
			if err := tx.Commit(ctx); err != nil {
				t.Error(err)
			}
		}
	}()
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		few, err := recipes.ReadTogether(ctx, c, "/t/a", "/t/b", "/t/none")
		must(t, err)
		if len(few) != 2 || string(few["/t/a"].Data) != string(few["/t/b"].Data) {
			t.Fatalf("%v", few)
		}
		all, err := recipes.ReadTree(ctx, c, "/t")
		must(t, err)
		if string(all["/t/a"].Data) != string(all["/t/b"].Data) || int(all["/t"].Stat.NumChildren) != len(all)-1 {
			t.Fatalf("%v", slices.Sorted(maps.Keys(all)))
		}
	}
}
