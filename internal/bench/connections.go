package bench

import (
	"context"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
)

// connections opens many connections, asks one thing on each, and weighs the server while they say nothing.
func (r *runner) connections(ctx context.Context, t *Target, fs *figures, res *Result) error {
	in, leave, err := r.stage(ctx, t)
	if err != nil {
		return err
	}
	defer leave()
	// What the first connections bring into memory is not theirs.
	ss, err := openSessions(ctx, in.addrs, min(64, r.opt.Connections), 512)
	if err != nil {
		return err
	}
	closeSessions(ss)
	before, known := in.settle(ctx)
	r.say("opening %s connections", thousands(int64(r.opt.Connections)))
	cpu, _ := cpuOf(in.pids)
	begun := time.Now()
	if ss, err = openSessions(ctx, in.addrs, r.opt.Connections, 64); err != nil {
		return err
	}
	defer func() {
		r.say("closing the connections")
		closeSessions(ss)
	}()
	err = inParallel(len(ss), dialers, func(i int) error {
		_, err := ss[i].call(&wire.Exists{Path: Root})
		return at("exists", Root, err)
	})
	if err != nil {
		return err
	}
	n := float64(len(ss))
	fs.add("opened", "conns/s", more, n/time.Since(begun).Seconds())
	after, _ := cpuOf(in.pids)
	r.say("weighing %s connections", thousands(int64(r.opt.Connections)))
	if rss, ok := in.settle(ctx); ok && known {
		fs.add("server CPU", "µs/conn", less, float64((after-cpu).Microseconds())/n)
		fs.add("memory per connection", "B", less, float64(rss-before)/n)
	}
	return ctx.Err()
}
