package slab

import "fmt"

const (
	pageShift = 14
	pageSize  = 1 << pageShift // buckets, or entries
)

// Index is a hash table of handles, such as a Pool gives out: dense, from 1, each at most once in the index. The zero value
// is empty and ready. It costs 12 bytes for each handle and never rehashes as a whole (linear hashing, Litwin 1980):
//
//	buckets 0..n-1, n = 2^k + split. A hash h belongs to bucket h mod 2^(k+1) if that exists, else to h mod 2^k.
//	With each insertion that makes more handles than buckets, bucket number split is divided in two: those whose next bit
//	is 0 stay, the others move to the new bucket n; split goes up by one, and at 2^k starts again with k+1.
//
// It does not compare keys: First and Next give the handles of an equal hash and the caller compares.
type Index struct {
	Advise Advice // may be nil; not to be changed later

	buckets [][]uint32 // pages; a bucket is the first handle of its chain, or 0
	entries [][]entry  // pages, by handle
	n       uint32     // buckets
	mask    uint32     // 2^k - 1
	count   int
}

type entry struct {
	next uint32 // in the chain of the bucket
	hash uint32
}

func (x *Index) bucket(i uint32) *uint32 { return &x.buckets[i>>pageShift][i&(pageSize-1)] }
func (x *Index) entry(h uint32) *entry   { return &x.entries[h>>pageShift][h&(pageSize-1)] }

// home is the bucket that hash belongs to.
func (x *Index) home(hash uint32) *uint32 {
	i := hash & (x.mask<<1 | 1)
	if i >= x.n {
		i = hash & x.mask
	}
	return x.bucket(i)
}

// Len is the number of handles.
func (x *Index) Len() int { return x.count }

// First is the first handle whose hash is hash, or 0.
func (x *Index) First(hash uint32) uint32 {
	if x.n == 0 {
		return 0
	}
	return x.match(*x.home(hash), hash)
}

// Next is the next handle of the same hash as h, which must be in the index, or 0.
func (x *Index) Next(h uint32) uint32 {
	e := x.entry(h)
	return x.match(e.next, e.hash)
}

func (x *Index) match(h, hash uint32) uint32 {
	for h != 0 {
		e := x.entry(h)
		if e.hash == hash {
			return h
		}
		h = e.next
	}
	return 0
}

// Insert adds h, which must not be in the index.
func (x *Index) Insert(hash, h uint32) {
	for int(h>>pageShift) >= len(x.entries) {
		x.entries = append(x.entries, pieces[entry](pageSize, len(x.entries), x.Advise)...)
	}
	if x.n == 0 {
		x.buckets = pieces[uint32](pageSize, 0, x.Advise)
		x.n = 1
	}
	b := x.home(hash)
	*x.entry(h) = entry{next: *b, hash: hash}
	*b = h
	x.count++
	if x.count > int(x.n) && x.n < 1<<31 {
		x.split()
	}
}

func (x *Index) split() {
	if int(x.n>>pageShift) >= len(x.buckets) {
		x.buckets = append(x.buckets, pieces[uint32](pageSize, len(x.buckets), x.Advise)...)
	}
	from, to := x.bucket(x.n&x.mask), x.bucket(x.n)
	bit := x.mask + 1
	h := *from
	*from = 0
	for h != 0 {
		e := x.entry(h)
		next := e.next
		b := from
		if e.hash&bit != 0 {
			b = to
		}
		e.next = *b
		*b = h
		h = next
	}
	x.n++
	if x.n == bit<<1 {
		x.mask = x.mask<<1 | 1
	}
}

// Remove takes h out; it must be in the index.
func (x *Index) Remove(h uint32) {
	gone := x.entry(h)
	at := x.home(gone.hash)
	for *at != h {
		if *at == 0 {
			panic("slab: handle is not in the index")
		}
		at = &x.entry(*at).next
	}
	*at = gone.next
	*gone = entry{}
	x.count--
}

// Check walks all chains and says what is in a wrong one.
func (x *Index) Check() error {
	n := 0
	for i := range x.n {
		for h := *x.bucket(i); h != 0; h = x.entry(h).next {
			if n++; n > x.count {
				return fmt.Errorf("slab: more than %d handles in the chains, or one does not end", x.count)
			}
			if x.home(x.entry(h).hash) != x.bucket(i) {
				return fmt.Errorf("slab: handle %d is in bucket %d, not in its own", h, i)
			}
		}
	}
	if n != x.count {
		return fmt.Errorf("slab: %d handles in the chains, not %d", n, x.count)
	}
	return nil
}
