package sim

import (
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/zooid-io/zooid/internal/ensemble"
)

// group gives the voters of a configuration groups, one to three, and weights, some of which are 0. All of them together are a quorum.
func group(g *ensemble.Config, rng *rand.Rand) {
	for {
		g.Groups, g.Weights = map[int64][]ensemble.SID{}, map[ensemble.SID]int64{}
		n := 1 + rng.IntN(3)
		for _, id := range g.Voters() {
			gid := int64(1 + rng.IntN(n))
			g.Groups[gid] = append(g.Groups[gid], id)
			g.Weights[id] = []int64{0, 1, 1, 1, 2, 3}[rng.IntN(6)]
		}
		if g.Quorum(func(ensemble.SID) bool { return true }) {
			return
		}
	}
}

// regroup takes what has no vote any more out of the groups, and puts new voters into them. It tells whether the voters suffice.
func regroup(g *ensemble.Config, rng *rand.Rand) bool {
	groups, weights := map[int64][]ensemble.SID{}, map[ensemble.SID]int64{}
	for _, id := range g.Voters() {
		gid := int64(1)
		for _, k := range slices.Sorted(maps.Keys(g.Groups)) {
			if slices.Contains(g.Groups[k], id) {
				gid = k
			}
		}
		groups[gid] = append(groups[gid], id)
		w, ok := g.Weights[id]
		if !ok {
			w = int64(rng.IntN(3))
		}
		weights[id] = w
	}
	g.Groups, g.Weights = groups, weights
	return g.Quorum(func(ensemble.SID) bool { return true })
}
