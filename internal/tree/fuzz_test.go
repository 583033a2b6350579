package tree

import (
	"strconv"
	"testing"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// Any sequence of records that can be read can be replayed and applied: no panic, and the tree stays sound.
func FuzzReplay(f *testing.F) {
	open := zk.WorldACL(zk.PermAll)
	add := func(bodies ...txn.Sub) {
		var b []byte
		for i, s := range bodies {
			x := txn.Txn{Header: txn.Header{Session: 1, Zxid: zk.Zxid(i + 1), Type: s.Type}, Body: s.Body}
			b = jute.AppendBuffer(b, x.Append(nil))
		}
		f.Add(b)
	}
	sub := func(typ txn.Type, b txn.Body) txn.Sub { return txn.Sub{Type: typ, Body: b} }
	cr := func(p string) txn.Sub { return sub(txn.TypeCreate, txn.NewCreate(p, []byte("d"), open, -1)) }
	add(cr("/a"), cr("/a/b"), sub(txn.TypeDelete, &txn.Delete{Path: "/a"}), cr("/a"))
	add(cr("/zookeeper/quota/a"), cr("/zookeeper/quota/a/zookeeper_limits"), cr("/zookeeper/quota/a/zookeeper_stats"), cr("/a"), sub(txn.TypeDelete, &txn.Delete{Path: "/zookeeper"}))
	add(sub(txn.TypeMulti, &txn.Multi{Subs: []txn.Sub{cr("/m"), sub(txn.TypeSetACL, &txn.SetACL{Path: "/m"})}}),
		sub(txn.TypeCreateTTL, &txn.Create{Type: txn.TypeCreateTTL, Path: "/t", TTL: -1}), sub(txn.TypeCloseSession, &txn.CloseSession{HasPaths: true, Paths: []string{"/m", ""}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		replayed, applied := New(Options{ExtendedTypes: true}), New(Options{ExtendedTypes: true})
		d := jute.NewDecoder(b)
		v := replayed.Freeze()
		for d.Left() > 0 && d.Err() == nil {
			x, err := txn.Decode(d.Buffer())
			if err != nil {
				continue
			}
			replayed.Replay(x)
			x.Zxid = applied.LastZxid() + 1
			applied.Apply(x, nil)
		}
		for _, tr := range []*Tree{replayed, applied} {
			if err := tr.Check(); err != nil {
				t.Fatal(err)
			}
		}
		for more := true; more; {
			_, more = v.Next(nil, 100)
		}
	})
}

// A million bytes of keys are read in a moment, and the last of equal ones counts.
func TestQuotaOfManyKeys(t *testing.T) {
	var b []byte
	for _, value := range []byte("12") {
		for i := range 60_000 {
			b = append(strconv.AppendInt(b, int64(i), 36), '=', value, ',')
		}
	}
	pairs, err := parseQuota(append(b, "count=7,bytes=8,count=9"...))
	if err != nil || len(pairs) != 60_002 || pairs.get("count") != 9 || pairs.get("bytes") != 8 {
		t.Fatalf("%d keys, count %d, bytes %d, %v", len(pairs), pairs.get("count"), pairs.get("bytes"), err)
	}
	for _, q := range pairs {
		if q.key != "count" && q.key != "bytes" && q.value != 2 {
			t.Fatalf("%s is %d", q.key, q.value)
		}
	}
}

// What can be read is written in the canonical form, and that reads the same.
func FuzzQuota(f *testing.F) {
	for _, s := range []string{"count=1,bytes=2", "count=10,bytes=1000=;byteHardLimit=2000;countHardLimit=20", "a==1;;b=2,", "=4", "x=+7", ",", "count=-1,count=2"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		pairs, err := parseQuota(b)
		if err != nil {
			return
		}
		text := pairs.text()
		again, err := parseQuota(text)
		if err != nil {
			t.Fatalf("%q was written as %q, which is not read: %v", b, text, err)
		}
		if again.numbers() != pairs.numbers() || string(again.text()) != string(text) {
			t.Fatalf("%q was written as %q, which reads as %q", b, text, again.text())
		}
	})
}
