package zab

import (
	"math/bits"
	"slices"

	"github.com/zooid-io/zooid/internal/ensemble"
)

// set is a set of servers, by their index in a roll.
type set [4]uint64

// add adds a server. One beyond the room there is is not counted, which is slow but safe.
func (s *set) add(i int) {
	if i >= 0 && i < 64*len(s) {
		s[i/64] |= 1 << (i % 64)
	}
}

func (s *set) remove(i int) {
	if i >= 0 && i < 64*len(s) {
		s[i/64] &^= 1 << (i % 64)
	}
}

func (s *set) has(i int) bool {
	return i >= 0 && i < 64*len(s) && s[i/64]&(1<<(i%64)) != 0
}

// roll gives servers their index in sets. An index, once given, stays.
type roll struct{ ids []ensemble.SID }

func (r *roll) enter(sid ensemble.SID) int {
	i := r.find(sid)
	if i < 0 {
		i, r.ids = len(r.ids), append(r.ids, sid)
	}
	return i
}

// find gives -1 for a server that is not in the roll.
func (r *roll) find(sid ensemble.SID) int { return slices.Index(r.ids, sid) }

// need says which quorums something needs: those of one configuration, or of two while a reconfiguration is under way
// (section 8.4). It does not change.
type need struct{ of []rule }

type rule struct {
	config *ensemble.Config
	ids    []ensemble.SID // of the roll
	voters set
	most   int // a majority has more; -1 where votes have groups
}

func newNeed(r *roll, configs ...*ensemble.Config) *need {
	n := &need{}
	for _, c := range configs {
		k := rule{config: c}
		for _, m := range c.Members {
			if !m.Observer {
				k.voters.add(r.enter(m.ID))
				k.most++
			}
		}
		k.most /= 2
		if c.Groups != nil {
			k.most = -1
		}
		k.ids = r.ids
		n.of = append(n.of, k)
	}
	return n
}

// met tells whether a set has all the quorums.
func (n *need) met(s *set) bool {
	for i := range n.of {
		if !n.of[i].met(s) {
			return false
		}
	}
	return true
}

func (k *rule) met(s *set) bool {
	if k.most >= 0 {
		have := 0
		for i := range s {
			have += bits.OnesCount64(s[i] & k.voters[i])
		}
		return have > k.most
	}
	return k.config.Quorum(func(sid ensemble.SID) bool { return s.has(slices.Index(k.ids, sid)) })
}
