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
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// barrierPlay has one that lowers a barrier and lifts it, and others that wait.
type barrierPlay struct {
	s *stage

	mu      sync.Mutex
	through []passage
}

// passage is a wait that has ended: it had seen the barrier that was lowered at down, and went on when by was the newest zxid.
type passage struct{ down, by zk.Zxid }

func newBarrierPlay(s *stage) play { return &barrierPlay{s: s} }

func (p *barrierPlay) work(ctx context.Context, me *hand, c *client.Client) error {
	b := recipes.NewBarrier(c, "/b")
	if me.id == 0 {
		if err := b.Lower(ctx); err != nil {
			return err
		}
		rest(ctx, some(me.rng, 100*time.Millisecond))
		return b.Lift(ctx)
	}
	there, st, err := c.Exists(ctx, "/b")
	if err != nil || !there {
		return lossy(err)
	}
	if err := b.Wait(ctx); err != nil {
		return err
	}
	by := p.s.committed()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.through = append(p.through, passage{st.Czxid, by})
	p.s.count("passages", 1)
	return nil
}

func (p *barrierPlay) calm(ctx context.Context, c *client.Client) {
	b := recipes.NewBarrier(c, "/b")
	if err := errors.Join(b.Lower(ctx), b.Lift(ctx), b.Wait(ctx)); err != nil {
		p.s.complain("in the calm: %v", err)
	}
}

func (p *barrierPlay) stays(string) bool { return false }

func (p *barrierPlay) judge(e *sim.Ensemble) {
	lives := e.LivesOf("/b")
	for _, g := range p.through {
		ok := false
		for _, l := range lives {
			ok = ok || l.Created == g.down && l.Deleted != 0 && l.Deleted <= g.by
		}
		if !ok {
			p.s.complain("somebody passed by %v the barrier that was lowered at %v", g.by, g.down)
		}
	}
}

// doubleBarrierPlay has parties that begin together and end together.
type doubleBarrierPlay struct {
	s    *stage
	size int

	mu     sync.Mutex
	begun  []grant // token and moment of each Enter
	ended  []grant // of each Leave
	rounds int
}

func newDoubleBarrierPlay(s *stage) play { return &doubleBarrierPlay{s: s, size: 2 + s.rng.IntN(2)} }

func (p *doubleBarrierPlay) work(ctx context.Context, me *hand, c *client.Client) error {
	r, err := recipes.NewDoubleBarrier(c, "/d", p.size).Enter(ctx)
	if err != nil {
		return err
	}
	by := p.s.committed()
	p.mu.Lock()
	p.begun = append(p.begun, grant{path: r.Path(), token: r.Token(), by: by})
	p.mu.Unlock()
	p.s.count("parties that began", 1)
	rest(r.Context(), some(me.rng, 50*time.Millisecond))
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if err := r.Leave(leaving); err != nil {
		return err
	}
	by = p.s.committed()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = append(p.ended, grant{path: r.Path(), token: r.Token(), by: by})
	return nil
}

func (p *doubleBarrierPlay) calm(ctx context.Context, c *client.Client) {
	var wg sync.WaitGroup
	for range p.size {
		wg.Go(func() {
			r, err := recipes.NewDoubleBarrier(c, "/d", p.size).Enter(ctx)
			if err == nil {
				err = r.Leave(ctx)
			}
			if err != nil {
				p.s.complain("in the calm: %v", err)
			}
		})
	}
	wg.Wait()
}

func (p *doubleBarrierPlay) stays(path string) bool { return path == "/d" }

func (p *doubleBarrierPlay) judge(e *sim.Ensemble) {
	var marks []sim.Datum // begun, not begun, begun ...
	for _, l := range e.LivesOf("/d") {
		marks = append(marks, l.Data...)
	}
	parties := e.Lives("/d")
	// round gives the round that a party was in: its beginning, and the end of the one before.
	round := func(token zk.Zxid) (before, began, ended zk.Zxid) {
		for _, m := range marks {
			switch {
			case string(m.Data) != "begun" && began == 0:
				before = m.From
			case string(m.Data) == "begun" && m.From > token && began == 0:
				began = m.From
			case string(m.Data) != "begun" && began != 0:
				return before, began, m.From
			}
		}
		return before, began, 0
	}
	for _, g := range p.begun {
		before, began, _ := round(g.token)
		n := 0
		for _, l := range parties {
			if l.Created < began && (l.Deleted == 0 || l.Deleted > before) {
				n++
			}
		}
		if began == 0 || began > g.by || n < p.size {
			p.s.complain("%s began by %v a round that began at %v, with %d parties of %d", g.path, g.by, began, n, p.size)
		}
	}
	for _, g := range p.ended {
		_, began, ended := round(g.token)
		if ended != 0 && ended <= g.by {
			continue
		}
		for _, l := range parties {
			if l.Created < began && (l.Deleted == 0 || l.Deleted > g.by) {
				p.s.complain("%s left by %v, and %s had not", g.path, g.by, l.Path)
			}
		}
	}
}

// gatherPlay has parties that are put into groups.
type gatherPlay struct {
	s    *stage
	size int

	mu     sync.Mutex
	groups map[string]string // a party's znode and number to its group
}

func newGatherPlay(s *stage) play {
	return &gatherPlay{s: s, size: 2 + s.rng.IntN(2), groups: map[string]string{}}
}

func (p *gatherPlay) work(ctx context.Context, me *hand, c *client.Client) error {
	return p.join(ctx, me.id, c)
}

func (p *gatherPlay) join(ctx context.Context, id int, c *client.Client) error {
	g, err := recipes.NewGather(c, "/g", p.size).Join(ctx, fmt.Append(nil, id))
	if err != nil {
		return err
	}
	p.mu.Lock()
	if len(g.Names) != p.size || string(g.Data[g.Index]) != fmt.Sprint(id) || !strings.HasSuffix(g.Path(), g.Names[g.Index]) {
		p.s.complain("%d is in a group %q of %q at %d", id, g.Names, g.Data, g.Index)
	}
	// The names have numbers that begin anew with each container, and a GUID each.
	group := fmt.Sprintf("%q", g.Names)
	for _, name := range g.Names {
		if had, ok := p.groups[name]; ok && had != group {
			p.s.complain("%s is in the groups %s and %s", name, had, group)
		}
		p.groups[name] = group
	}
	p.mu.Unlock()
	p.s.count("parties in groups", 1)
	return g.Release(context.WithoutCancel(ctx))
}

func (p *gatherPlay) calm(ctx context.Context, c *client.Client) {
	var wg sync.WaitGroup
	for i := range p.size {
		wg.Go(func() {
			// What parties have left behind may still be gathered with ours, one of which then waits: it has company from the next.
			for ctx.Err() == nil {
				waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
				err := p.join(waiting, 100+i, c)
				cancel()
				if err == nil {
					return
				}
				if !errors.Is(err, context.DeadlineExceeded) {
					p.s.complain("in the calm: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func (p *gatherPlay) stays(string) bool     { return false }
func (p *gatherPlay) judge(e *sim.Ensemble) {}

// pactPlay has parties of one pact after the other, each of which hears the same as the others.
type pactPlay struct {
	s       *stage
	parties []string
	turn    []int // of each hand

	mu   sync.Mutex
	said map[string]map[recipes.Decision]bool
}

func newPactPlay(s *stage) play {
	p := &pactPlay{s: s, said: map[string]map[recipes.Decision]bool{}, turn: make([]int, len(s.crew))}
	for i := range s.crew {
		p.parties = append(p.parties, fmt.Sprint(i))
	}
	return p
}

// votes tells what a party says: no now and then.
func votes(turn, id int) bool { return (turn+id)%5 != 0 }

func (p *pactPlay) work(ctx context.Context, me *hand, c *client.Client) error {
	turn := p.turn[me.id]
	name := fmt.Sprintf("/pact/%d", turn)
	pact := recipes.NewPact(c, name, p.parties...)
	if err := pact.Vote(ctx, fmt.Sprint(me.id), votes(turn, me.id)); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, some(me.rng, 2*time.Second))
	d, err := pact.Wait(waiting)
	cancel()
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil { // it has voted yes, and asks somebody who has not to abort
		d, err = pact.Abort(ctx)
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said[name] == nil {
		p.said[name] = map[recipes.Decision]bool{}
	}
	p.said[name][d] = true
	p.turn[me.id]++
	return nil
}

func (p *pactPlay) calm(ctx context.Context, c *client.Client) {
	p.s.insist(ctx, func() error { return c.Sync(ctx, "/") })
	for turn := range 1000 {
		name := fmt.Sprintf("/pact/%d", turn)
		there := false
		p.s.insist(ctx, func() (err error) { there, _, err = c.Exists(ctx, name); return err })
		if !there {
			return
		}
		pact := recipes.NewPact(c, name, p.parties...)
		d, err := pact.Abort(ctx)
		if err != nil || len(p.said[name]) > 1 || len(p.said[name]) == 1 && !p.said[name][d] {
			p.s.complain("%s: %v was heard, and %s is in the tree; %v", name, p.said[name], d, err)
		}
		unanimous := true
		for i := range p.parties {
			unanimous = unanimous && votes(turn, i)
		}
		if d == recipes.Committed && !unanimous {
			p.s.complain("%s was committed against a vote", name)
		}
		p.s.count("pacts "+string(d), 1)
		if err := pact.Clear(ctx); err != nil {
			p.s.complain("in the calm: %v", err)
		}
	}
}

func (p *pactPlay) stays(path string) bool { return path == "/pact" }

// judge looks that no decision was ever another, and that it was not made before the votes.
func (p *pactPlay) judge(e *sim.Ensemble) {
	for _, l := range e.Lives("/pact") {
		var decided []string
		for _, d := range l.Data {
			if len(d.Data) > 0 {
				decided = append(decided, string(d.Data))
			}
			if string(d.Data) != string(recipes.Committed) {
				continue
			}
			yes := 0
			for _, v := range e.Lives(l.Path) {
				if v.Lasted(d.From) && string(v.Data[0].Data) == "yes" {
					yes++
				}
			}
			if yes != len(p.parties) {
				p.s.complain("%s was committed with %d votes of %d", l.Path, yes, len(p.parties))
			}
		}
		if len(decided) > 1 {
			p.s.complain("%s was decided %q", l.Path, decided)
		}
	}
}
