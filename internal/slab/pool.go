package slab

const (
	poolShift = 12
	poolChunk = 1 << poolShift // records
)

// Pool keeps records of one type, which must not contain a pointer. The zero value is empty and ready. Handles are dense:
// they start at 1 and a freed one is given out again before a new one is.
type Pool[T any] struct {
	Advise Advice // may be nil; not to be changed later

	chunks [][]T
	slots  uint32 // handles ever given out, and handle 0
	free   stack
}

// New gives the handle of a zeroed record.
func (p *Pool[T]) New() uint32 {
	if h, ok := p.free.pop(); ok {
		return h
	}
	if p.slots == 0 {
		p.slots = 1
	}
	h := p.slots
	if h == ^uint32(0) {
		panic("slab: pool is full")
	}
	if int(h>>poolShift) >= len(p.chunks) {
		p.chunks = append(p.chunks, pieces[T](poolChunk, len(p.chunks), p.Advise)...)
	}
	p.slots++
	return h
}

// At is the record h. It stays where it is until Free.
func (p *Pool[T]) At(h uint32) *T { return &p.chunks[h>>poolShift][h&(poolChunk-1)] }

// Free zeroes the record h and ends it.
func (p *Pool[T]) Free(h uint32) {
	var zero T
	*p.At(h) = zero
	p.free.push(h)
}

// Len is the number of records.
func (p *Pool[T]) Len() int { return max(int(p.slots)-1, 0) - p.free.n }

// Slots is one more than the largest handle ever given out: the length of an array that is to be indexed by handle.
func (p *Pool[T]) Slots() uint32 { return p.slots }

// stack is a stack of handles in pages, so that it never copies to grow.
type stack struct {
	pages [][]uint32
	n     int
}

func (s *stack) push(h uint32) {
	if s.n>>poolShift == len(s.pages) {
		s.pages = append(s.pages, make([]uint32, poolChunk))
	}
	s.pages[s.n>>poolShift][s.n&(poolChunk-1)] = h
	s.n++
}

func (s *stack) pop() (h uint32, ok bool) {
	if s.n == 0 {
		return 0, false
	}
	s.n--
	h = s.pages[s.n>>poolShift][s.n&(poolChunk-1)]
	if last := len(s.pages) - 1; s.n>>poolShift < last-1 { // keep one spare page
		s.pages[last] = nil
		s.pages = s.pages[:last]
	}
	return h, true
}
