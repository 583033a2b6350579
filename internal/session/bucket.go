package session

import (
	"math"
	"slices"

	"github.com/zooid-io/zooid/zk"
)

// bucket is the sessions that end at one time. A table has few: about the longest timeout over the tick.
type bucket struct {
	expiry int64
	head   slot
	count  int
}

// Bucket is the sessions that end together unless they are heard of.
type Bucket struct {
	Expiry   int64          // ms, of the clock that now is read from
	Sessions []zk.SessionID // sorted
}

// expiry is the tick boundary strictly after the end of the timeout (ExpiryQueue.roundToNextInterval upstream).
func (t *Table) expiry(timeout int32, now int64) int64 {
	return ((now+int64(timeout))/t.tick + 1) * t.tick
}

// find gives the place of the bucket among the sorted ones. Searched from the end: touched sessions move to late buckets.
func (t *Table) find(expiry int64) (i int, ok bool) {
	if n := len(t.buckets); n > 0 && t.buckets[n-1].expiry == expiry {
		return n - 1, true
	}
	return slices.BinarySearchFunc(t.buckets, expiry, func(b bucket, e int64) int {
		switch {
		case b.expiry < e:
			return -1
		case b.expiry > e:
			return 1
		}
		return 0
	})
}

func (t *Table) link(s slot) {
	r := t.at(s)
	i, ok := t.find(r.expiry)
	if !ok {
		t.buckets = slices.Insert(t.buckets, i, bucket{expiry: r.expiry, head: none})
	}
	b := &t.buckets[i]
	r.prev, r.next = none, b.head
	if b.head != none {
		t.at(b.head).prev = s
	}
	b.head = s
	b.count++
}

func (t *Table) unlink(s slot) {
	r := t.at(s)
	i, _ := t.find(r.expiry)
	b := &t.buckets[i]
	if r.prev == none {
		b.head = r.next
	} else {
		t.at(r.prev).next = r.next
	}
	if r.next != none {
		t.at(r.next).prev = r.prev
	}
	if b.count--; b.count == 0 {
		t.buckets = slices.Delete(t.buckets, i, i+1)
	}
}

// Due lists the sessions whose time is over at now and that are not closing, sorted by id. It changes nothing: the caller
// marks each with SetClosing when it submits the closeSession.
func (t *Table) Due(now int64) []zk.SessionID {
	var out []zk.SessionID
	for _, b := range t.buckets {
		if b.expiry > now {
			break
		}
		out = t.appendIDs(slices.Grow(out, b.count), b)
	}
	slices.Sort(out)
	return out
}

// NextDeadline is when Due will next have something to say: the earliest bucket, or math.MaxInt64 when there is none.
func (t *Table) NextDeadline() int64 {
	if len(t.buckets) == 0 {
		return math.MaxInt64
	}
	return t.buckets[0].expiry
}

// Buckets lists all buckets by time: what the command dump shows. Closing sessions are in none.
func (t *Table) Buckets() []Bucket {
	out := make([]Bucket, 0, len(t.buckets))
	for _, b := range t.buckets {
		ids := t.appendIDs(make([]zk.SessionID, 0, b.count), b)
		slices.Sort(ids)
		out = append(out, Bucket{b.expiry, ids})
	}
	return out
}

func (t *Table) appendIDs(ids []zk.SessionID, b bucket) []zk.SessionID {
	for s := b.head; s != none; s = t.at(s).next {
		ids = append(ids, t.at(s).id)
	}
	return ids
}
