package slab

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Hash is a hash of s, of the number n that goes with it, and of a seed. Who does not know the seed cannot choose strings
// that collide; give each process its own. Values are not stable between releases: keep none on disk.
//
// It folds 128-bit products, as wyhash does, 16 bytes in each step.
func Hash(seed uint64, n uint32, s string) uint32 {
	const k0, k1, k2 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3
	h := fold(seed^k0, uint64(n)^uint64(len(s))<<32^k1)
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // read only, and not kept
	for len(b) > 16 {
		h = fold(binary.LittleEndian.Uint64(b)^k1^seed, binary.LittleEndian.Uint64(b[8:])^h)
		b = b[16:]
	}
	var x, y uint64
	switch n := len(b); {
	case n >= 8:
		x, y = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		x, y = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		x = uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16
	}
	h = fold(x^k2^seed, y^h)
	return uint32(fold(h^k1, seed^k2))
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
