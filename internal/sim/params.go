package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Params are what a run is made of: all of it follows from the seed, and from which faults are allowed. Times are ms.
type Params struct {
	Seed              uint64
	Voters, Observers int
	Clients           int
	Minds             int   // clients that think with clientcore
	Safety            int64 // how long faults happen
	Tick              int64
	InitLimit         int64
	SyncLimit         int64
	MaxNotification   int64
	ForceSnapshot     bool
	CloseSessionPaths bool
	PreAlloc          int64
	SnapCount         int
	LogSizeLimit      int64
	Compression       string
	Keys              int // registers that clients write
	Think             int64
	Window            int     // requests that a client has in flight
	Gap               int64   // between two faults, about
	Faults            []Fault // those that may happen
	Reconfig          bool    // reconfigEnabled
	Spares            int     // servers that are no members at first
	Groups            bool    // voters have groups and weights
	Sweep             int64   // between the looks for containers and TTL nodes
	Local, Upgrade    bool    // localSessionsEnabled, localSessionsUpgradingEnabled
	ReadOnly          bool    // readonlymode.enabled, and half of the clients ask for it
	Masters           bool    // observerMasterPort: observers learn from followers
	Memory            int     // bytes of proposals that are kept for learners that lag; 0 is as shipped
	Factor            float64 // snapshotSizeFactor: below 0 nothing is sent out of the log
}

// draw makes the parameters of a seed.
func draw(seed uint64, allowed []Fault) Params {
	rng := rand.New(rand.NewPCG(seed, 0xd1ce))
	pick := func(of ...int64) int64 { return of[rng.IntN(len(of))] }
	p := Params{
		Seed: seed, Voters: int(pick(3, 3, 3, 3, 5, 5, 4, 2, 1)), Observers: int(pick(0, 0, 0, 1)), Clients: 2 + rng.IntN(4),
		Safety: pick(4000, 8000, 15000), Tick: pick(100, 200, 200), InitLimit: pick(5, 10), SyncLimit: pick(3, 5), MaxNotification: pick(800, 3000),
		ForceSnapshot: rng.IntN(8) == 0, CloseSessionPaths: rng.IntN(2) == 0, PreAlloc: pick(0, 4096, 16384), SnapCount: int(pick(20, 60, 200)),
		LogSizeLimit: pick(0, 0, 6000), Compression: []string{"", "", "", "gz", "snappy"}[rng.IntN(5)],
		Keys: 2 + rng.IntN(5), Think: pick(5, 20, 60), Window: 1 + rng.IntN(6), Gap: pick(150, 400, 1000),
	}
	// A part of the faults, so that each also happens without the others.
	few := rng.IntN(3) == 0
	for _, f := range allowed {
		if !few || rng.IntN(3) == 0 {
			p.Faults = append(p.Faults, f)
		}
	}
	p.Reconfig = rng.IntN(4) == 0
	if slices.Contains(p.Faults, Reconfiguration) {
		p.Reconfig, p.Spares = true, 1+rng.IntN(3)
	}
	p.Groups = p.Voters > 2 && rng.IntN(5) == 0
	p.Sweep = pick(300, 1000, 5000)
	p.Local, p.Upgrade = rng.IntN(6) == 0, rng.IntN(4) > 0
	p.Minds = rng.IntN(p.Clients + 1)
	p.Memory = int(pick(0, 0, 1000, 6000))
	p.Factor = []float64{-1, 0, 0, 0.33, 4}[rng.IntN(5)]
	p.ReadOnly = rng.IntN(4) == 0
	if p.Voters > 1 && rng.IntN(4) == 0 {
		p.Masters, p.Observers = true, 1+rng.IntN(2)
	}
	return p
}

// String is the parameters on one line.
func (p Params) String() string {
	names := make([]string, len(p.Faults))
	for i, f := range p.Faults {
		names[i] = string(f)
	}
	return fmt.Sprintf("voters=%d observers=%d clients=%d minds=%d safety=%dms tick=%d initLimit=%d syncLimit=%d maxNotification=%d forceSnapshot=%t "+
		"closeSessionPaths=%t preAlloc=%d snapCount=%d logSizeLimit=%d compression=%q keys=%d think=%d window=%d gap=%d reconfig=%t spares=%d groups=%t sweep=%d local=%t upgrade=%t memory=%d factor=%g readOnly=%t masters=%t faults=%s",
		p.Voters, p.Observers, p.Clients, p.Minds, p.Safety, p.Tick, p.InitLimit, p.SyncLimit, p.MaxNotification, p.ForceSnapshot, p.CloseSessionPaths,
		p.PreAlloc, p.SnapCount, p.LogSizeLimit, p.Compression, p.Keys, p.Think, p.Window, p.Gap, p.Reconfig, p.Spares, p.Groups, p.Sweep, p.Local, p.Upgrade, p.Memory, p.Factor, p.ReadOnly, p.Masters, strings.Join(names, ","))
}
