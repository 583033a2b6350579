package store

import (
	"bytes"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// grown is a tree of n znodes with data that hardly compresses.
func grown(n int) *tree.Tree {
	rng := rand.New(rand.NewPCG(1, 1))
	tr := freshTree()
	for i := 1; i <= n; i++ {
		data := make([]byte, rng.IntN(300))
		for k := range data {
			data[k] = byte(rng.IntN(256))
		}
		acl := zk.WorldACL(zk.PermAll)
		if i%3 == 0 {
			acl = []zk.ACL{{Perms: zk.PermRead, ID: zk.ID{Scheme: "digest", ID: fmt.Sprint("user:", i%7)}}}
		}
		tr.Replay(&txn.Txn{Header: txn.Header{Zxid: zk.Zxid(i), Type: txn.TypeCreate}, Body: txn.NewCreate(fmt.Sprintf("/node-%d-é", i), data, acl, int32(i))})
	}
	return tr
}

func writeSnapshot(t testing.TB, s *Store, tr *tree.Tree, sessions ...Session) (string, int64) {
	t.Helper()
	view := tr.Freeze()
	defer view.Close()
	path, size, err := s.WriteSnapshot(Snapshot{Zxid: view.Zxid(), Sessions: sessions, ACLs: view.ACLs(), Digest: view.Digest(), HasDigest: true, Next: view.Next})
	if err != nil {
		t.Fatal(err)
	}
	return path, size
}

func TestSnapshotRoundTrip(t *testing.T) {
	tr := grown(9000)
	for _, c := range []struct{ compression, name string }{{"", "snapshot.2328"}, {"gz", "snapshot.2328.gz"}, {"snappy", "snapshot.2328.snappy"}} {
		m := disk(t, nil)
		o := testOptions()
		o.Compression = c.compression
		s := open(t, m, o)
		path, size := writeSnapshot(t, s, tr, Session{8, 4000}, Session{-5, 6000})
		s.Close()
		if path != inVersion2(c.name) || size != int64(len(readAll(t, m, path))) || size < 1<<20 {
			t.Errorf("%s: %s has %d bytes", c.compression, path, size)
		}
		if last := s.LastSnapshot(); last.Path != path || last.Zxid != 9000 || last.Size != size {
			t.Errorf("%s: %+v", c.compression, last)
		}
		r, err := restore(t, m) // by the suffix, whatever the setting
		if err != nil || r.SnapshotZxid != 9000 || r.LastZxid != 9000 || r.DigestMismatches != 0 || len(r.Sessions) != 2 || r.Sessions[-5] != 6000 {
			t.Fatalf("%s: %+v %v", c.compression, r, err)
		}
		if r.Tree.Digest() != tr.Digest() || r.Tree.NodeCount() != tr.NodeCount() {
			t.Errorf("%s: another tree", c.compression)
		}
	}
}

// The trailers have no tags, and which there are depends on the writer's settings; any combination is read.
func TestTrailers(t *testing.T) {
	body := func(digest, last bool) []byte {
		m := vfs.NewMem()
		o := testOptions()
		o.Digest, o.LastZxid = digest, last
		s := open(t, m, o)
		path, _ := writeSnapshot(t, s, grown(5))
		return readAll(t, m, path)
	}
	plain := body(false, false)
	seal := func(b []byte) []byte {
		return jute.AppendString(jute.AppendLong(b, int64(adler32.Checksum(b))), endOfNodes)
	}
	old := seal(jute.AppendString(jute.AppendInt(jute.AppendLong(slices.Clone(plain), 5), 1), "1234abcd"))
	both := body(true, true)
	for _, c := range []struct {
		name         string
		b            []byte
		digest, last bool
		bad          bool
	}{
		{"none", plain, false, false, false},
		{"digest, 3.8", body(true, false), true, false, false},
		{"last zxid", body(false, true), false, true, false},
		{"both, 3.9", both, true, true, false},
		{"digest of version 1", old, false, false, false},
		{"digest of version 1 and last zxid", seal(jute.AppendLong(slices.Clone(old), 5)), false, true, false},
		{"digest that has not begun", seal(jute.AppendLong(jute.AppendInt(jute.AppendLong(slices.Clone(plain), 0), 2), 0)), false, false, false},
		{"cut", both[:len(both)-5], false, false, true},
		{"one byte more", append(slices.Clone(both), 0), false, false, true},
		{"much more", append(slices.Clone(both), make([]byte, 500)...), false, false, true},
		{"wrong seal of the digest", corrupt(slices.Clone(both), len(plain)+2), false, false, true},
		{"wrong last seal", corrupt(slices.Clone(both), len(both)-6), false, false, true},
	} {
		info, err := ReadSnapshot(bytes.NewReader(c.b), "snapshot.5", 0, SnapshotVisitor{})
		if (err != nil) != c.bad {
			t.Errorf("%s: %+v %v", c.name, info, err)
			continue
		}
		if c.bad {
			continue
		}
		if info.HasDigest != c.digest || info.HasLastZxid != c.last || info.Nodes != 9 {
			t.Errorf("%s: %+v", c.name, info)
		}
		if c.digest && (info.DigestZxid != 5 || info.Digest != grown(5).Digest()) || c.last && info.LastZxid != 5 {
			t.Errorf("%s: %+v", c.name, info)
		}
	}
}

func TestDamagedSnapshot(t *testing.T) {
	whole := snapshotBytes(t, 3)
	for at := range whole {
		for _, b := range [][]byte{corrupt(slices.Clone(whole), at), whole[:at]} {
			_, err := ReadSnapshot(bytes.NewReader(b), "snapshot.3", 0, SnapshotVisitor{})
			var e *SnapshotError
			if !errors.As(err, &e) && !cutAtTrailer(whole, b) {
				t.Fatalf("byte %d of %d, %d left: %v", at, len(whole), len(b), err)
			}
		}
	}
}

// cutAtTrailer tells whether b is whole without one or both trailers, which is a snapshot too.
func cutAtTrailer(whole, b []byte) bool {
	n := len(whole) - len(b)
	return n == lastZxidSize || n == lastZxidSize+digestSize
}

func TestSnapshotOfALyingLength(t *testing.T) {
	b := jute.AppendInt(nil, snapshotMagic)
	b = append(b, make([]byte, 12)...)
	for name, rest := range map[string][]byte{
		"sessions": jute.AppendInt(nil, 1<<30),
		"ACLs":     jute.AppendInt(jute.AppendInt(nil, 0), 1<<30),
		"entries":  jute.AppendInt(jute.AppendLong(jute.AppendInt(jute.AppendInt(nil, 0), 1), 5), 1<<30),
		"path":     jute.AppendInt(jute.AppendInt(jute.AppendInt(nil, 0), 0), 1<<30),
		"negative": jute.AppendInt(jute.AppendInt(jute.AppendInt(nil, 0), 0), -7),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ReadSnapshot(bytes.NewReader(append(slices.Clone(b), rest...)), "snapshot.3", 0, SnapshotVisitor{})
		runtime.ReadMemStats(&after)
		if err == nil || after.TotalAlloc-before.TotalAlloc > 4<<20 {
			t.Errorf("%s: %v, %d bytes allocated", name, err, after.TotalAlloc-before.TotalAlloc)
		}
	}
}

func TestVisitorStops(t *testing.T) {
	stop := errors.New("stop")
	_, err := ReadSnapshot(bytes.NewReader(snapshotBytes(t, 1)), "snapshot.1", 0, SnapshotVisitor{
		Node: func(path string, _ []byte, _ int64, _ tree.Meta) error {
			if path == "/zookeeper" {
				return stop
			}
			return nil
		},
	})
	if err != stop {
		t.Error(err)
	}
}

func TestFailedSnapshotLeavesNothing(t *testing.T) {
	tr := grown(20000) // more than is written between two syncs
	for _, x := range []vfs.Fault{
		{Op: vfs.OpCreate}, {Op: vfs.OpWrite, After: 1, Short: 1000}, {Op: vfs.OpSync}, {Op: vfs.OpSync, After: 1}, {Op: vfs.OpRename},
	} {
		s, fsys := started(t, testOptions())
		old := readAll(t, fsys, inVersion2("snapshot.0"))
		x.Times, x.Name = 1, "snapshot"
		fsys.Add(x)
		view := tr.Freeze()
		_, _, err := s.WriteSnapshot(Snapshot{Zxid: 7, ACLs: view.ACLs(), Next: view.Next})
		view.Close()
		entries, _ := fsys.ReadDir(inVersion2("."))
		if !isDiskError(err) || len(entries) != 1 || !bytes.Equal(old, readAll(t, fsys, inVersion2("snapshot.0"))) {
			t.Errorf("%s: %v; %v", x.Op, err, entries)
		}
	}
}

func TestSnappyJava(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	plain := make([]byte, 100000)
	for i := range plain {
		plain[i] = byte(rng.IntN(4))
	}
	pack := func(b []byte, step int) []byte {
		var out bytes.Buffer
		w := newXerialWriter(&out)
		for part := range slices.Chunk(b, step) {
			if _, err := w.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	one := pack(plain, 100000)
	if want := "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"; !strings.HasPrefix(string(one), want) {
		t.Errorf("header %x", one[:16])
	}
	if !bytes.Equal(one, pack(plain, 777)) {
		t.Error("blocks depend on the writes")
	}
	for name, c := range map[string]struct{ in, want []byte }{
		"one":          {one, plain},
		"nothing":      {pack(nil, 1), nil},
		"concatenated": {slices.Concat(one, pack(plain[:10], 10)), append(slices.Clone(plain), plain[:10]...)},
	} {
		got, err := io.ReadAll(newXerialReader(bytes.NewReader(c.in)))
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	// 4 GiB claimed by a block of a few bytes, and a block of 4 GiB that is not there.
	for _, lie := range []string{"\x00\x00\x00\x06\xff\xff\xff\xff\x0f\x00", "\x20\x00\x00\x00"} {
		if _, err := io.ReadAll(newXerialReader(strings.NewReader(string(one[:16]) + lie))); err == nil {
			t.Errorf("%x was read", lie)
		}
	}
}
