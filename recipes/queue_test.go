package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
	"github.com/zooid-io/zooid/zktest"
)

func take(t *testing.T, q *recipes.Queue) string {
	t.Helper()
	data, err := q.Take(patient(t))
	must(t, err)
	return string(data)
}

// First in, first out; lower priorities go first; an item waits for its time.
func TestQueue(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c := srv.Client(t)
	q := recipes.NewQueue(c, "/q")
	for _, s := range []string{"a", "b", "c"} {
		must(t, q.Put(ctx, []byte(s)))
	}
	must(t, q.PutWith(ctx, []byte("last"), recipes.PutOptions{Priority: 999}))
	must(t, q.PutWith(ctx, []byte("first"), recipes.PutOptions{Priority: 1}))
	must(t, q.PutWith(ctx, []byte("far"), recipes.PutOptions{NotBefore: time.Now().Add(time.Hour)}))
	if n, err := q.Len(ctx); err != nil || n != 6 {
		t.Errorf("%d, %v", n, err)
	}
	for _, want := range []string{"first", "a", "b", "c", "last"} {
		if got := take(t, q); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if data, err := q.Take(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%q before its time: %v", data, err)
	}
	at := time.Now().Add(50 * time.Millisecond)
	must(t, q.PutWith(ctx, []byte("soon"), recipes.PutOptions{NotBefore: at}))
	if got := take(t, q); got != "soon" || time.Now().Before(at.Truncate(time.Millisecond)) {
		t.Errorf("%q", got)
	}
	waiting := make(chan string)
	go func() {
		data, err := q.Take(ctx)
		if err != nil {
			t.Error(err)
		}
		waiting <- string(data)
	}()
	must(t, recipes.NewQueue(srv.Client(t), "/q").Put(ctx, []byte("late")))
	if got := <-waiting; got != "late" {
		t.Errorf("%q", got)
	}
}

// A leased item is nobody else's, comes back when it is released or its consumer's session ends, and is gone when it is done.
func TestLease(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c, d := srv.Client(t), srv.Client(t)
	q, other := recipes.NewQueue(c, "/q"), recipes.NewQueue(d, "/q")
	for _, s := range []string{"a", "b"} {
		must(t, q.Put(ctx, []byte(s)))
	}
	a, err := q.Lease(ctx)
	must(t, err)
	b, err := other.Lease(ctx)
	must(t, err)
	if string(a.Data) != "a" || string(b.Data) != "b" {
		t.Errorf("%q %q", a.Data, b.Data)
	}
	must(t, b.Release(ctx))
	if got := take(t, q); got != "b" {
		t.Errorf("%q", got)
	}
	srv.Expire(c.Session().ID)
	<-a.Context().Done()
	again, err := other.Lease(ctx)
	must(t, err)
	if string(again.Data) != "a" || again.Token() <= a.Token() {
		t.Errorf("%q %v", again.Data, again.Token())
	}
	if err := a.Done(ctx); !errors.Is(err, recipes.ErrLost) {
		t.Error(err)
	}
	must(t, again.Done(ctx))
	if n, err := other.Len(ctx); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	eventuallyEmpty(t, d, "/q/claims")
}

// ledger notes what was put and what was taken.
type ledger struct {
	mu      sync.Mutex
	put     map[string]bool // false: of unknown outcome
	taken   map[string]int
	unknown int // takes of unknown outcome
}

func (l *ledger) check(t *testing.T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	missing := 0
	for item, sure := range l.put {
		if sure && l.taken[item] == 0 {
			missing++
		}
	}
	for item, n := range l.taken {
		if _, ok := l.put[item]; !ok {
			t.Errorf("%s was taken and never put", item)
		}
		if n > 1 {
			t.Errorf("%s was taken %d times", item, n)
		}
	}
	if missing > l.unknown {
		t.Errorf("%d items are missing, and %d takes were of unknown outcome", missing, l.unknown)
	}
	t.Logf("%d put, %d taken, %d takes unknown", len(l.put), len(l.taken), l.unknown)
}

// ahead is how many were put and not taken.
func (l *ledger) ahead() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.put) - len(l.taken)
}

func (l *ledger) took(item string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.taken[item]++
	} else if errors.Is(err, recipes.ErrUnknown) {
		l.unknown++
	}
}

func TestQueueInAStorm(t *testing.T) {
	for _, lease := range []bool{false, true} {
		t.Run(fmt.Sprintf("lease=%v", lease), func(t *testing.T) {
			t.Parallel() // a storm is mostly waiting
			l := &ledger{put: map[string]bool{}, taken: map[string]int{}}
			consume := func(ctx context.Context, q *recipes.Queue) error {
				if !lease {
					data, err := q.Take(ctx)
					l.took(string(data), err)
					return err
				}
				it, err := q.Lease(ctx)
				if err != nil {
					return err
				}
				err = it.Done(context.Background())
				l.took(string(it.Data), err)
				if errors.Is(err, recipes.ErrLost) {
					err = nil
				}
				return err
			}
			serial := make([]int, 4)
			s := weather(t, 4, func(ctx context.Context, me *sailor, c *client.Client) {
				q := recipes.NewQueue(c, "/q")
				for ctx.Err() == nil && !c.State().Ended() {
					var err error
					if me.id%2 == 0 {
						if l.ahead() > 100 { // so that what is left in the end is soon taken
							time.Sleep(time.Millisecond)
							continue
						}
						item := fmt.Sprintf("%d-%d", me.id, serial[me.id])
						serial[me.id]++
						err = q.Put(ctx, []byte(item))
						if err == nil || errors.Is(err, recipes.ErrUnknown) {
							l.mu.Lock()
							l.put[item] = err == nil
							l.mu.Unlock()
						}
					} else {
						err = consume(ctx, q)
					}
					if !expected(err) {
						t.Error(err)
					}
				}
			}, func() bool {
				l.mu.Lock()
				defer l.mu.Unlock()
				return len(l.taken) > 0
			})
			c := s.srv.Client(t)
			q := recipes.NewQueue(c, "/q")
			ctx := patient(t)
			for {
				n, err := q.Len(ctx)
				must(t, err)
				if n == 0 {
					break
				}
				must(t, consume(ctx, q))
			}
			l.check(t)
			eventuallyEmpty(t, c, "/q/items")
			eventuallyEmpty(t, c, "/q/claims")
			must(t, c.Close())
			eventuallyEmpty(t, s.srv.Client(t), "/q/receipts")
		})
	}
}

// Every addition counts once, whatever is lost; ids are given once.
func TestCounterInAStorm(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var sure, unknown int64
	var ids []int64
	s := weather(t, 3, func(ctx context.Context, me *sailor, c *client.Client) {
		k, i := recipes.NewCounter(c, "/n"), recipes.NewIDs(c, "/ids", 3)
		for ctx.Err() == nil && !c.State().Ended() {
			_, err := k.Add(ctx, 1)
			mu.Lock()
			switch {
			case err == nil:
				sure++
			case errors.Is(err, recipes.ErrUnknown):
				unknown++
			case !expected(err):
				t.Error(err)
			}
			mu.Unlock()
			if id, err := i.Next(ctx); err == nil {
				mu.Lock()
				ids = append(ids, id)
				mu.Unlock()
			}
		}
	}, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(ids) > 0
	})
	n, err := recipes.NewCounter(s.srv.Client(t), "/n").Value(patient(t))
	must(t, err)
	if n < sure || n > sure+unknown {
		t.Errorf("%d, want %d, and at most %d more", n, sure, unknown)
	}
	slices.Sort(ids)
	if got := len(slices.Compact(slices.Clone(ids))); got != len(ids) {
		t.Errorf("%d different ids of %d", got, len(ids))
	}
	t.Logf("%d added, %d unknown", sure, unknown)
}

func TestCounter(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c := srv.Client(t)
	k := recipes.NewCounter(c, "/a/n")
	for _, step := range []struct{ add, want int64 }{{0, 0}, {5, 5}, {-7, -2}, {2, 0}} {
		if n, err := k.Add(ctx, step.add); err != nil || n != step.want {
			t.Errorf("%+v: %d, %v", step, n, err)
		}
	}
	_, err := c.Set(ctx, "/a/n", []byte("many"), -1)
	must(t, err)
	if _, err := k.Value(ctx); err == nil {
		t.Error("no number was read as one")
	}
}

// The next candidate follows when a leader resigns or its session ends.
func TestElection(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	campaign := map[string]func(*client.Client, string) (recipes.Term, error){
		"line": func(c *client.Client, id string) (recipes.Term, error) {
			return recipes.NewElection(c, "/line", []byte(id)).Campaign(ctx)
		},
		"seat": func(c *client.Client, id string) (recipes.Term, error) {
			return recipes.NewSeat(c, "/seat/one", []byte(id)).Take(ctx)
		},
	}
	leader := map[string]func(*client.Client) (recipes.Candidate, error){
		"line": func(c *client.Client) (recipes.Candidate, error) {
			return recipes.NewElection(c, "/line", nil).Leader(ctx)
		},
		"seat": func(c *client.Client) (recipes.Candidate, error) {
			return recipes.NewSeat(c, "/seat/one", nil).Leader(ctx)
		},
	}
	for name, stand := range campaign {
		a, b := srv.Client(t), srv.Client(t)
		if _, err := leader[name](a); !errors.Is(err, recipes.ErrNoLeader) {
			t.Errorf("%s: %v", name, err)
		}
		first, err := stand(a, "a")
		must(t, err)
		next := make(chan recipes.Term)
		go func() {
			term, err := stand(b, "b")
			if err != nil {
				t.Error(err)
			}
			next <- term
		}()
		if l, err := leader[name](b); err != nil || string(l.ID) != "a" || l.Token != first.Token() {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
		srv.Expire(a.Session().ID)
		<-first.Context().Done()
		second := <-next
		if second.Token() <= first.Token() {
			t.Errorf("%s: the token fell", name)
		}
		must(t, second.Resign(ctx))
		if _, err := leader[name](b); !errors.Is(err, recipes.ErrNoLeader) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two candidates of one client have one seat, and a lost reply does not confuse them.
func TestSeatLosesReplies(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	var line zktest.Line
	c := srv.Client(t, func(o *client.Options) { o.Dialer = line.Dial })
	for range 5 {
		line.LoseReply()
		one, err := recipes.NewSeat(c, "/seat", []byte("one")).TryTake(ctx)
		must(t, err)
		line.LoseReply()
		if _, err := recipes.NewSeat(c, "/seat", []byte("two")).TryTake(ctx); !errors.Is(err, recipes.ErrBusy) {
			t.Errorf("%v", err)
		}
		must(t, one.Resign(ctx))
		if ok, _, err := c.Exists(ctx, "/seat"); ok || errors.Is(err, zk.NoAuth) {
			t.Errorf("%v, %v", ok, err)
		}
	}
}

// A candidate that still has its znode from an earlier term, one that it takes for lost, say, does not take it for that of a new one when a
// reply is lost: each term has a token of its own.
func TestSeatOfAnEarlierTermIsTaken(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	var line zktest.Line
	c := srv.Client(t, func(o *client.Options) { o.Dialer = line.Dial })
	one, err := recipes.NewSeat(c, "/seat", []byte("a")).TryTake(ctx)
	must(t, err)
	line.LoseReply()
	if two, err := recipes.NewSeat(c, "/seat", []byte("a")).TryTake(ctx); !errors.Is(err, recipes.ErrBusy) {
		t.Errorf("%+v, %v", two, err)
	}
	must(t, one.Resign(ctx))
}

func TestSeatInAStorm(t *testing.T) {
	t.Parallel()
	r := &register{t: t, most: 1}
	s := &storm{t: t, srv: zktest.Start(t), doomed: map[zk.SessionID]bool{}, count: map[string]int{}}
	r.s = s
	s.run(3, func(ctx context.Context, me *sailor, c *client.Client) {
		term, err := recipes.NewSeat(c, "/seat", fmt.Append(nil, me.id)).Take(ctx)
		if err != nil {
			if !expected(err) && !s.isDoomed(c) {
				t.Error(err)
			}
			return
		}
		r.enter(term.Hold, c)
		r.leave(term.Hold)
		if err := term.Resign(context.Background()); err != nil && !s.isDoomed(c) {
			t.Error(err)
		}
	}, r.used)
	c := s.srv.Client(t)
	eventually(t, "the seat is free", func() bool { ok, _, err := c.Exists(patient(t), "/seat"); return err == nil && !ok })
}

// Two candidates hold a seat in turn, over a line that loses the replies of the first: its delete must not meet the other's znode.
func TestResignMeetsNobodyElse(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	var line zktest.Line
	a, b := srv.Client(t, func(o *client.Options) { o.Dialer = line.Dial }), srv.Client(t)
	for range 20 {
		one, err := recipes.NewSeat(a, "/seat", []byte("a")).Take(ctx)
		must(t, err)
		next := make(chan recipes.Term)
		go func() {
			term, err := recipes.NewSeat(b, "/seat", []byte("b")).Take(ctx)
			if err != nil {
				t.Error(err)
			}
			next <- term
		}()
		if ok, _, err := a.Exists(ctx, "/seat"); !ok || err != nil { // so that the next reply is that to the look or the delete
			t.Fatal(ok, err)
		}
		line.LoseReply()
		must(t, one.Resign(ctx))
		two := <-next
		if st, err := recipes.NewSeat(b, "/seat", nil).Leader(ctx); err != nil || st.Token != two.Token() {
			t.Fatalf("%+v, %v", st, err)
		}
		must(t, two.Resign(ctx))
	}
}
