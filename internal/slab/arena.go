package slab

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Ref names a block of an Arena. 0 is none: the block of length 0.
type Ref uint32

const (
	unit       = 8       // bytes that one step of a Ref is worth
	chunkSize  = 1 << 20 // bytes
	chunkUnits = chunkSize / unit
	maxSmall   = 64 << 10 // bytes; longer blocks are on their own
	largeBit   = Ref(1) << 31

	// Classes: every multiple of 8 up to 256 (so a 12-byte name costs 16), then four to each doubling up to 64 KiB (so at
	// most a fifth is lost).
	fineMax   = 256
	fineCount = fineMax / unit
	classes   = fineCount + 4*8
)

// Arena keeps byte blocks of any length. The zero value is empty and ready. It can address 16 GiB in blocks of up to 64 KiB,
// and 2^31 longer ones.
//
// A freed block goes to the free list of its size class, chained through its first four bytes. When a class has none, the
// arena takes fresh memory from the newest chunk; when that is used up, it splits a larger free block; only then it makes a
// new chunk. Free neighbours are not joined.
type Arena struct {
	Advise Advice // may be nil; not to be changed later

	chunks    [][]byte
	begun     int // chunks that something is in, or was; the others are still untouched
	next      Ref // first unused unit of the last chunk begun
	left      int // unused bytes of the last chunk begun
	free      [classes]Ref
	some      [2]uint64 // bit c: free[c] has a block
	large     [][]byte
	largeFree []uint32
	used      int64
	held      int64
}

// class is the size class of a block of n bytes, 0 < n <= maxSmall.
func class(n int) int {
	if n <= fineMax {
		return (n - 1) / unit
	}
	// n-1 lies in [2^k, 2^(k+1)), k >= 8; its next two bits choose the quarter.
	k := bits.Len(uint(n-1)) - 1
	return fineCount + (k-8)*4 + ((n-1)>>(k-2))&3
}

// classSize is the number of bytes a block of class c takes.
func classSize(c int) int {
	if c < fineCount {
		return (c + 1) * unit
	}
	c -= fineCount
	k := c/4 + 8
	return 1<<k + (c%4+1)<<(k-2)
}

// Size is the number of bytes that a block of n bytes takes.
func Size(n int) int {
	switch {
	case n <= 0:
		return 0
	case n > maxSmall:
		return n
	}
	return classSize(class(n))
}

// Put copies b into a new block.
func (a *Arena) Put(b []byte) Ref {
	r := a.Alloc(len(b))
	copy(a.Bytes(r, len(b)), b)
	return r
}

// PutString copies s into a new block.
func (a *Arena) PutString(s string) Ref {
	r := a.Alloc(len(s))
	copy(a.Bytes(r, len(s)), s)
	return r
}

// Alloc makes a block of n bytes with whatever was in that memory before. The block of 0 bytes is Ref 0 and costs nothing.
func (a *Arena) Alloc(n int) Ref {
	if n <= 0 {
		return 0
	}
	if n > maxSmall {
		return a.allocLarge(n)
	}
	c := class(n)
	size := classSize(c)
	a.used += int64(size)
	if r := a.free[c]; r != 0 {
		a.pop(c)
		return r
	}
	if a.left < size {
		if r := a.split(c); r != 0 {
			return r
		}
		a.grow()
	}
	r := a.next
	a.next += Ref(size / unit)
	a.left -= size
	return r
}

func (a *Arena) allocLarge(n int) Ref {
	a.used += int64(n)
	a.held += int64(n)
	b := make([]byte, n)
	if k := len(a.largeFree); k > 0 {
		i := a.largeFree[k-1]
		a.largeFree = a.largeFree[:k-1]
		a.large[i] = b
		return largeBit | Ref(i)
	}
	a.large = append(a.large, b)
	return largeBit | Ref(len(a.large)-1)
}

// grow starts a new chunk; what is left of the old one becomes free blocks.
func (a *Arena) grow() {
	a.cut(a.next, a.left)
	n := Ref(a.begun)
	if n >= Ref(largeBit)/chunkUnits {
		panic("slab: arena is full: 16 GiB in blocks of up to 64 KiB")
	}
	if a.begun == len(a.chunks) {
		a.chunks = append(a.chunks, pieces[byte](chunkSize, len(a.chunks), a.Advise)...)
	}
	a.begun++
	a.held += chunkSize
	a.next, a.left = n*chunkUnits, chunkSize
	if n == 0 { // Ref 0 is none
		a.next, a.left = 1, chunkSize-unit
	}
}

// split takes the smallest free block above class c and gives its first part, for class c, away.
func (a *Arena) split(c int) Ref {
	for w := (c + 1) / 64; w < len(a.some); w++ {
		m := a.some[w]
		if w == (c+1)/64 {
			m &= ^uint64(0) << ((c + 1) % 64)
		}
		if m == 0 {
			continue
		}
		big := w*64 + bits.TrailingZeros64(m)
		r := a.free[big]
		a.pop(big)
		size := classSize(c)
		a.cut(r+Ref(size/unit), classSize(big)-size)
		return r
	}
	return 0
}

// cut makes free blocks of n bytes, a multiple of unit, at r: the largest class that fits, then of what remains.
func (a *Arena) cut(r Ref, n int) {
	for n >= unit {
		c := classes - 1
		if n < maxSmall {
			c = class(n)
			if classSize(c) > n {
				c--
			}
		}
		a.push(c, r)
		r += Ref(classSize(c) / unit)
		n -= classSize(c)
	}
}

func (a *Arena) push(c int, r Ref) {
	binary.LittleEndian.PutUint32(a.Bytes(r, 4), uint32(a.free[c]))
	a.free[c] = r
	a.some[c/64] |= 1 << (c % 64)
}

func (a *Arena) pop(c int) {
	a.free[c] = Ref(binary.LittleEndian.Uint32(a.Bytes(a.free[c], 4)))
	if a.free[c] == 0 {
		a.some[c/64] &^= 1 << (c % 64)
	}
}

// Bytes is the block r of n bytes: not a copy, and not to be kept past Free. It is never nil.
func (a *Arena) Bytes(r Ref, n int) []byte {
	if r == 0 {
		return []byte{}
	}
	if r&largeBit != 0 {
		return a.large[r&^largeBit][:n:n]
	}
	at := int(r%chunkUnits) * unit
	return a.chunks[r/chunkUnits][at : at+n : at+n]
}

// Free ends the block r, which was made for n bytes.
func (a *Arena) Free(r Ref, n int) {
	if r == 0 {
		return
	}
	if r&largeBit != 0 {
		i := uint32(r &^ largeBit)
		a.used -= int64(len(a.large[i]))
		a.held -= int64(len(a.large[i]))
		a.large[i] = nil
		a.largeFree = append(a.largeFree, i)
		return
	}
	c := class(n)
	a.used -= int64(classSize(c))
	a.push(c, r)
}

// Used is the number of bytes in blocks that are not free, each with what its class rounds it up to: the sum of Size.
func (a *Arena) Used() int64 { return a.used }

// Held is the number of bytes that the arena has from the system.
func (a *Arena) Held() int64 { return a.held }

// Check walks the free lists and says where the bytes do not add up.
func (a *Arena) Check() error {
	var free int64
	for c := range a.free {
		for r := a.free[c]; r != 0; r = Ref(binary.LittleEndian.Uint32(a.Bytes(r, 4))) {
			free += int64(classSize(c))
			if free > a.held {
				return fmt.Errorf("slab: the free list of class %d does not end", c)
			}
		}
		if some := a.some[c/64]>>(c%64)&1 == 1; some != (a.free[c] != 0) {
			return fmt.Errorf("slab: class %d is marked wrongly", c)
		}
	}
	total := a.used + free + int64(a.left)
	if len(a.chunks) > 0 {
		total += unit // Ref 0
	}
	if total != a.held {
		return fmt.Errorf("slab: %d bytes used, %d free, %d untouched, but %d held", a.used, free, a.left, a.held)
	}
	return nil
}
