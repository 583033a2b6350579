package interop

import (
	"fmt"
	"slices"

	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// reign is a time in which we lead the server.
type reign struct {
	*scene
	zab.Epoch
	has  zab.AckEpoch // what the server says it has
	last zk.Zxid      // the last that was proposed
}

// lead lets the server follow us, and gives it an epoch. How it is synchronized is yet to come.
func (s *scene) lead() *reign {
	s.t.Helper()
	s.becomes(zab.Leading)
	s.wait(s.t, "a link of the server's", func() bool {
		i := slices.IndexFunc(s.links, func(l zab.Link) bool { return l < dialledLinks && l > s.led && !s.down[l] })
		if i >= 0 {
			s.link, s.led = s.links[i], s.links[i]
		}
		return i >= 0
	})
	info := getsOn[*zab.LearnerInfo](s.t, s.guest, s.link)
	r := &reign{scene: s, Epoch: info.Accepted + 1}
	s.epoch = r.Epoch
	s.send(&zab.LeaderInfo{Epoch: r.Epoch, Version: 0x10000})
	r.has = *getsOn[*zab.AckEpoch](s.t, s.guest, s.link)
	r.last = r.first()
	return r
}

// first is the zxid that stands for the epoch.
func (r *reign) first() zk.Zxid { return zk.Zxid(r.Epoch) << 32 }

// complete says that the history is, and waits until the server serves.
func (r *reign) complete() {
	r.t.Helper()
	r.newLeader()
	r.upToDate()
}

// newLeader says that the history is complete, and waits for the acknowledgement.
func (r *reign) newLeader() {
	r.t.Helper()
	r.send(&zab.NewLeader{Epoch: r.Epoch, Config: r.config})
	r.acked(r.first())
}

func (r *reign) upToDate() {
	r.t.Helper()
	r.send(&zab.UpToDate{})
	r.acked(r.first())
	r.srv.WaitServing(r.t)
}

// acked waits for an acknowledgement.
func (r *reign) acked(z zk.Zxid) {
	r.t.Helper()
	if !r.ackedOrGone(z) {
		r.t.Fatalf("it hangs up before it acknowledges %v: %q", z, r.told)
	}
}

// ackedOrGone is false if the server hangs up instead.
func (r *reign) ackedOrGone(z zk.Zxid) bool {
	r.t.Helper()
	for {
		p, gone := getsOrGone[*zab.Ack](r.t, r.guest, r.link)
		if gone || p.Zxid == z {
			return !gone
		}
	}
}

// next is a proposal with the next zxid.
func (r *reign) next(x txn.Txn) *zab.Propose {
	r.last++
	return proposal(r.last, x)
}

// do proposes a txn, and commits it when the server has acknowledged it.
func (r *reign) do(x txn.Txn) zk.Zxid {
	r.t.Helper()
	p := r.next(x)
	r.send(p)
	r.acked(p.Zxid)
	r.send(&zab.Commit{Zxid: p.Zxid})
	return p.Zxid
}

// goesOn makes one more txn in our last reign, and tells what is wrong with what the server has after a restart.
func (s *scene) goesOn(h *history, x txn.Txn) string {
	s.t.Helper()
	r := &reign{scene: s, Epoch: s.epoch, last: max(h.last(), zk.Zxid(s.epoch)<<32)}
	z := r.do(x)
	h.add(zab.Epoch(z>>32), x)
	s.settles(z)
	if wrong := wrongly(s.shows(), h.paths(s.t)...); wrong != "" {
		return wrong
	}
	s.restart()
	r = s.lead()
	if r.has.Last < z {
		return fmt.Sprintf("it acknowledged all up to %v, and has all up to %v", z, r.has.Last)
	}
	r.sync(*h)
	r.complete()
	return wrongly(s.shows(), h.paths(s.t)...)
}

// snap sends the whole of it.
func (r *reign) snap(h history) {
	r.send(&zab.Snap{Zxid: h.last()})
	r.Links.SendSnapshot(r.link, h.write(r.t))
}

// pairs sends proposals that are committed already.
func (r *reign) pairs(h history) {
	for _, p := range h {
		r.send(p, &zab.Commit{Zxid: p.Zxid})
	}
}

// sync sends the server what it lacks, as its leader with this history does: section 5.2.
func (r *reign) sync(h history) {
	r.t.Helper()
	i := slices.IndexFunc(h, func(p *zab.Propose) bool { return p.Zxid > r.has.Last })
	if i < 0 {
		i = len(h)
	}
	var before zk.Zxid // the last that it may keep
	if i > 0 {
		before = h[i-1].Zxid
	}
	switch {
	case r.has.Last == 0 && len(h) > 0:
		r.snap(h)
		return
	case r.has.Last == before || uint32(r.has.Last) == 0:
		r.send(&zab.Diff{Zxid: h.last()})
	case i == len(h) || h[i].Zxid>>32 == r.has.Last>>32:
		r.send(&zab.Trunc{Zxid: before})
	default:
		r.snap(h)
		return
	}
	r.pairs(h[i:])
}

// begin leads the server for the first time, with this history, and until it serves.
func (s *scene) begin(h *history, all ...txn.Txn) *reign {
	s.t.Helper()
	r := s.lead()
	r.sync(*h)
	r.complete()
	for _, x := range all {
		r.do(x)
	}
	h.add(r.Epoch, all...)
	if len(all) > 0 {
		r.settles(r.last)
	}
	return r
}

// finds leads the server once more, gives it what it lacks, and tells what is wrong with what it shows then.
func (s *scene) finds(h history) string {
	s.t.Helper()
	r := s.lead()
	r.sync(h)
	r.complete()
	if wrong := wrongly(s.shows(), h.paths(s.t)...); wrong != "" {
		return fmt.Sprintf("it says that it has all up to %v, but %s", r.has.Last, wrong)
	}
	return ""
}

// keeps is finds, and once more behind a restart.
func (s *scene) keeps(h history) string {
	s.t.Helper()
	if wrong := s.finds(h); wrong != "" {
		return wrong
	}
	s.restart()
	return s.finds(h)
}
