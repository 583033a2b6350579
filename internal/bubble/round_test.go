package bubble_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/bubble"
	"github.com/zooid-io/zooid/internal/sim"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

var (
	rounds  = flag.Int("rounds", 100, "how many rounds to play")
	from    = flag.Uint64("from", 1, "the first seed")
	oneSeed = flag.Uint64("seed", 0, "the one seed to play, with the end of its trace; 0 is all")
	span    = flag.Duration("for", 24*time.Hour, "how long, by the real clock, to begin further rounds")
	stands  = flag.Duration("standstill", 4*time.Minute, "how long, by the real clock, a round may take that is to take less than a second")
	only    = flag.String("play", "", "the one play to give; empty is all")
)

// play is what the clients of a round do, and how it is judged.
type play interface {
	// work is what one of the crew does, again and again. It may end with any error that the end of ctx or of a session explains.
	work(ctx context.Context, me *hand, c *client.Client) error
	// calm is done by a client of its own when all mishaps and faults are over, and clears up.
	calm(ctx context.Context, c *client.Client)
	// judge looks at what was committed, in which order.
	judge(e *sim.Ensemble)
	// stays tells which znodes are meant to stay.
	stays(path string) bool
}

// cast is a play, and how many clients it needs at least.
type cast struct {
	name  string
	least int
	open  func(s *stage) play
}

// plays are all plays.
var plays = []cast{
	{"lock", 2, newLockPlay},
	{"kazoo lock", 2, newKazooPlay},
	{"shared lock", 3, newSharedPlay},
	{"semaphore", 3, newSemaphorePlay},
	{"multi lock", 2, newMultiPlay},
	{"election", 2, newElectionPlay},
	{"seat", 2, newSeatPlay},
	{"queue, taken", 3, newTakePlay},
	{"queue, leased", 3, newLeasePlay},
	{"counter", 2, newCounterPlay},
	{"barrier", 2, newBarrierPlay},
	{"double barrier", 3, newDoubleBarrierPlay},
	{"gather", 3, newGatherPlay},
	{"pact", 3, newPactPlay},
	{"cache", 3, newCachePlay},
	{"config", 2, newConfigPlay},
	{"group", 3, newGroupPlay},
	{"names", 2, newNamesPlay},
	{"snapshot", 2, newSnapshotPlay},
	{"masterworker", 5, newMasterworkerPlay},
}

// stage is a round: an ensemble, a play, the crew that gives it, and mishaps.
type stage struct {
	t    *testing.T
	seed uint64
	rng  *rand.Rand
	w    *bubble.World
	play play
	crew []*hand

	mu    sync.Mutex
	tally map[string]int
	bad   []string
}

// hand is one of the crew: a process that takes a new session when one has ended.
type hand struct {
	s   *stage
	id  int
	rng *rand.Rand // of the goroutine that works
	p   *bubble.Process

	mu   sync.Mutex
	c    *client.Client
	life int // sessions so far
}

// complain notes what should not be.
func (s *stage) complain(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bad) < 10 {
		s.bad = append(s.bad, fmt.Sprintf(format, args...))
	}
}

func (s *stage) count(what string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally[what] += n
}

// committed is the newest zxid of all.
func (s *stage) committed() (z zk.Zxid) {
	s.w.Do(func(e *sim.Ensemble) { z = e.Committed() })
	return z
}

// insist makes a plain call of the calm until its connection holds: there, too, one may break, when an operator's change of the ensemble that
// was begun before comes into force. A znode that is not there is no reason to complain, for a delete whose reply was lost leaves none.
func (s *stage) insist(ctx context.Context, call func() error) {
	if err := recipes.Insist(ctx, call); err != nil && !errors.Is(err, zk.NoNode) {
		s.complain("in the calm: %v", err)
	}
}

// expected tells whether an error is one that mishaps explain.
func expected(err error) bool {
	for _, e := range []error{nil, zk.SessionExpired, context.Canceled, recipes.ErrLost, recipes.ErrUnknown, recipes.ErrBusy} {
		if errors.Is(err, e) {
			return true
		}
	}
	return err == nil
}

// dial begins a session, of a timeout by chance.
func (s *stage) dial(ctx context.Context, p *bubble.Process, rng *rand.Rand) (*client.Client, error) {
	timeout := time.Duration(400+rng.IntN(2000)) * time.Millisecond
	return client.Dial(ctx, s.w.Servers(), &client.Options{
		SessionTimeout: timeout, MaxBackoff: 500 * time.Millisecond, Dialer: p.Dial, Rand: rand.NewPCG(rng.Uint64(), 1),
	})
}

// rest lets time pass, and tells whether ctx goes on.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// some is a duration by chance.
func some(rng *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(most))) + 1
}

// lives is a hand's goroutine.
func (m *hand) lives(ctx context.Context) {
	for ctx.Err() == nil {
		c, err := m.s.dial(ctx, m.p, m.rng)
		if err != nil {
			if ctx.Err() == nil {
				m.s.complain("hand %d: dial: %v", m.id, err)
			}
			return
		}
		m.mu.Lock()
		m.c = c
		m.life++
		m.mu.Unlock()
		for ctx.Err() == nil && !c.State().Ended() {
			err := m.s.play.work(ctx, m, c)
			if !expected(err) && !(ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded)) {
				m.s.complain("hand %d: %v", m.id, err)
			}
			if !rest(ctx, some(m.rng, 3*time.Millisecond)) || m.rng.IntN(60) == 0 {
				break
			}
		}
		if m.rng.IntN(5) == 0 {
			c.Detach() // what it has goes with its session, later
			m.s.count("detached", 1)
		} else {
			c.Close()
		}
	}
}

// session is that of the present client, 0 for none.
func (m *hand) session() (id zk.SessionID, timeout time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.c == nil {
		return 0, 0
	}
	st := m.c.Status()
	return st.Session, st.Timeout
}

// mishap lets something happen to one of the crew.
func (s *stage) mishap() {
	m := s.crew[s.rng.IntN(len(s.crew))]
	id, timeout := m.session()
	kind := ""
	switch n := s.rng.IntN(20); {
	case n < 5:
		kind = "connection dropped"
		m.p.Drop()
	case n < 11:
		m.p.LoseReply() // counted when it has happened
		return
	case n < 13:
		kind = "session expired"
		done := id != 0
		s.w.Do(func(e *sim.Ensemble) { done = done && e.Expire(id) })
		if !done {
			return
		}
	case n < 15:
		kind = "frozen for less than the timeout"
		m.p.Freeze(some(s.rng, timeout+1))
	case n < 18:
		kind = "frozen past the timeout"
		m.p.Freeze(timeout + some(s.rng, timeout+1))
	default:
		kind = "all connections dropped"
		for _, m := range s.crew {
			m.p.Drop()
		}
	}
	s.count(kind, 1)
}

// standstill ends the process, with the stacks of all, when a bubble's time has stopped: somebody in it works without pause. It goes by
// the real clock, outside of the bubble. The bubble's time cannot tell.
func standstill(seed uint64) (over func() bool) {
	return time.AfterFunc(*stands, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("seed %d: virtual time stands still for %v", seed, *stands))
	}).Stop
}

// patience is virtual: how long anything may take when all is well.
const patience = 5 * time.Minute

// finish waits for goroutines, not for ever.
func (s *stage) finish(what string, wait func()) bool {
	done := make(chan struct{})
	go func() { defer close(done); wait() }()
	select {
	case <-done:
		return true
	case <-time.After(patience):
		buf := make([]byte, 1<<20)
		buf = buf[:runtime.Stack(buf, true)]
		s.w.Stop() // or the bubble's time would go on for ever
		s.t.Fatalf("seed %d: %s goes on for %v:\n%s", s.seed, what, patience, buf)
		return false
	}
}

// round plays one seed. It gives the play, and what should not have been.
func round(t *testing.T, seed uint64, of []cast, sum *summary) (given string, bad []string) {
	defer func() {
		if x := recover(); x != nil { // goroutines that are left
			buf := make([]byte, 1<<20)
			t.Fatalf("seed %d: %v\n%s", seed, x, buf[:runtime.Stack(buf, true)])
		}
	}()
	defer standstill(seed)()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 0xb0bb1e)), tally: map[string]int{}}
		faults := []sim.Fault{}
		for _, f := range sim.Faults {
			if s.rng.IntN(3) > 0 {
				faults = append(faults, f.Name)
			}
		}
		part := of[s.rng.IntN(len(of))]
		s.w = bubble.Start(sim.Options{Seed: seed, Faults: faults, Gap: []int64{300, 800, 2000}[s.rng.IntN(3)]})
		for i := range part.least + s.rng.IntN(3) {
			s.crew = append(s.crew, &hand{s: s, id: i, p: s.w.Process(), rng: rand.New(rand.NewPCG(seed, uint64(i)))})
		}
		s.play = part.open(s)
		s.storm()
		failure, trace := s.end()
		if failure != nil {
			s.bad = append(s.bad, failure.Error())
		}
		if len(s.bad) > 0 && *oneSeed != 0 {
			for _, l := range trace {
				t.Log(l)
			}
		}
		sum.add(part.name, s.tally)
		given, bad = part.name, s.bad
	})
	return given, bad
}

// storm is the part with mishaps.
func (s *stage) storm() {
	ctx, over := context.WithCancel(context.Background())
	defer over()
	var wg sync.WaitGroup
	for _, m := range s.crew {
		wg.Go(func() { m.lives(ctx) })
	}
	pace := time.Duration(50+s.rng.IntN(700)) * time.Millisecond
	end := time.After(time.Duration(3+s.rng.IntN(5)) * time.Second)
	for on := true; on; {
		select {
		case <-end:
			on = false
		case <-s.w.Broken():
			on = false
		case <-time.After(some(s.rng, 2*pace)):
			s.mishap()
		}
	}
	s.w.Do(func(e *sim.Ensemble) { e.Heal() })
	if s.rng.IntN(2) == 0 { // they work on a while
		rest(ctx, some(s.rng, time.Second))
	}
	for _, m := range s.crew {
		s.count("reply lost", m.p.Mend())
	}
	over()
	s.finish("the crew", wg.Wait)
}

// end is the part without. It gives what the checkers of servers have to say.
func (s *stage) end() (failure *sim.Failure, trace []string) {
	rng := rand.New(rand.NewPCG(s.seed, 0xca1))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := s.dial(ctx, s.w.Process(), rng)
	if err != nil {
		s.complain("nobody serves: %v", err)
	} else {
		s.finish("the calm", func() { s.play.calm(ctx, c) })
		c.Close()
	}
	// Sessions that were left end by themselves, and containers that are empty go.
	for wait := 600; wait >= 0; wait-- {
		over := false
		s.w.Do(func(e *sim.Ensemble) {
			left := s.left(e)
			if over = len(left) == 0 && e.Alike() || e.Failure() != nil || wait == 0; !over {
				return
			}
			e.Judge() // at this moment, for some may still knock
			if failure, trace = e.Failure(), e.Trace(); failure == nil {
				if len(left) > 0 {
					s.complain("left in the tree: %q", left)
				}
				s.play.judge(e)
			}
			for f, n := range e.Faults() {
				s.count(string(f), n)
			}
			s.count("virtual ms", int(e.Elapsed()/1000))
			s.count("txns", e.Txns())
		})
		if over {
			break
		}
		rest(context.Background(), 100*time.Millisecond)
	}
	rest(context.Background(), time.Second) // a goroutine of a recipe that pauses between two tries may take half of it to see the end
	s.w.Stop()
	return failure, trace
}

// left are the znodes that are there and should not be.
func (s *stage) left(e *sim.Ensemble) []string {
	return slices.DeleteFunc(e.There(), func(path string) bool {
		return path == "/" || s.play.stays(path) || e.Unused(path)
	})
}

// summary is what many rounds came to.
type summary struct {
	mu    sync.Mutex
	plays map[string]int
	tally map[string]int
}

func (s *summary) add(name string, tally map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plays[name]++
	for what, n := range tally {
		s.tally[what] += n
	}
}

// Rounds of recipes under faults, in virtual time: `-args -rounds N -from S` plays more, `-args -seed N` one.
func TestVirtualRounds(t *testing.T) {
	t.Parallel()
	of := plays
	if *only != "" {
		of = slices.DeleteFunc(slices.Clone(plays), func(c cast) bool { return c.name != *only })
	}
	sum := &summary{plays: map[string]int{}, tally: map[string]int{}}
	one := func(t *testing.T, seed uint64) {
		if given, bad := round(t, seed, of, sum); len(bad) > 0 {
			t.Errorf("seed %d, %q:\n%s\nagain: go test ./internal/bubble -run Virtual -args -seed %d", seed, given, strings.Join(bad, "\n"), seed)
		}
	}
	if *oneSeed != 0 {
		one(t, *oneSeed)
		t.Log(sum.tally)
		return
	}
	n := *rounds
	if testing.Short() || raced && n == 100 {
		n /= 5
	}
	lanes, began := runtime.GOMAXPROCS(0), time.Now()
	t.Run("lanes", func(t *testing.T) {
		for lane := range lanes {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for i := lane; i < n && !t.Failed() && time.Since(began) < *span; i += lanes {
					one(t, *from+uint64(i))
				}
			})
		}
	})
	for _, m := range []map[string]int{sum.plays, sum.tally} {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			t.Logf("%7d %s", m[k], k)
		}
	}
	if len(of) > 1 && n == 100 { // those of every day reach everything
		for _, c := range of {
			if sum.plays[c.name] == 0 {
				t.Errorf("%q was never given", c.name)
			}
		}
		for _, what := range []string{"holds", "guarded writes", "items put", "additions", "tasks finished", "parties in groups", "pacts committed", "session expired", "frozen past the timeout", "reply lost"} {
			if sum.tally[what] < n/20 {
				t.Errorf("%q: only %d", what, sum.tally[what])
			}
		}
	}
}
