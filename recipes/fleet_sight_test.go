package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// Groups, services, reports, caches and snapshots: what others can see.
func sightDuties(t *testing.T, steady *client.Client) []*duty {
	ctx := patient(t)
	group := &holders{t: t, name: "membership", most: 1}
	report := &holders{t: t, name: "progress", most: 1}
	roster, err := recipes.NewGroup(steady, "/group").Roster(ctx)
	must(t, err)
	service, err := recipes.Discover(ctx, steady, "/services/mail")
	must(t, err)
	progress, err := recipes.FollowProgress(ctx, steady, "/reports/one")
	must(t, err)
	cache, err := recipes.NewCache(ctx, steady, "/cached", nil)
	must(t, err)
	t.Cleanup(func() { roster.Close(); service.Close(); progress.Close(); cache.Close() })
	return []*duty{
		{name: "membership", hands: 3, work: func(ctx context.Context, hand int, c *client.Client) error {
			g := recipes.NewGroup(c, "/group")
			join := g.JoinWait
			if rand.IntN(2) == 0 {
				join = g.Join
			}
			h, err := join(ctx, "captain", fmt.Append(nil, hand))
			if err != nil {
				return err
			}
			group.enter(h, c, "")
			all, err := g.Members(ctx)
			if err == nil && len(all) == 1 && all[0].Token < h.Token() && h.Context().Err() == nil {
				t.Errorf("membership: %+v, and %d is %v", all, hand, h.Token())
			}
			group.leave(h)
			return errors.Join(err, h.Release(context.Background()))
		}, check: func(ctx context.Context, c *client.Client) {
			until(t, roster.Changed, "the roster is empty", func() bool { return len(roster.Members()) == 0 })
		}},
		{name: "discovery", hands: 3, work: func(ctx context.Context, hand int, c *client.Client) error {
			h, err := recipes.Register(ctx, c, "/services/mail", recipes.Instance{Name: fmt.Sprint(hand), Addr: fmt.Sprintf("host-%d:25", hand)})
			if err != nil {
				return err
			}
			i, err := service.Pick(recipes.Random{})
			if err == nil && i.Addr != fmt.Sprintf("host-%s:25", i.Name) {
				t.Errorf("discovery: %+v", i)
			}
			if err != nil && !errors.Is(err, recipes.ErrNoInstance) {
				return err
			}
			return h.Release(context.Background())
		}, check: func(ctx context.Context, c *client.Client) {
			until(t, service.Changed, "the service has no instances", func() bool { return len(service.Instances()) == 0 })
		}},
		{name: "progress", hands: 2, work: func(ctx context.Context, hand int, c *client.Client) error {
			p, err := recipes.StartProgress(ctx, c, "/reports/one", recipes.Report{Total: 3, Note: fmt.Sprint(hand)})
			if err != nil {
				return err
			}
			report.enter(p.Hold, c, "")
			for i := range int64(3) {
				if err = p.Tell(ctx, recipes.Report{Done: i + 1, Total: 3, Note: fmt.Sprint(hand)}); err != nil {
					break
				}
				if s := progress.Get(); s.Err != nil || s.Version >= 0 && (s.Value.Total != 3 || s.Value.Done > 3) {
					t.Errorf("progress: %+v", s)
				}
			}
			report.leave(p.Hold)
			return errors.Join(err, p.Release(context.Background()))
		}, check: func(ctx context.Context, c *client.Client) {
			eventually(t, "nobody reports", func() bool { return progress.Get().Version == -1 })
		}},
		{name: "tree cache", hands: 2, work: func(ctx context.Context, hand int, c *client.Client) error {
			for i := range 7 {
				path := fmt.Sprintf("/cached/%d-%d", hand, i)
				for _, p := range []string{"/cached", path} {
					_, _, _ = c.Create(ctx, p, nil, zk.Persistent)
				}
				_, _ = c.Set(ctx, path, fmt.Append(nil, i), -1)
				if rand.IntN(3) == 0 {
					_ = c.Delete(ctx, path, -1)
				}
			}
			return nil
		}, check: func(ctx context.Context, c *client.Client) {
			want, err := recipes.ReadTree(ctx, c, "/cached")
			must(t, err)
			until(t, cache.Changed, "the cache is as the tree", func() bool {
				return slices.EqualFunc(cache.All(), sorted(want), func(a, b *recipes.Node) bool {
					return a.Path == b.Path && a.Stat.Mzxid == b.Stat.Mzxid && string(a.Data) == string(b.Data)
				})
			})
		}},
		{name: "snapshot reads", hands: 2, work: func(ctx context.Context, hand int, c *client.Client) error {
			if hand == 0 {
				for _, p := range []string{"/pair", "/pair/a", "/pair/b"} {
					if err := recipes.MakeFolder(ctx, c, p, zk.Persistent); err != nil {
						return err
					}
				}
				tx := c.Multi()
				data := fmt.Append(nil, time.Now().UnixNano())
				tx.Set("/pair/a", data, -1)
				tx.Set("/pair/b", data, -1)
				if err := tx.Commit(ctx); errors.Is(err, zk.ConnectionLoss) || errors.Is(err, zk.SessionMoved) {
					return recipes.ErrUnknown
				} else if err != nil {
					return err
				}
				return nil
			}
			few, err := recipes.ReadTogether(ctx, c, "/pair/a", "/pair/b")
			if err != nil {
				return err
			}
			all, err := recipes.ReadTree(ctx, c, "/pair")
			if err != nil {
				return err
			}
			for _, m := range []map[string]*recipes.Node{few, all} {
				a, b := m["/pair/a"], m["/pair/b"]
				if a != nil && b != nil && string(a.Data) != string(b.Data) {
					t.Errorf("snapshot reads: %s and %s", a.Data, b.Data)
				}
			}
			return nil
		}},
	}
}

func sorted(nodes map[string]*recipes.Node) (list []*recipes.Node) {
	for _, n := range nodes {
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b *recipes.Node) int {
		switch {
		case a.Path < b.Path:
			return -1
		case a.Path > b.Path:
			return 1
		}
		return 0
	})
	return list
}
