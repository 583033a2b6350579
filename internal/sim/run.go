package sim

import (
	"fmt"
	"maps"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/zab"
)

// Options say what to run. The zero value is seed 0 without faults.
type Options struct {
	Seed   uint64
	Faults []Fault           // that may happen
	Plant  Plant             // a bug, for tests of the checkers
	Trace  func(line string) // gets each line of the trace; may be nil
	Only   string            // the one checker that may object, for the same; empty is all
	Gap    int64             // ms between two faults, about; 0 is as drawn. For an Ensemble
}

// Failure is a checker's objection.
type Failure struct {
	Checker string
	Detail  string
	At      int64 // µs
}

func (f *Failure) Error() string {
	return fmt.Sprintf("%s: at %d ms: %s", f.Checker, f.At/1000, f.Detail)
}

// Result is what became of a run.
type Result struct {
	Params    Params
	Failure   *Failure // nil is well
	Hash      uint64   // of the trace
	Trace     []string // its last lines
	Events    uint64
	Virtual   int64 // ms
	Committed int   // txns
	Reigns    int
	Changes   int // configurations committed
	Calls     int // of clients
	Answered  int
	Checked   int // histories of one register each, judged by porcupine
	Synced    int // reads behind a sync, in them
	Faults    map[Fault]int
	tallies
}

// tallies count what a run has come to only if its seed allows it.
type tallies struct {
	passages int // of the log, to learners
	lonely   int // answers of read-only servers
	mastered int // links of observers to followers
	renewals int // a disk that could not follow its leader was read anew
}

func (t *tallies) add(o tallies) {
	t.passages += o.passages
	t.mastered += o.mastered
	t.lonely += o.lonely
	t.renewals += o.renewals
}

// Run runs one seed.
func Run(o Options) (res Result) {
	w := newWorld(draw(o.Seed, o.Faults), o)
	w.trace.each = o.Trace
	defer func() {
		if x := recover(); x != nil {
			switch x := x.(type) {
			case *Failure:
				res.Failure = x
			case invariant.Broken:
				res.Failure = &Failure{Checker: string(x.Name), Detail: x.Detail, At: w.now}
			default:
				if o.Plant == "" {
					panic(x)
				}
				res.Failure = &Failure{Checker: "panic", Detail: fmt.Sprint(x), At: w.now} // what a bug leads to, with other checkers silent
			}
			w.note("FAILED %s", res.Failure.Error())
		}
		res.Params, res.Hash, res.Trace = w.Params, w.trace.sum.Sum64(), w.trace.last()
		res.Events, res.Virtual, res.Committed, res.Reigns = w.agenda.made, w.now/1000, len(w.history.log), w.check.reigned()
		res.tallies = w.tallies
		res.Changes = len(w.history.configs) - 1
		res.Calls, res.Faults = len(w.history.calls), w.nemesis.tally
		for _, a := range w.history.calls {
			if a.returned >= 0 {
				res.Answered++
			}
		}
	}()
	for _, m := range w.first.Members {
		w.after(w.between(0, 100_000), w.server(m.ID).start)
	}
	for _, c := range w.clients {
		c.begin()
	}
	w.nemesis.haunt()
	w.run(w.Safety*1000, nil)
	w.live()
	res.Checked, res.Synced = w.judge()
	return res
}

// live is the second part: a quorum is healed, then all.
func (w *world) live() {
	quorum := map[ensemble.SID]bool{}
	for again := true; again; again = w.outgrown(quorum) {
		maps.Copy(quorum, w.quorum())
		w.note("healed: %d of %d", len(quorum), len(w.history.head().Voters()))
		w.nemesis.heal(quorum)
		w.converge("a quorum", quorum, func() bool { return w.outgrown(quorum) })
	}
	w.healAll("everybody")
	// Clients end, and what they owned has to go.
	for _, c := range w.clients {
		c.end()
	}
	for reign, again := w.reign(), true; again; reign = w.reign() { // a new leader gives all sessions their time anew
		w.run(w.now+60*w.Tick*1000, nil)
		w.healAll("everybody, at the end")
		again = w.reign() != reign
	}
}

// reign is the newest epoch that anybody is in.
func (w *world) reign() (e zab.Epoch) {
	for _, s := range w.running() {
		e = max(e, s.role.Epoch)
	}
	return e
}

// healAll heals whoever is a member, or has to be one because of a change that is proposed meanwhile: the leader may not have noticed yet
// that a server that it gives a vote was kept down.
func (w *world) healAll(who string) {
	everybody := map[ensemble.SID]bool{}
	for again := true; again; again = w.outgrown(everybody) {
		for _, g := range append(w.pending(), w.history.head()) {
			for _, m := range g.Members {
				everybody[m.ID] = true
			}
		}
		w.note("healed: all")
		w.nemesis.heal(everybody)
		w.converge(who, everybody, func() bool { return w.outgrown(everybody) })
	}
}

// patience is how long a healed ensemble may take, ms.
func (w *world) patience() int64 { return 20_000 + 10*w.MaxNotification + 10*w.InitLimit*w.Tick }

// outgrown tells that servers that were a quorum are none any more: a change was under way to a leader that was paused, or in the network,
// and is proposed now.
func (w *world) outgrown(quorum map[ensemble.SID]bool) bool {
	for _, s := range w.running() {
		if g := s.core.Configs().LastSeen; w.isPending(g) && !g.Quorum(func(sid ensemble.SID) bool { return quorum[sid] }) {
			return true
		}
	}
	return false
}

// converge waits until some servers serve in one state, and clients were answered; or for something else, if that is not nil.
func (w *world) converge(who string, keep map[ensemble.SID]bool, or func() bool) {
	from := len(w.history.log)
	if !w.run(w.now+w.patience()*1000, func() bool {
		return w.alike(keep) && (!w.asking() || len(w.history.log) > from) || or != nil && or()
	}) {
		state := ""
		for _, s := range w.servers {
			if s.rep == nil {
				state += fmt.Sprintf(" %d is down;", s.sid)
				continue
			}
			state += fmt.Sprintf(" %d is %v of %d, epoch %d, serving %t, at %v, configurations %x %x;", s.sid, s.role.State, s.role.Leader, s.role.Epoch, s.role.Serving, s.rep.Tree().LastZxid(),
				int64(s.core.Configs().Committed.Version), int64(s.core.Configs().LastSeen.Version))
		}
		w.fail("Liveness", "%s healed, and after %d ms:%s", who, w.patience(), state)
	}
}

// asking tells whether a client still asks.
func (w *world) asking() bool {
	for _, c := range w.clients {
		if !c.done {
			return true
		}
	}
	return false
}

// alike tells whether servers serve one state.
func (w *world) alike(keep map[ensemble.SID]bool) bool {
	var first *server
	leads := false
	for _, s := range w.servers {
		if !keep[s.sid] {
			continue
		}
		if s.rep == nil || !s.role.Serving {
			return false
		}
		leads = leads || s.role.State == zab.Leading
		if first == nil {
			first = s
		}
		if s.rep.Tree().LastZxid() != first.rep.Tree().LastZxid() {
			return false
		}
	}
	return leads
}
