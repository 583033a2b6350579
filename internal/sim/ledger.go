package sim

import (
	"bytes"
	"slices"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// entry is a logged txn.
type entry struct {
	zxid    zk.Zxid
	payload []byte
}

func (e entry) same(f entry) bool { return e.zxid == f.zxid && bytes.Equal(e.payload, f.payload) }

// ledger is a server's log as the simulator knows it, all that ever was, as if no snapshot were taken. Ledgers share memory: each
// appends to its own, and what was cut is clipped, so that no entry is ever overwritten.
type ledger []entry

// upTo is how many entries have a zxid of at most z.
func (l ledger) upTo(z zk.Zxid) int {
	i, ok := slices.BinarySearchFunc(l, z, func(e entry, z zk.Zxid) int {
		switch {
		case e.zxid < z:
			return -1
		case e.zxid > z:
			return 1
		}
		return 0
	})
	if ok {
		i++
	}
	return i
}

func (l ledger) has(z zk.Zxid) bool {
	n := l.upTo(z)
	return n > 0 && l[n-1].zxid == z
}

// cut keeps what is not beyond z.
func (l ledger) cut(z zk.Zxid) ledger { return slices.Clip(l[:l.upTo(z)]) }

func (l ledger) last() zk.Zxid {
	if len(l) == 0 {
		return 0
	}
	return l[len(l)-1].zxid
}

// change is the last change of the configuration, as far back as a server remembers; nil if there is none.
func (l ledger) change() *ensemble.Config {
	for _, e := range slices.Backward(l[max(0, len(l)-recent):]) {
		p := []zab.Proposal{{Zxid: e.zxid, Payload: e.payload}}
		if replica.Understand(p); p[0].Config != nil {
			return p[0].Config
		}
	}
	return nil
}

// follows tells whether z may come behind prev: the next of its epoch, or the first of a later one.
func follows(prev, z zk.Zxid) bool {
	return z == prev+1 && z.Counter() != 0 || z.Counter() == 1 && z.Epoch() > prev.Epoch()
}
