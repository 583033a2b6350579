package masterworker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// pause is after a transaction of unknown outcome.
const pause = 10 * time.Millisecond

// Lead waits to be the master, and then hands out tasks until ctx ends or the office is lost, which the error tells: that of ctx,
// recipes.ErrLost, zk.SessionExpired. name is what others see of this master, another for each of one client. Each worker gets one task
// at a time and one in advance; the oldest tasks go first, to those who have the least.
func (s *System) Lead(ctx context.Context, name string) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	term, err := recipes.NewSeat(s.c, s.path("master"), []byte(name)).Take(ctx)
	if err != nil {
		return err
	}
	defer term.Resign(context.WithoutCancel(ctx))
	office, leave := context.WithCancel(term.Context())
	defer leave()
	defer context.AfterFunc(ctx, leave)()
	cache, err := recipes.NewCache(office, s.c, s.base, nil)
	if err == nil {
		defer cache.Close()
		err = s.lead(office, cache)
	}
	return cmp.Or(context.Cause(ctx), context.Cause(term.Context()), err)
}

func (s *System) lead(ctx context.Context, cache *recipes.Cache) error {
	for {
		changed := cache.Changed()
		var again <-chan time.Time
		for _, m := range s.plan(cache.All()) {
			err := m(ctx)
			switch {
			case err == nil, stale(err): // the cache will see it
			case broken(err):
				again = time.After(pause)
			default:
				return err
			}
		}
		select {
		case <-changed:
		case <-again:
		case <-cache.Done():
			return cache.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// inAdvance is how many tasks a worker has at most: one at work, one waiting.
const inAdvance = 2

// plan says what is to be done in a tree. It depends on the tree alone, so that any master would do the same.
func (s *System) plan(nodes []*recipes.Node) (moves []func(context.Context) error) {
	var tasks []*recipes.Node
	load := map[string]int{} // of workers that are there
	assigned := map[string][]*recipes.Node{}
	for _, n := range nodes {
		switch parts := strings.Split(strings.TrimPrefix(n.Path, strings.TrimSuffix(s.base, "/")+"/"), "/"); {
		case len(parts) == 2 && parts[0] == "workers":
			load[parts[1]] = 0
		case len(parts) == 2 && parts[0] == "tasks":
			tasks = append(tasks, n)
		case len(parts) == 2 && parts[0] == "assign":
			if assigned[parts[1]] == nil {
				assigned[parts[1]] = []*recipes.Node{}
			}
		case len(parts) == 3 && parts[0] == "assign":
			assigned[parts[1]] = append(assigned[parts[1]], n)
		}
	}
	for worker, list := range assigned {
		if _, there := load[worker]; there {
			load[worker] = len(list)
			continue
		}
		for _, n := range list {
			moves = append(moves, func(ctx context.Context) error { return s.giveBack(ctx, n) })
		}
		moves = append(moves, func(ctx context.Context) error { return s.c.Delete(ctx, s.path("assign", worker), -1) })
	}
	slices.SortFunc(tasks, func(a, b *recipes.Node) int { return cmp.Compare(a.Stat.Czxid, b.Stat.Czxid) })
	for _, n := range tasks {
		worker := ""
		for w, has := range load {
			if has < inAdvance && (worker == "" || has < load[worker] || has == load[worker] && w < worker) {
				worker = w
			}
		}
		if worker == "" {
			break
		}
		load[worker]++
		folder := assigned[worker] != nil
		assigned[worker] = append(assigned[worker], n)
		moves = append(moves, func(ctx context.Context) error { return s.assign(ctx, n, worker, folder) })
	}
	return moves
}

// assign moves a task to a worker.
func (s *System) assign(ctx context.Context, n *recipes.Node, worker string, folder bool) error {
	var p parcel
	now, _, err := s.c.Get(ctx, n.Path) // a copy that is being made anew may still show an earlier attempt
	if err != nil {
		return err
	}
	if err := json.Unmarshal(now, &p); err != nil {
		return s.refuse(ctx, n, err)
	}
	p.Attempt++
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if !folder {
		_, _, err := s.c.Create(ctx, s.path("assign", worker), nil, zk.Persistent)
		if err != nil && !errors.Is(err, zk.NodeExists) {
			return err
		}
	}
	_, task, _ := zk.SplitPath(n.Path)
	return s.move(ctx, n.Path, s.path("assign", worker, task), data, s.path("workers", worker))
}

// giveBack moves a task from a worker that is gone to where it was.
func (s *System) giveBack(ctx context.Context, n *recipes.Node) error {
	_, task, _ := zk.SplitPath(n.Path)
	now, _, err := s.c.Get(ctx, n.Path)
	if err != nil {
		return err
	}
	return s.move(ctx, n.Path, s.path("tasks", task), now, "")
}

// refuse finishes what is no task: it was put there by something else than Submit.
func (s *System) refuse(ctx context.Context, n *recipes.Node, why error) error {
	_, task, _ := zk.SplitPath(n.Path)
	data, err := json.Marshal(Result{Error: fmt.Sprintf("not a task: %v", why)})
	if err != nil {
		return err
	}
	return s.move(ctx, n.Path, s.path("status", task), data, "")
}

// move moves a znode, if it is there, and if the znode at check, unless that is "", is there too.
func (s *System) move(ctx context.Context, from, to string, data []byte, check string) error {
	tx := s.c.Multi()
	if check != "" {
		tx.Check(check, -1)
	}
	tx.Delete(from, -1)
	tx.Create(to, data, zk.Persistent)
	return tx.Commit(ctx)
}
