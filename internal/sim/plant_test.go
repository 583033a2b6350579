package sim

import (
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/zab"
)

// likely are the faults that bring a planted bug to light soon, where not any will do.
var likely = map[Plant][]Fault{
	EarlySynced:     {SlowDisk, LeaderIsolation, LinkReset},
	ForgottenConfig: {Reconfiguration, Blackout},
	HastyConfig:     {Reconfiguration, Blackout},
	UnsyncedDisk:    {Blackout, Crash, LeaderIsolation},
	ForgottenEpoch:  {Crash},
	HastySync:       {Delay, Reorder, SlowDisk, ClientDrop},
	BrokenPromise:   {CrashInEffect, SlowDisk, LeaderIsolation},
	HastyNewcomer:   {Reconfiguration},
	ReadOnlyWrite:   {Partition, LeaderIsolation, ClientDrop},
	ReadOnlyRead:    {Partition, LeaderIsolation, ClientDrop},
	ReadOnlyTxn:     {Partition, LeaderIsolation, ClientDrop},
	ReadOnlySession: {Partition, LeaderIsolation, ClientDrop},
}

// first are the seeds to begin with, where an early one is known.
var first = map[Plant]uint64{ForgottenEpoch: 29, UnsyncedDisk: 120, GlobalSession: 10, ReadOnlySession: 38, BrokenPromise: 23}

// words are of what the checker has to object to, where it has several things to say.
var words = map[Plant]string{HastyNewcomer: "and of its own quorum"}

// Each planted bug is caught by each checker that has to, also where no other may object; and each checker has a bug that it catches. (The
// orders of primaries have a test of their own: nothing that a driver does gets past the core's own checks.)
func TestPlantedBugsAreCaught(t *testing.T) {
	caught := map[string]bool{"LocalPrimaryOrder": true, "GlobalPrimaryOrder": true}
	for _, p := range Plants {
		for _, checker := range p.Checkers {
			t.Run(string(p.Name)+"/"+checker, func(t *testing.T) {
				faults, ok := likely[p.Name]
				if !ok {
					faults = all(t)
				}
				seen := map[string]int{}
				for seed := first[p.Name]; seed < first[p.Name]+60; seed++ {
					r := Run(Options{Seed: seed, Faults: faults, Plant: p.Name, Only: checker})
					if r.Failure == nil {
						continue
					}
					if r.Failure.Checker == checker && strings.Contains(r.Failure.Detail, words[p.Name]) {
						t.Logf("seed %d: %v", seed, r.Failure)
						caught[checker] = true
						return
					}
					seen[r.Failure.Checker]++
				}
				t.Errorf("no seed shows it; %v", seen)
			})
		}
	}
	for _, c := range Checkers {
		if !caught[c.Name] && !t.Failed() {
			t.Errorf("no planted bug is caught by %s", c.Name)
		}
	}
}

func TestPrimaryOrderBites(t *testing.T) {
	for want, log := range map[string]ledger{
		"LocalPrimaryOrder":  {{zxid: 0x100000001}, {zxid: 0x100000003}},
		"GlobalPrimaryOrder": {{zxid: 0x200000001}, {zxid: 0x100000002}},
		"":                   {{zxid: 0x100000001}, {zxid: 0x100000002}, {zxid: 0x300000001}},
	} {
		got := func() (name string) {
			defer func() {
				if f, ok := recover().(*Failure); ok {
					name = f.Checker
				}
			}()
			w := newWorld(draw(1, nil), Options{})
			w.history.log = log
			w.check.order()
			return ""
		}()
		if got != want {
			t.Errorf("%v: %q objects, not %q", log, got, want)
		}
	}
}

func TestPromiseOnceBites(t *testing.T) {
	for _, tt := range []struct {
		epoch   zab.Epoch
		leader  ensemble.SID
		current zab.Epoch
		bites   bool
	}{
		{4, 2, 3, false}, {4, 2, 3, false}, {4, 3, -1, false}, {5, 3, 4, false}, {4, 3, 3, true},
	} {
		w := newWorld(draw(3, nil), Options{})
		s := w.server(1)
		got := func() (name string) {
			defer func() {
				if f, ok := recover().(*Failure); ok {
					name = f.Checker
				}
			}()
			s.role = zab.Role{State: zab.Following, Leader: 2, Epoch: 4}
			w.check.promiseOnce(s, &zab.AckEpoch{Current: 3})
			s.role = zab.Role{State: zab.Following, Leader: tt.leader, Epoch: tt.epoch}
			w.check.promiseOnce(s, &zab.AckEpoch{Current: tt.current})
			return ""
		}()
		if want := map[bool]string{true: "PromiseOnce"}[tt.bites]; got != want {
			t.Errorf("epoch %d to %d, current %d: %q objects, not %q", tt.epoch, tt.leader, tt.current, got, want)
		}
	}
}
