package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// Barriers, groups that gather, and pacts: what several do together.
func meetingDuties(t *testing.T) []*duty {
	var mu sync.Mutex
	epoch, down := 0, false // the barrier is surely down since its epoch began
	in := map[*recipes.Round]bool{}
	groups := map[string]string{}
	said := map[string]map[recipes.Decision]bool{}
	turn := make([]int, 3)
	return []*duty{
		{name: "barrier", hands: 3, work: func(ctx context.Context, hand int, c *client.Client) error {
			b := recipes.NewBarrier(c, "/barrier")
			if hand == 0 {
				if err := b.Lower(ctx); err != nil {
					return err
				}
				mu.Lock()
				epoch, down = epoch+1, true
				mu.Unlock()
				pause(ctx, 20*time.Millisecond)
				mu.Lock()
				down = false
				mu.Unlock()
				return b.Lift(ctx)
			}
			mu.Lock()
			was, sure := epoch, down
			mu.Unlock()
			if err := c.Sync(ctx, "/barrier"); err != nil { // what others have done shows behind a sync
				if errors.Is(err, zk.ConnectionLoss) {
					return recipes.ErrUnknown
				}
				return err
			}
			short, cancel := soon(ctx, 100*time.Millisecond)
			defer cancel()
			err := b.Wait(short)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && sure && down && epoch == was {
				t.Error("barrier: somebody went through while it was down")
			}
			return err
		}},
		{name: "double barrier", hands: 3, work: func(ctx context.Context, _ int, c *client.Client) error {
			enter, cancel := context.WithTimeout(ctx, 100*time.Millisecond+rand.N(time.Second))
			defer cancel()
			r, err := recipes.NewDoubleBarrier(c, "/double", 2).Enter(enter)
			if err != nil {
				return err
			}
			mu.Lock()
			in[r] = true
			mu.Unlock()
			pause(ctx, 3*time.Millisecond)
			mu.Lock()
			delete(in, r)
			var others []*recipes.Round // of the same round: it cannot end before we leave
			if there, sure := exists(ctx, c, r.Hold); there && sure {
				for o := range in {
					others = append(others, o)
				}
			}
			mu.Unlock()
			leave, cancel := context.WithTimeout(ctx, 100*time.Millisecond+rand.N(time.Second))
			defer cancel()
			err = r.Leave(leave)
			mu.Lock()
			defer mu.Unlock()
			for _, o := range others {
				if err != nil || !in[o] {
					continue
				}
				if there, sure := exists(ctx, c, o.Hold); there && sure {
					t.Errorf("double barrier: %s left before %s had worked", r.Path(), o.Path())
				}
			}
			return err
		}, check: empty(t, "/double")},
		{name: "gather", hands: 3, work: func(ctx context.Context, hand int, c *client.Client) error {
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond+rand.N(time.Second))
			defer cancel()
			g, err := recipes.NewGather(c, "/gather", 2).Join(short, fmt.Append(nil, hand))
			if err != nil {
				return err
			}
			mu.Lock()
			all := fmt.Sprint(g.Names)
			if g.Names[g.Index] != base(g.Path()) || string(g.Data[g.Index]) != fmt.Sprint(hand) || len(g.Names) != 2 {
				t.Errorf("gather: %s at %d of %s", g.Path(), g.Index, all)
			}
			for _, name := range g.Names {
				if was, ok := groups[name]; ok && was != all {
					t.Errorf("gather: %s is in %s and in %s", name, was, all)
				}
				groups[name] = all
			}
			mu.Unlock()
			return g.Release(context.Background())
		}, check: empty(t, "/gather")},
		{name: "two-phase commit", hands: 3, work: func(ctx context.Context, hand int, c *client.Client) error {
			name := fmt.Sprintf("/pacts/%d", turn[hand])
			p := recipes.NewPact(c, name, "0", "1", "2")
			if err := p.Vote(ctx, fmt.Sprint(hand), (turn[hand]+hand)%5 != 0); err != nil {
				return err
			}
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond+rand.N(time.Second))
			defer cancel()
			d, err := p.Wait(short)
			if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
				d, err = p.Abort(ctx)
			}
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if said[name] == nil {
				said[name] = map[recipes.Decision]bool{}
			}
			if said[name][d] = true; len(said[name]) > 1 || d == recipes.Undecided {
				t.Errorf("two-phase commit: %s is %v", name, said[name])
			}
			turn[hand]++
			return nil
		}, check: func(ctx context.Context, c *client.Client) {
			for name, ds := range said {
				d, err := recipes.NewPact(c, name, "0", "1", "2").Abort(ctx)
				must(t, err)
				if !ds[d] {
					t.Errorf("two-phase commit: %s is %v, and %s in the tree", name, ds, d)
				}
			}
		}},
	}
}
