package server

import (
	"testing"

	"github.com/zooid-io/zooid/internal/wire"
)

// A member that lags further behind than memory reaches is sent the log in the place of a snapshot, as long as that is less: snapshotSizeFactor.
// Writes go on meanwhile, and what it was sent is on its disk.
func TestEnsemblePassage(t *testing.T) {
	for _, x := range []struct {
		name   string
		factor float64
		how    string
	}{{"whatever the size", 0, "out of the log"}, {"smaller than the snapshot", 100, "out of the log"}, {"larger than a third of it", 0.33, "SNAP as of"}, {"never", -1, "SNAP as of"}} {
		t.Run(x.name, func(t *testing.T) {
			w := gather(t, 3, 0, func(o *Options) { o.Ensemble.SnapshotSizeFactor = x.factor })
			leader := w.serving()
			if x.factor > 0 {
				w.all[leader].snapshot() // of nearly nothing
			}
			away := w.followers()[0]
			c := connect(t, w.all[leader], lasting)
			c.must(ephemeral("/mine"))
			c.must(&wire.Sync{Path: "/"})
			w.same()
			w.stop(away)
			c.fill("/before", 550)
			if x.factor == 100 {
				w.all[leader].snapped.Wait()
				w.all[leader].snapshot() // a hundred times this is enough
				w.all[leader].snapped.Wait()
			}
			told := w.logs[leader].with(x.how)
			var ops []wire.Op
			for i := range 300 {
				ops = append(ops, create(name("/meanwhile%d", i), ""))
			}
			first := c.xid + 1
			c.send(ops...)
			w.start(away)
			for i := range ops {
				c.recv(first + int32(i))
			}
			w.serving()
			w.logs[leader].more(t, told, x.how)
			for range 2 {
				w.same()
				d := connect(t, w.all[away], lasting)
				if n := d.all("/before", 550) + d.all("/meanwhile", 300); n != 850 {
					t.Errorf("%d of 850", n)
				}
				w.stop(away)
				w.start(away)
				w.serving()
			}
		})
	}
}

// What a former leader alone has logged is cut off where only the log of the new one still has the place.
func TestEnsembleTailIsCutByLog(t *testing.T) {
	w := gather(t, 3, 0, func(o *Options) { o.Ensemble.SnapshotSizeFactor = 0 })
	old, c := w.tail(set("/a", "not committed"), sequential("/never", 10))
	c.fill("/more", 600)
	leader := w.serving()
	w.start(old)
	w.serving()
	w.same()
	w.logs[leader].wait(t, "TRUNC to")
	w.logs[leader].wait(t, "out of the log")
	for range 2 {
		d := connect(t, w.all[old], lasting)
		if data, _ := d.data("/a"); data != "committed" || d.exists("/never") || d.all("/more", 600) != 600 {
			t.Errorf("/a is %q", data)
		}
		w.stop(old)
		w.start(old)
		w.serving()
		w.same()
	}
}
