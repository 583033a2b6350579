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

// queuePlay has producers and consumers. No item is lost, none is put or taken twice, and what is not known is said to be so.
type queuePlay struct {
	s     *stage
	lease bool

	mu      sync.Mutex
	put     map[string]error // what Put said
	taken   map[string]int
	tokens  map[string]zk.Zxid // of leases, the highest
	undone  map[string]int     // Done said that it is not known
	unknown int                // takes of which the same is true
}

func newTakePlay(s *stage) play  { return newQueuePlay(s, false) }
func newLeasePlay(s *stage) play { return newQueuePlay(s, true) }

func newQueuePlay(s *stage, lease bool) play {
	return &queuePlay{s: s, lease: lease, put: map[string]error{}, taken: map[string]int{}, tokens: map[string]zk.Zxid{}, undone: map[string]int{}}
}

func (p *queuePlay) work(ctx context.Context, me *hand, c *client.Client) error {
	q := recipes.NewQueue(c, "/q")
	var err error
	for i := 0; i < 5 && err == nil && ctx.Err() == nil; i++ {
		rest(ctx, some(me.rng, 20*time.Millisecond))
		if me.id%2 == 0 {
			err = p.produce(ctx, me, q, fmt.Sprintf("%d-%d-%d", me.id, me.life, me.rng.Uint64()))
			continue
		}
		asking, cancel := ctx, context.CancelFunc(func() {})
		if me.rng.IntN(4) == 0 {
			asking, cancel = context.WithTimeout(ctx, some(me.rng, 300*time.Millisecond))
		}
		err = p.consume(asking, me.rng.IntN(6) == 0, some(me.rng, 20*time.Millisecond), q)
		cancel()
		if asking != ctx && errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
	}
	return err
}

func (p *queuePlay) produce(ctx context.Context, me *hand, q *recipes.Queue, item string) error {
	opt := recipes.PutOptions{Priority: 500}
	if me.rng.IntN(5) == 0 {
		opt = recipes.PutOptions{Priority: me.rng.IntN(999), NotBefore: time.Now().Add(some(me.rng, 200*time.Millisecond))}
	}
	err := q.PutWith(ctx, []byte(item), opt)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put[item] = err
	return err
}

func (p *queuePlay) consume(ctx context.Context, giveBack bool, work time.Duration, q *recipes.Queue) error {
	if !p.lease {
		data, err := q.Take(ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case err == nil:
			p.taken[string(data)]++
		case errors.Is(err, recipes.ErrUnknown):
			p.unknown++
		}
		return err
	}
	it, err := q.Lease(ctx)
	if err != nil {
		return err
	}
	item := string(it.Data)
	p.mu.Lock()
	if it.Token() <= p.tokens[item] {
		p.s.complain("%s is leased with token %v after %v", item, it.Token(), p.tokens[item])
	}
	p.tokens[item] = it.Token()
	p.mu.Unlock()
	rest(it.Context(), work)
	bg := context.WithoutCancel(ctx)
	if giveBack {
		return it.Release(bg)
	}
	err = it.Done(bg)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.taken[item]++
	case errors.Is(err, recipes.ErrUnknown):
		p.undone[item]++
	}
	return err
}

func (p *queuePlay) calm(ctx context.Context, c *client.Client) {
	q := recipes.NewQueue(c, "/q")
	for {
		n, err := q.Len(ctx)
		if err == nil && n == 0 {
			break
		}
		if err == nil {
			err = p.consume(ctx, false, 1, q)
		}
		if err != nil {
			p.s.complain("in the calm: %v", err)
			return
		}
	}
}

func (p *queuePlay) stays(path string) bool { return path == "/q" }

func (p *queuePlay) judge(e *sim.Ensemble) {
	there := map[string]int{}
	gone, done := 0, 0
	for _, l := range e.Lives("/q/items") {
		item := string(l.Data[0].Data)
		there[item]++
		if l.Deleted != 0 {
			gone++
		}
	}
	for item, err := range p.put {
		switch n := there[item]; {
		case n > 1, err == nil && n == 0:
			p.s.complain("%s was put %d times, and Put said %v", item, n, err)
		case n == 1 && err != nil && !errors.Is(err, recipes.ErrUnknown):
			p.s.complain("%s was put, and Put said %v", item, err)
		}
		p.s.count("items put", there[item])
	}
	for item, n := range p.taken {
		done += n
		if n > 1 || there[item] == 0 {
			p.s.complain("%s was taken %d times and put %d times", item, n, there[item])
		}
	}
	doubt := p.unknown
	for item, n := range p.undone {
		if p.taken[item] == 0 {
			doubt += min(n, 1)
		}
	}
	if gone < done || gone > done+doubt || gone != len(there) {
		p.s.complain("%d items were there, %d are gone, %d were taken, and of at most %d more it is not known", len(there), gone, done, doubt)
	}
}

// counterPlay has a number that all add to, and ids that all take.
type counterPlay struct {
	s *stage

	mu            sync.Mutex
	sure, unknown int64
	ids           []int64
	end           int64
}

func newCounterPlay(s *stage) play { return &counterPlay{s: s} }

func (p *counterPlay) work(ctx context.Context, me *hand, c *client.Client) error {
	k, i := recipes.NewCounter(c, "/n"), recipes.NewIDs(c, "/ids", 3)
	for range 5 {
		by := int64(1 + me.rng.IntN(3))
		_, err := k.Add(ctx, by)
		p.mu.Lock()
		switch {
		case err == nil:
			p.sure += by
		case errors.Is(err, recipes.ErrUnknown):
			p.unknown += by
		}
		p.mu.Unlock()
		if err != nil {
			return err
		}
		p.s.count("additions", 1)
		id, err := i.Next(ctx)
		if err != nil {
			return err
		}
		p.mu.Lock()
		p.ids = append(p.ids, id)
		p.mu.Unlock()
		rest(ctx, some(me.rng, 10*time.Millisecond))
	}
	return nil
}

func (p *counterPlay) calm(ctx context.Context, c *client.Client) {
	var err error
	p.s.insist(ctx, func() error { return c.Sync(ctx, "/") })
	if p.end, err = recipes.NewCounter(c, "/n").Value(ctx); err != nil {
		p.s.complain("in the calm: %v", err)
	}
	if p.end < p.sure || p.end > p.sure+p.unknown {
		p.s.complain("the number is %d; %d was added, and perhaps %d more", p.end, p.sure, p.unknown)
	}
}

func (p *counterPlay) stays(path string) bool {
	return slices.Contains([]string{"/n", "/ids"}, path)
}

func (p *counterPlay) judge(e *sim.Ensemble) {
	slices.Sort(p.ids)
	if n := len(slices.Compact(slices.Clone(p.ids))); n != len(p.ids) {
		p.s.complain("%d different ids of %d", n, len(p.ids))
	}
	last := int64(0) // the number rises, for all add
	for _, l := range e.LivesOf("/n") {
		for _, d := range l.Data {
			var n int64
			if _, err := fmt.Sscan(strings.TrimSpace(string(d.Data)), &n); err == nil && n < last {
				p.s.complain("the number fell from %d to %d", last, n)
			}
			last = n
		}
	}
}
