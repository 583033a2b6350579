package sim

import (
	"fmt"
	"math/rand/v2"

	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/tree"
)

// world is an ensemble, its clients, and everything between them.
type world struct {
	Params
	plant   Plant
	only    string // the one checker that may object; empty is all
	rng     *rand.Rand
	now     int64 // µs
	agenda  agenda
	trace   trace
	first   *ensemble.Config // the configuration at first
	rules   *auth.Rules
	servers []*server // by sid-1
	clients []*client
	net     network
	nemesis nemesis
	history history
	check   checks
	values  int
	tallies
	proof bool // a plant has done its work, once is enough
}

func newWorld(p Params, o Options) *world {
	w := &world{Params: p, plant: o.Plant, only: o.Only, rng: rand.New(rand.NewPCG(p.Seed, 0x5eed)), first: &ensemble.Config{}}
	w.trace.init()
	rules, err := auth.New(auth.Config{SkipACL: p.Reconfig}) // /zookeeper/config is the super user's at first
	if err != nil {
		panic(err)
	}
	w.rules = rules
	for i := range p.Voters + p.Observers {
		w.first.Members = append(w.first.Members, newMember(ensemble.SID(i+1), i >= p.Voters))
	}
	if p.Groups {
		group(w.first, w.rng)
	}
	w.nemesis.init(w)
	w.history.init(w.fresh(), w.first)
	w.check.init(w)
	w.net.init(w)
	for i := range p.Voters + p.Observers + p.Spares {
		w.servers = append(w.servers, newServer(w, ensemble.SID(i+1)))
	}
	for i := range p.Clients {
		w.clients = append(w.clients, newClient(w, i))
		if i < p.Minds {
			w.clients[i].mind = newMind(w.clients[i])
		}
	}
	return w
}

func (w *world) fresh() *tree.Tree { return tree.New(tree.Options{Seed: w.Seed, ExtendedTypes: true}) }

func (w *world) server(sid ensemble.SID) *server { return w.servers[sid-1] }

// after lets something happen in so many µs.
func (w *world) after(us int64, do func()) {
	w.agenda.add(w.now+max(us, 0), do)
}

// between draws from [least, most].
func (w *world) between(least, most int64) int64 { return least + w.rng.Int64N(most-least+1) }

// chance is true in one of n cases.
func (w *world) chance(n int) bool { return w.rng.IntN(n) == 0 }

// run lets time pass until a moment, in µs, or until something is true.
func (w *world) run(until int64, done func() bool) bool {
	for {
		at, ok := w.agenda.next()
		if !ok || at > until {
			w.now = max(w.now, until)
			return false
		}
		w.now = at
		w.agenda.pop()()
		if done != nil && done() {
			return true
		}
	}
}

// note writes into the trace what happened.
func (w *world) note(format string, args ...any) {
	w.trace.line(fmt.Sprintf("%d.%03d ", w.now/1000, w.now%1000) + fmt.Sprintf(format, args...))
}

// fail ends the run: an invariant does not hold. Where only one checker may object it returns for the others.
func (w *world) fail(name, format string, args ...any) {
	if w.only != "" && w.only != name && said(name) {
		return
	}
	panic(&Failure{Checker: name, Detail: fmt.Sprintf(format, args...), At: w.now})
}
