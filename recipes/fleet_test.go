package recipes_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
	"github.com/zooid-io/zooid/zktest"
)

// duty is what some hands of a fleet do, again and again: one recipe, with what tells whether it keeps its promises.
type duty struct {
	name  string
	hands int

	// work is one go of a hand. An error that mishaps do not explain fails the test; nil counts as a success.
	work func(ctx context.Context, hand int, c *client.Client) error
	// check is called in calm weather, behind the last go; the hands' sessions are over.
	check func(ctx context.Context, c *client.Client)
}

// fleet is an ensemble of three, clients that work on it, each on its duty, and mishaps: connections break, replies are lost, sessions
// end, clients stand still past their timeout, servers end and come back, and are cut off from each other and from their clients.
type fleet struct {
	t   *testing.T
	e   *zktest.Ensemble
	ill sync.WaitGroup // what has yet to be mended

	mu    sync.Mutex
	crew  []*hand
	count map[string]int
	done  map[string]int // goes that went well
	sick  bool           // servers are down or cut off
}

// hand is one worker.
type hand struct {
	f    *fleet
	duty *duty
	id   int
	line zktest.Line
	c    *client.Client
}

// timeout is that of the hands' sessions: a client that is cut off finds another server after two thirds of it.
const timeout = 3 * time.Second

func (h *hand) dial() *client.Client {
	return h.f.e.Client(h.f.t, func(o *client.Options) { o.Dialer, o.SessionTimeout = h.line.Dial, timeout })
}

func (h *hand) client() *client.Client {
	h.f.mu.Lock()
	c := h.c
	h.f.mu.Unlock()
	if c != nil && !c.State().Ended() {
		return c
	}
	c = h.dial()
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	h.c = c
	return c
}

// explained tells whether an error is one that mishaps explain.
func explained(err error) bool {
	for _, e := range []error{zk.SessionExpired, context.Canceled, context.DeadlineExceeded, recipes.ErrLost, recipes.ErrBusy, recipes.ErrUnknown} {
		if errors.Is(err, e) {
			return true
		}
	}
	return err == nil
}

// sail does all duties in a storm, and then in calm weather until each has been done again.
func sail(t *testing.T, e *zktest.Ensemble, duties []*duty) {
	t.Helper()
	f := &fleet{t: t, e: e, count: map[string]int{}, done: map[string]int{}}
	ctx, over := context.WithCancel(context.Background())
	defer over()
	for _, d := range duties {
		for i := range d.hands {
			f.crew = append(f.crew, &hand{f: f, duty: d, id: i})
		}
	}
	var wg sync.WaitGroup
	for _, h := range f.crew {
		wg.Go(func() { h.work(ctx) })
	}
	for i := range *mishaps {
		if i > 0 && i%500 == 0 {
			t.Logf("%d mishaps so far", i)
		}
		f.mishap()
	}
	f.ill.Wait()
	e.Heal()
	for _, h := range f.crew {
		h.line.Mend()
	}
	e.Settle()
	f.mu.Lock()
	before := make(map[string]int)
	for name, n := range f.done {
		before[name] = n
	}
	f.mu.Unlock()
	for _, d := range duties {
		eventually(t, d.name+" is done after the storm", func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.done[d.name] > before[d.name]
		})
	}
	over()
	wg.Wait()
	for _, h := range f.crew {
		// A machine that stands still for a while elects anew, and nobody confirms the end in time: the session then ends by itself.
		if err := h.client().Close(); err != nil && !errors.Is(err, zk.ConnectionLoss) {
			t.Error(err)
		}
	}
	calm := e.Client(t)
	for _, d := range duties {
		if d.check != nil {
			d.check(patient(t), calm)
		}
	}
	eventually(t, "no ephemeral znode is left", func() bool {
		all, err := recipes.ReadTree(patient(t), calm, "/")
		must(t, err)
		for _, n := range all {
			if n.Stat.EphemeralOwner != 0 && n.Stat.EphemeralOwner != calm.Session().ID && n.Stat.EphemeralOwner > 0 {
				return false
			}
		}
		return true
	})
	t.Logf("mishaps: %v", f.count)
	t.Logf("done: %v", f.done)
}

func (h *hand) work(ctx context.Context) {
	for ctx.Err() == nil {
		err := h.duty.work(ctx, h.id, h.client())
		if err == nil {
			h.f.mu.Lock()
			h.f.done[h.duty.name]++
			h.f.mu.Unlock()
		} else if !explained(err) {
			h.f.t.Errorf("%s, hand %d: %v", h.duty.name, h.id, err)
		}
		pause(ctx, 5*time.Millisecond)
	}
}

// pause waits for a time by chance.
func pause(ctx context.Context, most time.Duration) {
	t := time.NewTimer(rand.N(most))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// soon is ctx with a deadline by chance.
func soon(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, rand.N(most))
}

// mishap lets one happen.
func (f *fleet) mishap() {
	pause(context.Background(), 30*time.Millisecond) // let them work
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.crew[rand.IntN(len(f.crew))]
	if h.c == nil {
		return
	}
	id := h.c.Session().ID
	kind := []string{
		"drop", "drop", "drop", "lost reply", "lost reply", "lost reply", "lost reply", "expire", "expire", "expire",
		"freeze", "freeze past the timeout", "freeze past the timeout", "drop all",
		"kill", "kill", "partition", "isolate", "one way", "no quorum",
	}[rand.IntN(20)]
	sicken := func(most time.Duration, fall, recover func()) {
		if f.sick {
			return
		}
		f.sick = true
		f.count[kind]++
		f.ill.Go(func() {
			fall()
			pause(context.Background(), most)
			recover()
			f.e.Settle() // one trouble after the other, but not so that nothing else ever happens
			pause(context.Background(), time.Second)
			f.mu.Lock()
			f.sick = false
			f.mu.Unlock()
		})
	}
	a := rand.IntN(f.e.Len())
	b := (a + 1 + rand.IntN(f.e.Len()-1)) % f.e.Len()
	switch kind {
	case "kill":
		sicken(500*time.Millisecond, func() { f.e.Stop(a) }, func() { f.e.Restart(a) })
		return
	case "no quorum":
		sicken(300*time.Millisecond, func() { f.e.Stop(a); f.e.Stop(b) }, func() { f.e.Restart(b); f.e.Restart(a) })
		return
	case "partition":
		sicken(2*time.Second, func() { f.e.Partition(a) }, f.e.Heal)
		return
	case "isolate":
		sicken(2500*time.Millisecond, func() { f.e.Isolate(a) }, f.e.Heal)
		return
	case "one way":
		sicken(2*time.Second, func() { f.e.CutWay(a, b) }, f.e.Heal)
		return
	}
	f.count[kind]++
	switch kind {
	case "drop":
		f.e.Drop(id)
	case "drop all":
		f.e.Drop()
	case "lost reply":
		h.line.LoseReply()
	case "expire":
		f.e.TryExpire(id)
	default:
		h.line.Freeze()
		if kind != "freeze" {
			f.e.TryExpire(id)
		}
		f.ill.Go(func() {
			pause(context.Background(), 300*time.Millisecond)
			h.line.Mend()
		})
	}
}

// Every recipe keeps what it promises while the ensemble under it comes apart and together again, and goes on afterwards.
func TestFleetInAStorm(t *testing.T) {
	t.Parallel()
	e := zktest.StartEnsemble(t, 3, func(o *zktest.Options) { o.Tick, o.SyncLimit = 50*time.Millisecond, 10 })
	steady := e.Client(t)
	sail(t, e, slices.Concat(lockDuties(t), meetingDuties(t), queueDuties(t), valueDuties(t, steady), sightDuties(t, steady)))
}
