package admin

import (
	"math"
	"math/big"
	"strconv"
	"sync/atomic"
)

// Summary is what was measured since the last reset. All is 0 when nothing was.
type Summary struct{ Count, Sum, Min, Max int64 }

// Avg is the mean, rounded to 4 decimals as Apache rounds it: halves away from zero, as exactly as a float64 has them.
func (s *Summary) Avg() float64 {
	if s.Count <= 0 {
		return 0
	}
	r := new(big.Rat)
	if r.SetFloat64(float64(s.Sum)/float64(s.Count)) == nil {
		return 0
	}
	avg, _ := strconv.ParseFloat(r.FloatString(4), 64)
	return avg
}

// merge is the Summary of what both saw.
func merge(a, b Summary) Summary {
	switch {
	case a.Count == 0:
		return b
	case b.Count == 0:
		return a
	}
	return Summary{Count: a.Count + b.Count, Sum: a.Sum + b.Sum, Min: min(a.Min, b.Min), Max: max(a.Max, b.Max)}
}

// recorder is a Summary under way. Any goroutine may write to it. Its fields fill one cache line, so that two recorders
// never share one; a reader may see a value in some fields and not yet in others. Make one with reset.
type recorder struct {
	count, sum atomic.Int64
	min, max   atomic.Int64 // noMin and noMax before the first value
	_          [32]byte
}

const (
	noMin = math.MaxInt64
	noMax = math.MinInt64
)

func (r *recorder) add(v int64) { r.addN(v, 1) }

func (r *recorder) addN(v, n int64) {
	r.count.Add(n)
	r.note(v, n)
}

// note is addN without the count.
func (r *recorder) note(v, n int64) {
	r.sum.Add(v * n)
	lower(&r.min, v)
	raise(&r.max, v)
}

// lower and raise write only where the extreme moves, which soon is rare.
func lower(a *atomic.Int64, v int64) {
	for cur := a.Load(); v < cur && !a.CompareAndSwap(cur, v); cur = a.Load() {
	}
}

func raise(a *atomic.Int64, v int64) {
	for cur := a.Load(); v > cur && !a.CompareAndSwap(cur, v); cur = a.Load() {
	}
}

func (r *recorder) reset() {
	r.count.Store(0)
	r.sum.Store(0)
	r.min.Store(noMin)
	r.max.Store(noMax)
}

func (r *recorder) summary() Summary {
	s := Summary{Count: r.count.Load(), Sum: r.sum.Load(), Min: r.min.Load(), Max: r.max.Load()}
	if s.Min == noMin {
		s.Min = 0
	}
	if s.Max == noMax {
		s.Max = 0
	}
	return s
}
