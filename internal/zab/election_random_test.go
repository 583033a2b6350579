package zab

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// reign is what stands for discovery, synchronization and broadcast in the test below: a server that was elected leads once a
// quorum has come to it, and whoever gets nowhere within a limit, or loses that quorum or the leader, looks again.
type reign struct {
	w      *electors
	limit  int64
	stable bool                          // a reign does not change what a server votes with
	since  map[ensemble.SID]int64        // when it decided
	served map[ensemble.SID]ensemble.SID // whom it serves, itself if it leads
}

func (r *reign) drop(s *elector) {
	delete(r.served, s.id)
	r.w.begin(s)
}

// look lets every server look around.
func (r *reign) look() {
	w := r.w
	for _, id := range w.ids() {
		s := w.servers[id]
		if !s.alive || s.e.state == Looking {
			continue
		}
		leader := s.e.vote.Leader
		with := func(x ensemble.SID) bool {
			p := w.servers[x]
			return x == id || p != nil && p.alive && p.e.state == Following && p.e.vote.Leader == id && w.reach(id, x)
		}
		_, serves := r.served[id]
		late := !serves && w.now-r.since[id] > r.limit
		switch {
		case leader != id:
			l := w.servers[leader]
			there := w.reach(id, leader) && l.e.state == Leading
			leads := there && r.served[leader] == leader
			switch {
			case leads && !serves:
				r.serve(s, l)
			case serves && !leads, late:
				r.drop(s)
			}
		case s.view.Committed.Quorum(with):
			if !serves {
				r.serve(s, s)
			}
		case serves, late:
			r.drop(s)
		}
	}
}

// serve is the moment of UPTODATE.
func (r *reign) serve(s, leader *elector) {
	v := s.e.vote
	if s == leader {
		v.Epoch++
	} else {
		v.Epoch = leader.e.vote.Epoch
	}
	r.served[s.id] = leader.id
	if m, _ := s.view.Committed.Member(s.id); !r.stable && !m.Observer {
		s.own.Epoch, s.own.Zxid = v.Epoch, leader.own.Zxid
	}
	s.e.become(s.e.state, v)
}

// Whatever the network did, when it is well again one leader is found, and everybody is with it. And of a single decision two
// things are always true: the leader is a voter; and a server that has heard the proposals of all voters of a round decides for
// the best there is. More is not promised: two servers may decide differently in the same round (two-lead in
// testdata/election/ensemble.txt).
func TestElectionRandom(t *testing.T) {
	seeds := uint64(400)
	if testing.Short() {
		seeds = 50
	}
	informed, decisions := 0, 0
	for seed := range seeds {
		i, d, err := randomElections(seed)
		informed, decisions = informed+i, decisions+d
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	// Otherwise the claim about the best there is would be about nothing.
	if informed == 0 || informed == decisions {
		t.Errorf("of %d decisions %d were made with all proposals heard", decisions, informed)
	}
	t.Logf("%d decisions, %d with all proposals heard", decisions, informed)
}

func randomElections(seed uint64) (informed, decisions int, err error) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	w := newElectors()
	r := &reign{w: w, limit: 2000, stable: rnd.IntN(2) == 0, since: map[ensemble.SID]int64{}, served: map[ensemble.SID]ensemble.SID{}}
	config := &ensemble.Config{}
	voters := 3 + rnd.IntN(3)
	for i := range voters {
		config.Members = append(config.Members, ensemble.Member{ID: ensemble.SID(i + 1)})
	}
	if rnd.IntN(2) == 0 {
		config.Members = append(config.Members, ensemble.Member{ID: ensemble.SID(voters + 1), Observer: true})
	}
	var best Vote
	for i, m := range config.Members {
		s := &elector{id: m.ID, view: Configs{Committed: config}}
		s.o.MaxNotification = []int64{0, 800, 5000}[rnd.IntN(3)]
		s.own = Vote{Zxid: zk.Zxid(rnd.IntN(3)), Epoch: Epoch(rnd.IntN(2))}
		if v := (Vote{Leader: m.ID, Zxid: s.own.Zxid, Epoch: s.own.Epoch}); i == 0 || !m.Observer && v.beats(best) {
			best = v
		}
		w.servers[m.ID] = s
	}

	// What each server has heard since it began to look: the round of the last proposal of each voter.
	heard := map[ensemble.SID]map[ensemble.SID]int64{}
	last := map[ensemble.SID]State{}
	w.gets = func(s *elector, from ensemble.SID, n *Notification) {
		if s.e.state == Looking {
			if heard[s.id] == nil {
				heard[s.id] = map[ensemble.SID]int64{}
			}
			if last[s.id] = n.State; n.State == Looking {
				heard[s.id][from] = n.Vote.Round
			}
		}
	}
	w.chose = func(s *elector, v Vote) {
		decisions++
		r.since[s.id] = w.now
		all := s.view.Committed.Votes(s.id) && last[s.id] == Looking
		for i := range ensemble.SID(voters) {
			if round, ok := heard[s.id][i+1]; i+1 != s.id && (!ok || round != v.Round) {
				all = false
			}
		}
		heard[s.id] = nil
		if !s.view.Committed.Votes(v.Leader) && err == nil {
			err = fmt.Errorf("at %d %d chose %s, which does not vote", w.now, s.id, voteText(v))
		}
		if all {
			informed++
			if v.Round = 0; r.stable && v != best && err == nil {
				err = fmt.Errorf("at %d %d knew all and chose %s, not %s", w.now, s.id, voteText(v), voteText(best))
			}
		}
	}

	// Loss, delay, repetition, connections cut and servers killed, for 20 s.
	slow := []int64{5, 50, 400}[rnd.IntN(3)]
	loss := []float64{0, 0.1, 0.4}[rnd.IntN(3)]
	w.delay = func(_, _ ensemble.SID) int64 { return 1 + rnd.Int64N(slow) }
	w.lost = func(_, _ ensemble.SID) bool { return rnd.Float64() < loss }
	w.repeated = func() bool { return rnd.Float64() < 0.1 }
	ids := w.ids()
	some := func() ensemble.SID { return ids[rnd.IntN(len(ids))] }
	for range 200 {
		s, other := w.servers[some()], some()
		switch rnd.IntN(8) {
		case 0, 1:
			if !s.alive {
				heard[s.id] = nil
				w.start(s)
			}
		case 2:
			if s.alive && rnd.IntN(3) == 0 {
				delete(r.served, s.id)
				w.kill(s.id)
			}
		case 3:
			if s.id != other {
				w.cut[pair(s.id, other)] = !w.cut[pair(s.id, other)]
				w.meet(s.id, other)
			}
		}
		w.advance(100)
		r.look()
		if err != nil {
			return informed, decisions, err
		}
	}

	// Then all is well, and after some time they agree for good.
	w.delay = func(_, _ ensemble.SID) int64 { return 10 }
	w.lost = func(_, _ ensemble.SID) bool { return false }
	w.repeated = func() bool { return false }
	for p := range w.cut {
		w.cut[p] = false
	}
	for _, id := range ids {
		if s := w.servers[id]; !s.alive {
			heard[id] = nil
			w.start(s)
		}
		for _, other := range ids {
			if id < other {
				w.meet(id, other)
			}
		}
	}
	agreed := 0
	for range 3000 {
		w.advance(100)
		r.look()
		if err != nil {
			return informed, decisions, err
		}
		leader := r.served[ids[0]]
		same := !slices.ContainsFunc(ids, func(id ensemble.SID) bool {
			l, ok := r.served[id]
			return !ok || l != leader
		})
		if agreed++; !same {
			agreed = 0
		}
		if agreed == 50 {
			for _, id := range ids {
				if d := w.servers[id].e.deadline(); d != math.MaxInt64 {
					return informed, decisions, fmt.Errorf("%d has found its leader, and a timer at %d", id, d)
				}
			}
			return informed, decisions, nil
		}
	}
	var is []string
	for _, id := range ids {
		is = append(is, fmt.Sprintf("%d %s, serves %d", id, w.servers[id].is(), r.served[id]))
	}
	return informed, decisions, fmt.Errorf("no agreement:\n%s\n%s", strings.Join(is, "\n"), strings.Join(w.said[max(0, len(w.said)-40):], "\n"))
}

// The same happenings give the same, message by message.
func TestElectionDeterministic(t *testing.T) {
	play := func() []string {
		w := newElectors()
		w.trace = true
		config := &ensemble.Config{}
		for i := range 7 {
			config.Members = append(config.Members, ensemble.Member{ID: ensemble.SID(i + 1), Observer: i > 4})
		}
		for i := range ensemble.SID(7) {
			w.start(&elector{id: i + 1, view: Configs{Committed: config}, own: Vote{Zxid: zk.Zxid(i % 3)}})
		}
		w.advance(500)
		w.kill(3)
		for _, id := range w.ids() {
			if s := w.servers[id]; s.alive {
				w.begin(s)
			}
		}
		w.advance(5000)
		return w.said
	}
	first := play()
	for range 5 {
		if again := play(); !slices.Equal(first, again) {
			t.Fatalf("%q\n%q", first, again)
		}
	}
}
