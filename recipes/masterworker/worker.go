package masterworker

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// Work does tasks, one after the other, until ctx ends or the session is lost, which the error tells: that of ctx, recipes.ErrLost,
// zk.SessionExpired. name is the worker's, and nobody else's at the time: Work waits until a former owner of the name is gone, and
// goes on with its tasks. The context that do gets ends when the worker may no longer work: the task is then somebody else's, and
// its result is not wanted. An error of do is the task's result, not the worker's end.
func (s *System) Work(ctx context.Context, name string, do func(context.Context, Task) ([]byte, error)) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	there, err := recipes.NewGroup(s.c, s.path("workers")).JoinWait(ctx, name, nil)
	if err != nil {
		return err
	}
	defer there.Release(context.WithoutCancel(ctx))
	work, leave := context.WithCancel(there.Context())
	defer leave()
	defer context.AfterFunc(ctx, leave)()
	cache, err := recipes.NewCache(work, s.c, s.path("assign", name), nil)
	if err == nil {
		defer cache.Close()
		err = s.work(work, name, there.Token(), cache, do)
	}
	return cmp.Or(context.Cause(ctx), context.Cause(there.Context()), err)
}

func (s *System) work(ctx context.Context, name string, since zk.Zxid, cache *recipes.Cache, do func(context.Context, Task) ([]byte, error)) error {
	done := map[zk.Zxid]bool{} // what the cache may still show
	for {
		changed := cache.Changed()
		todo := cache.Below(s.path("assign", name))
		shown := map[zk.Zxid]bool{}
		todo = slices.DeleteFunc(todo, func(n *recipes.Node) bool {
			shown[n.Stat.Czxid] = done[n.Stat.Czxid]
			return shown[n.Stat.Czxid]
		})
		done = shown
		if len(todo) == 0 {
			select {
			case <-changed:
			case <-cache.Done():
				return cache.Err()
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			continue
		}
		n := slices.MinFunc(todo, func(a, b *recipes.Node) int { return cmp.Compare(a.Stat.Czxid, b.Stat.Czxid) })
		act := func() error { return s.perform(ctx, name, n, do) }
		if n.Stat.Czxid < since {
			act = func() error { return s.renew(ctx, n) }
		}
		if err := act(); err != nil {
			return err
		}
		done[n.Stat.Czxid] = true
	}
}

// renew assigns a task again that a former owner of the name was given, and may have begun: as another attempt, with a token of its own.
func (s *System) renew(ctx context.Context, n *recipes.Node) error {
	err := recipes.Insist(ctx, func() error { // each time by what is there: an attempt whose reply was lost is one more
		now, _, err := s.c.Get(ctx, n.Path)
		if err != nil {
			return err
		}
		var p parcel
		if bad := json.Unmarshal(now, &p); bad != nil {
			return s.refuse(ctx, n, bad)
		}
		p.Attempt++
		data, err := json.Marshal(p)
		if err != nil {
			return err
		}
		return s.move(ctx, n.Path, n.Path, data, "")
	})
	if stale(err) { // a master was faster
		return nil
	}
	return err
}

// perform does one task and hands in the result.
func (s *System) perform(ctx context.Context, name string, n *recipes.Node, do func(context.Context, Task) ([]byte, error)) error {
	var p parcel
	r := Result{Worker: name}
	_, task, _ := zk.SplitPath(n.Path)
	err := json.Unmarshal(n.Data, &p)
	if err == nil {
		r.Attempt = p.Attempt
		r.Data, err = do(ctx, Task{Name: task, Data: p.Data, Attempt: p.Attempt, Token: n.Stat.Czxid})
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		r.Data, r.Error = nil, err.Error()
	}
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	err = recipes.Insist(ctx, func() error { return s.move(ctx, n.Path, s.path("status", task), data, "") })
	if stale(err) { // handed in before the reply was lost, or given to somebody else while we were away
		return nil
	}
	return err
}
