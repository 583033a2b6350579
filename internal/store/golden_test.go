package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// The session of section 9 of the storage reference, which an Apache 3.8.0 server wrote. The times that the printed bytes
// leave out are those that give its checksums.
const goldenSession = zk.SessionID(0x0100000ab53e0000)

const goldenTime = 0x1a202bf0000

var goldenLog = []struct {
	offset int64
	sum    uint32
	typ    txn.Type
	ms     int64 // after goldenTime
	body   txn.Body
	digest int64
}{
	{0x10, 0xb8730a38, txn.TypeCreateSession, 0x519c, &txn.CreateSession{TimeOut: 30000}, 1371985504},
	{0x4d, 0xb43f0a97, txn.TypeCreate, 0x51db, txn.NewCreate("/a", []byte("hi"), zk.WorldACL(zk.PermAll), 1), 4380249431},
	{0xb2, 0x7a430e22, txn.TypeCreate, 0x51ef, txn.NewCreate("/a/s-0000000000", []byte("x"), zk.WorldACL(zk.PermAll), 1), 7467845296},
	{0x123, 0xba4207fd, txn.TypeSetData, 0x51fa, &txn.SetData{Path: "/a", Data: []byte("yo"), Version: 1}, 6821819613},
	{0x16c, 0xec1708e5, txn.TypeDelete, 0, &txn.Delete{Path: "/a/s-0000000000"}, 3342045006},
	{0x1b8, 0x16e208dc, txn.TypeSetACL, 0, &txn.SetACL{Path: "/a", ACL: ipACL, AVersion: 1}, 2984027025},
	{0x216, 0x0f2a0de7, txn.TypeCreateContainer, 0x5212, &txn.Create{Type: txn.TypeCreateContainer, Path: "/c", ACL: zk.WorldACL(zk.PermAll), ParentCVersion: 2}, 6666913944},
	{0x278, 0xa79e0b6e, txn.TypeCreate, 0, &txn.Create{Type: txn.TypeCreate, Path: "/e", Data: []byte("eph"), ACL: zk.WorldACL(zk.PermAll), Ephemeral: true, ParentCVersion: 3}, 7236166317},
	{0x2de, 0xd66208c5, txn.TypeCloseSession, 0, &txn.CloseSession{HasPaths: true, Paths: []string{"/e"}}, 9167901347},
}

var ipACL = []zk.ACL{{Perms: zk.PermAll, ID: zk.ID{Scheme: "ip", ID: "127.0.0.1"}}}

const goldenEnd = 0x321

// goldenTxns is the log; a time that is not known is found by the checksum.
func goldenTxns(t testing.TB) []*txn.Txn {
	var txns []*txn.Txn
	for i, g := range goldenLog {
		x := &txn.Txn{
			Header: txn.Header{Session: goldenSession, Cxid: int32(i), Zxid: zk.Zxid(i + 1), Time: goldenTime + g.ms, Type: g.typ},
			Body:   g.body, HasDigest: true, Digest: g.digest,
		}
		if g.ms == 0 {
			for x.Time = goldenTime + 0x519c; sumOf(x) != g.sum && x.Time < goldenTime+0x10000; x.Time++ {
			}
		}
		if sumOf(x) != g.sum {
			t.Fatalf("txn %d: no time gives the checksum", i+1)
		}
		txns = append(txns, x)
	}
	return txns
}

func sumOf(x *txn.Txn) uint32 {
	b := appendRecord(nil, x.Append(nil))
	return uint32(binary.BigEndian.Uint64(b))
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// testOptions is a server's, with little padding.
func testOptions() Options {
	return Options{
		PreAlloc: 64 << 10, ForceSync: true, SnapCount: 100000, SnapSizeLimit: 4 << 30, AutoCreateDir: true, AutoCreateDB: true,
		Digest: true, LastZxid: true, Logger: quiet(),
	}
}

func open(t testing.TB, fsys vfs.FS, o Options) *Store {
	t.Helper()
	s, err := Open(fsys, "data", "", o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func freshTree() *tree.Tree { return tree.New(tree.Options{Seed: 1}) }

func entries(txns ...*txn.Txn) []Entry {
	var batch []Entry
	for _, x := range txns {
		batch = append(batch, Entry{x.Zxid, x.Append(nil)})
	}
	return batch
}

func readAll(t testing.TB, fsys vfs.FS, name string) []byte {
	t.Helper()
	f, err := fsys.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeAll(t testing.TB, fsys vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fsys.Create(name)
	if err == nil {
		_, err = f.Write(b)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func inVersion2(name string) string { return filepath.Join("data", versionDir, name) }

func TestApachesLog(t *testing.T) {
	fsys := vfs.NewMem()
	s := open(t, fsys, testOptions())
	txns := goldenTxns(t)
	for _, batch := range [][]*txn.Txn{txns[:1], txns[1:4], txns[4:]} {
		if err := s.Commit(entries(batch...)); err != nil {
			t.Fatal(err)
		}
	}
	b := readAll(t, fsys, inVersion2("log.1"))
	if len(b) != 65552 {
		t.Errorf("log.1 has %d bytes, Apache's has 65552", len(b))
	}
	if want := []byte("ZKLG\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00"); !bytes.HasPrefix(b, want) {
		t.Errorf("header %x", b[:16])
	}
	if !isZero(b[goldenEnd:]) || b[goldenEnd-1] != 'B' {
		t.Errorf("the log does not end at %#x", goldenEnd)
	}
	i := 0
	for rec, err := range ReadLog(bytes.NewReader(b), "log.1", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if g := goldenLog[i]; rec.Offset != g.offset || rec.Sum != g.sum || rec.Zxid != zk.Zxid(i+1) {
			t.Errorf("record %d: offset %#x sum %x zxid %v", i+1, rec.Offset, rec.Sum, rec.Zxid)
		}
		i++
	}
	if i != len(goldenLog) {
		t.Errorf("%d records", i)
	}
}

func TestRestoreApachesLog(t *testing.T) {
	fsys := vfs.NewMem()
	s := open(t, fsys, testOptions())
	if _, err := s.Restore(freshTree); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(entries(goldenTxns(t)...)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	r, err := open(t, fsys, testOptions()).Restore(freshTree)
	if err != nil {
		t.Fatal(err)
	}
	if r.LastZxid != 9 || r.SnapshotZxid != 0 || r.Txns != 9 || r.DigestMismatches != 0 || len(r.Sessions) != 0 || len(r.Notes) != 0 {
		t.Errorf("%+v", r)
	}
	if r.Tree.Digest() != 9167901347 {
		t.Errorf("digest %d", r.Tree.Digest())
	}
	if len(r.Recent) != 9 || r.Recent[8].Zxid != 9 {
		t.Errorf("recent: %d txns", len(r.Recent))
	}
}

// nodeBytes is one node as a snapshot holds it.
func nodeBytes(b []byte, path string, data []byte, aclKey int64, m tree.Meta) []byte {
	b = jute.AppendBuffer(jute.AppendString(b, path), data)
	b = jute.AppendLong(b, aclKey)
	for _, v := range []int64{int64(m.Czxid), int64(m.Mzxid), m.Ctime, m.Mtime} {
		b = jute.AppendLong(b, v)
	}
	for _, v := range []int32{m.Version, m.CVersion, m.AVersion} {
		b = jute.AppendInt(b, v)
	}
	return jute.AppendLong(jute.AppendLong(b, m.Owner), int64(m.Pzxid))
}

// goldenSnapshot is snapshot.9 of section 9.
func goldenSnapshot() Snapshot {
	var nodes []byte
	add := func(path string, data []byte, aclKey int64, m tree.Meta) {
		nodes = nodeBytes(nodes, path, data, aclKey, m)
	}
	empty := []byte{}
	add("", empty, -1, tree.Meta{CVersion: 3, Pzxid: 9})
	add("/a", []byte("yo"), 3, tree.Meta{Czxid: 2, Mzxid: 4, Ctime: goldenTime + 0x51db, Mtime: goldenTime + 0x51fa, Version: 1, CVersion: 1, AVersion: 1, Pzxid: 5})
	add("/c", nil, 4, tree.Meta{Czxid: 7, Mzxid: 7, Ctime: goldenTime + 0x5212, Mtime: goldenTime + 0x5212, Owner: tree.ContainerOwner, Pzxid: 7})
	add("/zookeeper", empty, -1, tree.Meta{})
	add("/zookeeper/config", empty, 1, tree.Meta{AVersion: -1})
	add("/zookeeper/quota", empty, -1, tree.Meta{})
	return Snapshot{
		Zxid: 9, Digest: 9167901347, HasDigest: true,
		ACLs: []tree.ACLEntry{{Key: 1, ACL: zk.WorldACL(zk.PermRead)}, {Key: 3, ACL: ipACL}, {Key: 4, ACL: zk.WorldACL(zk.PermAll)}},
		Next: func(b []byte, _ int) ([]byte, bool) { return append(b, nodes...), false },
	}
}

func TestApachesSnapshot(t *testing.T) {
	for _, c := range []struct {
		version  string
		lastZxid bool
		size     int
	}{{"3.8", false, 685}, {"3.9", true, 706}} {
		fsys := vfs.NewMem()
		o := testOptions()
		o.LastZxid = c.lastZxid
		path, size, err := open(t, fsys, o).WriteSnapshot(goldenSnapshot())
		if err != nil || path != inVersion2("snapshot.9") {
			t.Fatal(path, err)
		}
		b := readAll(t, fsys, path)
		if len(b) != c.size || size != int64(c.size) {
			t.Fatalf("%s: %d bytes", c.version, len(b))
		}
		if got := fmt.Sprintf("%x %x", b[0x27f:0x287], b[0x2a0:0x2a8]); got != "00000000c2365279 000000009c7055c3" {
			t.Errorf("%s: seals %s", c.version, got)
		}
	}
}

func TestApachesEmptySnapshot(t *testing.T) {
	var nodes []byte // in the order of Apache's file; ours may differ
	for _, path := range []string{"", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"} {
		key, m := int64(-1), tree.Meta{}
		if path == "/zookeeper/config" {
			key, m.AVersion = 1, -1
		}
		nodes = nodeBytes(nodes, path, []byte{}, key, m)
	}
	sn := Snapshot{
		ACLs: []tree.ACLEntry{{Key: 1, ACL: zk.WorldACL(zk.PermRead)}},
		Next: func(b []byte, _ int) ([]byte, bool) { return append(b, nodes...), false },
	}
	for _, c := range []struct {
		lastZxid bool
		size     int
		seals    map[int]uint32 // by offset
	}{
		{false, 457, map[int]uint32{411: 0xb8a23b49, 444: 0x95b93d59}},
		{true, 478, map[int]uint32{411: 0xb8a23b49, 444: 0x95b93d59, 465: 0xbde83f6d}},
	} {
		fsys := vfs.NewMem()
		o := testOptions()
		o.LastZxid = c.lastZxid
		s := open(t, fsys, o)
		r, err := s.Restore(freshTree)
		if err != nil || !r.Created || r.LastZxid != 0 {
			t.Fatalf("%+v %v", r, err)
		}
		if b := readAll(t, fsys, inVersion2("snapshot.0")); len(b) != c.size {
			t.Errorf("our first snapshot.0 has %d bytes, Apache's has %d", len(b), c.size)
		}
		path, _, err := s.WriteSnapshot(sn)
		if err != nil {
			t.Fatal(err)
		}
		b := readAll(t, fsys, path)
		if len(b) != c.size {
			t.Fatalf("snapshot.0 has %d bytes, Apache's has %d", len(b), c.size)
		}
		for at, sum := range c.seals {
			if got := binary.BigEndian.Uint64(b[at:]); got != uint64(sum) {
				t.Errorf("seal at %d is %x, Apache's is %x", at, got, sum)
			}
		}
	}
}
