package bubble_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/zooid-io/zooid/internal/bubble"
	"github.com/zooid-io/zooid/internal/sim"
	"github.com/zooid-io/zooid/recipes"
)

// A candidate that leaves, while no server can be asked whether its znode was made and the session has lapsed, goes on asking now and
// then, and not all the time: in a bubble, time would stand still.
func TestVirtualSeatIsGivenUpInPeace(t *testing.T) {
	defer standstill(1)()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, w: bubble.Start(sim.Options{Seed: 1}), rng: rand.New(rand.NewPCG(1, 1))}
		defer s.w.Stop()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		p := s.w.Process()
		c, err := s.dial(ctx, p, s.rng)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		timeout := c.Status().Timeout
		p.Freeze(3 * timeout)
		short, done := context.WithTimeout(ctx, 3*timeout/2)
		defer done()
		if _, err := recipes.NewSeat(c, "/seat/one", []byte("me")).TryTake(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v", err, c.Status())
		}
		rest(ctx, 5*timeout)
		other, err := s.dial(ctx, s.w.Process(), s.rng)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		term, err := recipes.NewSeat(other, "/seat/one", []byte("other")).TryTake(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := term.Resign(ctx); err != nil {
			t.Error(err)
		}
	})
}
