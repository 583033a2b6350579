package sim

import "container/heap"

// agenda is what is going to happen, by time, and in the order of its making where the time is the same.
type agenda struct {
	heap agendaHeap
	made uint64
}

type item struct {
	at   int64
	made uint64
	do   func()
}

func (a *agenda) add(at int64, do func()) {
	a.made++
	heap.Push(&a.heap, item{at, a.made, do})
}

func (a *agenda) next() (at int64, ok bool) {
	if len(a.heap) == 0 {
		return 0, false
	}
	return a.heap[0].at, true
}

func (a *agenda) pop() func() { return heap.Pop(&a.heap).(item).do }

type agendaHeap []item

func (h agendaHeap) Len() int { return len(h) }
func (h agendaHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].made < h[j].made
}
func (h agendaHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *agendaHeap) Push(x any)   { *h = append(*h, x.(item)) }
func (h *agendaHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = item{}
	*h = old[:len(old)-1]
	return x
}
