package recipes

import (
	"context"
	"errors"
	"fmt"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// ErrNoLeader: nobody holds the office.
var ErrNoLeader = errors.New("there is no leader")

// Term is a time in office. Its Context ends with it.
type Term struct{ *Hold }

// Resign gives the office to the next candidate: see Hold.Release.
func (t Term) Resign(ctx context.Context) error { return t.Release(ctx) }

// Election has one leader at a time among its candidates, the one who came first; when it goes, the next follows, and only that one is
// woken.
//
//	term, err := recipes.NewElection(c, "/election", []byte("host-7:9000")).Campaign(ctx)
//	if err != nil { ... }
//	lead(term.Context(), term.Token()) // until the context ends
//	term.Resign(ctx)
//
// In the tree it is a Lock whose znodes carry the candidates' ids: Curator's LeaderSelector may stand in the same line, and with their
// Layouts Curator's LeaderLatch or kazoo's Election.
type Election struct {
	// Layout names the znode. Set it before the first use.
	Layout Layout

	c    *client.Client
	path string
	id   []byte
}

// NewElection is a handle of the election at path for a candidate, whom id describes to others.
func NewElection(c *client.Client, path string, id []byte) *Election {
	return &Election{c: c, path: path, id: id}
}

// Campaign stands for election and waits until the office is ours. For errors see Lock.Acquire.
func (e *Election) Campaign(ctx context.Context) (Term, error) {
	l := NewLock(e.c, e.path)
	l.Layout, l.Data = e.Layout, e.id
	h, err := l.Acquire(ctx)
	return Term{h}, err
}

// Candidate is somebody who stands for election.
type Candidate struct {
	ID    []byte
	Path  string
	Token zk.Zxid // its fencing token, when it leads
}

// Candidates are those who stand, the leader first.
func (e *Election) Candidates(ctx context.Context) (all []Candidate, err error) {
	var names []string
	err = Insist(ctx, func() (err error) { names, _, err = e.c.Children(ctx, e.path); return err })
	if errors.Is(err, zk.NoNode) {
		return nil, nil
	}
	for _, in := range lineUp(names) {
		path := zk.JoinPath(e.path, in.name)
		var data []byte
		var st zk.Stat
		err := Insist(ctx, func() (err error) { data, st, err = e.c.Get(ctx, path); return err })
		if errors.Is(err, zk.NoNode) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, Candidate{data, path, st.Czxid})
	}
	return all, err
}

// Leader is who leads, as far as this client's server knows. Error: ErrNoLeader.
func (e *Election) Leader(ctx context.Context) (Candidate, error) {
	all, err := e.Candidates(ctx)
	if err == nil && len(all) == 0 {
		err = ErrNoLeader
	}
	if err != nil {
		return Candidate{}, err
	}
	return all[0], nil
}

// Seat is an election by one ephemeral znode: whoever makes it leads. It is simpler than Election and has no line: when the leader
// goes, all candidates are woken, and any may follow.
type Seat struct {
	c    *client.Client
	path string
	id   []byte
}

// NewSeat is a handle of the seat at path. id is what the znode carries, and must be another for each candidate of one client: after a
// lost reply it tells whose the znode is.
func NewSeat(c *client.Client, path string, id []byte) *Seat { return &Seat{c: c, path: path, id: id} }

// TryTake takes the seat, and gives ErrBusy if it is taken. When ctx ends in the middle it looks, before it returns, that no znode of
// ours is left.
func (s *Seat) TryTake(ctx context.Context) (Term, error) {
	parent, _, _ := zk.SplitPath(s.path)
	var st zk.Stat
	seen := s.c.Status().Seen
	tried := false // it may be ours although the reply said nothing
	err := inFolder(ctx, s.c, parent, func() (err error) {
		_, st, err = s.c.Create(ctx, s.path, s.id, zk.Ephemeral)
		if tried && errors.Is(err, zk.NodeExists) {
			var mine bool
			if mine, st, err = s.mine(ctx, seen); err == nil && !mine {
				err = zk.NodeExists
			}
		}
		tried = tried || err != nil && !unsent(err)
		return err
	})
	switch {
	case errors.Is(err, zk.NodeExists):
		return Term{}, ErrBusy
	case err != nil:
		if tried && ctx.Err() != nil {
			s.giveUp(seen)
		}
		return Term{}, err
	}
	bg := context.Background()
	return Term{newHold(s.c, s.path, st.Czxid, func(ctx context.Context) error {
		err := removeMine(ctx, s.c, s.path, st.Czxid)
		if err != nil && ctx.Err() != nil {
			go removeMine(bg, s.c, s.path, st.Czxid)
		}
		return err
	}, func() { _ = removeMine(bg, s.c, s.path, st.Czxid) })}, nil
}

// mine tells whether the znode is one that this candidate has made since the client had seen a txn, before it asked. That of an earlier term
// may not be gone yet, although the term is lost: it is not to be taken for a new one.
func (s *Seat) mine(ctx context.Context, seen zk.Zxid) (bool, zk.Stat, error) {
	data, st, err := s.c.Get(ctx, s.path)
	return err == nil && st.EphemeralOwner == s.c.Session().ID && st.Czxid > seen && string(data) == string(s.id), st, err
}

// giveUp removes a znode that may have been made. It returns when that is certain, so that the same candidate may try again; but it goes
// on without the caller when no server can be asked.
func (s *Seat) giveUp(seen zk.Zxid) {
	ctx := context.Background()
	for pause := firstPause; !s.givenUp(ctx, seen); pause = min(2*pause, lastPause) {
		if s.c.State() == client.Lapsed { // calls end at once
			go func() {
				awake(s.c)
				s.giveUp(seen)
			}()
			return
		}
		rest(ctx, pause)
	}
}

// awake returns when a session that has lapsed has come back, or has ended.
func awake(c *client.Client) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for s := range c.States(ctx) {
		if s.State != client.Lapsed {
			return
		}
	}
}

// givenUp tries to remove the znode, and tells whether nothing is left to try.
func (s *Seat) givenUp(ctx context.Context, seen zk.Zxid) bool {
	err := s.c.Sync(ctx, s.path)
	if err == nil {
		var mine bool
		var st zk.Stat
		if mine, st, err = s.mine(ctx, seen); mine {
			err = removeMine(ctx, s.c, s.path, st.Czxid)
		}
	}
	return !broken(err)
}

// Take waits for the seat.
func (s *Seat) Take(ctx context.Context) (Term, error) {
	for {
		t, err := s.TryTake(ctx)
		if !errors.Is(err, ErrBusy) {
			return t, err
		}
		var changed <-chan zk.Event
		err = Insist(ctx, func() (err error) { _, _, changed, err = s.c.GetW(ctx, s.path); return err })
		if errors.Is(err, zk.NoNode) {
			continue
		}
		if err != nil {
			return Term{}, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Term{}, context.Cause(ctx)
		}
	}
}

// Leader is who has the seat. Error: ErrNoLeader.
func (s *Seat) Leader(ctx context.Context) (Candidate, error) {
	c := Candidate{Path: s.path}
	err := Insist(ctx, func() error {
		data, st, err := s.c.Get(ctx, s.path)
		c.ID, c.Token = data, st.Czxid
		return err
	})
	if errors.Is(err, zk.NoNode) {
		err = fmt.Errorf("%w at %s", ErrNoLeader, s.path)
	}
	return c, err
}
