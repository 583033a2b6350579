package zab

import (
	"sort"

	"github.com/zooid-io/zooid/zk"
)

// history is the newest of what was delivered to the tree, for learners that lag (Apache's committedLog, section 5.1). It has no
// gap: whatever would make one empties it first. So a hole cannot be handed on (ZOOKEEPER-4925).
type history struct {
	q        queue[Proposal]
	bytes    int
	most     int // proposals
	mostByte int // bytes of their payloads
}

func newHistory(o *Options, recent []Proposal, last zk.Zxid) history {
	h := history{most: max(o.CommitLog, 500), mostByte: o.CommitLogBytes}
	if h.mostByte == 0 {
		h.mostByte = 64 << 20
	}
	if n := len(recent); n > 0 && recent[n-1].Zxid == last {
		for i := range recent {
			h.add(&recent[i])
		}
	}
	return h
}

func (h *history) add(p *Proposal) {
	if n := h.q.len(); n > 0 && !follows(h.q.at(n-1).Zxid, p.Zxid) {
		h.clear()
	}
	h.q.push(*p)
	h.bytes += len(p.Payload)
	for h.q.len() > h.most || h.bytes > h.mostByte && h.q.len() > 1 {
		h.bytes -= len(h.q.pop().Payload)
	}
}

func (h *history) clear() {
	h.q.cut(0)
	h.bytes = 0
}

// after is the index of the first proposal behind z.
func (h *history) after(z zk.Zxid) int {
	return sort.Search(h.q.len(), func(i int) bool { return h.q.at(i).Zxid > z })
}

// lacks tells whether z is missing among the proposals that are here. Of what is older it knows nothing.
func (h *history) lacks(z zk.Zxid) bool {
	i := h.after(z)
	return i > 0 && h.q.at(i-1).Zxid != z
}

// truncate forgets what is behind z.
func (h *history) truncate(z zk.Zxid) {
	n := h.after(z)
	for i := n; i < h.q.len(); i++ {
		h.bytes -= len(h.q.at(i).Payload)
	}
	h.q.cut(n)
}

// follows tells whether a proposal z may come right behind prev: it is the next of its epoch, or the first of a later one
// (section 4.4).
func follows(prev, z zk.Zxid) bool {
	return z == prev+1 && z.Counter() != 0 || z.Counter() == 1 && z.Epoch() > prev.Epoch()
}

// zxidOf is the zxid with which an epoch begins: no proposal has it.
func zxidOf(e Epoch) zk.Zxid { return zk.Zxid(e) << 32 }
