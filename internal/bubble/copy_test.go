package bubble_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/sim"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// lossy leaves out the errors that a plain call has when its connection breaks.
func lossy(err error) error {
	if errors.Is(err, zk.ConnectionLoss) || errors.Is(err, zk.SessionMoved) || errors.Is(err, zk.NoNode) || errors.Is(err, zk.NodeExists) || errors.Is(err, zk.OperationTimeout) {
		return nil
	}
	return err
}

// follow waits until what follows the tree is as it should be, or has ended with its session.
func follow(s *stage, what string, changed func() <-chan struct{}, ended <-chan struct{}, ok func() bool) {
	late := time.After(time.Minute)
	for {
		ch := changed()
		if ok() {
			return
		}
		select {
		case <-ch:
		case <-ended:
			return
		case <-late:
			s.complain("%s is not as the tree, a minute later", what)
			return
		}
	}
}

// cachePlay has writers below a path, and readers that keep a copy of it.
type cachePlay struct{ s *stage }

func newCachePlay(s *stage) play { return &cachePlay{s} }

func (p *cachePlay) work(ctx context.Context, me *hand, c *client.Client) error {
	if me.id%2 == 0 {
		return p.read(ctx, me, c)
	}
	for i := range 10 {
		path := fmt.Sprintf("/t/%d-%d", me.id, me.rng.IntN(5))
		if me.rng.IntN(3) == 0 {
			path += "/below"
		}
		var err error
		switch me.rng.IntN(4) {
		case 0:
			err = c.Delete(ctx, path, -1)
			if errors.Is(err, zk.NotEmpty) {
				err = nil
			}
		case 1:
			_, _, err = c.Create(ctx, "/t", nil, zk.Persistent)
			if lossy(err) == nil {
				_, _, err = c.Create(ctx, path, nil, zk.Persistent)
			}
		default:
			_, err = c.Set(ctx, path, fmt.Append(nil, i), -1)
		}
		if lossy(err) != nil {
			return err
		}
		rest(ctx, some(me.rng, 10*time.Millisecond))
	}
	return nil
}

// read keeps a copy for a while. Each znode in it never grows older.
func (p *cachePlay) read(ctx context.Context, me *hand, c *client.Client) error {
	var mu sync.Mutex
	seen := map[string]zk.Zxid{}
	k, err := recipes.NewCache(ctx, c, "/t", func(ch recipes.Change) {
		mu.Lock()
		defer mu.Unlock()
		p.s.count("changes of a cache", 1)
		if n := ch.After; n != nil {
			if n.Stat.Mzxid < seen[n.Path] {
				p.s.complain("the cache had %s as of %v, and then as of %v", n.Path, seen[n.Path], n.Stat.Mzxid)
			}
			seen[n.Path] = n.Stat.Mzxid
		}
	})
	if err != nil {
		return err
	}
	defer k.Close()
	select {
	case <-k.Done():
	case <-ctx.Done():
	case <-time.After(some(me.rng, 2*time.Second)):
	}
	p.compare(context.WithoutCancel(ctx), c, k)
	return nil
}

// compare looks that a copy comes to be what the tree is. The tree may change meanwhile: so it is read again and again.
func (p *cachePlay) compare(ctx context.Context, c *client.Client, k *recipes.Cache) {
	late := time.Now().Add(2 * time.Minute)
	for {
		want, err := recipes.ReadTree(ctx, c, "/t")
		if err != nil || k.Err() != nil {
			return // its session is over, or the tree always changes
		}
		rest(ctx, 20*time.Millisecond)
		all := k.All()
		same := len(all) == len(want)
		for _, n := range all {
			w := want[n.Path]
			// Of the rest of the Stat no watch tells: a list of children changes without its znode.
			same = same && w != nil && w.Stat.Mzxid == n.Stat.Mzxid && string(w.Data) == string(n.Data)
		}
		if same {
			p.s.count("caches as the tree", 1)
			return
		}
		if time.Now().After(late) {
			p.s.complain("the cache has %d znodes, the tree %d, or they are others", len(all), len(want))
			return
		}
		rest(ctx, 80*time.Millisecond)
	}
}

func (p *cachePlay) calm(ctx context.Context, c *client.Client) {
	k, err := recipes.NewCache(ctx, c, "/t", nil)
	if err != nil {
		p.s.complain("in the calm: %v", err)
		return
	}
	defer k.Close()
	p.compare(ctx, c, k)
	all := k.All()
	for _, n := range slices.Backward(all) {
		p.s.insist(ctx, func() error { return c.Delete(ctx, n.Path, -1) })
	}
	p.compare(ctx, c, k)
}

// stays: what somebody asked for who has gone may be done late.
func (p *cachePlay) stays(path string) bool { return path == "/t" }
func (p *cachePlay) judge(e *sim.Ensemble)  {}

// configPlay has a value that some raise and all follow.
type configPlay struct {
	s *stage

	mu   sync.Mutex
	sure int
}

func newConfigPlay(s *stage) play { return &configPlay{s: s} }

func (p *configPlay) work(ctx context.Context, me *hand, c *client.Client) error {
	v, err := recipes.NewConfig(ctx, c, "/config/n", recipes.JSON[int]())
	if err != nil {
		return err
	}
	defer v.Close()
	last := 0
	for range 5 {
		if err := v.Update(ctx, func(n int) (int, error) { return n + 1, nil }); err != nil {
			return err
		}
		p.mu.Lock()
		p.sure++
		p.mu.Unlock()
		now := v.Get()
		if now.Err != nil || now.Value < last {
			p.s.complain("the value was %d, and is %+v", last, now)
		}
		last = now.Value
		p.s.count("updates", 1)
		rest(ctx, some(me.rng, 10*time.Millisecond))
	}
	return nil
}

func (p *configPlay) calm(ctx context.Context, c *client.Client) {
	v, err := recipes.NewConfig(ctx, c, "/config/n", recipes.JSON[int]())
	if err != nil {
		p.s.complain("in the calm: %v", err)
		return
	}
	defer v.Close()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	seen := make(chan int, 1)
	go func() {
		_ = v.Watch(watching, func(n recipes.Setting[int]) {
			if n.Value >= p.sure {
				select {
				case seen <- n.Value:
				default:
				}
			}
		})
	}()
	select {
	case <-seen:
	case <-time.After(time.Minute):
		p.s.complain("the value is %+v, and %d have raised it", v.Get(), p.sure)
	}
	p.s.insist(ctx, func() error { return c.Delete(ctx, "/config/n", -1) })
}

func (p *configPlay) stays(path string) bool { return path == "/config" }
func (p *configPlay) judge(e *sim.Ensemble)  {}

// groupPlay has members that come and go, some of them instances of a service, one that reports, and all of them look who is there.
type groupPlay struct{ s *stage }

func newGroupPlay(s *stage) play { return &groupPlay{s} }

func (p *groupPlay) work(ctx context.Context, me *hand, c *client.Client) error {
	g := recipes.NewGroup(c, "/members")
	name := fmt.Sprint(me.id % 3) // some contend for a name
	roster, err := g.Roster(ctx)
	if err != nil {
		return err
	}
	defer roster.Close()
	var h *recipes.Hold
	switch me.rng.IntN(3) {
	case 0:
		h, err = g.Join(ctx, name, []byte("x"))
	case 1:
		h, err = recipes.Register(ctx, c, "/members", recipes.Instance{Name: name, Addr: "h" + name})
	default:
		h, err = g.JoinWait(ctx, name, fmt.Append(nil, me.rng.Uint64()))
	}
	if err != nil {
		return err
	}
	p.s.count("members", 1)
	has := func() bool {
		return slices.ContainsFunc(roster.Members(), func(m recipes.Member) bool { return m.Name == name && m.Token == h.Token() })
	}
	follow(p.s, "the roster", roster.Changed, h.Context().Done(), has)
	if me.id == 0 {
		if report, err := recipes.StartProgress(ctx, c, "/report", recipes.Report{Total: 3}); err == nil {
			_ = report.Tell(ctx, recipes.Report{Done: 1, Total: 3})
			defer report.Release(context.WithoutCancel(ctx))
		} else if !expected(err) {
			return err
		}
	}
	rest(h.Context(), some(me.rng, 100*time.Millisecond))
	err = h.Release(context.WithoutCancel(ctx))
	follow(p.s, "the roster", roster.Changed, roster.Done(), func() bool { return !has() })
	return err
}

func (p *groupPlay) calm(ctx context.Context, c *client.Client) {
	// Whoever has ended without a word goes with its session.
	roster, err := recipes.NewGroup(c, "/members").Roster(ctx)
	if err != nil {
		p.s.complain("in the calm: %v", err)
		return
	}
	defer roster.Close()
	follow(p.s, "the roster", roster.Changed, nil, func() bool { return len(roster.Members()) == 0 })
}

func (p *groupPlay) stays(string) bool { return false }

// judge looks that of one name there was never more than one member, which the tree sees to, and that nobody was it without a session.
func (p *groupPlay) judge(e *sim.Ensemble) {
	for _, l := range e.Lives("/members") {
		if l.Owner == 0 || l.Deleted == 0 {
			p.s.complain("%+v", l)
		}
	}
}

// namesPlay has several that bind the same names to different things.
type namesPlay struct {
	s *stage

	mu    sync.Mutex
	bound map[string]string
}

func newNamesPlay(s *stage) play { return &namesPlay{s: s, bound: map[string]string{}} }

func (p *namesPlay) work(ctx context.Context, me *hand, c *client.Client) error {
	n := recipes.NewNames(c, "/names")
	name, what := fmt.Sprintf("a/%d", me.rng.IntN(40)), fmt.Sprintf("%d-%d", me.id, me.rng.Uint64())
	err := n.Bind(ctx, name, []byte(what))
	if errors.Is(err, zk.NodeExists) {
		_, err = n.Lookup(ctx, name)
		if errors.Is(err, zk.NoNode) { // by a server that is behind
			err = nil
		}
		return err
	}
	if err != nil {
		return err
	}
	p.s.count("names bound", 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if had, ok := p.bound[name]; ok {
		p.s.complain("%s was bound to %s and to %s", name, had, what)
	}
	p.bound[name] = what
	return nil
}

func (p *namesPlay) calm(ctx context.Context, c *client.Client) {
	n := recipes.NewNames(c, "/names")
	p.s.insist(ctx, func() error { return c.Sync(ctx, "/") })
	for name, what := range p.bound {
		if got, err := n.Lookup(ctx, name); err != nil || string(got) != what {
			p.s.complain("%s is %q, not %q; %v", name, got, what, err)
		}
	}
	list, err := n.List(ctx, "a")
	if err != nil && !errors.Is(err, zk.NoNode) {
		p.s.complain("in the calm: %v", err)
	}
	for _, name := range list {
		if err := errors.Join(n.Rebind(ctx, "a/"+name, nil), n.Unbind(ctx, "a/"+name)); err != nil {
			p.s.complain("in the calm: %v", err)
		}
	}
}

func (p *namesPlay) stays(path string) bool { return path == "/names" || path == "/names/a" }
func (p *namesPlay) judge(e *sim.Ensemble)  {}

// snapshotPlay has znodes that are always set together, and readers that never see them apart.
type snapshotPlay struct{ s *stage }

func newSnapshotPlay(s *stage) play { return &snapshotPlay{s} }

func (p *snapshotPlay) work(ctx context.Context, me *hand, c *client.Client) error {
	if me.id == 0 {
		for _, path := range []string{"/t", "/t/a", "/t/b"} {
			if err := recipes.MakeFolder(ctx, c, path, zk.Persistent); err != nil {
				return err
			}
		}
		for i := range 10 {
			tx := c.Multi()
			data := fmt.Appendf(nil, "%d-%d", me.life, i)
			tx.Set("/t/a", data, -1)
			tx.Set("/t/b", data, -1)
			if err := lossy(tx.Commit(ctx)); err != nil {
				return err
			}
		}
		return nil
	}
	few, err := recipes.ReadTogether(ctx, c, "/t/a", "/t/b", "/t/none")
	if err != nil {
		return err
	}
	if len(few) == 2 && string(few["/t/a"].Data) != string(few["/t/b"].Data) {
		p.s.complain("read together: %s and %s", few["/t/a"].Data, few["/t/b"].Data)
	}
	all, err := recipes.ReadTree(ctx, c, "/t")
	if err != nil {
		return err
	}
	if a, b := all["/t/a"], all["/t/b"]; a != nil && b != nil {
		p.s.count("read together", 1)
		if string(a.Data) != string(b.Data) {
			p.s.complain("read as a tree: %s and %s", a.Data, b.Data)
		}
	}
	return nil
}

func (p *snapshotPlay) calm(ctx context.Context, c *client.Client) {}
func (p *snapshotPlay) stays(path string) bool                     { return strings.HasPrefix(path, "/t") }
func (p *snapshotPlay) judge(e *sim.Ensemble)                      {}
