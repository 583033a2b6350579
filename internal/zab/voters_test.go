package zab

import (
	"slices"
	"testing"

	"github.com/zooid-io/zooid/internal/ensemble"
)

// Section 3.5, and trap 28: with groups, the weight of a majority of the groups that have any; with two configurations, quorums of both.
// Servers are entered in another order than their ids have, as learners come.
func TestNeed(t *testing.T) {
	three := func(groups map[int64][]ensemble.SID, weights map[ensemble.SID]int64) *ensemble.Config {
		g := members(t, "1,2,3,4o", 1)
		g.Groups, g.Weights = groups, weights
		return g
	}
	six := func(w ...int64) *ensemble.Config {
		g := members(t, "1,2,3,4,5,6", 2)
		g.Groups = map[int64][]ensemble.SID{1: {1, 2, 3}, 2: {4, 5}, 3: {6}}
		g.Weights = map[ensemble.SID]int64{}
		for i, w := range w {
			g.Weights[ensemble.SID(i+1)] = w
		}
		return g
	}
	type sids = []ensemble.SID
	one := map[int64][]ensemble.SID{1: {1, 2, 3}}
	for _, tt := range []struct {
		name     string
		configs  []*ensemble.Config
		met, not []sids
	}{
		{"a majority", []*ensemble.Config{members(t, "1,2,3,4o", 1)}, []sids{{1, 2}, {2, 3}}, []sids{{}, {1}, {1, 4}, {4, 5, 6}}},
		{"one group, equal weights", []*ensemble.Config{three(one, map[ensemble.SID]int64{1: 1, 2: 1, 3: 1})}, []sids{{1, 2}, {1, 3}}, []sids{{1}, {1, 4}}},
		{"one weighs more than the others", []*ensemble.Config{three(one, map[ensemble.SID]int64{1: 3, 2: 1, 3: 1})}, []sids{{1}, {1, 2}}, []sids{{2, 3}, {}}},
		{"half of an even weight is not enough", []*ensemble.Config{three(one, map[ensemble.SID]int64{1: 2, 2: 1, 3: 1})}, []sids{{1, 2}, {1, 3}}, []sids{{1}, {2, 3}}},
		{"weight 0 counts nowhere", []*ensemble.Config{three(one, map[ensemble.SID]int64{1: 1, 2: 1, 3: 0})}, []sids{{1, 2}}, []sids{{1, 3}, {2, 3}}},
		{"three groups need two", []*ensemble.Config{six(1, 1, 1, 1, 1, 1)}, []sids{{1, 2, 6}, {4, 5, 6}, {1, 3, 4, 5}}, []sids{{1, 2, 3}, {1, 4, 6}, {6, 4}}},
		{"a group without weight is none", []*ensemble.Config{six(1, 1, 1, 0, 0, 1)}, []sids{{1, 2, 6}}, []sids{{4, 5, 6}, {1, 2, 4, 5}, {6}}},
		{"a majority, and groups", []*ensemble.Config{members(t, "1,2,3", 1), six(1, 1, 1, 1, 1, 1)}, []sids{{1, 2, 6}, {2, 3, 4, 5}}, []sids{{1, 2}, {4, 5, 6}, {1, 4, 5, 6}}},
		{"others altogether", []*ensemble.Config{members(t, "1,2,3", 1), members(t, "3,4,5", 2)}, []sids{{1, 3, 4}, {1, 2, 4, 5}}, []sids{{1, 2, 3}, {3, 4, 5}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := roll{ids: sids{6, 3, 9}}
			n := newNeed(&r, tt.configs...)
			in := func(list sids) *set {
				var s set
				for _, id := range list {
					s.add(r.find(id))
				}
				return &s
			}
			for _, list := range tt.met {
				if !n.met(in(list)) {
					t.Errorf("%v suffice", list)
				}
			}
			for _, list := range tt.not {
				if n.met(in(list)) {
					t.Errorf("%v do not suffice", list)
				}
			}
			// Whatever comes, it is what the configurations say.
			for bits := range 1 << 7 {
				var list sids
				for id := range ensemble.SID(7) {
					if bits&(1<<id) != 0 {
						list = append(list, id)
					}
				}
				want := true
				for _, g := range tt.configs {
					want = want && g.Quorum(func(id ensemble.SID) bool { return slices.Contains(list, id) })
				}
				if n.met(in(list)) != want {
					t.Errorf("%v: %t", list, !want)
				}
			}
		})
	}
}
