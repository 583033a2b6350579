package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
	"github.com/zooid-io/zooid/zktest"
)

// A lock is given in the order of asking, to one at a time, with rising tokens; who gives up waiting is not waited for.
func TestLock(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	a, b, c := srv.Client(t), srv.Client(t), srv.Client(t)
	const path = "/locks/a"
	first, err := recipes.NewLock(a, path).Acquire(ctx)
	must(t, err)
	if _, err := recipes.NewLock(b, path).TryAcquire(ctx); !errors.Is(err, recipes.ErrBusy) {
		t.Fatalf("try: %v", err)
	}
	second := make(chan *recipes.Hold)
	go func() {
		h, err := recipes.NewLock(b, path).Acquire(ctx)
		if err != nil {
			t.Error(err)
		}
		second <- h
	}()
	waiting := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d in line", n), func() bool {
			names, _, err := a.Children(ctx, path)
			return err == nil && len(names) == n
		})
	}
	waiting(2)
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := recipes.NewLock(c, path).Acquire(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("timed: %v", err)
	}
	waiting(2)
	if first.Context().Err() != nil {
		t.Error("the hold ended by itself")
	}
	must(t, first.Release(ctx))
	if context.Cause(first.Context()) != recipes.ErrReleased {
		t.Error(context.Cause(first.Context()))
	}
	h := <-second
	if h.Token() <= first.Token() {
		t.Errorf("token %v after %v", h.Token(), first.Token())
	}
	must(t, h.Release(ctx))
	must(t, h.Release(ctx))
	eventuallyEmpty(t, a, path)
	eventually(t, "nobody is in line", func() bool { // what c had asked for when it gave up may come as late as this, and go
		h, err = recipes.NewLock(c, path).TryAcquire(ctx)
		return !errors.Is(err, recipes.ErrBusy)
	})
	must(t, err)
	must(t, h.Release(ctx))
}

// A handle that holds the lock has it again, and releases it when it has released it as often.
func TestLockIsReentrant(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c := srv.Client(t)
	l := recipes.NewLock(c, "/l")
	one, err := l.Acquire(ctx)
	must(t, err)
	two, err := l.TryAcquire(ctx)
	must(t, err)
	if one.Path() != two.Path() || one.Token() != two.Token() {
		t.Error("two znodes for one handle")
	}
	must(t, one.Release(ctx))
	if one.Context().Err() == nil || two.Context().Err() != nil {
		t.Error("the wrong one was released")
	}
	other := recipes.NewLock(c, "/l")
	if _, err := other.TryAcquire(ctx); !errors.Is(err, recipes.ErrBusy) {
		t.Fatalf("another handle: %v", err)
	}
	must(t, two.Release(ctx))
	three, err := other.TryAcquire(ctx)
	must(t, err)
	must(t, three.Release(ctx))
}

// A holder is told of its loss: by the end of its session, by the znode's end, and when it hears of no server for too long; what it
// has lost it leaves to others.
func TestLockIsLost(t *testing.T) {
	t.Parallel() // it is mostly waiting
	srv := zktest.Start(t)
	ctx := patient(t)
	watcher := srv.Client(t)
	for _, way := range []string{"session", "znode", "silence", "close"} {
		var line zktest.Line
		c := srv.Client(t, func(o *client.Options) {
			o.Dialer = line.Dial
			if way == "silence" {
				o.SessionTimeout = 3 * time.Second
			}
		})
		h, err := recipes.NewLock(c, "/l").Acquire(ctx)
		must(t, err)
		switch way {
		case "session":
			srv.Expire(c.Session().ID)
		case "znode":
			must(t, watcher.Delete(ctx, h.Path(), -1))
		case "silence":
			line.Cut()
		case "close":
			must(t, c.Close())
		}
		<-h.Context().Done()
		if err := h.Release(ctx); !errors.Is(err, recipes.ErrLost) {
			t.Errorf("%s: %v", way, err)
		}
		line.Mend()
		next, err := recipes.NewLock(watcher, "/l").Acquire(ctx)
		must(t, err)
		if next.Token() <= h.Token() {
			t.Errorf("%s: token %v after %v", way, next.Token(), h.Token())
		}
		must(t, next.Release(ctx))
	}
}

// The reply to the creation of the znode, or to its end, is lost: there is one znode, and then none.
func TestLockLosesReplies(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	var line zktest.Line
	c := srv.Client(t, func(o *client.Options) { o.Dialer = line.Dial })
	must(t, prepare(ctx, c, "/l"))
	for i := range 10 {
		line.LoseReply()
		h, err := recipes.NewLock(c, "/l").Acquire(ctx)
		must(t, err)
		if names, _, err := srv.Client(t).Children(ctx, "/l"); err != nil || len(names) != 1 {
			t.Fatalf("%v, %v", names, err)
		}
		line.LoseReply()
		must(t, h.Release(ctx))
		if names, _, err := srv.Client(t).Children(ctx, "/l"); err != nil || len(names) != 0 {
			t.Fatalf("%v, %v", names, err)
		}
		if line.Lost() < i+1 {
			t.Errorf("%d replies lost in round %d", line.Lost(), i)
		}
	}
}

func prepare(ctx context.Context, c *client.Client, path string) error {
	_, _, err := c.Create(ctx, path, nil, zk.Persistent)
	return err
}

// Contenders of other libraries are in the same line.
func TestForeignContenders(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c, other := srv.Client(t), srv.Client(t)
	must(t, prepare(ctx, c, "/l"))
	for _, tc := range []struct {
		name  string // of a znode that is there first
		read  bool   // a reader may pass it
		write bool   // a writer may
	}{
		{"_c_0b1d-lock-", false, false}, {"6f3a__lock__", false, false}, {"x-", false, false},
		{"6f3a__rlock__", true, false}, {"_c_0b1d-__READ__", true, false}, {"_c_0b1d-__WRIT__", false, false},
	} {
		path, _, err := other.Create(ctx, "/l/"+tc.name, nil, zk.EphemeralSequential)
		must(t, err)
		s := recipes.NewSharedLock(c, "/l")
		for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
			s.Layout = layout
			h, err := s.TryRead(ctx)
			if passed := err == nil; passed != tc.read {
				t.Errorf("%s, %v: read %v", tc.name, layout, err)
			} else if passed {
				if ours := strings.Contains(h.Path(), "__rlock__"); ours != (layout == recipes.Kazoo) {
					t.Error(h.Path())
				}
				must(t, h.Release(ctx))
			}
			if h, err := s.TryWrite(ctx); (err == nil) != tc.write {
				t.Errorf("%s, %v: write %v, %v", tc.name, layout, h, err)
			}
		}
		must(t, other.Delete(ctx, path, -1))
	}
	_, _, err := other.Create(ctx, "/l/notes", nil, zk.Persistent) // in no line
	must(t, err)
	h, err := recipes.NewLock(c, "/l").TryAcquire(ctx)
	must(t, err)
	must(t, h.Release(ctx))
}

// Readers share, a writer is alone, and a reader that comes behind a waiting writer waits for it.
func TestSharedLock(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c := srv.Client(t)
	s := recipes.NewSharedLock(c, "/l")
	r1, err := s.Read(ctx)
	must(t, err)
	r2, err := s.TryRead(ctx)
	must(t, err)
	write := make(chan *recipes.Hold)
	go func() {
		h, err := s.Write(ctx)
		if err != nil {
			t.Error(err)
		}
		write <- h
	}()
	eventually(t, "the writer waits", func() bool { names, _, err := c.Children(ctx, "/l"); return err == nil && len(names) == 3 })
	if _, err := s.TryRead(ctx); !errors.Is(err, recipes.ErrBusy) {
		t.Errorf("a reader passed a writer: %v", err)
	}
	must(t, r1.Release(ctx))
	must(t, r2.Release(ctx))
	w := <-write
	if w.Token() <= r2.Token() {
		t.Error("the token fell")
	}
	if _, err := s.TryRead(ctx); !errors.Is(err, recipes.ErrBusy) {
		t.Errorf("a reader beside a writer: %v", err)
	}
	must(t, w.Release(ctx))
	eventuallyEmpty(t, c, "/l")
}

func TestSemaphore(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c := srv.Client(t)
	s := recipes.NewSemaphore(c, "/s", 2)
	a, err := s.Acquire(ctx)
	must(t, err)
	b, err := s.TryAcquire(ctx)
	must(t, err)
	if _, err := s.TryAcquire(ctx); !errors.Is(err, recipes.ErrBusy) {
		t.Fatal(err)
	}
	third := make(chan *recipes.Hold)
	go func() {
		h, err := s.Acquire(ctx)
		if err != nil {
			t.Error(err)
		}
		third <- h
	}()
	must(t, b.Release(ctx)) // not the oldest
	h := <-third
	if h.Token() <= b.Token() {
		t.Error("the token fell")
	}
	must(t, a.Release(ctx))
	must(t, h.Release(ctx))
	eventuallyEmpty(t, c, "/s/leases")
	eventuallyEmpty(t, c, "/s/locks")
}

// All or none; sets that overlap do not wait for each other in a circle; the loss of one is the loss of all.
func TestMultiLock(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c, d := srv.Client(t), srv.Client(t)
	m := recipes.NewMultiLock(c, "/a", "/b", "/a")
	h, err := m.Acquire(ctx)
	must(t, err)
	if _, err := recipes.NewMultiLock(d, "/c", "/b").TryAcquire(ctx); !errors.Is(err, recipes.ErrBusy) {
		t.Fatal(err)
	}
	names, _, err := d.Children(ctx, "/b")
	must(t, err)
	must(t, d.Delete(ctx, "/b/"+names[0], -1))
	<-h.Context().Done()
	if err := h.Release(ctx); !errors.Is(err, recipes.ErrLost) {
		t.Error(err)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		paths := []string{"/a", "/b"}
		if i%2 == 0 {
			paths = []string{"/b", "/a"}
		}
		wg.Go(func() {
			h, err := recipes.NewMultiLock(c, paths...).Acquire(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			if err := h.Release(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	eventuallyEmpty(t, c, "/a")
	eventuallyEmpty(t, c, "/b")
}

// register sees who holds something at each moment.
type register struct {
	t    *testing.T
	s    *storm
	most int

	mu     sync.Mutex
	inside map[*recipes.Hold]*client.Client
	last   zk.Zxid
	held   int
}

func (r *register) used() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held > 0
}

// enter is called by who has acquired. The others inside must be such whose sessions are over: they are about to hear of it.
func (r *register) enter(h *recipes.Hold, c *client.Client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inside == nil {
		r.inside = map[*recipes.Hold]*client.Client{}
	}
	r.inside[h] = c
	r.held++
	alive := 0
	for _, c := range r.inside {
		if !r.s.isDoomed(c) {
			alive++
		}
	}
	if alive > r.most {
		r.t.Errorf("%d hold it", alive)
	}
	if h.Token() > r.last {
		r.last = h.Token()
	} else if !r.s.isDoomed(c) && r.most == 1 {
		r.t.Errorf("token %v after %v", h.Token(), r.last)
	}
}

// leave is called before the release.
func (r *register) leave(h *recipes.Hold) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.inside, h)
}

func TestLockInAStorm(t *testing.T) {
	acquirers := map[string]struct {
		most    int
		acquire func(context.Context, *client.Client) (*recipes.Hold, error)
		folders []string
	}{
		"lock": {1, func(ctx context.Context, c *client.Client) (*recipes.Hold, error) {
			return recipes.NewLock(c, "/l").Acquire(ctx)
		}, []string{"/l"}},
		"writers": {1, func(ctx context.Context, c *client.Client) (*recipes.Hold, error) {
			return recipes.NewSharedLock(c, "/l").Write(ctx)
		}, []string{"/l"}},
		"semaphore": {2, func(ctx context.Context, c *client.Client) (*recipes.Hold, error) {
			return recipes.NewSemaphore(c, "/s", 2).Acquire(ctx)
		}, []string{"/s/locks", "/s/leases"}},
		"multi": {1, func(ctx context.Context, c *client.Client) (*recipes.Hold, error) {
			return recipes.NewMultiLock(c, "/a", "/b").Acquire(ctx)
		}, []string{"/a", "/b"}},
	}
	for name, a := range acquirers {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // a storm is mostly waiting
			r := &register{t: t, most: a.most}
			s := &storm{t: t, srv: zktest.Start(t), doomed: map[zk.SessionID]bool{}, count: map[string]int{}}
			r.s = s
			s.run(4, func(ctx context.Context, me *sailor, c *client.Client) {
				h, err := a.acquire(ctx, c)
				if err != nil {
					if !expected(err) && !s.isDoomed(c) {
						t.Error(err)
					}
					return
				}
				r.enter(h, c)
				select {
				case <-h.Context().Done():
				case <-time.After(time.Millisecond):
				}
				r.leave(h)
				if err := h.Release(context.Background()); err != nil && !s.isDoomed(c) {
					t.Error(err)
				}
			}, r.used)
			c := s.srv.Client(t)
			for _, f := range a.folders {
				eventuallyEmpty(t, c, f)
			}
			t.Logf("held %d times", r.held)
		})
	}
}
