package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// never is a snapCount that no run reaches.
const never = 1_000_000_000

// snapshotRounds is how much longer than other rounds that of this scenario is: it must see several snapshots.
const snapshotRounds = 6

// snapshotPoll is how often the data folder is looked at.
const snapshotPoll = 20 * time.Millisecond

// snapshot fills a tree, starts the server anew with a low snapCount, writes at a steady rate and compares the latency of the
// windows in which a snapshot file grew with that of the others. The rate is steady, and latency counts from when a write
// was due: a server that stands still while it takes a snapshot is not excused by the writes it kept from being sent.
func (r *runner) snapshot(ctx context.Context, t *Target, fs *figures, res *Result) error {
	r.say("starting")
	in, _, err := r.launch(ctx, t, "", fmt.Sprintf("snapCount=%d", never))
	if err != nil {
		return err
	}
	defer func() { r.discard(in) }()
	if err := in.clear(ctx); err != nil {
		return err
	}
	if _, _, _, err := r.populate(ctx, in, r.opt.Znodes); err != nil {
		return err
	}
	r.say("starting again with snapCount=%d", r.opt.SnapCount)
	if err := in.end(); err != nil {
		return err
	}
	again, _, err := r.launch(ctx, t, in.dir, fmt.Sprintf("snapCount=%d", r.opt.SnapCount))
	if err != nil {
		return err
	}
	in = again

	w := Work{Kind: "set", Conns: min(r.opt.Conns, r.opt.Keys), InFlight: 1, Rate: r.opt.WriteRate, Rounds: 1}
	if r.opt.Warmup > 0 {
		if _, err := r.round(ctx, in, w, 0, r.opt.Warmup); err != nil {
			return err
		}
	}
	watch := watchSnapshots(filepath.Join(in.procs[0].dir, "data", "version-2"))
	rd, err := r.round(ctx, in, w, 1, snapshotRounds*r.opt.Duration)
	grown := watch()
	if err != nil {
		return err
	}
	with, without := newHistogram(), newHistogram()
	taken := 0
	windows := rd.windows()
	res.addWindows(1, windows)
	from := rd.m.base.Add(time.Duration(rd.m.from.Load()))
	for i := range res.Timeline {
		begin := from.Add(time.Duration(i) * windowSize)
		in := &res.Timeline[i]
		for _, g := range grown {
			in.Snapshot = in.Snapshot || g.After(begin) && g.Before(begin.Add(windowSize+snapshotPoll))
		}
		h := windows[i].hist
		switch {
		case h == nil:
		case in.Snapshot:
			with.Merge(h)
		default:
			without.Merge(h)
		}
		if in.Snapshot && (i == 0 || !res.Timeline[i-1].Snapshot) {
			taken++
		}
	}
	fs.add("snapshots", "", neither, float64(taken))
	fs.add("throughput", "ops/s", more, float64(rd.ops)/rd.seconds)
	if without.TotalCount() > 0 {
		fs.add("p99 without snapshot", "ms", less, ms(without.ValueAtPercentile(99)))
	}
	if with.TotalCount() > 0 {
		fs.add("p99 during snapshot", "ms", less, ms(with.ValueAtPercentile(99)))
	}
	fs.add("slowest", "ms", less, ms(rd.m.total.Max()))
	res.Curve = curve(rd.m.total)
	if taken == 0 {
		return errors.New("no snapshot was taken in the time; a lower -snapcount helps")
	}
	return nil
}

// watchSnapshots looks at the files of dir until its result is called, which gives the moments at which a snapshot was seen
// to be new or longer.
func watchSnapshots(dir string) func() []time.Time {
	var seen []time.Time
	var wg sync.WaitGroup
	stop := make(chan struct{})
	sizes := snapshotSizes(dir)
	wg.Go(func() {
		tick := time.NewTicker(snapshotPoll)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			now := snapshotSizes(dir)
			for name, size := range now {
				if old, ok := sizes[name]; !ok || size > old {
					seen = append(seen, time.Now())
					break
				}
			}
			sizes = now
		}
	})
	return func() []time.Time {
		close(stop)
		wg.Wait()
		return seen
	}
}

// snapshotSizes are the sizes of the snapshots in dir, finished or not.
func snapshotSizes(dir string) map[string]int64 {
	sizes := map[string]int64{}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !strings.Contains(e.Name(), "snapshot") {
			continue
		}
		if info, err := e.Info(); err == nil {
			sizes[e.Name()] = info.Size()
		}
	}
	return sizes
}
