package slab

import "unsafe"

// Advice is told of each large block of memory before anything is in it, on the goroutine that needs it. A driver may ask its operating
// system for huge pages there: what is looked for all over a million records costs fewer misses then, and what is filled for the first
// time fewer faults.
type Advice func(block []byte)

const (
	// advised is from how many bytes on a structure takes its memory in large blocks: below, there would be more of it unused than used.
	advised = 4 << 20
	// blockSize is what a large block has, about: two huge pages of the usual size lie in it wherever it begins, or nearly.
	blockSize = 4 << 20
)

// pieces makes one piece of n records, or, where there are many already and somebody is there to be told, as many as a large block has.
func pieces[T any](n, have int, advise Advice) [][]T {
	size := n * int(unsafe.Sizeof(*new(T)))
	if advise == nil || have*size < advised {
		return [][]T{make([]T, n)}
	}
	list := make([][]T, max(blockSize/size, 1))
	block := make([]T, n*len(list))
	advise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(block))), size*len(list)))
	for i := range list {
		list[i] = block[i*n : (i+1)*n : (i+1)*n]
	}
	return list
}
