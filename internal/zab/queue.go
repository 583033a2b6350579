package zab

// queue is a FIFO in one slice: push and pop are O(1) amortised, and what is popped is forgotten.
type queue[T any] struct {
	buf  []T
	head int
}

func (q *queue[T]) len() int { return len(q.buf) - q.head }

// at gives the i-th from the head. It is valid until the next push or pop.
func (q *queue[T]) at(i int) *T { return &q.buf[q.head+i] }

func (q *queue[T]) push(v T) {
	if len(q.buf) == cap(q.buf) && q.head > len(q.buf)/2 {
		n := copy(q.buf, q.buf[q.head:])
		clear(q.buf[n:])
		q.buf, q.head = q.buf[:n], 0
	}
	q.buf = append(q.buf, v)
}

func (q *queue[T]) pop() T {
	var none T
	v := q.buf[q.head]
	q.buf[q.head] = none
	if q.head++; q.head == len(q.buf) {
		q.buf, q.head = q.buf[:0], 0
	}
	return v
}

// cut keeps the first n.
func (q *queue[T]) cut(n int) {
	clear(q.buf[q.head+n:])
	if q.buf = q.buf[:q.head+n]; n == 0 {
		q.buf, q.head = q.buf[:0], 0
	}
}
