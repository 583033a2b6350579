package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// Counters, ids, configuration, names.
func valueDuties(t *testing.T, steady *client.Client) []*duty {
	var mu sync.Mutex
	var added, unknown int64
	ids := map[int64]bool{}
	serial := make([]int, 2)
	sure := make([]int, 2)
	bound := map[string]string{}
	turn := make([]int, 3)
	type settings map[string]int

	ctx := patient(t)
	config, err := recipes.NewConfig(ctx, steady, "/config/all", recipes.JSON[settings]())
	must(t, err)
	follow, stop := context.WithCancel(context.Background())
	var following sync.WaitGroup
	t.Cleanup(func() { stop(); following.Wait(); config.Close() })
	following.Go(func() {
		last := recipes.Setting[settings]{Version: -1}
		_ = config.Watch(follow, func(s recipes.Setting[settings]) { // it ends with follow
			if s.Zxid < last.Zxid || s.Err != nil {
				t.Errorf("configuration: %+v after %+v", s, last)
			}
			for who, n := range last.Value {
				if s.Value[who] < n {
					t.Errorf("configuration: %+v after %+v", s, last)
				}
			}
			last = s
		})
	})
	return []*duty{
		{name: "counter", hands: 2, work: func(ctx context.Context, _ int, c *client.Client) error {
			k := recipes.NewCounter(c, "/counter")
			for range 3 {
				_, err := k.Add(ctx, 1)
				mu.Lock()
				if err == nil {
					added++
				} else if errors.Is(err, recipes.ErrUnknown) {
					unknown++
				}
				mu.Unlock()
				if err != nil {
					return err
				}
			}
			return nil
		}, check: func(ctx context.Context, c *client.Client) {
			n, err := recipes.NewCounter(c, "/counter").Value(ctx)
			must(t, err)
			if n < added || n > added+unknown {
				t.Errorf("counter: %d, want %d, and at most %d more", n, added, unknown)
			}
		}},
		{name: "ids", hands: 2, work: func(ctx context.Context, _ int, c *client.Client) error {
			i := recipes.NewIDs(c, "/ids", 3)
			for range 4 {
				id, err := i.Next(ctx)
				if err != nil {
					return err
				}
				mu.Lock()
				if ids[id] {
					t.Errorf("ids: %d twice", id)
				}
				ids[id] = true
				mu.Unlock()
			}
			return nil
		}},
		{name: "configuration", hands: 2, work: func(ctx context.Context, hand int, c *client.Client) error {
			v, err := recipes.NewConfig(ctx, c, "/config/all", recipes.JSON[settings]())
			if err != nil {
				return err
			}
			defer v.Close()
			serial[hand]++
			n, who := serial[hand], fmt.Sprint(hand)
			err = v.Update(ctx, func(s settings) (settings, error) {
				if s == nil {
					s = settings{}
				}
				s[who] = max(s[who], n)
				return s, nil
			})
			if err == nil {
				sure[hand] = n
			}
			return err
		}, check: func(ctx context.Context, c *client.Client) {
			for hand, n := range sure {
				eventually(t, fmt.Sprintf("configuration: %d of %d", n, hand), func() bool {
					return config.Get().Value[fmt.Sprint(hand)] >= n
				})
			}
		}},
		{name: "naming", hands: 3, work: func(ctx context.Context, hand int, c *client.Client) error {
			name, me := fmt.Sprintf("dir/%d", turn[hand]), fmt.Sprint(hand)
			n := recipes.NewNames(c, "/names")
			err := n.Bind(ctx, name, []byte(me))
			won := err == nil
			if err != nil && !errors.Is(err, zk.NodeExists) {
				return err
			}
			what, err := n.Lookup(ctx, name)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if was, ok := bound[name]; ok && was != string(what) || won && string(what) != me {
				t.Errorf("naming: %s is %s, was %q; %s has bound it: %v", name, what, was, me, won)
			}
			bound[name] = string(what)
			turn[hand]++
			return nil
		}},
	}
}
