package tree_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// The session of section 9 of the storage reference: nine txns that Apache 3.8.0 logged, with the digest that it wrote
// behind each. The two times that the printed bytes leave out (txns 3 and 8) are the only ones within the session that give
// the digests.
const goldenSession = zk.SessionID(0x0100000ab53e0000)

var goldenLog = []struct {
	typ    txn.Type
	ms     int64 // after 0x1a202bf0000
	body   txn.Body
	digest int64
}{
	{txn.TypeCreateSession, 0x519c, &txn.CreateSession{TimeOut: 30000}, 1371985504},
	{txn.TypeCreate, 0x51db, txn.NewCreate("/a", []byte("hi"), zk.WorldACL(zk.PermAll), 1), 4380249431},
	{txn.TypeCreate, 0x51ef, txn.NewCreate("/a/s-0000000000", []byte("x"), zk.WorldACL(zk.PermAll), 1), 7467845296},
	{txn.TypeSetData, 0x51fa, &txn.SetData{Path: "/a", Data: []byte("yo"), Version: 1}, 6821819613},
	{txn.TypeDelete, 0x5200, &txn.Delete{Path: "/a/s-0000000000"}, 3342045006},
	{txn.TypeSetACL, 0x5209, &txn.SetACL{Path: "/a", ACL: []zk.ACL{{Perms: zk.PermAll, ID: zk.ID{Scheme: "ip", ID: "127.0.0.1"}}}, AVersion: 1}, 2984027025},
	{txn.TypeCreateContainer, 0x5212, &txn.Create{Type: txn.TypeCreateContainer, Path: "/c", ACL: zk.WorldACL(zk.PermAll), ParentCVersion: 2}, 6666913944},
	{txn.TypeCreate, 0x5222, &txn.Create{Type: txn.TypeCreate, Path: "/e", Data: []byte("eph"), ACL: zk.WorldACL(zk.PermAll), Ephemeral: true, ParentCVersion: 3}, 7236166317},
	{txn.TypeCloseSession, 0x5230, &txn.CloseSession{HasPaths: true, Paths: []string{"/e"}}, 9167901347},
}

func goldenTxns() []*txn.Txn {
	var txns []*txn.Txn
	for i, g := range goldenLog {
		txns = append(txns, &txn.Txn{
			Header: txn.Header{Session: goldenSession, Zxid: zk.Zxid(i + 1), Time: 0x1a202bf0000 + g.ms, Type: g.typ},
			Body:   g.body, HasDigest: true, Digest: g.digest,
		})
	}
	return txns
}

func TestApachesDigests(t *testing.T) {
	for _, way := range []string{"apply", "replay"} {
		tr := tree.New(tree.Options{Seed: 1})
		for _, x := range goldenTxns() {
			if way == "apply" {
				if res, _ := tr.Apply(x, nil); res.Type != x.Type || res.Code != zk.OK {
					t.Fatalf("%s %v: %+v", way, x.Zxid, res)
				}
			} else {
				tr.Replay(x)
			}
			if tr.Digest() != x.Digest {
				t.Fatalf("%s: after %v the digest is %d, Apache's is %d", way, x.Zxid, tr.Digest(), x.Digest)
			}
		}
		if tr.DigestMismatches() != 0 || tr.LastZxid() != 9 {
			t.Fatal(tr.DigestMismatches(), tr.LastZxid())
		}
		if err := tr.Check(); err != nil {
			t.Fatal(err)
		}
	}
}

// A digest that is not met is counted, and the first is kept: a foreign log may be wrong.
func TestDigestMismatch(t *testing.T) {
	tr := tree.New(tree.Options{})
	for _, x := range goldenTxns() {
		if x.Zxid == 4 || x.Zxid == 6 {
			x.Digest++
		}
		tr.Apply(x, nil)
	}
	m, ok := tr.FirstDigestMismatch()
	if tr.DigestMismatches() != 2 || !ok || m != (tree.Mismatch{Zxid: 4, Want: 6821819614, Got: 6821819613}) {
		t.Fatalf("%d, %+v", tr.DigestMismatches(), m)
	}
}

func TestNoDigest(t *testing.T) {
	tr := tree.New(tree.Options{NoDigest: true})
	for _, x := range goldenTxns() {
		tr.Apply(x, nil)
	}
	if tr.Digest() != 0 || tr.DigestMismatches() != 0 {
		t.Fatal(tr.Digest(), tr.DigestMismatches())
	}
}

// The entries of Apache's snapshot.9 as far as its bytes are printed: the root and /a.
func TestApachesSnapshotEntries(t *testing.T) {
	tr := tree.New(tree.Options{})
	for _, x := range goldenTxns() {
		tr.Apply(x, nil)
	}
	v := tr.Freeze()
	b, more := v.Next(nil, 1<<20)
	if more || v.Count() != 6 || v.Zxid() != 9 || v.Digest() != 9167901347 {
		t.Fatal(more, v.Count(), v.Zxid(), v.Digest())
	}
	for _, want := range []string{
		"00000000" + "00000000" + "ffffffffffffffff" +
			"0000000000000000" + "0000000000000000" + "0000000000000000" + "0000000000000000" +
			"00000000" + "00000003" + "00000000" + "0000000000000000" + "0000000000000009",
		"000000022f61" + "00000002796f" + "0000000000000002" + // Apache's key is 3: it gave one to the open list, and we do not
			"0000000000000002" + "0000000000000004" + "000001a202bf51db" + "000001a202bf51fa" +
			"00000001" + "00000001" + "00000001" + "0000000000000000" + "0000000000000005",
		"000000022f63" + "ffffffff" + "ffffffffffffffff" +
			"0000000000000007" + "0000000000000007" + "000001a202bf5212" + "000001a202bf5212" +
			"00000000" + "00000000" + "00000000" + "8000000000000000" + "0000000000000007",
	} {
		w, err := hex.DecodeString(want)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, w) {
			t.Errorf("no entry %s in\n%x", want, b)
		}
	}
}
