package bubble_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/sim"
	"github.com/zooid-io/zooid/recipes/masterworker"
	"github.com/zooid-io/zooid/zk"
)

// masterworkerPlay has masters, workers and one who hands tasks in; anybody may die at any step. Each task is finished once, and if it
// was begun more than once its result says so.
type masterworkerPlay struct {
	s *stage

	mu     sync.Mutex
	begun  map[string]int     // task to attempts that were begun
	tokens map[string]zk.Zxid // task to the last token
	handed []string
	maybe  []string // perhaps handed in
}

func newMasterworkerPlay(s *stage) play {
	return &masterworkerPlay{s: s, begun: map[string]int{}, tokens: map[string]zk.Zxid{}}
}

var errStale = errors.New("the outside world refuses a stale token")

func (p *masterworkerPlay) do(ctx context.Context, task masterworker.Task) ([]byte, error) {
	rest(ctx, time.Duration(1+len(task.Name)%7)*time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	if task.Token < p.tokens[task.Name] { // a worker that does not know yet that it is taken for dead
		p.s.count("stale workers refused", 1)
		return nil, errStale
	}
	if task.Token == p.tokens[task.Name] || task.Attempt <= p.begun[task.Name] && task.Token != p.tokens[task.Name] {
		p.s.complain("%s is begun as attempt %d with %v, after %d with %v", task.Name, task.Attempt, task.Token, p.begun[task.Name], p.tokens[task.Name])
	}
	p.begun[task.Name] = max(p.begun[task.Name], task.Attempt)
	p.tokens[task.Name] = task.Token
	p.s.count("tasks begun", 1)
	return fmt.Appendf(nil, "%s done", task.Data), nil
}

func (p *masterworkerPlay) work(ctx context.Context, me *hand, c *client.Client) error {
	s := masterworker.New(c, "/mw")
	shift, cancel := context.WithTimeout(ctx, some(me.rng, 3*time.Second))
	defer cancel()
	var err error
	switch {
	case me.id < 2:
		err = s.Lead(shift, fmt.Sprint("m", me.id))
	case me.id == 2:
		err = p.submit(shift, me, s)
	default:
		err = s.Work(shift, fmt.Sprint("w", me.id), p.do)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return err
}

func (p *masterworkerPlay) submit(ctx context.Context, me *hand, s *masterworker.System) error {
	for {
		task, err := s.Submit(ctx, fmt.Append(nil, me.rng.IntN(100)))
		p.mu.Lock()
		if err == nil {
			p.handed = append(p.handed, task)
		} else if task != "" {
			p.maybe = append(p.maybe, task)
		}
		p.mu.Unlock()
		if err != nil {
			return err
		}
		if me.rng.IntN(4) == 0 {
			if _, err := s.Wait(ctx, task); err != nil {
				return err
			}
		}
		rest(ctx, some(me.rng, 30*time.Millisecond))
	}
}

func (p *masterworkerPlay) calm(ctx context.Context, c *client.Client) {
	working, stop := context.WithCancel(ctx)
	s := masterworker.New(c, "/mw")
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Lead(working, "last") })
	wg.Go(func() { _ = s.Work(working, "last", p.do) })
	p.s.insist(ctx, func() error { return c.Sync(ctx, "/") })
	for _, task := range p.handed {
		r, err := s.Wait(ctx, task)
		if err != nil {
			p.s.complain("in the calm: %s: %v", task, err)
			break
		}
		p.mu.Lock()
		if r.Error != "" || r.Attempt != p.begun[task] {
			p.s.complain("%s: %+v, begun as attempt %d", task, r, p.begun[task])
		}
		p.mu.Unlock()
		p.s.count("tasks finished", 1)
		if r.Attempt > 1 {
			p.s.count("tasks begun more than once", 1)
		}
	}
	// Those of which it is not known whether they were handed in are done as well, or nowhere; and workers that have gone are forgotten.
	for late := time.Now().Add(time.Minute); ; rest(ctx, 50*time.Millisecond) {
		var left []string
		for _, folder := range []string{"/mw/tasks", "/mw/assign", "/mw/assign/last"} {
			var names []string
			p.s.insist(ctx, func() (err error) { names, _, err = c.Children(ctx, folder); return err })
			left = append(left, names...)
		}
		if len(left) == 0 || len(left) == 1 && left[0] == "last" {
			break
		}
		if time.Now().After(late) {
			p.s.complain("a minute later there are %q", left)
			break
		}
	}
	stop()
	wg.Wait()
	for _, task := range append(p.handed, p.maybe...) {
		if err := s.Forget(ctx, task); err != nil {
			p.s.complain("in the calm: %v", err)
		}
	}
}

// stays: the folders. That of a worker goes when a master sees that it has gone; the last one's stays, empty.
func (p *masterworkerPlay) stays(path string) bool {
	return path == "/mw" || path == "/mw/assign/last" || strings.HasPrefix(path, "/mw/") && strings.Count(path, "/") == 2
}

// judge looks that a task was finished once.
func (p *masterworkerPlay) judge(e *sim.Ensemble) {
	done := map[string]int{}
	for _, l := range e.Lives("/mw/status") {
		done[l.Path]++
	}
	for path, n := range done {
		if n > 1 {
			p.s.complain("%s was finished %d times", path, n)
		}
	}
}
