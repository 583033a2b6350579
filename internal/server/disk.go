package server

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// diskQueue is what the agreement wants on disk, in order.
type diskQueue struct {
	mu      sync.Mutex
	ops     []replica.DiskOrder
	running bool          // somebody is at it: the disk goroutine, or a link's, see member.alone
	wake    chan struct{} // capacity 1

	done uint64 // operations, of whoever is running
}

func (q *diskQueue) init() { q.wake = make(chan struct{}, 1) }

// add is followed by rouse.
func (q *diskQueue) add(ops []replica.DiskOrder) {
	if len(ops) == 0 {
		return
	}
	q.mu.Lock()
	q.ops = append(q.ops, ops...)
	q.mu.Unlock()
}

// rouse wakes the disk goroutine, if there is something for it.
func (q *diskQueue) rouse() {
	q.mu.Lock()
	due := len(q.ops) > 0 && !q.running
	q.mu.Unlock()
	if due {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// gathering is how many appends wait. Anything else among what waits, for which nobody should wait, makes it enoughWaits.
func (q *diskQueue) gathering() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.ops {
		if _, ok := q.ops[i].Op.(*zab.Append); !ok {
			return enoughWaits
		}
	}
	return len(q.ops)
}

// take gives what waits, and keeps spare's memory for what comes next. Whoever gets something is running until rest.
func (q *diskQueue) take(spare []replica.DiskOrder) []replica.DiskOrder {
	clear(spare)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running {
		return spare[:0]
	}
	ops := q.ops
	q.ops = spare[:0]
	q.running = len(ops) > 0
	return ops
}

// takeOne gives what waits if that is a single append, and nobody is running.
func (q *diskQueue) takeOne() (*zab.Append, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running || len(q.ops) != 1 {
		return nil, false
	}
	a, ok := q.ops[0].Op.(*zab.Append)
	if ok {
		clear(q.ops)
		q.ops, q.running = q.ops[:0], true
	}
	return a, ok
}

// drop forgets what waits, and gives it.
func (q *diskQueue) drop() []replica.DiskOrder {
	q.mu.Lock()
	defer q.mu.Unlock()
	ops := slices.Clone(q.ops)
	clear(q.ops)
	q.ops = q.ops[:0]
	return ops
}

// rest ends running. What was not done goes back to the front.
func (q *diskQueue) rest(undone ...replica.DiskOrder) {
	q.mu.Lock()
	q.ops = append(undone, q.ops...)
	q.running = false
	q.mu.Unlock()
	q.rouse()
}

// diskLoop does the operations one after the other, one fsync for all appends that came meanwhile, and says how far it is: only then do
// acknowledgements leave (invariant DurableAck).
func (m *member) diskLoop() {
	s := m.s
	defer s.wg.Done()
	var ops []replica.DiskOrder
	var batch []store.Entry
	var flushed time.Time // when the last fsync ended, with a FlushDelay
	for {
		select {
		case <-m.disk.wake:
			if s.opt.FlushDelay > 0 {
				s.gather(flushed, m.disk.wake, m.disk.gathering)
			}
		case <-s.ctx.Done():
		}
		if ops = m.disk.take(ops); len(ops) == 0 {
			if s.ctx.Err() != nil {
				return
			}
			continue
		}
		for rest := ops; len(rest) > 0; {
			if c := rest[0].Config; c != nil {
				m.keep(c)
				rest = rest[1:]
				continue
			}
			ev := replica.Peer{}
			n, ok := 1, false
			_, append := rest[0].Op.(*zab.Append)
			if append {
				n, batch = appends(rest, batch[:0], s.opt.MaxBatchSize)
				ok = s.commit(batch)
				clear(batch)
			} else {
				ok = m.try(&rest[0], &ev)
			}
			if !ok && s.ctx.Err() == nil && m.lost {
				if !m.resync(rest) {
					return
				}
				break
			}
			if !ok {
				return
			}
			if append && s.opt.FlushDelay > 0 {
				flushed = time.Now()
			}
			m.disk.done += uint64(n)
			rest = rest[n:]
			ev.Event = &zab.Synced{N: m.disk.done}
			m.agree(ev)
		}
		m.written()
		m.disk.rest()
	}
}

// written takes a snapshot when that is due.
func (m *member) written() {
	if s := m.s; s.store.SnapshotDue() && !s.snapping.Load() && m.serving() {
		s.store.Roll()
		s.snapshot()
	}
}

// alone does what waits for the disk itself, on the goroutine of the link to the leader, if that is one append: where no other proposal
// is on its way, it is acknowledged without a goroutine being woken. Under load it would be wrong, as nothing is read meanwhile. More
// than one, and whatever else there is, is the disk goroutine's, and so is an append that fails: this goroutine has to hear of the
// leader's end.
func (m *member) alone() {
	if m.s.opt.FlushDelay > 0 { // it waits for others
		m.disk.rouse()
		return
	}
	a, ok := m.disk.takeOne()
	if !ok {
		m.disk.rouse()
		return
	}
	start := time.Now()
	err := m.s.store.Commit([]store.Entry{{Zxid: a.Zxid, Payload: a.Payload}})
	if err != nil {
		m.disk.rest(replica.DiskOrder{Op: a})
		return
	}
	m.s.metrics.Record(admin.FsyncTime, time.Since(start).Milliseconds())
	m.s.metrics.Record(admin.SyncBatchSize, 1)
	m.disk.done++
	m.agree(replica.Peer{Event: &zab.Synced{N: m.disk.done}})
	m.written()
	m.disk.rest()
}

// keep writes the dynamic files. Where that fails, zoo.cfg belongs to somebody else most likely, the server goes on as Apache's does:
// it learns of the newer configuration from its peers when it starts with an old one.
func (m *member) keep(c *zab.Configs) {
	if err := m.dynamic.write(c); err != nil {
		m.s.log.Error("the configuration cannot be written; a start would begin with an older one", "version", fmt.Sprintf("%x", uint64(c.LastSeen.Version)), "err", err)
	}
}

// appends collects the appends at the beginning of ops, at most limit if that is not 0.
func appends(ops []replica.DiskOrder, batch []store.Entry, limit int) (int, []store.Entry) {
	for n := range ops {
		a, ok := ops[n].Op.(*zab.Append)
		if !ok || limit > 0 && n == limit {
			return n, batch
		}
		batch = append(batch, store.Entry{Zxid: a.Zxid, Payload: a.Payload})
	}
	return len(ops), batch
}

// try does one operation until it succeeds, or the server ends. Who waits for it waits: a leader whose disk has stalled steps down. What
// replaces a history is tried once, and then m.lost says that the leader has to be asked again.
func (m *member) try(op *replica.DiskOrder, ev *replica.Peer) bool {
	s := m.s
	wait := 10 * time.Millisecond
	for {
		err := m.do(op, ev)
		if err == nil {
			s.diskFailed.Store(false)
			return true
		}
		e := (*store.DiskError)(nil)
		failed := errors.As(err, &e)
		if _, once := op.Op.(*zab.Install); once && failed || errors.Is(err, store.ErrNoBase) {
			// What is installed is read off a view, which can be read only once.
			s.log.Error("the history cannot be exchanged for the leader's; it is asked for all of it again", "err", err)
			m.lost = true
			return false
		}
		if !failed {
			s.fail(err)
			return false
		}
		if !s.diskFailed.Swap(true) {
			s.log.Error("the disk fails; this server takes no part until it is well again", "err", err)
		}
		if !s.pause(wait) {
			return false
		}
		wait = min(2*wait, time.Second)
	}
}

func (m *member) do(op *replica.DiskOrder, ev *replica.Peer) error {
	st := m.s.store
	switch d := op.Op.(type) {
	case *zab.WriteAccepted:
		return st.WriteAccepted(int64(d.Epoch))
	case *zab.WriteCurrent:
		return st.WriteCurrent(int64(d.Epoch))
	case *zab.Truncate:
		return m.truncate(d.Zxid, ev)
	case *zab.Install:
		sn := m.s.frozen(op.Tree)
		_, _, err := st.Install(sn)
		if err == nil {
			m.s.mu.Lock()
			op.Tree.View.Close()
			m.s.mu.Unlock()
		}
		return err
	}
	return nil
}

// truncate takes log and tree back.
func (m *member) truncate(z zk.Zxid, ev *replica.Peer) error {
	if err := m.s.store.Truncate(z); err != nil {
		return err
	}
	res, err := m.s.reread(m.fresh)
	if err != nil {
		return err
	}
	ev.Tree, ev.Sessions = res.Tree, res.Sessions
	return nil
}

// resync reads anew what is on disk, when it has turned out not to follow the leader, and goes on from there: undone is what it was given
// and has not done. What it was given meanwhile is void with it. It is false if the server ends.
func (m *member) resync(undone []replica.DiskOrder) bool {
	s := m.s
	m.lost = false
	var res *store.Restored
	var current int64
	wait := time.Second // the leader is not asked for a whole tree more often than that
	for {
		if !s.pause(wait) {
			return false
		}
		var err error
		if res, err = s.reread(m.fresh); err == nil {
			_, current, err = s.store.Epochs(res.LastZxid)
		}
		if err == nil {
			break
		}
		if e := (*store.DiskError)(nil); !errors.As(err, &e) {
			s.fail(err)
			return false
		}
		s.log.Error("the disk cannot be read", "err", err)
	}
	var few [8]*conn
	s.mu.Lock()
	undone = append(undone, m.disk.drop()...)
	for i := range undone {
		if f := undone[i].Tree; f != nil {
			f.View.Close()
		}
	}
	s.rep.Step(&replica.Peer{
		Event: &zab.Failed{Last: res.LastZxid, Current: zab.Epoch(current)}, Tree: res.Tree, Sessions: res.Sessions,
		Now: time.Now().UnixMilli(), Clock: s.clock(), Heard: heard,
	}, &s.eff)
	dirty := s.perform(few[:0])
	s.mu.Unlock()
	s.flush(dirty)
	for _, o := range undone {
		if o.Config != nil {
			m.keep(o.Config)
		}
	}
	return true
}

func (m *member) serving() bool {
	m.s.mu.RLock()
	defer m.s.mu.RUnlock()
	role, _ := m.s.rep.Role()
	return role.Serving
}
