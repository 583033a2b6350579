package bench

import (
	"context"
	"time"
)

// znodes fills a tree, weighs it, and, where the bench started the server, kills it and waits until it is back.
func (r *runner) znodes(ctx context.Context, t *Target, fs *figures, res *Result) error {
	in, leave, err := r.stage(ctx, t)
	if err != nil {
		return err
	}
	defer func() { leave() }()
	n := r.opt.Znodes
	empty, known := in.settle(ctx)
	c, took, cpu, err := r.populate(ctx, in, n)
	if err != nil {
		return err
	}
	fs.add("created", "ops/s", more, float64(n)/took.Seconds())
	if known {
		fs.add("server CPU", "µs/op", less, float64(cpu.Microseconds())/float64(n))
	}
	fs.add("p50", "µs", less, us(c.m.total.ValueAtPercentile(50)))
	fs.add("p99", "µs", less, us(c.m.total.ValueAtPercentile(99)))
	res.Curve = curve(c.m.total)
	res.addWindows(1, c.m.whole(took))
	r.say("weighing")
	if full, ok := in.settle(ctx); ok && known {
		fs.add("memory", "MB", less, megabytes(full))
		fs.add("memory per znode", "B", less, float64(full-empty)/float64(n))
	}
	if in.dir == "" {
		return ctx.Err()
	}
	r.say("killed, waiting until it serves")
	if err := in.kill(); err != nil {
		return err
	}
	back, after, err := r.launch(ctx, t, in.dir)
	if err != nil {
		return err
	}
	leave = func() { r.discard(back) }
	fs.add("back after kill -9", "ms", less, ms(int64(after)))
	if err := back.checkFilled(ctx, n, r.value); err != nil {
		return err
	}
	if rss, ok := back.settle(ctx); ok {
		fs.add("memory after restart", "MB", less, megabytes(rss))
	}
	return ctx.Err()
}

// populate fills the tree and tells how long that took and what it cost the server, without the parents of the keys.
func (r *runner) populate(ctx context.Context, in *instance, n int) (c *crew, took, cpu time.Duration, err error) {
	var begun time.Time
	var before time.Duration
	c, err = in.fill(ctx, n, r.value, func(c *crew) {
		begun = time.Now()
		before, _ = cpuOf(in.pids)
		label := r.label
		r.p.set(func() string {
			done := c.ops()
			return label + ": creating, " + thousands(done) + " of " + thousands(int64(n)) + ", " +
				thousands(int64(float64(done)/time.Since(begun).Seconds())) + " ops/s"
		})
	}, func() {
		took = time.Since(begun)
		after, _ := cpuOf(in.pids)
		cpu = after - before
	})
	return c, took, cpu, err
}
