package tree_test

import (
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// entry is one znode of a snapshot.
type entry struct {
	path string
	data []byte
	key  int64
	meta tree.Meta
}

func decodeEntries(t *testing.T, b []byte) []entry {
	t.Helper()
	var v []entry
	d := jute.NewDecoder(b)
	for d.Left() > 0 && d.Err() == nil {
		e := entry{path: d.String(), data: d.Buffer(), key: d.Long()}
		e.meta = tree.Meta{Czxid: zk.Zxid(d.Long()), Mzxid: zk.Zxid(d.Long()), Ctime: d.Long(), Mtime: d.Long(),
			Version: d.Int(), CVersion: d.Int(), AVersion: d.Int(), Owner: d.Long(), Pzxid: zk.Zxid(d.Long())}
		v = append(v, e)
	}
	if d.Err() != nil {
		t.Fatal(d.Err())
	}
	return v
}

// load makes a tree of a view's lists and bytes.
func load(t *testing.T, v *tree.View, b []byte, o tree.Options) *tree.Tree {
	t.Helper()
	tr := tree.New(o)
	tr.BeginLoad()
	for _, a := range v.ACLs() {
		tr.LoadACL(a.Key, a.ACL)
	}
	for _, e := range decodeEntries(t, b) {
		if err := tr.LoadNode(e.path, e.data, e.key, e.meta); err != nil {
			t.Fatal(err)
		}
	}
	tr.FinishLoad(v.Zxid())
	return tr
}

// Txns and pieces of a view in any order: the view is the tree as it was at Freeze, and loads as such.
func TestViewIsTheMomentOfFreeze(t *testing.T) {
	for seed := range uint64(40) {
		a := newAuthor(100 + seed)
		o := tree.Options{Seed: seed, ExtendedTypes: true}
		tr := tree.New(o)
		step := func() { tr.Apply(a.next(), nil) }
		for range 1 + a.r.IntN(300) {
			step()
		}
		for round := range 3 {
			want, digest, zxid := maps.Clone(a.m), tr.Digest(), tr.LastZxid()
			v := tr.Freeze()
			other := tr.Freeze() // read to its end at another pace
			var b, otherBytes []byte
			busy := a.r.IntN(20)
			for more := true; more; {
				for range a.r.IntN(busy + 1) {
					step()
				}
				if a.r.IntN(3) == 0 {
					otherBytes, _ = other.Next(otherBytes, 1+a.r.IntN(900))
				}
				size := len(b)
				if b, more = v.Next(b, 1+a.r.IntN(400)); more && len(b) == size {
					t.Fatal("more, but nothing came")
				}
			}
			if v.Count() != len(want) || v.Digest() != digest || v.Zxid() != zxid {
				t.Fatalf("view says %d znodes, digest %d, zxid %v", v.Count(), v.Digest(), v.Zxid())
			}
			lists := map[int64][]zk.ACL{-1: openList}
			last := int64(0)
			for _, l := range v.ACLs() {
				if l.Key <= last {
					t.Fatalf("key %d after %d", l.Key, last)
				}
				last = l.Key
				lists[l.Key] = l.ACL
			}
			got := model{}
			for _, e := range decodeEntries(t, b) {
				if _, twice := got[e.path]; twice {
					t.Fatalf("%s came twice", e.path)
				}
				if e.path != "" {
					if _, ok := got[parentOf(e.path)]; !ok {
						t.Fatalf("%s came before its parent", e.path)
					}
				}
				got[e.path] = mnode{e.meta, string(e.data), e.data == nil, lists[e.key]}
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d round %d: the view is not the tree at Freeze\ngot  %v\nwant %v", seed, round, got, want)
			}
			want.recounted().same(t, load(t, v, b, o))
			for more := true; more; {
				otherBytes, more = other.Next(otherBytes, 1+a.r.IntN(900))
			}
			want.recounted().same(t, load(t, other, otherBytes, o))
			other.Close()
			if b, more := v.Next(nil, 1); len(b) != 0 || more {
				t.Fatal("an entry after the end")
			}
			v.Close()
		}
		a.m.same(t, tr)
	}
}

// A view that is closed early is gone, and the others are not.
func TestViewClosedEarly(t *testing.T) {
	a := newAuthor(7)
	tr := tree.New(tree.Options{ExtendedTypes: true})
	for range 50 {
		tr.Apply(a.next(), nil)
	}
	v := tr.Freeze()
	v.Next(nil, 1)
	v.Close()
	if b, more := v.Next(nil, 1); len(b) != 0 || more {
		t.Fatal("a closed view goes on")
	}
	w := tr.Freeze()
	v.Close() // again: no harm
	if b, more := w.Next(nil, 1); len(b) == 0 || !more {
		t.Fatal("closing one view twice closed another")
	}
	w.Close()
}

// What changes while nobody calls Next waits, and comes first; a piece is about as long as asked for.
func TestViewPieces(t *testing.T) {
	tr := tree.New(tree.Options{})
	for i := range 5000 {
		tr.Apply(create(tr, fmt.Sprintf("/n%04d", i), string(make([]byte, 100))), nil)
	}
	v := tr.Freeze()
	for i := range 5000 {
		tr.Apply(&txn.Txn{Header: header(tr, txn.TypeSetData), Body: &txn.SetData{Path: fmt.Sprintf("/n%04d", i), Data: []byte("new"), Version: 1}}, nil)
	}
	var b []byte
	for more := true; more; {
		size := len(b)
		b, more = v.Next(b, 10000)
		if n := len(b) - size; n > 10000+64<<10+1000 {
			t.Fatalf("asked for about 10000 bytes, got %d", n)
		}
	}
	v.Close()
	for _, e := range decodeEntries(t, b) {
		if len(e.path) == 6 && len(e.data) != 100 {
			t.Fatalf("%s has the data of after Freeze", e.path)
		}
	}
}
