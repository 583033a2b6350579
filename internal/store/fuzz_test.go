package store

import (
	"bytes"
	"io"
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/vfs"
)

// Whatever a log file holds, reading it ends, and the records that it yields make up the bytes that were read.
func FuzzReadLog(f *testing.F) {
	whole := logFile(1, 3, 50)
	f.Add(whole)
	f.Add(whole[:300])
	f.Add(corrupt(logFile(1, 3, 0), 100))
	f.Add(appendLogHeader(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		again := appendLogHeader(nil)
		for rec, err := range ReadLog(bytes.NewReader(b), "log.1", 0) {
			if err != nil {
				if _, ok := err.(*LogError); !ok {
					t.Fatal(err)
				}
				break
			}
			if rec.Offset != int64(len(again)) {
				t.Fatalf("record at %d, expected at %d", rec.Offset, len(again))
			}
			again = appendRecord(again, rec.Payload)
		}
		if len(again) > logHeaderSize && !bytes.Equal(again[logHeaderSize:], b[logHeaderSize:len(again)]) {
			t.Fatal("what was read is not what stands there")
		}
	})
}

// Whatever the last log file holds, Restore gives a prefix of it or an error, and after a repair the same once more without
// one.
func FuzzRestoreLog(f *testing.F) {
	whole := logFile(1, 8, 600)
	f.Add(whole)
	f.Add(whole[:offsetOf(8)+40])
	f.Add(corrupt(logFile(1, 8, 600), offsetOf(8)+60))
	f.Add(append(logFile(1, 3, 0), make([]byte, 2000)...))
	f.Add(ephemerals())
	f.Fuzz(func(t *testing.T, b []byte) {
		m := disk(t, map[string][]byte{"log.1": b})
		r, err := restore(t, m)
		if err != nil {
			if after := readAll(t, m, inVersion2("log.1")); !bytes.Equal(after, b) {
				t.Fatalf("refused (%v) and changed", err)
			}
			return
		}
		again, err := restore(t, m)
		if err != nil || again.LastZxid != r.LastZxid || again.Txns != r.Txns || again.Tree.Digest() != r.Tree.Digest() {
			t.Fatalf("first %+v, then %+v %v", r, again, err)
		}
	})
}

// Whatever a snapshot holds, what is read of it was sealed: written again, it has the same bytes up to the first seal.
func FuzzReadSnapshot(f *testing.F) {
	for _, compression := range []string{"", "gz", "snappy"} {
		m := vfs.NewMem()
		o := testOptions()
		o.Compression = compression
		path, _ := writeSnapshot(f, open(f, m, o), grown(4), Session{7, 8000})
		b := readAll(f, m, path)
		f.Add(path, b)
		f.Add(path, b[:len(b)-30])
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		sn, nodes := Snapshot{Zxid: 1}, []byte{}
		info, err := ReadSnapshot(bytes.NewReader(b), name, 0, SnapshotVisitor{
			Session: func(s Session) error { sn.Sessions = append(sn.Sessions, s); return nil },
			ACL:     func(e tree.ACLEntry) error { sn.ACLs = append(sn.ACLs, e); return nil },
			Node: func(path string, data []byte, key int64, m tree.Meta) error {
				nodes = nodeBytes(nodes, path, data, key, m)
				return nil
			},
		})
		if err != nil {
			if _, ok := err.(*SnapshotError); !ok {
				t.Fatal(err)
			}
			return
		}
		sn.Next = func(b []byte, _ int) ([]byte, bool) { return append(b, nodes...), false }
		m := vfs.NewMem()
		o := testOptions()
		o.Digest, o.LastZxid = false, false
		path, _, err := open(t, m, o).WriteSnapshot(sn)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadSnapshot(bytes.NewReader(readAll(t, m, path)), path, 0, SnapshotVisitor{})
		if err != nil || again.Nodes != info.Nodes || again.Sessions != info.Sessions || again.ACLs != info.ACLs {
			t.Fatalf("%+v, written again %+v %v", info, again, err)
		}
	})
}

// Whatever a snapshot holds, loading it into a tree ends in an error or in a tree that is sound.
func FuzzRestoreSnapshot(f *testing.F) {
	f.Add(snapshotBytes(f, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := disk(t, nil)
		writeAll(t, m, inVersion2("snapshot.5"), b)
		r, err := restore(t, m)
		if err != nil {
			t.Fatalf("snapshot.0 is good, and yet: %v", err)
		}
		if err := r.Tree.Check(); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzSnappyJava(f *testing.F) {
	f.Add([]byte("a little text, a little text"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := io.ReadAll(io.LimitReader(newXerialReader(bytes.NewReader(b)), 64<<20)); err == nil && len(got) > 32*len(b) {
			t.Fatalf("%d bytes out of %d", len(got), len(b))
		}
		var packed bytes.Buffer
		w := newXerialWriter(&packed)
		w.Write(b)
		w.Close()
		if got, err := io.ReadAll(newXerialReader(&packed)); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%d bytes became %d, %v", len(b), len(got), err)
		}
	})
}
