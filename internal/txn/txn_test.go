package txn_test

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// One record of a log that Apache 3.8.0 wrote: createSession, timeout 30000, digest of the fresh tree.
func TestApachesBytes(t *testing.T) {
	want, _ := hex.DecodeString("0100000ab53e0000" + "00000000" + "0000000000000001" + "000001a202bf519c" + "fffffff6" + "00007530" + "00000002" + "0000000051c6d660")
	x, err := txn.Decode(want)
	if err != nil {
		t.Fatal(err)
	}
	if x.Session != 0x0100000ab53e0000 || x.Zxid != 1 || x.Body.(*txn.CreateSession).TimeOut != 30000 || !x.HasDigest || x.Digest != 1371985504 {
		t.Fatalf("%+v", x)
	}
	if got := x.Append(nil); !bytes.Equal(got, want) {
		t.Fatalf("written again: %x", got)
	}
}

func all() []*txn.Txn {
	acl := zk.WorldACL(zk.PermAll)
	h := func(t txn.Type) txn.Header { return txn.Header{Session: 7, Cxid: 8, Zxid: 9, Time: 10, Type: t} }
	c := func(t txn.Type) *txn.Create {
		c := &txn.Create{Type: t, Path: "/a", Data: []byte("x"), ACL: acl, ParentCVersion: 3}
		if t == txn.TypeCreateTTL {
			c.TTL = 1000
		}
		return c
	}
	multi := &txn.Multi{Subs: []txn.Sub{
		{Type: txn.TypeCreate, Body: c(txn.TypeCreate)}, {Type: txn.TypeCreateTTL, Body: c(txn.TypeCreateTTL)},
		{Type: txn.TypeDelete, Body: &txn.Delete{Path: "/b"}}, {Type: txn.TypeSetData, Body: &txn.SetData{Path: "/a", Version: 2}},
		{Type: txn.TypeCheck, Body: &txn.Check{Path: "/a", Version: 1}}, {Type: txn.TypeError, Body: &txn.Error{Code: zk.NoNode}},
	}}
	return []*txn.Txn{
		{Header: h(txn.TypeCreate), Body: c(txn.TypeCreate), HasDigest: true, Digest: 5},
		{Header: h(txn.TypeCreate2), Body: c(txn.TypeCreate2)},
		{Header: h(txn.TypeCreateContainer), Body: c(txn.TypeCreateContainer)},
		{Header: h(txn.TypeCreateTTL), Body: c(txn.TypeCreateTTL), HasDigest: true},
		{Header: h(txn.TypeDelete), Body: &txn.Delete{Path: "/a"}},
		{Header: h(txn.TypeSetData), Body: &txn.SetData{Path: "/a", Data: []byte{}, Version: 1}},
		{Header: h(txn.TypeSetACL), Body: &txn.SetACL{Path: "/a", ACL: acl, AVersion: 1}},
		{Header: h(txn.TypeError), Body: &txn.Error{Code: zk.NodeExists}},
		{Header: h(txn.TypeCloseSession), Body: &txn.CloseSession{HasPaths: true, Paths: []string{"/e"}}, HasDigest: true},
		{Header: h(txn.TypeCloseSession), Body: &txn.CloseSession{}},
		{Header: h(txn.TypeCloseSession), Body: &txn.CloseSession{}, HasDigest: true, Digest: 7},
		{Header: h(txn.TypeMulti), Body: multi},
	}
}

func TestRoundTrip(t *testing.T) {
	for _, x := range all() {
		got, err := txn.Decode(x.Append(nil))
		if err != nil || !reflect.DeepEqual(got, x) {
			t.Errorf("%+v came back as %+v, %v", x, got, err)
		}
	}
}

// CreateTxnV0, of logs before 3.4, ends behind the ephemeral flag.
func TestCreateWithoutParentVersion(t *testing.T) {
	x := all()[1]
	x.Type, x.Body.(*txn.Create).Type = txn.TypeCreate, txn.TypeCreate
	b := x.Append(nil)
	got, err := txn.Decode(b[:len(b)-4])
	if err != nil || got.Body.(*txn.Create).ParentCVersion != -1 {
		t.Fatal(got, err)
	}
}

// An id of an ACL may hold a character above U+FFFF. It is two surrogates in the log (client-protocol.md 1.4), which Apache reads
// as two U+FFFD: after a restart, or on a follower, the znode would be another user's.
func TestSurrogatePairs(t *testing.T) {
	x := all()[1]
	x.Body = &txn.SetACL{Path: "/a", ACL: []zk.ACL{{Perms: zk.PermAll, ID: zk.ID{Scheme: "digest", ID: "\U0001F600:x"}}}}
	x.Type = txn.TypeSetACL
	multi := &txn.Txn{Header: x.Header, Body: &txn.Multi{Subs: []txn.Sub{{Type: x.Type, Body: x.Body}}}}
	multi.Type = txn.TypeMulti
	for _, x := range []*txn.Txn{x, multi} {
		got, err := txn.Decode(x.Append(nil))
		if err != nil || !reflect.DeepEqual(got, x) {
			t.Errorf("%+v came back as %+v, %v", x, got, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, x := range all() {
		f.Add(x.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := txn.Decode(b)
		if err != nil {
			return
		}
		w := x.Append(nil)
		y, err := txn.Decode(w)
		if err != nil {
			t.Fatalf("%x was read, written as %x, and not read again: %v", b, w, err)
		}
		if !bytes.Equal(y.Append(nil), w) {
			t.Fatal("not stable")
		}
	})
}
