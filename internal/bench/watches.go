package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// watchWindow is the number of watches that are asked for at once.
const watchWindow = 256

// watches sets many watches from one session, on paths that do not exist: a watch on a missing znode can share nothing with
// a tree, so what is weighed is the watch alone.
func (r *runner) watches(ctx context.Context, t *Target, fs *figures, res *Result) error {
	in, leave, err := r.stage(ctx, t)
	if err != nil {
		return err
	}
	defer leave()
	ss, err := openSessions(ctx, in.addrs[:1], 2, 64<<10)
	if err != nil {
		return err
	}
	defer closeSessions(ss)
	n := r.opt.Watches
	before, known := in.settle(ctx)
	src := &fillSource{shape: existsShape(watchRoot, true)}
	c := newCrew(ss[:1], watchWindow, func(int) (source, uint64) { return src, uint64(n) })
	begun := time.Now()
	label := r.label
	r.p.set(func() string { return label + ": " + thousands(c.ops()) + " watches" })
	cpu, _ := cpuOf(in.pids)
	if err := c.finish(ctx); err != nil {
		return err
	}
	if missing := c.m.codes[zk.NoNode]; missing != int64(n) {
		return fmt.Errorf("%d of %d watches were set on znodes that should be missing", missing, n)
	}
	fs.add("set", "watches/s", more, float64(n)/time.Since(begun).Seconds())
	after, _ := cpuOf(in.pids)
	r.say("weighing %s watches", thousands(int64(n)))
	if rss, ok := in.settle(ctx); ok && known {
		fs.add("server CPU", "µs/watch", less, float64((after-cpu).Microseconds())/float64(n))
		fs.add("memory per watch", "B", less, float64(rss-before)/float64(n))
	}
	for _, k := range slices.Compact([]uint64{0, uint64(n / 2), uint64(n - 1)}) {
		if err := checkWatch(ss[0], ss[1], k); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// checkWatch makes the znode of key k, which watcher must be told of.
func checkWatch(watcher, writer *session, k uint64) error {
	if err := writer.create(bucketPath(watchRoot, k/bucketSize), []byte{}); err != nil {
		return err
	}
	path := keyPath(watchRoot, k)
	if err := writer.create(path, []byte{}); err != nil {
		return err
	}
	watcher.c.SetDeadline(time.Now().Add(patience))
	ev, err := watcher.notice()
	if err == nil && (ev.Type != zk.EventNodeCreated || ev.Path != path) {
		return fmt.Errorf("a notice of %+v where %s was created", ev, path)
	}
	return err
}

// notice waits for one.
func (s *session) notice() (zk.Event, error) {
	h, body, err := s.reply()
	if err != nil {
		return zk.Event{}, err
	}
	if h.Xid != wire.XidNotice {
		return zk.Event{}, fmt.Errorf("%s: reply to request %d where a notice was due", s.addr, h.Xid)
	}
	d := jute.NewDecoder(body)
	ev := wire.DecodeNotice(d, h.Zxid)
	return ev, d.Err()
}
