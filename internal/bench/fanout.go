package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// fanoutChanges is the number of changes in a round.
const fanoutChanges = 10

// fanout lets many sessions watch one znode and changes it, some times.
//
// From arming its watch on a watcher does nothing but wait (audience), so that all that happens between the change and the last notice is
// the server's writes and one read each.
func (r *runner) fanout(ctx context.Context, t *Target, fs *figures, res *Result) error {
	in, leave, err := r.stage(ctx, t)
	if err != nil {
		return err
	}
	defer leave()
	r.say("opening %s sessions", thousands(int64(r.opt.Watchers)))
	ss, err := openSessions(ctx, in.addrs, r.opt.Watchers+1, 256)
	if err != nil {
		return err
	}
	defer func() {
		r.say("closing the sessions")
		closeSessions(ss)
	}()
	writer, watchers := ss[0], ss[1:]
	path := watchRoot + "/one"
	if err := writer.create(path, []byte{}); err != nil {
		return err
	}
	all, err := newAudience(watchers)
	if err != nil {
		return err
	}
	defer all.close()
	seen := make([]time.Time, len(watchers))
	var cpu time.Duration
	var last, middle []float64
	for n := range fanoutChanges {
		r.say("change %d of %d", n+1, fanoutChanges)
		if err := armAll(watchers, path); err != nil {
			return err
		}
		before, _ := cpuOf(in.pids)
		var begun time.Time
		changed := make(chan error, 1)
		err := all.await(func() {
			begun = time.Now()
			go func() {
				_, err := writer.call(&wire.SetData{Path: path, Data: []byte{byte(n)}, Version: -1})
				changed <- err
			}()
		}, func(i int) error {
			ev, err := watchers[i].notice()
			seen[i] = time.Now()
			if err == nil && (ev.Type != zk.EventNodeDataChanged || ev.Path != path) {
				err = fmt.Errorf("a notice of %+v where %s was changed", ev, path)
			}
			return err
		})
		if err := cmp.Or(err, <-changed); err != nil {
			return at("setData", path, err)
		}
		after, _ := cpuOf(in.pids)
		cpu += after - before
		slices.SortFunc(seen, time.Time.Compare)
		last = append(last, ms(int64(seen[len(seen)-1].Sub(begun))))
		middle = append(middle, ms(int64(seen[len(seen)/2].Sub(begun))))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	fs.add("last notice", "ms", less, median(last))
	fs.add("median notice", "ms", less, median(middle))
	if len(in.pids) > 0 {
		fs.add("server CPU", "µs/notice", less, float64(cpu.Microseconds())/float64(len(watchers)*fanoutChanges))
	}
	return nil
}

// armAll lets every session watch path.
func armAll(watchers []*session, path string) error {
	return inParallel(len(watchers), dialers, func(i int) error {
		_, err := watchers[i].call(&wire.GetData{Path: path, Watch: true})
		return at("getData", path, err)
	})
}
