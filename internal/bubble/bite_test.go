package bubble_test

import (
	"context"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/sim"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// faulty is a play in which something is done wrong on purpose, in the calm or all the time.
type faulty struct {
	play
	spoil func(ctx context.Context, c *client.Client)
}

func (f faulty) calm(ctx context.Context, c *client.Client) {
	f.spoil(ctx, c)
	f.play.calm(ctx, c)
}

// sabotage are plays that a judge must object to, and a word of what it says.
var sabotage = []struct {
	cast
	says string
}{
	{cast{"readers that say they write", 3, func(s *stage) play {
		return &holdPlay{s: s, folder: "/l", most: 1, acquire: func(ctx context.Context, _ *hand, c *client.Client) (*recipes.Hold, bool, error) {
			h, err := recipes.NewSharedLock(c, "/l").Read(ctx)
			return h, false, err
		}}
	}}, "it was not its turn"},
	{cast{"a semaphore for two of which one is said", 3, func(s *stage) play {
		p := newSemaphorePlay(s).(*holdPlay)
		p.most = 1
		p.acquire = func(ctx context.Context, _ *hand, c *client.Client) (*recipes.Hold, bool, error) {
			h, err := recipes.NewSemaphore(c, "/s", 2).Acquire(ctx)
			return h, false, err
		}
		return p
	}}, "it was not its turn"},
	{cast{"an item that is put by somebody else", 3, func(s *stage) play {
		return faulty{newTakePlay(s), func(ctx context.Context, c *client.Client) {
			_ = recipes.NewQueue(c, "/q").Put(ctx, []byte("stray"))
			_, _ = recipes.NewQueue(c, "/q").Take(ctx)
		}}
	}}, "were taken"},
	{cast{"an addition that nobody knows of", 2, func(s *stage) play {
		return faulty{newCounterPlay(s), func(ctx context.Context, c *client.Client) { _, _ = recipes.NewCounter(c, "/n").Add(ctx, 1000) }}
	}}, "the number is"},
	{cast{"a znode that is forgotten", 2, func(s *stage) play {
		return faulty{newLockPlay(s), func(ctx context.Context, c *client.Client) {
			_ = recipes.MakeFolder(ctx, c, "/forgotten", zk.Persistent)
		}}
	}}, "left in the tree"},
	{cast{"a decision that is changed", 3, func(s *stage) play {
		return faulty{newPactPlay(s), func(ctx context.Context, c *client.Client) {
			_ = recipes.Insist(ctx, func() error { _, err := c.Set(ctx, "/pact/0", []byte("aborted, or so"), -1); return err })
		}}
	}}, "was decided"},
	{cast{"a barrier that is passed", 3, func(s *stage) play { return &leaky{newBarrierPlay(s).(*barrierPlay)} }}, "passed"},
}

// leaky says that a barrier was passed when it was seen.
type leaky struct{ *barrierPlay }

func (p *leaky) judge(e *sim.Ensemble) {
	for i := range p.through {
		p.through[i].by = p.through[i].down
	}
	p.barrierPlay.judge(e)
}

// The judges object to what is wrong: within a few rounds, for not in each of them it comes about. A seed does not fix the order in which
// goroutines run, so that there is no telling which round it is.
func TestVirtualJudgesBite(t *testing.T) {
	t.Parallel()
	for _, s := range sabotage {
		var all []string
		for seed := uint64(1); seed <= 100 && !strings.Contains(strings.Join(all, "\n"), s.says); seed++ {
			_, bad := round(t, seed, []cast{s.cast}, &summary{plays: map[string]int{}, tally: map[string]int{}})
			all = append(all, bad...)
		}
		if got := strings.Join(all, "\n"); !strings.Contains(got, s.says) {
			t.Errorf("%s: nobody says %q: %q", s.name, s.says, got)
		}
	}
}
