package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// haul is what became of the items of a queue.
type haul struct {
	ledger
	t      *testing.T
	name   string
	order  bool           // each producer's items come in their order
	serial []int          // of each producer
	last   map[string]int // the last serial that was taken of each producer
	tokens map[string]zk.Zxid

	sure, got int // that are surely in it, and that were taken
}

func newHaul(t *testing.T, name string, order bool) *haul {
	return &haul{
		ledger: ledger{put: map[string]bool{}, taken: map[string]int{}}, t: t, name: name, order: order,
		serial: make([]int, 8), last: map[string]int{}, tokens: map[string]zk.Zxid{},
	}
}

// put puts an item with what the queue's kind makes of it.
func (l *haul) produce(ctx context.Context, hand int, put func(ctx context.Context, item string) error) error {
	l.mu.Lock()
	full := l.sure-l.got > 50 // so that what is left in the end is soon taken
	l.mu.Unlock()
	if full {
		return recipes.ErrBusy
	}
	item := fmt.Sprintf("%d %d %d", hand, l.serial[hand], time.Now().UnixMilli()+30)
	l.serial[hand]++
	l.mu.Lock()
	l.ledger.put[item] = false
	l.mu.Unlock()
	err := put(ctx, item)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.ledger.put[item] = true
		l.sure++
	} else if !errors.Is(err, recipes.ErrUnknown) && l.taken[item] == 0 {
		delete(l.ledger.put, item)
	}
	return err
}

// took notes an item that was taken, or was not.
func (l *haul) took(item string, err error) {
	l.ledger.took(item, err)
	if err != nil {
		return
	}
	l.mu.Lock()
	l.got++
	l.mu.Unlock()
	if !l.order {
		return
	}
	var hand, serial int
	var due int64
	if _, err := fmt.Sscan(item, &hand, &serial, &due); err != nil {
		l.t.Errorf("%s: %q: %v", l.name, item, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	who := fmt.Sprint(hand)
	if last, ok := l.last[who]; ok && serial <= last {
		l.t.Errorf("%s: %d of producer %d after %d", l.name, serial, hand, last)
	}
	l.last[who] = serial
}

// drain takes what is left.
func (l *haul) drain(path string, take func(ctx context.Context, q *recipes.Queue) error) func(context.Context, *client.Client) {
	return func(ctx context.Context, c *client.Client) {
		q := recipes.NewQueue(c, path)
		for {
			n, err := q.Len(ctx)
			must(l.t, err)
			if n == 0 {
				break
			}
			must(l.t, take(ctx, q))
		}
		l.check(l.t)
		eventuallyEmpty(l.t, c, path+"/claims")
	}
}

// Queues: first in, first out; with priorities; with delays; leased.
func queueDuties(t *testing.T) (list []*duty) {
	for _, name := range []string{"fifo", "priority", "delay", "lease"} {
		l := newHaul(t, name, name == "fifo")
		path := "/queue-" + name
		var priority int // of the last that was taken while the queue was drained
		take := func(ctx context.Context, q *recipes.Queue) error {
			if name == "lease" {
				it, err := q.Lease(ctx)
				if err != nil {
					return err
				}
				l.mu.Lock()
				if it.Token() <= l.tokens[string(it.Data)] {
					t.Errorf("lease: %s with token %v after %v", it.Data, it.Token(), l.tokens[string(it.Data)])
				}
				l.tokens[string(it.Data)] = it.Token()
				l.mu.Unlock()
				if rand.IntN(4) == 0 {
					return it.Release(context.Background())
				}
				err = it.Done(context.Background())
				l.took(string(it.Data), err)
				return err
			}
			data, err := q.Take(ctx)
			l.took(string(data), err)
			var hand, serial int
			var due int64
			if err == nil && name == "delay" {
				if _, err := fmt.Sscan(string(data), &hand, &serial, &due); err != nil || time.Now().UnixMilli() < due {
					t.Errorf("delay: %q was taken before its time, %v", data, err)
				}
			}
			if err == nil && name == "priority" && ctx.Value(draining{}) != nil {
				_, err = fmt.Sscan(string(data), &hand, &serial, &due)
				if p := serial % 3; p < priority || err != nil {
					t.Errorf("priority: %d after %d, %v", p, priority, err)
				} else {
					priority = p
				}
			}
			return err
		}
		d := &duty{name: name + " queue", hands: 3, work: func(ctx context.Context, hand int, c *client.Client) error {
			q := recipes.NewQueue(c, path)
			did := error(recipes.ErrBusy) // nil as soon as one was put or taken
			for range 5 {                 // with one handle, so that receipts are used again
				var err error
				if hand < 2 {
					err = l.produce(ctx, hand, func(ctx context.Context, item string) error {
						var serial int
						var due int64
						if _, err := fmt.Sscan(item, new(int), &serial, &due); err != nil {
							return err
						}
						switch name {
						case "priority":
							return q.PutWith(ctx, []byte(item), recipes.PutOptions{Priority: serial % 3})
						case "delay":
							return q.PutWith(ctx, []byte(item), recipes.PutOptions{NotBefore: time.UnixMilli(due)})
						}
						return q.Put(ctx, []byte(item))
					})
				} else {
					most := 200 * time.Millisecond
					if rand.IntN(2) == 0 {
						most = 20 * time.Second // a busy machine may need longer than that for any
					}
					short, cancel := soon(ctx, most)
					err = take(short, q)
					cancel()
				}
				switch {
				case err == nil:
					did = nil
				case !explained(err) || c.State().Ended() || ctx.Err() != nil:
					return err
				}
			}
			return did
		}}
		drain := l.drain(path, take)
		d.check = func(ctx context.Context, c *client.Client) { drain(context.WithValue(ctx, draining{}, true), c) }
		list = append(list, d)
	}
	return list
}

// draining marks the context of the last takes, when nobody puts.
type draining struct{}
