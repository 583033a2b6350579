package sysmon

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// played is a keeper in virtual time, and how many naps it has taken.
func played(t *testing.T, play func(k *Keeper, naps func() int64)) {
	synctest.Test(t, func(t *testing.T) {
		var naps atomic.Int64
		k := newKeeper(func() {
			naps.Add(1)
			time.Sleep(nap)
		})
		defer k.Stop()
		synctest.Wait()
		play(k, naps.Load)
	})
}

// during lets something be heard every millisecond.
func during(d time.Duration, heard func(i int)) {
	for i := range int(d / time.Millisecond) {
		heard(i)
		time.Sleep(time.Millisecond)
	}
}

// While two or more have something to do it naps; not for one alone, however much that is, nor for nobody.
func TestNaps(t *testing.T) {
	for _, tt := range []struct {
		name  string
		heard func(k *Keeper, i int)
		naps  bool
	}{
		{"nobody", func(*Keeper, int) {}, false},
		{"one", func(k *Keeper, i int) { k.Heard(7) }, false},
		{"two", func(k *Keeper, i int) { k.Heard(7 + uint64(i%2)) }, true},
		{"many", func(k *Keeper, i int) { k.Heard(7 + uint64(i)) }, true},
		{"one that stands for several", func(k *Keeper, i int) { k.Busy() }, true},
		{"two, far apart", func(k *Keeper, i int) {
			if i%100 == 0 {
				k.Heard(7 + uint64(i/100%2))
			}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			played(t, func(k *Keeper, naps func() int64) {
				during(time.Second, func(i int) { tt.heard(k, i) })
				n := naps()
				if tt.naps && n < 150 || !tt.naps && n != 0 {
					t.Errorf("%d naps", n)
				}
				// Some time later there are none any more, and then all begins again.
				time.Sleep(calm*nap + 2*glance)
				n = naps()
				time.Sleep(time.Hour)
				if more := naps() - n; more != 0 {
					t.Errorf("%d naps for nobody", more)
				}
				during(time.Second, func(int) { k.Busy() })
				if more := naps() - n; more < 150 {
					t.Errorf("%d naps the second time", more)
				}
			})
		})
	}
}

// Start changes GOMAXPROCS, and Stop takes that back; where it is bounded already it stays.
func TestStart(t *testing.T) {
	given, all := runtime.GOMAXPROCS(0), runtime.NumCPU()
	defer runtime.GOMAXPROCS(given)
	for _, n := range []int{all, all + 1} {
		runtime.GOMAXPROCS(n)
		want := n
		if n == all && runtime.GOOS == "linux" {
			want += spare
		}
		k := Start()
		if got := runtime.GOMAXPROCS(0); got != want {
			t.Errorf("GOMAXPROCS is %d behind %d, not %d", got, n, want)
		}
		k.Busy()
		k.Stop()
		if got := runtime.GOMAXPROCS(0); got != n {
			t.Errorf("GOMAXPROCS is %d in the end, not %d", got, n)
		}
	}
}
