package sim

import (
	"bytes"
	"errors"
	"slices"

	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// disk is what server.diskQueue and its loop are: operations one after the other, one fsync for all appends that came meanwhile.
type disk struct {
	ops      []replica.DiskOrder
	done     uint64
	busy     bool
	wait     int64 // µs until the next try of what has failed
	snapping bool
	installs []ledger // what the Installs in the queue bring
}

// give puts an operation into the queue.
func (s *server) give(op replica.DiskOrder) {
	switch d := op.Op.(type) {
	case *zab.Append:
		e := entry{d.Zxid, d.Payload}
		s.w.check.logs(s, e)
		s.issued = append(s.issued, e)
	case *zab.Truncate:
		s.issued = s.issued.cut(d.Zxid)
		s.checked = min(s.checked, len(s.issued))
	case *zab.Install:
		s.issued, s.checked = s.offered.cut(d.Zxid), 0
		s.disk.installs = append(s.disk.installs, s.issued)
	}
	s.disk.ops = append(s.disk.ops, op)
	s.turn()
}

// turn begins the next operation, if none is under way.
func (s *server) turn() {
	if s.disk.busy || len(s.disk.ops) == 0 {
		return
	}
	s.disk.busy = true
	if s.w.plant == EarlySynced {
		s.early()
	}
	s.after(s.w.nemesis.diskTime(s), s.work)
}

// work does the operation at the head of the queue, or all appends there, and tells how far the disk is.
func (s *server) work() {
	q := &s.disk
	if c := q.ops[0].Config; c != nil {
		s.keep(c)
		return
	}
	n, ev := 1, &replica.Peer{}
	var err error
	var after ledger
	if _, ok := q.ops[0].Op.(*zab.Append); ok {
		var batch []store.Entry
		for n = 0; n < len(q.ops); n++ {
			a, ok := q.ops[n].Op.(*zab.Append)
			if !ok {
				break
			}
			batch = append(batch, store.Entry{Zxid: a.Zxid, Payload: a.Payload})
		}
		after = s.durable
		for _, e := range batch {
			after = append(after, entry{e.Zxid, e.Payload})
		}
		s.limbo = []ledger{after}
		err = s.st.Commit(batch)
	} else {
		after, err = s.do(&q.ops[0], ev)
	}
	if s.fs.Crashed() {
		s.w.nemesis.crashed(s)
		return
	}
	if err != nil {
		s.failed(err)
		return
	}
	s.durable, s.limbo, q.wait = after, nil, 0
	q.ops = slices.Delete(q.ops, 0, n)
	q.done += uint64(n)
	ev.Event = &zab.Synced{N: q.done}
	tell := func() {
		q.busy = false
		s.step(ev)
		if s.rep != nil {
			s.snapshot()
			s.turn()
		}
	}
	if s.w.chance(3) {
		s.after(s.w.between(1, 300), tell)
		return
	}
	tell()
}

// early is a planted bug: it says that what waits is done, as far as that is appends.
func (s *server) early() {
	n := uint64(0)
	for _, op := range s.disk.ops {
		if _, ok := op.Op.(*zab.Append); !ok {
			break
		}
		n++
	}
	if done := s.disk.done + n; n > 0 {
		s.after(0, func() { s.agree(&zab.Synced{N: done}) })
	}
}

// failed is member.try: again after a while, or, of what replaces a history, what is on disk is read anew.
func (s *server) failed(err error) {
	q := &s.disk
	e := (*store.DiskError)(nil)
	failed := errors.As(err, &e)
	if _, once := q.ops[0].Op.(*zab.Install); once && failed || errors.Is(err, store.ErrNoBase) {
		s.w.note("%d cannot exchange its history for the leader's: %v", s.sid, err)
		s.after(1_000_000, s.resync)
		return
	}
	if !failed {
		s.w.fail("Disk", "server %d cannot go on: %v", s.sid, err)
	}
	s.w.note("%d: the disk fails: %v", s.sid, err)
	q.wait = min(max(2*q.wait, 10_000), 1_000_000)
	s.after(q.wait, s.work)
}

// resync is member.resync: what the disk was given and has not done is void, and the server goes on from what is there.
func (s *server) resync() {
	q := &s.disk
	res, err := s.st.Restore(s.w.fresh)
	var current int64
	if err == nil {
		_, current, err = s.st.Epochs(res.LastZxid)
	}
	if s.fs.Crashed() {
		s.w.nemesis.crashed(s)
		return
	}
	if err != nil {
		if e := (*store.DiskError)(nil); !errors.As(err, &e) {
			s.w.fail("Disk", "server %d cannot read its disk: %v", s.sid, err)
		}
		s.w.note("%d: the disk cannot be read: %v", s.sid, err)
		s.after(1_000_000, s.resync)
		return
	}
	s.w.renewals++
	s.w.check.found(s, res)
	for i := range q.ops {
		if f := q.ops[i].Tree; f != nil {
			f.View.Close()
		}
	}
	// The configurations are kept all the same, before what comes now.
	q.ops = slices.DeleteFunc(q.ops, func(o replica.DiskOrder) bool { return o.Config == nil })
	q.installs, q.wait = nil, 0
	s.step(&replica.Peer{
		Event: &zab.Failed{Last: res.LastZxid, Current: zab.Epoch(current)}, Tree: res.Tree, Sessions: res.Sessions,
	})
	if s.rep != nil {
		q.busy = false
		s.turn()
	}
}

// do is member.do. It gives what the log will be.
func (s *server) do(op *replica.DiskOrder, ev *replica.Peer) (ledger, error) {
	switch d := op.Op.(type) {
	case *zab.WriteAccepted:
		if s.w.plant == ForgottenEpoch {
			s.epochs[0] = d.Epoch
			break
		}
		if s.w.plant == BrokenPromise {
			s.epochs[0] = d.Epoch
			break
		}
		s.w.check.epoch(s, 0, d.Epoch)
		if err := s.st.WriteAccepted(int64(d.Epoch)); err != nil {
			return nil, err
		}
		s.epochs[0] = d.Epoch
	case *zab.WriteCurrent:
		if s.w.plant == ForgottenEpoch {
			s.epochs[1] = d.Epoch
			break
		}
		if s.w.plant == BrokenPromise {
			if err := s.st.WriteAccepted(int64(d.Epoch)); err != nil {
				return nil, err
			}
		}
		s.w.check.epoch(s, 1, d.Epoch)
		if err := s.st.WriteCurrent(int64(d.Epoch)); err != nil {
			return nil, err
		}
		s.epochs[1] = d.Epoch
	case *zab.Truncate:
		after := s.durable.cut(d.Zxid)
		s.limbo = []ledger{after}
		return after, s.truncate(d.Zxid, ev)
	case *zab.Install:
		after := s.disk.installs[0]
		s.limbo = []ledger{after}
		_, _, err := s.st.Install(s.frozen(op.Tree, op.Tree.View.Next))
		if err == nil {
			op.Tree.View.Close()
			s.disk.installs = s.disk.installs[1:]
		}
		return after, err
	}
	return s.durable, nil
}

// truncate is member.truncate.
func (s *server) truncate(z zk.Zxid, ev *replica.Peer) error {
	if err := s.st.Truncate(z); err != nil {
		return err
	}
	res, err := s.st.Restore(s.w.fresh)
	if err != nil {
		return err
	}
	ev.Tree, ev.Sessions = res.Tree, res.Sessions
	return nil
}

// snapshot writes one when it is due, as server.snapshot does: the view is read in pieces while everything goes on.
func (s *server) snapshot() {
	if s.disk.snapping || !s.role.Serving || !s.st.SnapshotDue() {
		return
	}
	s.st.Roll()
	if !s.rep.Settled() {
		return
	}
	s.disk.snapping = true
	f := s.rep.Freeze()
	s.pieces(f, func(all []byte) {
		s.disk.snapping = false
		sn := s.frozen(f, once(all))
		_, _, err := s.st.WriteSnapshot(sn)
		f.View.Close()
		if s.fs.Crashed() {
			s.w.nemesis.crashed(s)
			return
		}
		s.w.note("%d: snapshot %v: %v", s.sid, sn.Zxid, err)
		if err == nil && s.issued.has(sn.Zxid) {
			s.shot = s.issued.cut(sn.Zxid)
		}
	})
}

// pieces reads a view bit by bit.
func (s *server) pieces(f *replica.Frozen, done func(all []byte)) {
	var buf bytes.Buffer
	var next func()
	next = func() {
		b, more := f.View.Next(nil, int(s.w.between(100, 2000)))
		if buf.Write(b); more {
			s.after(s.w.between(20, 1000), next)
			return
		}
		done(buf.Bytes())
	}
	s.after(0, next)
}

// once is a store.Snapshot's Next of what was read already.
func once(all []byte) func([]byte, int) ([]byte, bool) {
	return func(b []byte, _ int) ([]byte, bool) { return append(b, all...), false }
}
