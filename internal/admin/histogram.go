package admin

import (
	"math/bits"
	"sync/atomic"
)

// histogram counts values in buckets whose width grows with the value: exact up to 2*steps, then steps buckets for each power
// of two, so that a quantile is never off by more than 1/steps of itself. Negative values count as 0. Apache keeps a random
// sample of 4096 values instead, which costs a lock and forgets the tail.
//
//	value   0 1 2 .. 63 | 64-65 66-67 .. 126-127 | 128-131 132-135 .. | ..
//	bucket  0 1 2 .. 63 | 64    65    .. 95      | 96      97      .. | ..
type histogram struct{ buckets [numBuckets]atomic.Int64 }

const (
	stepBits   = 5
	steps      = 1 << stepBits
	numBuckets = (64 - stepBits) * steps // of all int64 that are not negative
)

func bucket(v int64) int {
	if v < 0 {
		v = 0
	}
	if v < 2*steps {
		return int(v)
	}
	shift := bits.Len64(uint64(v)) - stepBits - 1
	return shift*steps + int(v>>shift)
}

// floor is the least value of a bucket, width how many values it holds.
func floor(b int) (value, width int64) {
	if b < 2*steps {
		return int64(b), 1
	}
	shift := b/steps - 1
	return int64(b%steps+steps) << shift, 1 << shift
}

func (h *histogram) add(v, n int64) { h.buckets[bucket(v)].Add(n) }

func (h *histogram) count() (n int64) {
	for i := range h.buckets {
		n += h.buckets[i].Load()
	}
	return n
}

func (h *histogram) reset() {
	for i := range h.buckets {
		h.buckets[i].Store(0)
	}
}

// quantiles are what Apache tells of an advanced summary.
var quantiles = [...]struct {
	prefix string
	q      float64
}{{"p50_", 0.5}, {"p95_", 0.95}, {"p99_", 0.99}, {"p999_", 0.999}}

// Quantiles are the 0.5, 0.95, 0.99 and 0.999 quantiles.
type Quantiles [len(quantiles)]int64

// quantiles gives, for each quantile q of n values, the value at rank ceil(q*n), from the middle of its bucket and between
// the extremes that were seen.
func (h *histogram) quantiles(s Summary) (qs Quantiles) {
	var counts [numBuckets]int64
	var n int64
	for i := range h.buckets {
		counts[i] = h.buckets[i].Load()
		n += counts[i]
	}
	if n == 0 {
		return qs
	}
	var seen int64
	next := 0
	for b, c := range counts {
		seen += c
		for next < len(quantiles) && float64(seen) >= quantiles[next].q*float64(n) {
			value, width := floor(b)
			qs[next] = max(s.Min, min(s.Max, value+width/2))
			next++
		}
	}
	return qs
}
