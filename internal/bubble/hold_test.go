package bubble_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/sim"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// grant is something that a recipe said is held.
type grant struct {
	path  string
	token zk.Zxid
	by    zk.Zxid // the newest zxid of all when it said so
	reads bool
}

// holdPlay is a play about what is held: locks and their kin. Whoever holds also writes its token into a znode, in a transaction with a check
// that its own znode is still there: so the servers' order of these writes shows who held when. Some go on holding, and writing,
// after their context has ended, as a process that stood still would.
type holdPlay struct {
	s       *stage
	folder  string // of the contenders
	most    int
	seat    bool // a znode of one name, in the place of a line
	stay    []string
	acquire func(ctx context.Context, me *hand, c *client.Client) (h *recipes.Hold, reads bool, err error)

	mu     sync.Mutex
	grants []grant
	inside map[*recipes.Hold]bool
}

const guard = "/guard"

func newLockPlay(s *stage) play {
	return &holdPlay{s: s, folder: "/l", most: 1, acquire: func(ctx context.Context, _ *hand, c *client.Client) (*recipes.Hold, bool, error) {
		h, err := recipes.NewLock(c, "/l").Acquire(ctx)
		return h, false, err
	}}
}

// newKazooPlay mixes the layouts, and tries as well as waits. A folder that kazoo may share stays.
func newKazooPlay(s *stage) play {
	return &holdPlay{s: s, folder: "/l", stay: []string{"/l"}, most: 1, acquire: func(ctx context.Context, me *hand, c *client.Client) (*recipes.Hold, bool, error) {
		l := recipes.NewLock(c, "/l")
		l.Layout = recipes.Layout(me.id % 2)
		if me.rng.IntN(2) == 0 {
			h, err := l.TryAcquire(ctx)
			return h, false, err
		}
		h, err := l.Acquire(ctx)
		return h, false, err
	}}
}

func newSharedPlay(s *stage) play {
	return &holdPlay{s: s, folder: "/l", stay: []string{"/l"}, most: 1, acquire: func(ctx context.Context, me *hand, c *client.Client) (*recipes.Hold, bool, error) {
		l := recipes.NewSharedLock(c, "/l")
		l.Layout = recipes.Layout(me.id % 2)
		if me.rng.IntN(3) > 0 {
			h, err := l.Read(ctx)
			return h, true, err
		}
		h, err := l.Write(ctx)
		return h, false, err
	}}
}

func newSemaphorePlay(s *stage) play {
	most := 1 + s.rng.IntN(3)
	return &holdPlay{s: s, folder: "/s/leases", most: most, stay: []string{"/s"}, acquire: func(ctx context.Context, me *hand, c *client.Client) (*recipes.Hold, bool, error) {
		sem := recipes.NewSemaphore(c, "/s", most)
		if me.rng.IntN(4) == 0 {
			h, err := sem.TryAcquire(ctx)
			return h, false, err
		}
		h, err := sem.Acquire(ctx)
		return h, false, err
	}}
}

func newMultiPlay(s *stage) play {
	return &holdPlay{s: s, folder: "/a", most: 1, acquire: func(ctx context.Context, me *hand, c *client.Client) (*recipes.Hold, bool, error) {
		paths := [][]string{{"/a", "/b"}, {"/b", "/a"}, {"/a", "/b", "/c"}}[me.rng.IntN(3)]
		h, err := recipes.NewMultiLock(c, paths...).Acquire(ctx)
		return h, false, err
	}}
}

func newElectionPlay(s *stage) play {
	return &holdPlay{s: s, folder: "/e", most: 1, acquire: func(ctx context.Context, me *hand, c *client.Client) (*recipes.Hold, bool, error) {
		e := recipes.NewElection(c, "/e", fmt.Append(nil, me.id))
		term, err := e.Campaign(ctx)
		if err == nil && me.rng.IntN(3) == 0 {
			if l, err := e.Leader(ctx); err == nil && term.Context().Err() == nil && l.Token < term.Token() {
				s.complain("%d leads with %v, and sees %v lead", me.id, term.Token(), l.Token)
			}
		}
		return term.Hold, false, err
	}}
}

func newSeatPlay(s *stage) play {
	return &holdPlay{s: s, folder: "/seat", most: 1, seat: true, acquire: func(ctx context.Context, me *hand, c *client.Client) (*recipes.Hold, bool, error) {
		seat := recipes.NewSeat(c, "/seat/one", fmt.Append(nil, me.id))
		if me.rng.IntN(4) == 0 {
			term, err := seat.TryTake(ctx)
			return term.Hold, false, err
		}
		term, err := seat.Take(ctx)
		return term.Hold, false, err
	}}
}

func (p *holdPlay) work(ctx context.Context, me *hand, c *client.Client) error {
	asking, cancel := ctx, context.CancelFunc(func() {})
	if me.rng.IntN(4) == 0 {
		asking, cancel = context.WithTimeout(ctx, some(me.rng, 500*time.Millisecond))
	}
	h, reads, err := p.acquire(asking, me, c)
	cancel()
	if err != nil {
		if asking != ctx && errors.Is(err, context.DeadlineExceeded) {
			p.s.count("gave up waiting", 1)
			return nil
		}
		return err
	}
	p.enter(h, reads)
	hold := some(me.rng, 30*time.Millisecond)
	stubborn := me.rng.IntN(12) == 0
	if stubborn { // it does not look at its context
		hold = some(me.rng, 3*time.Second)
		rest(ctx, hold)
	} else {
		rest(h.Context(), hold)
	}
	if !p.seat && !reads && (stubborn || h.Context().Err() == nil) {
		p.write(ctx, c, h)
	}
	p.mu.Lock()
	delete(p.inside, h)
	p.mu.Unlock()
	if me.rng.IntN(30) == 0 {
		c.Detach() // dies with it
	}
	err = h.Release(context.WithoutCancel(ctx))
	if h.Context().Err() == nil {
		p.s.complain("%s was released, and its context goes on", h.Path())
	}
	return err
}

func (p *holdPlay) enter(h *recipes.Hold, reads bool) {
	g := grant{h.Path(), h.Token(), p.s.committed(), reads}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grants = append(p.grants, g)
	if p.inside == nil {
		p.inside = map[*recipes.Hold]bool{}
	}
	others := 0
	for o := range p.inside {
		if o.Context().Err() == nil {
			others++
		}
	}
	p.inside[h] = true
	if !reads && h.Context().Err() == nil && others >= p.most {
		p.s.count("contexts of two holders at one moment", 1)
	}
	p.s.count("holds", 1)
}

// write writes the token, if the holder's znode is there.
func (p *holdPlay) write(ctx context.Context, c *client.Client, h *recipes.Hold) {
	data := fmt.Appendf(nil, "%s %d", h.Path(), h.Token())
	for range 2 {
		tx := c.Multi()
		tx.Check(h.Path(), -1)
		tx.Set(guard, data, -1)
		err := tx.Commit(ctx)
		if !errors.Is(err, zk.NoNode) || c.State().Ended() {
			return // done, or not known
		}
		if ok, _, err := c.Exists(ctx, guard); ok || err != nil {
			p.s.count("stale writes refused", 1)
			return
		}
		_, _, _ = c.Create(ctx, guard, nil, zk.Persistent)
	}
}

func (p *holdPlay) calm(ctx context.Context, c *client.Client) {
	h, _, err := p.acquire(ctx, p.s.crew[0], c)
	for errors.Is(err, recipes.ErrBusy) { // somebody's session is about to end
		rest(ctx, 100*time.Millisecond)
		h, _, err = p.acquire(ctx, p.s.crew[0], c)
	}
	if err != nil {
		p.s.complain("in the calm: %v", err)
		return
	}
	if err := h.Release(ctx); err != nil {
		p.s.complain("in the calm: %v", err)
	}
	p.s.insist(ctx, func() error { return c.Delete(ctx, guard, -1) })
}

func (p *holdPlay) stays(path string) bool {
	for _, s := range p.stay {
		if s == path {
			return true
		}
	}
	return false
}

// term is the time, in zxids, in which something was held.
type term struct {
	life  *sim.Life
	from  zk.Zxid
	reads bool
}

func (t term) meets(o term) bool {
	return (o.life.Deleted == 0 || t.from < o.life.Deleted) && (t.life.Deleted == 0 || o.from < t.life.Deleted)
}

func (p *holdPlay) judge(e *sim.Ensemble) {
	lives := e.Lives(p.folder)
	var terms []term
	given := map[string]bool{}
	for _, g := range p.grants {
		var mine *sim.Life
		for _, l := range lives {
			if l.Path == g.path && (l.Created == g.token || p.folder == "/a" && l.Created <= g.token) {
				mine = l
			}
		}
		if mine == nil || given[fmt.Sprint(mine.Path, mine.Created)] {
			p.s.complain("%s, token %v, is no znode's, or another's", g.path, g.token)
			continue
		}
		given[fmt.Sprint(mine.Path, mine.Created)] = true
		from, ok := p.began(lives, mine, g)
		if !ok {
			p.s.complain("%s, token %v, was given by %v, and it was not its turn", g.path, g.token, g.by)
			continue
		}
		terms = append(terms, term{mine, from, g.reads})
	}
	p.exclude(terms)
	// What holders have written rises.
	last := zk.Zxid(0)
	for _, l := range e.LivesOf(guard) {
		for _, d := range l.Data {
			var at string
			var token zk.Zxid
			if n, _ := fmt.Sscanf(string(d.Data), "%s %d", &at, &token); n != 2 {
				continue
			}
			p.s.count("guarded writes", 1)
			if token < last && p.most == 1 {
				p.s.complain("token %v wrote at %v, behind %v", token, d.From, last)
			}
			last = max(last, token)
			for _, t := range terms {
				if t.life.Path == at && !t.life.Lasted(d.From) {
					p.s.complain("%s wrote at %v, and was there from %v to %v", at, d.From, t.life.Created, t.life.Deleted)
				}
			}
		}
	}
}

// began is when, by a grant's moment, it was its turn.
func (p *holdPlay) began(lives []*sim.Life, mine *sim.Life, g grant) (zk.Zxid, bool) {
	if p.seat {
		return mine.Created, mine.Created <= g.by
	}
	if strings.HasSuffix(p.folder, "/leases") {
		// The first zxid at which no more than most leases were there: after its creation or an end.
		for _, z := range append([]zk.Zxid{mine.Created}, ends(lives)...) {
			n := 0
			for _, l := range lives {
				if l.Lasted(z) {
					n++
				}
			}
			if z >= mine.Created && z <= g.by && n <= p.most && mine.Lasted(z) {
				return z, true
			}
		}
		return 0, false
	}
	from := mine.Created
	for _, l := range lives {
		if l.Created >= mine.Created || g.reads && shares(l.Path) {
			continue
		}
		if l.Deleted == 0 || l.Deleted > g.by {
			return 0, false
		}
		from = max(from, l.Deleted)
	}
	return from, mine.Deleted == 0 || from < mine.Deleted
}

// ends are when znodes went, in order.
func ends(lives []*sim.Life) (all []zk.Zxid) {
	for _, l := range lives {
		if l.Deleted != 0 {
			all = append(all, l.Deleted)
		}
	}
	for i := range all { // a few dozen
		for j := range all[:i] {
			if all[i] < all[j] {
				all[i], all[j] = all[j], all[i]
			}
		}
	}
	return all
}

func shares(p string) bool {
	return strings.Contains(path.Base(p), "__READ__") || strings.Contains(path.Base(p), "__rlock__")
}

// exclude looks that at no zxid more hold than may, and that tokens rise from one to the next.
func (p *holdPlay) exclude(terms []term) {
	for i, t := range terms {
		if t.reads {
			for _, o := range terms {
				if !o.reads && t.meets(o) {
					p.s.complain("%s reads and %s writes at one zxid", t.life.Path, o.life.Path)
				}
			}
			continue
		}
		at := 0 // how many hold when this one begins
		for j, o := range terms {
			if o.from <= t.from && (o.life.Deleted == 0 || t.from < o.life.Deleted) {
				at++
			}
			if i != j && p.most == 1 && o.from < t.from && o.life.Created > t.life.Created && !o.reads {
				p.s.complain("token %v held before %v", o.life.Created, t.life.Created)
			}
		}
		if at > p.most {
			p.s.complain("%d held at %v", at, t.from)
		}
	}
}
