package recipes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Decision is what has become of a Pact.
type Decision string

// The decisions.
const (
	Undecided Decision = "undecided"
	Committed Decision = "committed"
	Aborted   Decision = "aborted"
)

// Pact is a two-phase commit: parties that each prepare something and say yes or no, and a decision that is the same for all, for ever:
// committed only if all have said yes. Anybody may decide, coordinator or party, since the votes are there for all to read: so a
// coordinator that dies holds nobody up.
//
// In the tree: path is the pact, with the decision as its data, and each party's vote a persistent znode below it. The decision is
// written once: its first version is "undecided", and only that version is replaced. An abort may be decided at any time before; a
// party that has said yes must therefore wait for the decision, and one that has not may abort.
type Pact struct {
	c       *client.Client
	path    string
	parties []string
}

// NewPact is a handle of the pact at path among parties, by name. All handles must have the same parties.
func NewPact(c *client.Client, path string, parties ...string) *Pact {
	return &Pact{c: c, path: path, parties: slices.Clone(parties)}
}

// open makes the pact if it is not there, and reads the decision.
func (p *Pact) open(ctx context.Context) (Decision, <-chan zk.Event, error) {
	for {
		var data []byte
		var changed <-chan zk.Event
		err := Insist(ctx, func() (err error) { data, _, changed, err = p.c.GetW(ctx, p.path); return err })
		if err == nil {
			if len(data) == 0 {
				return Undecided, changed, nil
			}
			return Decision(data), changed, nil
		}
		if !errors.Is(err, zk.NoNode) {
			return Undecided, nil, err
		}
		if err := MakeFolder(ctx, p.c, p.path, zk.Persistent); err != nil {
			return Undecided, nil, err
		}
	}
}

// Vote says yes or no for a party, once: a second vote that differs is refused. A no decides.
func (p *Pact) Vote(ctx context.Context, party string, yes bool) error {
	if !slices.Contains(p.parties, party) {
		return fmt.Errorf("%s is no party of the pact at %s", party, p.path)
	}
	if _, _, err := p.open(ctx); err != nil {
		return err
	}
	say := map[bool]string{true: "yes", false: "no"}[yes]
	path := zk.JoinPath(p.path, party)
	err := Insist(ctx, func() error { _, _, err := p.c.Create(ctx, path, []byte(say), zk.Persistent); return err })
	if errors.Is(err, zk.NodeExists) {
		var said []byte
		err = Insist(ctx, func() (err error) { said, _, err = p.c.Get(ctx, path); return err })
		if err == nil && string(said) != say {
			err = fmt.Errorf("%s has said %s to the pact at %s", party, said, p.path)
		}
	}
	if err == nil && !yes {
		_, err = p.decide(ctx, Aborted)
	}
	return err
}

// Abort decides that nothing is done, unless it is decided otherwise: it gives what is decided. A coordinator that waits no longer
// calls it.
func (p *Pact) Abort(ctx context.Context) (Decision, error) {
	if _, _, err := p.open(ctx); err != nil {
		return Undecided, err
	}
	return p.decide(ctx, Aborted)
}

// decide writes a decision unless there is one, and gives the one that counts.
func (p *Pact) decide(ctx context.Context, d Decision) (Decision, error) {
	err := Insist(ctx, func() error { _, err := p.c.Set(ctx, p.path, []byte(d), 0); return err })
	if err != nil && !errors.Is(err, zk.BadVersion) {
		return Undecided, err
	}
	d, _, err = p.open(ctx)
	return d, err
}

// Wait waits for the decision, and makes it when all votes are there.
func (p *Pact) Wait(ctx context.Context) (Decision, error) {
	for {
		d, changed, err := p.open(ctx)
		if err != nil || d != Undecided {
			return d, err
		}
		var names []string
		var voted <-chan zk.Event
		err = Insist(ctx, func() (err error) { names, _, voted, err = p.c.ChildrenW(ctx, p.path); return err })
		if err != nil {
			return Undecided, err
		}
		if yes, err := p.all(ctx, names); err != nil {
			return Undecided, err
		} else if yes {
			return p.decide(ctx, Committed)
		}
		select {
		case <-changed:
		case <-voted:
		case <-ctx.Done():
			return Undecided, context.Cause(ctx)
		}
	}
}

// all tells whether every party has said yes.
func (p *Pact) all(ctx context.Context, names []string) (bool, error) {
	for _, party := range p.parties {
		if !slices.Contains(names, party) {
			return false, nil
		}
		var said []byte
		err := Insist(ctx, func() (err error) { said, _, err = p.c.Get(ctx, zk.JoinPath(p.path, party)); return err })
		if err != nil || string(said) != "yes" {
			return false, err
		}
	}
	return true, nil
}

// Clear removes the pact when nobody will ask any more.
func (p *Pact) Clear(ctx context.Context) error {
	for _, party := range p.parties {
		if err := remove(ctx, p.c, zk.JoinPath(p.path, party)); err != nil {
			return err
		}
	}
	return remove(ctx, p.c, p.path)
}
