package session

import (
	"slices"

	"github.com/zooid-io/zooid/zk"
)

// Table is the sessions of one server. Not safe for concurrent use.
//
// A million sessions are some 70 MB: one map entry each and one record of 32 bytes, the records in pages so that growth never
// copies them.
type Table struct {
	tick    int64
	slots   map[zk.SessionID]slot
	pages   []*[pageSize]record
	used    slot // slots below were handed out at least once
	free    slot // list of slots handed back, linked by next; none ends it
	buckets []bucket
}

// slot numbers a record.
type slot uint32

const (
	none     slot = 1<<32 - 1
	pageBits      = 10
	pageSize      = 1 << pageBits
)

// record is one session. Those of one bucket form a ring-less list by prev and next.
type record struct {
	id         zk.SessionID
	expiry     int64 // of its bucket; meaningless while closing
	prev, next slot
	timeout    int32
	closing    bool
}

// Entry is a session as a snapshot or an operator sees it.
type Entry struct {
	ID      zk.SessionID
	Timeout int32 // ms, as the session was created
}

// New makes an empty table whose buckets are tick ms wide, at least 1.
func New(tick int64) *Table {
	return &Table{tick: max(tick, 1), slots: make(map[zk.SessionID]slot), free: none}
}

func (t *Table) at(s slot) *record { return &t.pages[s>>pageBits][s%pageSize] }

// Add makes a session known, from a createSession txn or a restored snapshot, and starts its time. A session that is known
// already takes the new timeout, and is touched unless it is closing.
func (t *Table) Add(id zk.SessionID, timeout int32, now int64) {
	if s, ok := t.slots[id]; ok {
		t.at(s).timeout = timeout
		t.Touch(id, timeout, now)
		return
	}
	s := t.take()
	*t.at(s) = record{id: id, timeout: timeout, expiry: t.expiry(timeout, now)}
	t.slots[id] = s
	t.link(s)
}

// Touch says that the session was heard of. timeout is the connection's, which a resume may have negotiated anew; the one of
// Timeout stays. The session's end moves to what this says, also nearer, as upstream: a resume with a shorter timeout expires
// sooner. False: the session is unknown or closing, and whatever touched
// it must not be served.
func (t *Table) Touch(id zk.SessionID, timeout int32, now int64) bool {
	s, ok := t.slots[id]
	if !ok {
		return false
	}
	r := t.at(s)
	if r.closing {
		return false
	}
	if e := t.expiry(timeout, now); e != r.expiry {
		t.unlink(s)
		r.expiry = e
		t.link(s)
	}
	return true
}

// SetClosing marks the end of a session before its closeSession txn is applied: Touch fails from here on, and Due names it no
// more. False: unknown.
func (t *Table) SetClosing(id zk.SessionID) bool {
	s, ok := t.slots[id]
	if !ok {
		return false
	}
	if r := t.at(s); !r.closing {
		t.unlink(s)
		r.closing = true
	}
	return true
}

// IsClosing tells whether the session is known and marked.
func (t *Table) IsClosing(id zk.SessionID) bool {
	s, ok := t.slots[id]
	return ok && t.at(s).closing
}

// Known tells whether the session lives, closing or not.
func (t *Table) Known(id zk.SessionID) bool {
	_, ok := t.slots[id]
	return ok
}

// Remove forgets the session: its closeSession txn is applied.
func (t *Table) Remove(id zk.SessionID) {
	s, ok := t.slots[id]
	if !ok {
		return
	}
	delete(t.slots, id)
	if !t.at(s).closing {
		t.unlink(s)
	}
	*t.at(s) = record{next: t.free}
	t.free = s
}

// Timeout is the persisted timeout, that of createSession: a resume does not change it (client protocol, section 2.5).
func (t *Table) Timeout(id zk.SessionID) (ms int32, ok bool) {
	s, ok := t.slots[id]
	if !ok {
		return 0, false
	}
	return t.at(s).timeout, true
}

// Len counts the sessions, closing ones too.
func (t *Table) Len() int { return len(t.slots) }

// All lists the sessions by id, closing ones too.
func (t *Table) All() []Entry {
	out := make([]Entry, 0, len(t.slots))
	for id, s := range t.slots {
		out = append(out, Entry{id, t.at(s).timeout})
	}
	slices.SortFunc(out, func(a, b Entry) int { return compareID(a.ID, b.ID) })
	return out
}

func compareID(a, b zk.SessionID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// take gives a slot that nobody holds.
func (t *Table) take() slot {
	if s := t.free; s != none {
		t.free = t.at(s).next
		return s
	}
	s := t.used
	if int(s>>pageBits) == len(t.pages) {
		t.pages = append(t.pages, new([pageSize]record))
	}
	t.used++
	return s
}
