package recipes

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Group is who is there: members come by joining and go with their sessions.
//
// In the tree: path is a container, each member an ephemeral znode below it, by its name, with its payload.
type Group struct {
	c    *client.Client
	path string
}

// NewGroup is a handle of the group at path.
func NewGroup(c *client.Client, path string) *Group { return &Group{c: c, path: path} }

// Member is somebody in a Group.
type Member struct {
	Name    string
	Payload []byte
	Token   zk.Zxid // that of its Hold: another number is another membership under the same name
}

// Join makes a member of this name, which lasts as long as the Hold. Where the name is taken it gives ErrBusy; a process that has
// lost its session and comes back takes the same name only when the old session is over: see JoinWait.
func (g *Group) Join(ctx context.Context, name string, payload []byte) (*Hold, error) {
	t, err := NewSeat(g.c, zk.JoinPath(g.path, name), payload).TryTake(ctx)
	return t.Hold, err
}

// JoinWait is Join that waits until the name is free.
func (g *Group) JoinWait(ctx context.Context, name string, payload []byte) (*Hold, error) {
	t, err := NewSeat(g.c, zk.JoinPath(g.path, name), payload).Take(ctx)
	return t.Hold, err
}

// Members lists who is there, by name, as far as this client's server knows.
func (g *Group) Members(ctx context.Context) (all []Member, err error) {
	var names []string
	err = Insist(ctx, func() (err error) { names, _, err = g.c.Children(ctx, g.path); return err })
	if errors.Is(err, zk.NoNode) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for _, name := range names {
		m := Member{Name: name}
		var st zk.Stat
		err := Insist(ctx, func() (err error) { m.Payload, st, err = g.c.Get(ctx, zk.JoinPath(g.path, name)); return err })
		if errors.Is(err, zk.NoNode) {
			continue
		}
		if err != nil {
			return nil, err
		}
		m.Token = st.Czxid
		all = append(all, m)
	}
	return all, nil
}

// Roster is a group's list of members that is always current. It ends with Close or the session.
type Roster struct {
	cache *Cache
	path  string
}

// Roster follows the members.
func (g *Group) Roster(ctx context.Context) (*Roster, error) {
	k, err := NewCache(ctx, g.c, g.path, nil)
	return &Roster{k, g.path}, err
}

// Members lists who is there, by name.
func (r *Roster) Members() (all []Member) {
	for _, n := range r.cache.Below(r.path) {
		all = append(all, Member{strings.TrimPrefix(n.Path, strings.TrimSuffix(r.path, "/")+"/"), n.Data, n.Stat.Czxid})
	}
	return all
}

// Changed gives a channel that is closed when the list changes: see Cache.Changed.
func (r *Roster) Changed() <-chan struct{} { return r.cache.Changed() }

// Done is closed when the list changes no more.
func (r *Roster) Done() <-chan struct{} { return r.cache.Done() }

// Close ends it.
func (r *Roster) Close() { r.cache.Close() }

// Instance is a place where a service is offered.
type Instance struct {
	Name    string `json:"-"`
	Addr    string `json:"addr"`             // as the service's clients use it
	Weight  int    `json:"weight,omitempty"` // for Weighted: 0 counts as 1, a negative one is never picked
	Payload string `json:"payload,omitempty"`
}

// Register offers an instance of a service for as long as the Hold lasts. The service is a Group: its name is the path.
func Register(ctx context.Context, c *client.Client, service string, i Instance) (*Hold, error) {
	data, err := JSON[Instance]().Encode(i)
	if err != nil {
		return nil, err
	}
	return NewGroup(c, service).JoinWait(ctx, i.Name, data)
}

// Service is the instances of a service, always current.
type Service struct{ *Roster }

// Discover follows the instances of a service.
func Discover(ctx context.Context, c *client.Client, service string) (*Service, error) {
	r, err := NewGroup(c, service).Roster(ctx)
	return &Service{r}, err
}

// Instances lists them by name. Who has registered something else than an Instance is left out.
func (s *Service) Instances() (all []Instance) {
	for _, m := range s.Members() {
		if i, err := JSON[Instance]().Decode(m.Payload); err == nil {
			i.Name = m.Name
			all = append(all, i)
		}
	}
	return all
}

// ErrNoInstance: nobody offers the service.
var ErrNoInstance = errors.New("nobody offers the service")

// Pick picks one of the instances that are there now. Error: ErrNoInstance.
func (s *Service) Pick(p Picker) (Instance, error) {
	all := s.Instances()
	if len(all) > 0 {
		if i := p.Pick(all); i >= 0 {
			return all[i], nil
		}
	}
	return Instance{}, ErrNoInstance
}

// Picker chooses among instances, of which there is at least one: an index, or -1 for none of them. It is used by many goroutines.
type Picker interface{ Pick([]Instance) int }

// RoundRobin picks one after the other. The zero value is ready.
type RoundRobin struct{ n atomic.Uint64 }

// Pick is Picker.
func (r *RoundRobin) Pick(all []Instance) int { return int((r.n.Add(1) - 1) % uint64(len(all))) }

// Random picks each as often.
type Random struct{}

// Pick is Picker.
func (Random) Pick(all []Instance) int { return rand.IntN(len(all)) }

// Weighted picks by chance, each as often as its weight says.
type Weighted struct{}

// Pick is Picker.
func (Weighted) Pick(all []Instance) int {
	sum := 0
	for _, i := range all {
		sum += weight(i)
	}
	if sum == 0 {
		return -1
	}
	at := rand.IntN(sum)
	for k, i := range all {
		if at -= weight(i); at < 0 {
			return k
		}
	}
	return -1
}

func weight(i Instance) int {
	if i.Weight == 0 {
		return 1
	}
	return max(i.Weight, 0)
}
