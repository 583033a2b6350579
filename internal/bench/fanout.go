package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// fanoutChanges is the number of changes in a round.
const fanoutChanges = 10

// fanout lets many sessions watch one znode and changes it, some times.
//
// Each watcher is a goroutine of its own: from arming its watch on it does nothing but wait in a read, so that all that
// happens between the change and the last notice is the server's writes and one read each.
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
	seen := make([]time.Time, len(watchers))
	var cpu time.Duration
	var last, middle []float64
	for n := range fanoutChanges {
		r.say("change %d of %d", n+1, fanoutChanges)
		if err := armAll(watchers, path); err != nil {
			return err
		}
		var wg sync.WaitGroup
		failed := make(chan error, 1)
		for i, s := range watchers {
			s.c.SetReadDeadline(time.Now().Add(patience))
			wg.Go(func() {
				ev, err := s.notice()
				seen[i] = time.Now()
				if err == nil && (ev.Type != zk.EventNodeDataChanged || ev.Path != path) {
					err = fmt.Errorf("a notice of %+v where %s was changed", ev, path)
				}
				if err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			})
		}
		time.Sleep(50 * time.Millisecond) // the goroutines come to rest in their reads
		before, _ := cpuOf(in.pids)
		begun := time.Now()
		_, err := writer.call(&wire.SetData{Path: path, Data: []byte{byte(n)}, Version: -1})
		wg.Wait()
		if err != nil {
			return at("setData", path, err)
		}
		select {
		case err := <-failed:
			return err
		default:
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
