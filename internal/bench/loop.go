package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/zooid-io/zooid/internal/wire"
)

// rampTime is how long a round runs, at most, before it counts: connections fill their windows, the scheduler finds its places.
const rampTime = 300 * time.Millisecond

// loop measures one work on every target, A B A B, after each has been prepared and warmed.
func (r *runner) loop(ctx context.Context, w Work) {
	results := make([]Result, len(r.opt.Targets))
	totals := make([]*hdrhistogram.Histogram, len(r.opt.Targets))
	for i := range r.opt.Targets {
		t := &r.opt.Targets[i]
		results[i] = Result{Work: w.String(), Target: t.Name, Errors: map[string]int64{}}
		totals[i] = newHistogram()
		in, err := r.up(ctx, t)
		if err == nil && in.filled < r.opt.Keys {
			r.p.say("%s: creating %s keys", t.Name, thousands(int64(r.opt.Keys)))
			_, err = in.fill(ctx, r.opt.Keys, r.value, nil, nil)
		}
		if err == nil && r.opt.Warmup > 0 {
			_, err = r.round(ctx, in, w, 0, r.opt.Warmup)
		}
		r.fail(&results[i], err)
	}
	for n := 1; n <= w.Rounds; n++ {
		for i, t := range r.opt.Targets {
			if results[i].Failed != "" {
				continue
			}
			rd, err := r.round(ctx, r.live[t.Name], w, n, w.Duration)
			if err != nil {
				r.fail(&results[i], err)
				continue
			}
			rd.into(&results[i], n)
			totals[i].Merge(rd.m.total)
		}
	}
	for i := range results {
		results[i].Curve = curve(totals[i])
	}
	r.report.Results = append(r.report.Results, results...)
}

// round is what one round measured.
type round struct {
	m       *meter
	seconds float64
	ops     int64
	server  time.Duration // CPU; valid if known
	known   bool
	own     time.Duration // CPU of the generator; valid if ownKnown
	ownOK   bool
}

// round runs the work once; number 0 is the warm-up.
func (r *runner) round(ctx context.Context, in *instance, w Work, number int, d time.Duration) (*round, error) {
	inSize := max(16<<10, min(256<<10, w.InFlight*(r.opt.Size+256)))
	ss, err := openSessions(ctx, in.addrs, w.Conns, inSize)
	if err != nil {
		return nil, err
	}
	defer closeSessions(ss)
	for i, s := range ss {
		if w.Kind == "create" {
			if err := s.create(churnParent(i), []byte{}); err != nil {
				return nil, err
			}
		}
		if _, err := s.call(&wire.Sync{Path: Root}); err != nil { // an ensemble's other servers may not have the keys yet
			return nil, at("sync", Root, err)
		}
	}
	c := newCrew(ss, w.InFlight, func(i int) (source, uint64) { return r.newSource(w, i, uint64(number)), noLimit })
	run := (*worker).closed
	if w.Rate > 0 {
		run = (*worker).open
		interval := time.Duration(float64(w.Conns) / w.Rate * float64(time.Second))
		for i, wk := range c.workers {
			wk.schedule = schedule{interval * time.Duration(i) / time.Duration(w.Conns), interval}
		}
	}
	return r.drive(ctx, c, in, fmt.Sprintf("%s %s", w, in.Name), number, w.Rounds, run, d)
}

// drive lets a crew run for a ramp and then for d, measuring the latter, and checks afterwards what it left.
func (r *runner) drive(ctx context.Context, c *crew, in *instance, label string, number, of int, run func(*worker) error, d time.Duration) (*round, error) {
	ended := make(chan error, 1)
	stage := fmt.Sprintf("round %d of %d", number, of)
	if number == 0 {
		stage = "warming"
	}
	lastOps, lastAt := int64(0), time.Now()
	r.p.set(func() string {
		ops, now := c.ops(), time.Now()
		rate := float64(ops-lastOps) / now.Sub(lastAt).Seconds()
		lastOps, lastAt = ops, now
		return fmt.Sprintf("%s  %s  %s ops/s  p99 %.2f ms", label, stage, thousands(int64(rate)), ms(c.m.recent()))
	})
	go func() { ended <- c.run(ctx, run) }()
	rd := &round{m: c.m}
	early := func(wait time.Duration) (error, bool) {
		select {
		case err := <-ended:
			return err, true
		case <-time.After(wait):
			return nil, false
		}
	}
	if err, is := early(min(rampTime, d/4)); is {
		return nil, err
	}
	c.m.begin()
	from, cpu, own := time.Now(), time.Duration(0), time.Duration(0)
	ops := c.ops()
	cpu, rd.known = cpuOf(in.pids)
	own, rd.ownOK = cpuOf([]int{os.Getpid()})
	if err, is := early(d); is {
		return nil, err
	}
	rd.ops = c.ops() - ops
	rd.seconds = time.Since(from).Seconds()
	c.m.phase.Store(stopping)
	if after, ok := cpuOf(in.pids); ok && rd.known {
		rd.server = after - cpu
	} else {
		rd.known = false
	}
	if after, ok := cpuOf([]int{os.Getpid()}); ok && rd.ownOK {
		rd.own = after - own
	}
	if err := <-ended; err != nil {
		return nil, err
	}
	return rd, c.verify()
}

// verify looks at what the workers have left behind.
func (c *crew) verify() error {
	for i, w := range c.workers {
		w.s.next = 0
		switch src := w.src.(type) {
		case interface{ readBack(*session) error }:
			if err := src.readBack(w.s); err != nil {
				return err
			}
		case *churnSource:
			st, err := w.s.stat(churnParent(i))
			if err != nil {
				return err
			}
			if st.NumChildren != 0 {
				return fmt.Errorf("%d znodes created and deleted are still there", st.NumChildren)
			}
		}
	}
	return nil
}

// windows are those that the round has filled.
func (rd *round) windows() []window {
	return rd.m.whole(time.Duration(rd.seconds * float64(time.Second)))
}

// into adds the figures of the round to a result.
func (rd *round) into(res *Result, number int) {
	fs := figures(res.Figures)
	ops := float64(rd.ops)
	fs.add("throughput", "ops/s", more, ops/rd.seconds)
	if rd.known && rd.ops > 0 {
		fs.add("server CPU", "µs/op", less, float64(rd.server.Microseconds())/ops)
	}
	for _, p := range []struct {
		name string
		at   float64
	}{{"p50", 50}, {"p99", 99}, {"p99.9", 99.9}} {
		fs.add(p.name, "µs", less, us(rd.m.total.ValueAtPercentile(p.at)))
	}
	fs.add("slowest", "ms", less, ms(rd.m.total.Max()))
	if rd.known {
		fs.add("server cores", "", neither, rd.server.Seconds()/rd.seconds)
	}
	if rd.ownOK && rd.ops > 0 {
		fs.add("generator CPU", "µs/op", neither, float64(rd.own.Microseconds())/ops)
	}
	res.Figures = fs
	res.addWindows(number, rd.windows())
	rd.m.mu.Lock()
	defer rd.m.mu.Unlock()
	for code, n := range rd.m.codes {
		res.Errors[code.Error()] += n
	}
}

// errorWords lists the errors of a result, most frequent first.
func (r *Result) errorWords() []string {
	var words []string
	for w := range r.Errors {
		words = append(words, w)
	}
	slices.SortFunc(words, func(a, b string) int { return int(r.Errors[b] - r.Errors[a]) })
	for i, w := range words {
		words[i] = thousands(r.Errors[w]) + " x " + w
	}
	return words
}
