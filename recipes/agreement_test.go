package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
	"github.com/zooid-io/zooid/zktest"
)

// Parties come and go, and whoever is in a group is in one with as many as there should be, who say the same of it.
func TestGather(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	const size, groups = 3, 4
	gone := srv.Client(t)
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := recipes.NewGather(gone, "/g", size).Join(short, []byte("gone")); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	eventuallyEmpty(t, gone, "/g")
	var mu sync.Mutex
	seen := map[string]int{} // group to parties
	var wg sync.WaitGroup
	for i := range size * groups {
		c := srv.Client(t)
		wg.Go(func() {
			g, err := recipes.NewGather(c, "/g", size).Join(ctx, fmt.Append(nil, i))
			if err != nil {
				t.Error(err)
				return
			}
			if len(g.Data) != size || string(g.Data[g.Index]) != fmt.Sprint(i) {
				t.Errorf("%d: %q, %d", i, g.Data, g.Index)
			}
			mu.Lock()
			seen[fmt.Sprint(g.Names)]++
			mu.Unlock()
			if err := g.Release(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for names, n := range seen {
		if n != size {
			t.Errorf("%d parties of %s", n, names)
		}
	}
	eventuallyEmpty(t, gone, "/g")
}

// A party that dies while it waits leaves room for the next, although nobody comes after that.
func TestGatherWithoutTheDead(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	dead, c := srv.Client(t), srv.Client(t)
	go func() { _, _ = recipes.NewGather(dead, "/g", 3).Join(ctx, []byte("dead")) }()
	here := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d wait", n), func() bool {
			names, _, err := c.Children(ctx, "/g")
			return err == nil && len(names) == n
		})
	}
	here(1)
	got := make(chan *recipes.Gathering, 3)
	join := func() {
		g, err := recipes.NewGather(c, "/g", 3).Join(ctx, []byte("alive"))
		if err != nil {
			t.Error(err)
		}
		got <- g
	}
	go join()
	here(2)
	srv.Expire(dead.Session().ID)
	go join()
	go join()
	for range 3 {
		for _, data := range (<-got).Data {
			if string(data) != "alive" {
				t.Errorf("a group with %q", data)
			}
		}
	}
}

// All or none, whoever decides, and the same for everybody.
func TestPact(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c, d := srv.Client(t), srv.Client(t)
	for _, tc := range []struct {
		name  string
		votes map[string]bool
		abort bool
		want  recipes.Decision
	}{
		{"all", map[string]bool{"a": true, "b": true}, false, recipes.Committed},
		{"no", map[string]bool{"a": true, "b": false}, false, recipes.Aborted},
		{"late", map[string]bool{"a": true}, true, recipes.Aborted},
	} {
		p, q := recipes.NewPact(c, "/pact/"+tc.name, "a", "b"), recipes.NewPact(d, "/pact/"+tc.name, "a", "b")
		waiting := make(chan recipes.Decision)
		go func() {
			d, err := q.Wait(ctx)
			if err != nil {
				t.Error(err)
			}
			waiting <- d
		}()
		for party, yes := range tc.votes {
			must(t, p.Vote(ctx, party, yes))
			if err := p.Vote(ctx, party, !yes); err == nil {
				t.Errorf("%s: %s has changed its mind", tc.name, party)
			}
		}
		if tc.abort {
			_, err := p.Abort(ctx)
			must(t, err)
		}
		if d := <-waiting; d != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, d, tc.want)
		}
		if d, err := p.Abort(ctx); err != nil || d != tc.want {
			t.Errorf("%s: %s, %v after the decision", tc.name, d, err)
		}
		must(t, p.Clear(ctx))
	}
	if err := recipes.NewPact(c, "/pact/x", "a").Vote(ctx, "b", true); err == nil {
		t.Error("a stranger votes")
	}
	eventuallyEmpty(t, c, "/pact")
}

// In a storm the parties of each pact hear the same.
func TestPactInAStorm(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	said := map[string]map[recipes.Decision]bool{}
	turn := make([]int, 3)
	s := weather(t, 3, func(ctx context.Context, me *sailor, c *client.Client) {
		for ctx.Err() == nil && !c.State().Ended() {
			name := fmt.Sprintf("/pact/%d", turn[me.id])
			p := recipes.NewPact(c, name, "0", "1", "2")
			// A party that comes again after its session has ended says the same as before.
			if err := p.Vote(ctx, fmt.Sprint(me.id), (turn[me.id]+me.id)%5 != 0); err != nil {
				if !expected(err) {
					t.Error(err)
				}
				return
			}
			d, err := p.Wait(ctx)
			if err != nil {
				if !expected(err) {
					t.Error(err)
				}
				return
			}
			mu.Lock()
			if said[name] == nil {
				said[name] = map[recipes.Decision]bool{}
			}
			said[name][d] = true
			mu.Unlock()
			turn[me.id]++
		}
	}, func() bool {
		mu.Lock()
		defer mu.Unlock()
		for _, ds := range said {
			if ds[recipes.Committed] {
				return true
			}
		}
		return false
	})
	ctx := patient(t)
	c := s.srv.Client(t)
	committed := 0
	for name, ds := range said {
		d, err := recipes.NewPact(c, name, "0", "1", "2").Abort(ctx)
		must(t, err)
		if len(ds) != 1 || !ds[d] {
			t.Errorf("%s: %v, and %s in the tree", name, ds, d)
		}
		if d == recipes.Committed {
			committed++
		}
	}
	t.Logf("%d pacts, %d committed", len(said), committed)
}

func TestNames(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	n := recipes.NewNames(srv.Client(t), "/names")
	must(t, n.Bind(ctx, "db/main", []byte("h1")))
	if err := n.Bind(ctx, "db/main", []byte("h2")); !errors.Is(err, zk.NodeExists) {
		t.Error(err)
	}
	must(t, n.Rebind(ctx, "db/main", []byte("h3")))
	must(t, n.Rebind(ctx, "db/copy", []byte("h4")))
	for name, want := range map[string]string{"db/main": "h3", "db/copy": "h4"} {
		if got, err := n.Lookup(ctx, name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if l, err := n.List(ctx, "db"); err != nil || len(l) != 2 {
		t.Errorf("%v, %v", l, err)
	}
	if err := n.Unbind(ctx, "db"); !errors.Is(err, zk.NotEmpty) {
		t.Error(err)
	}
	must(t, n.Unbind(ctx, "db/main"))
	if _, err := n.Lookup(ctx, "db/main"); !errors.Is(err, zk.NoNode) {
		t.Error(err)
	}
}

func TestProgress(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c := srv.Client(t)
	f, err := recipes.FollowProgress(ctx, srv.Client(t), "/reports/one")
	must(t, err)
	defer f.Close()
	p, err := recipes.StartProgress(ctx, c, "/reports/one", recipes.Report{Total: 10})
	must(t, err)
	if _, err := recipes.StartProgress(ctx, srv.Client(t), "/reports/one", recipes.Report{Total: 3}); !errors.Is(err, recipes.ErrBusy) {
		t.Error(err)
	}
	must(t, p.Tell(ctx, recipes.Report{Done: 10, Total: 10, Note: "ready"}))
	follow := func(what string, ok func(recipes.Setting[recipes.Report]) bool) {
		t.Helper()
		eventually(t, what, func() bool { return ok(f.Get()) })
	}
	follow("the end", func(s recipes.Setting[recipes.Report]) bool { return s.Value.Done == 10 && s.Value.Note == "ready" })
	srv.Expire(c.Session().ID)
	<-p.Context().Done()
	follow("nothing", func(s recipes.Setting[recipes.Report]) bool { return s.Version == -1 })
}
