package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// Tests of docs/defects.md that need more than one file of the disk.

// made is a txn that makes /<zxid in hex>, so that the znodes of a tree tell which txns it has seen.
func made(z zk.Zxid) *txn.Txn {
	body := txn.NewCreate(fmt.Sprintf("/%x", int64(z)), []byte("old and new"), zk.WorldACL(zk.PermAll), -1)
	return &txn.Txn{Header: txn.Header{Zxid: z, Time: 1, Type: txn.TypeCreate}, Body: body}
}

// madeLog is a log file with these.
func madeLog(zxids ...zk.Zxid) []byte {
	b := appendLogHeader(nil)
	for _, z := range zxids {
		b = appendRecord(b, made(z).Append(nil))
	}
	return append(b, make([]byte, 500)...)
}

// madeSnapshot writes a snapshot as of z that shows the znodes of these.
func madeSnapshot(t *testing.T, m vfs.FS, o Options, z zk.Zxid, zxids ...zk.Zxid) (path string) {
	t.Helper()
	tr := freshTree()
	for _, z := range zxids {
		tr.Replay(made(z))
	}
	s := open(t, m, o)
	defer s.Close()
	view := tr.Freeze()
	defer view.Close()
	path, _, err := s.WriteSnapshot(Snapshot{Zxid: z, ACLs: view.ACLs(), Digest: view.Digest(), HasDigest: true, Next: view.Next})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// shown lists the znodes that made has made, by zxid.
func shown(t *testing.T, tr *tree.Tree) (zxids []zk.Zxid) {
	t.Helper()
	for name := range tr.Children(tr.Find("/")) {
		var z int64
		if _, err := fmt.Sscanf(name, "%x", &z); err == nil && name != "zookeeper" {
			zxids = append(zxids, zk.Zxid(z))
		}
	}
	slices.Sort(zxids)
	return zxids
}

func zxids(from, to zk.Zxid) (l []zk.Zxid) {
	for z := from; z <= to; z++ {
		l = append(l, z)
	}
	return l
}

// ZOOKEEPER-582: what a log holds from before the snapshot stays out, whatever its epoch; where the server stands is not taken
// from it, and the next txn comes after the snapshot.
func TestLogsOlderThanTheSnapshot(t *testing.T) {
	const two = zk.Zxid(2) << 32
	for _, c := range []struct {
		name     string
		snapshot zk.Zxid
		has      []zk.Zxid // of what the snapshot shows
		logs     map[string][]byte
		want     []zk.Zxid
		last     zk.Zxid
	}{
		// The znodes of 1 to 5 were deleted by txns that only the snapshot has seen.
		{"the newest log is gone", 9, []zk.Zxid{6}, map[string][]byte{"log.1": madeLog(zxids(1, 5)...)}, []zk.Zxid{6}, 9},
		{"a log begins before it and ends behind it", 3, []zk.Zxid{2}, map[string][]byte{"log.1": madeLog(zxids(1, 5)...)}, []zk.Zxid{2, 4, 5}, 5},
		{"an older epoch with a higher counter", two | 5, []zk.Zxid{two | 4}, map[string][]byte{"log.100000001": madeLog(zxids(1<<32|1, 1<<32|9)...)},
			[]zk.Zxid{two | 4}, two | 5},
		{"two older epochs and the present one", two | 5, []zk.Zxid{two | 4}, map[string][]byte{
			"log.1": madeLog(zxids(1, 9)...), "log.100000001": madeLog(zxids(1<<32|1, 1<<32|9)...), "log.200000001": madeLog(zxids(two|1, two|7)...),
		}, []zk.Zxid{two | 4, two | 6, two | 7}, two | 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := vfs.NewMem()
			madeSnapshot(t, m, testOptions(), c.snapshot, c.has...)
			for name, b := range c.logs {
				writeAll(t, m, inVersion2(name), b)
			}
			want, last := c.want, c.last
			for range 3 { // each life adds a txn: what was kept out must not come back when it is followed
				s := open(t, m, testOptions())
				r, err := s.Restore(freshTree)
				if err != nil || r.LastZxid != last || r.Tree.LastZxid() != last || !slices.Equal(shown(t, r.Tree), want) {
					t.Fatalf("%v, want %v up to %v; it shows %v", err, want, last, shown(t, r.Tree))
				}
				last++
				if err := s.Commit(entries(made(last))); err != nil {
					t.Fatal(err)
				}
				want = append(slices.Clone(want), last)
				s.Close()
			}
		})
	}
}

// ZOOKEEPER-1277, 4883: the counter of a standalone server overflows into the epoch and the zxid goes on as the 64-bit number that
// it is. Names of logs and snapshots, the choice among them, replay, purge and order know no other border.
func TestCounterOverflow(t *testing.T) {
	const border = zk.Zxid(1) << 32
	for _, o := range []struct {
		compression string
		batch       int // txns
		roll        int // a new log every so many batches, and a snapshot with it; 0 is never
	}{{"", 1, 0}, {"", 3, 0}, {"", 20, 0}, {"", 1, 1}, {"gz", 2, 1}, {"", 1, 4}} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			m := vfs.NewMem()
			opt := testOptions()
			opt.Compression = o.compression
			at := border - 9
			madeSnapshot(t, m, opt, at)
			model := freshTree()
			for life := range 5 {
				s := open(t, m, opt)
				r, err := s.Restore(freshTree)
				if err != nil || r.LastZxid != at || len(r.Notes) != 0 || !slices.Equal(shown(t, r.Tree), zxids(border-8, at)) {
					t.Fatalf("life %d: %v; %q; it shows %v up to %v, want up to %v", life, err, r.Notes, shown(t, r.Tree), r.LastZxid, at)
				}
				for i := range 4 {
					var batch []*txn.Txn
					for range o.batch {
						at++
						batch = append(batch, made(at))
						model.Replay(batch[len(batch)-1])
					}
					if err := s.Commit(entries(batch...)); err != nil {
						t.Fatal(err)
					}
					if o.roll > 0 && i%o.roll == 0 {
						s.Roll()
						view := model.Freeze()
						_, _, err := s.WriteSnapshot(Snapshot{Zxid: at, ACLs: view.ACLs(), Digest: view.Digest(), HasDigest: true, Next: view.Next})
						view.Close()
						if err != nil {
							t.Fatal(err)
						}
					}
				}
				if _, err := s.Purge(3); err != nil {
					t.Fatal(err)
				}
				s.Close()
			}
			if at <= border+5 {
				t.Fatalf("the counter did not overflow, it is %v", at)
			}
		})
	}
	// The txn with the counter 0 is a txn: that it is missing is seen.
	m := vfs.NewMem()
	madeSnapshot(t, m, testOptions(), border-2)
	writeAll(t, m, inVersion2("log.ffffffff"), madeLog(border-1))
	writeAll(t, m, inVersion2("log.100000002"), madeLog(border+2))
	s := open(t, m, testOptions())
	defer s.Close()
	if r, err := s.Restore(freshTree); err != nil || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "0xffffffff and 0x100000002 are missing") {
		t.Errorf("a hole at the border: %+v %v", r, err)
	}
}

// ClickHouse Keeper #36910: a compressed snapshot that is cut or damaged anywhere is refused, or it is read as if nothing had
// happened, since what was hit says nothing (a date in a header). It is never read as something else or as less.
func TestDamagedCompressedSnapshots(t *testing.T) {
	for _, compression := range []string{"", "gz", "snappy"} {
		o := testOptions()
		o.Compression = compression
		m := vfs.NewMem()
		path := madeSnapshot(t, m, o, 12, zxids(1, 12)...)
		whole := readAll(t, m, path)
		read := func(b []byte) (string, error) {
			tr := freshTree()
			tr.BeginLoad()
			_, err := ReadSnapshot(bytes.NewReader(b), path, 0, SnapshotVisitor{
				ACL:  func(e tree.ACLEntry) error { tr.LoadACL(e.Key, e.ACL); return nil },
				Node: tr.LoadNode,
			})
			if err != nil {
				return "", err
			}
			tr.FinishLoad(12)
			return fmt.Sprintf("%d znodes, digest %d", tr.NodeCount(), tr.Digest()), nil
		}
		want, err := read(whole)
		if err != nil {
			t.Fatal(err)
		}
		refused := 0
		check := func(b []byte, format string, args ...any) {
			t.Helper()
			if got, err := read(b); err != nil {
				refused++
			} else if got != want {
				t.Errorf("%q, %s: read as %s instead of %s", compression, fmt.Sprintf(format, args...), got, want)
			}
		}
		step := 1
		if brief() {
			step = 11
		}
		changes := 0
		for i := 0; i < len(whole); i += step {
			changes += 2
			check(whole[:i], "cut to %d of %d bytes", i, len(whole))
			b := slices.Clone(whole)
			b[i] ^= 1 << (i * 5 % 8)
			check(b, "a bit of byte %d of %d", i, len(whole))
		}
		if least := changes - 70/step; refused < least { // a header and the trailers say little, the rest is sealed
			t.Errorf("%q: of %d changes %d were refused", compression, changes, refused)
		}

		// Alone and cut short it is no empty database (ZOOKEEPER-2325; 3.8.0 takes a plain one for that).
		writeAll(t, m, path, whole[:len(whole)-20])
		s := open(t, m, o)
		_, err = s.Restore(freshTree)
		s.Close()
		if !errors.Is(err, ErrAllBad) {
			t.Errorf("%q: cut short, and nothing else: %v", compression, err)
		}

		// A server does without it: from the older snapshot and the log, or not at all.
		writeAll(t, m, inVersion2("log.1"), madeLog(zxids(1, 13)...))
		b := slices.Clone(whole)
		b[len(b)/2] ^= 4
		writeAll(t, m, path, b)
		s = open(t, m, o)
		_, err = s.Restore(freshTree)
		s.Close()
		if !errors.Is(err, ErrAllBad) {
			t.Errorf("%q: with no other snapshot: %v", compression, err)
		}
		madeSnapshot(t, m, o, 0)
		s = open(t, m, o)
		r, err := s.Restore(freshTree)
		s.Close()
		if err != nil || r.SnapshotZxid != 0 || !slices.Equal(shown(t, r.Tree), zxids(1, 13)) {
			t.Errorf("%q: with the older snapshot: %+v %v", compression, r, err)
		}
	}
}
