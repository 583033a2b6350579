package tree_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// grow makes n znodes of 12-byte names and 128 bytes of data, 1000 to a parent, by Apply.
func grow(tr *tree.Tree, n int) {
	data := make([]byte, 128)
	parent, raw := "", int32(0)
	c := &txn.Create{Type: txn.TypeCreate, Data: data, ACL: openList}
	x := &txn.Txn{Body: c}
	var ch []txn.Change
	for i := range n {
		x.Header = header(tr, txn.TypeCreate)
		if i%1000 == 0 {
			raw = 0
			parent = fmt.Sprintf("/parent-%05d", i/1000)
			c.Path, c.ParentCVersion = parent, int32(i/1000+1)
		} else {
			raw++
			c.Path, c.ParentCVersion = fmt.Sprintf("%s/member-%05d", parent, i%1000), raw
		}
		_, ch = tr.Apply(x, ch[:0])
	}
}

// One million znodes: bytes of heap for each, and how long the collector takes to mark them.
func BenchmarkMillion(b *testing.B) {
	const n = 1_000_000
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		tr := tree.New(tree.Options{Seed: 1})
		grow(tr, n)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/znode")
		runtime.KeepAlive(tr)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/znode")
}

func BenchmarkCollect(b *testing.B) {
	tr := tree.New(tree.Options{Seed: 1})
	grow(tr, 1_000_000)
	runtime.GC()
	b.ResetTimer()
	for b.Loop() {
		runtime.GC()
	}
	runtime.KeepAlive(tr)
}

func BenchmarkInsert(b *testing.B) {
	tr := tree.New(tree.Options{Seed: 1})
	c := &txn.Create{Type: txn.TypeCreate, Data: make([]byte, 128), ACL: openList}
	x := &txn.Txn{Body: c}
	var ch []txn.Change
	b.ReportAllocs()
	for b.Loop() {
		x.Header = header(tr, txn.TypeCreate)
		c.ParentCVersion = int32(x.Zxid)
		c.Path = fmt.Sprintf("/n-%010d", x.Zxid)
		_, ch = tr.Apply(x, ch[:0])
	}
}

func BenchmarkFind(b *testing.B) {
	const n = 1_000_000
	tr := tree.New(tree.Options{Seed: 1})
	grow(tr, n)
	paths := make([]string, 4096)
	for i := range paths {
		k := i * 2654435761 % n
		if k%1000 == 0 {
			k++
		}
		paths[i] = fmt.Sprintf("/parent-%05d/member-%05d", k/1000, k%1000)
	}
	b.ReportAllocs()
	b.ResetTimer()
	i := 0
	for b.Loop() {
		if tr.Find(paths[i&4095]) == 0 {
			b.Fatal(paths[i&4095])
		}
		i++
	}
}

func BenchmarkSet(b *testing.B) {
	for _, frozen := range []bool{false, true} {
		b.Run(fmt.Sprintf("frozen=%v", frozen), func(b *testing.B) {
			const n = 100_000
			tr := tree.New(tree.Options{Seed: 1})
			grow(tr, n)
			if frozen {
				tr.Freeze()
			}
			s := &txn.SetData{Data: make([]byte, 128)}
			x := &txn.Txn{Body: s}
			var ch []txn.Change
			paths := make([]string, 0, n)
			for k := range n {
				if k%1000 != 0 {
					paths = append(paths, fmt.Sprintf("/parent-%05d/member-%05d", k/1000, k%1000))
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; b.Loop(); i++ {
				x.Header = header(tr, txn.TypeSetData)
				s.Path = paths[i*7919%len(paths)]
				s.Version++
				_, ch = tr.Apply(x, ch[:0])
			}
		})
	}
}

// A whole view of a million znodes, in pieces of 1 MiB.
func BenchmarkView(b *testing.B) {
	const n = 1_000_000
	tr := tree.New(tree.Options{Seed: 1})
	grow(tr, n)
	b.ResetTimer()
	var buf []byte
	for b.Loop() {
		v := tr.Freeze()
		total := 0
		for more := true; more; {
			buf, more = v.Next(buf[:0], 1<<20)
			total += len(buf)
		}
		v.Close()
		b.SetBytes(int64(total))
	}
}

// What a znode needs to come back from a snapshot.
func BenchmarkLoad(b *testing.B) {
	const n = 1_000_000
	paths := make([]string, n)
	for i := range paths {
		if i%1000 == 0 {
			paths[i] = fmt.Sprintf("/parent-%05d", i/1000)
		} else {
			paths[i] = fmt.Sprintf("/parent-%05d/member-%05d", i/1000, i%1000)
		}
	}
	data := make([]byte, 128)
	b.ResetTimer()
	for b.Loop() {
		tr := tree.New(tree.Options{Seed: 1})
		tr.BeginLoad()
		tr.LoadNode("", nil, -1, tree.Meta{})
		for i := range paths {
			tr.LoadNode(paths[i], data, -1, tree.Meta{Czxid: zk.Zxid(i)})
		}
		tr.FinishLoad(n)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/znode")
}
