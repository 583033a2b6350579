package slab_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/zooid-io/zooid/internal/slab"
)

// A set of strings, built of the three.
func Example() {
	type record struct {
		ref slab.Ref
		len uint32
	}
	var (
		text    slab.Arena
		records slab.Pool[record]
		index   slab.Index
	)
	const seed = 42
	find := func(s string) uint32 {
		for h := index.First(slab.Hash(seed, 0, s)); h != 0; h = index.Next(h) {
			if r := records.At(h); string(text.Bytes(r.ref, int(r.len))) == s {
				return h
			}
		}
		return 0
	}
	add := func(s string) {
		h := records.New()
		*records.At(h) = record{text.PutString(s), uint32(len(s))}
		index.Insert(slab.Hash(seed, 0, s), h)
	}
	remove := func(h uint32) {
		index.Remove(h)
		r := records.At(h)
		text.Free(r.ref, int(r.len))
		records.Free(h)
	}
	add("hinge")
	add("latch")
	fmt.Println(find("hinge") != 0, find("latch") != 0, find("bolt") != 0)
	remove(find("hinge"))
	fmt.Println(find("hinge") != 0, find("latch") != 0, records.Len(), index.Len())
	// Output:
	// true true false
	// false true 1 1
}

// What a block of n bytes costs.
func TestSize(t *testing.T) {
	for _, c := range []struct{ n, size int }{
		{0, 0}, {1, 8}, {8, 8}, {9, 16}, {12, 16}, {128, 128}, {129, 136}, {256, 256}, {257, 320}, {320, 320}, {321, 384},
		{512, 512}, {513, 640}, {1024, 1024}, {1025, 1280}, {65535, 65536}, {65536, 65536}, {65537, 65537}, {1 << 20, 1 << 20},
	} {
		if got := slab.Size(c.n); got != c.size {
			t.Errorf("Size(%d) = %d, want %d", c.n, got, c.size)
		}
	}
	for n := 1; n <= 70000; n++ {
		if s := slab.Size(n); s < n || n >= 64 && s > n+n/4 || slab.Size(s) != s {
			t.Fatalf("Size(%d) = %d, of which Size is %d", n, s, slab.Size(s))
		}
	}
}

// Blocks of all lengths come and go, and each keeps its bytes as long as it lives.
func TestArenaKeepsBlocksApart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var a slab.Arena
	type block struct {
		ref  slab.Ref
		want []byte
	}
	var live []block
	length := func() int {
		switch r.IntN(20) {
		case 0:
			return 0
		case 1:
			return 60000 + r.IntN(20000)
		case 2, 3:
			return r.IntN(5000)
		}
		return 1 + r.IntN(300)
	}
	var used int64
	for step := range 20000 {
		if len(live) > 0 && (r.IntN(2) == 0 || len(live) > 500) {
			i := r.IntN(len(live))
			b := live[i]
			if got := a.Bytes(b.ref, len(b.want)); !bytes.Equal(got, b.want) {
				t.Fatalf("step %d: a block of %d bytes changed", step, len(b.want))
			}
			a.Free(b.ref, len(b.want))
			used -= int64(slab.Size(len(b.want)))
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
			continue
		}
		n := length()
		want := make([]byte, n)
		for i := range want {
			want[i] = byte(step + i)
		}
		live = append(live, block{a.Put(want), want})
		used += int64(slab.Size(n))
	}
	if err := a.Check(); err != nil {
		t.Fatal(err)
	}
	if a.Used() != used {
		t.Fatalf("Used is %d, the blocks take %d", a.Used(), used)
	}
	for _, b := range live {
		a.Free(b.ref, len(b.want))
	}
	if err := a.Check(); err != nil || a.Used() != 0 {
		t.Fatal(a.Used(), err)
	}
}

// Memory of large blocks serves small ones before a new chunk is made.
func TestArenaSplitsFreeBlocks(t *testing.T) {
	var a slab.Arena
	var refs []slab.Ref
	for range 100 {
		refs = append(refs, a.Alloc(40000))
	}
	held := a.Held()
	for _, r := range refs {
		a.Free(r, 40000)
	}
	for range 100 * 40000 / 128 {
		a.Alloc(128)
	}
	if a.Held() != held {
		t.Fatalf("%d bytes held, then %d", held, a.Held())
	}
	if err := a.Check(); err != nil {
		t.Fatal(err)
	}
}

func TestPoolGivesHandlesAgain(t *testing.T) {
	var p slab.Pool[[3]uint64]
	const n = 20000
	for i := range uint32(n) {
		h := p.New()
		if h != i+1 {
			t.Fatalf("handle %d, want %d", h, i+1)
		}
		p.At(h)[0] = uint64(h)
	}
	for h := uint32(1); h <= n; h += 2 {
		p.Free(h)
	}
	if p.Len() != n/2 || p.Slots() != n+1 {
		t.Fatal(p.Len(), p.Slots())
	}
	for range n / 2 {
		h := p.New()
		if h > n || h%2 == 0 || p.At(h)[0] != 0 {
			t.Fatalf("handle %d holds %v", h, *p.At(h))
		}
		p.At(h)[0] = uint64(h)
	}
	for h := uint32(1); h <= n; h++ {
		if p.At(h)[0] != uint64(h) {
			t.Fatalf("record %d holds %d", h, p.At(h)[0])
		}
	}
	if h := p.New(); h != n+1 {
		t.Fatal(h)
	}
}

// The index against a map of sets, with few distinct hashes so that chains are long, and with many.
func TestIndexAgainstMap(t *testing.T) {
	for _, hashes := range []uint32{3, 100, 1 << 31} {
		r := rand.New(rand.NewPCG(uint64(hashes), 0))
		var x slab.Index
		var p slab.Pool[uint32] // each handle's hash
		model := map[uint32]map[uint32]bool{}
		var live []uint32
		for range 30000 {
			if len(live) > 0 && r.IntN(3) == 0 {
				i := r.IntN(len(live))
				h := live[i]
				live[i] = live[len(live)-1]
				live = live[:len(live)-1]
				delete(model[*p.At(h)], h)
				x.Remove(h)
				p.Free(h)
				continue
			}
			if len(live) > 2000 && hashes < 1000 {
				continue
			}
			h, hash := p.New(), r.Uint32N(hashes)
			*p.At(h) = hash
			x.Insert(hash, h)
			if model[hash] == nil {
				model[hash] = map[uint32]bool{}
			}
			model[hash][h] = true
			live = append(live, h)
		}
		if err := x.Check(); err != nil {
			t.Fatal(err)
		}
		if x.Len() != len(live) {
			t.Fatal(x.Len(), len(live))
		}
		for hash, want := range model {
			n := 0
			for h := x.First(hash); h != 0; h = x.Next(h) {
				if !want[h] {
					t.Fatalf("handle %d is not of hash %d", h, hash)
				}
				n++
			}
			if n != len(want) {
				t.Fatalf("%d handles of hash %d, want %d", n, hash, len(want))
			}
		}
	}
}

// Each part of the key moves the hash, and the low bits, which choose the bucket, are even.
func TestHash(t *testing.T) {
	if a := slab.Hash(1, 1, "name"); a == slab.Hash(2, 1, "name") || a == slab.Hash(1, 2, "name") || a == slab.Hash(1, 1, "nama") || a != slab.Hash(1, 1, "name") {
		t.Fatal("a part of the key does not count")
	}
	const buckets, n = 1 << 12, 1 << 16
	for _, form := range []string{"%d", "n-%010d", "a-much-longer-name-with-a-tail-%d"} {
		var count [buckets]int
		for i := range n {
			count[slab.Hash(7, 3, fmt.Sprintf(form, i))%buckets]++
		}
		chi := 0.0
		for _, c := range count {
			d := float64(c) - n/buckets
			chi += d * d / (n / buckets)
		}
		if chi > buckets+6*91 { // six sigma: the deviation of chi squared with 4095 degrees is 90.5
			t.Errorf("%q: chi squared is %.0f for %d buckets", form, chi, buckets)
		}
	}
}

func TestAllocatesByChunkOnly(t *testing.T) {
	var a slab.Arena
	a.Alloc(100)
	if n := testing.AllocsPerRun(1000, func() { a.Free(a.Alloc(100), 100); slab.Hash(1, 2, "some name") }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkIndexInsert(b *testing.B) {
	var x slab.Index
	h := uint32(0)
	for b.Loop() {
		h++
		x.Insert(h*2654435761, h)
	}
}

func BenchmarkHash12(b *testing.B) {
	for b.Loop() {
		slab.Hash(1, 2, "member-00012")
	}
}

// Whoever is to be told of large blocks is told of each before anything is in it, and of none while a structure is small.
func TestLargeBlocksAreTold(t *testing.T) {
	var told, dirty int
	advise := func(block []byte) {
		told += len(block)
		if len(bytes.Trim(block, "\x00")) > 0 {
			dirty++
		}
	}
	arena := slab.Arena{Advise: advise}
	pool := slab.Pool[[64]byte]{Advise: advise}
	index := slab.Index{Advise: advise}
	text := bytes.Repeat([]byte("x"), 64)
	refs := map[uint32]slab.Ref{}
	fill := func(n int) {
		for range n {
			h := pool.New()
			copy(pool.At(h)[:], text)
			refs[h] = arena.Put(text)
			index.Insert(h, h)
		}
	}
	fill(10_000)
	if told > 0 {
		t.Errorf("%d bytes are in large blocks while there are %d records", told, len(refs))
	}
	fill(1_000_000)
	if least := 3 << 20 / 4 * 64; told < 2*least || dirty > 0 {
		t.Errorf("%d bytes are in large blocks; %d of them had something in them before they were told of", told, dirty)
	}
	if err := errors.Join(arena.Check(), index.Check()); err != nil {
		t.Error(err)
	}
	for h, ref := range refs {
		if string(pool.At(h)[:]) != string(text) || string(arena.Bytes(ref, 64)) != string(text) || index.First(h) != h {
			t.Fatalf("record %d is not what was put there", h)
		}
	}
	for h, ref := range refs {
		index.Remove(h)
		arena.Free(ref, 64)
		pool.Free(h)
	}
	if err := errors.Join(arena.Check(), index.Check()); err != nil || pool.Len() != 0 {
		t.Error(pool.Len(), err)
	}
}
