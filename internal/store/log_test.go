package store

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// set is a transaction of about size bytes.
func set(z zk.Zxid, size int) *txn.Txn {
	return &txn.Txn{
		Header: txn.Header{Zxid: z, Time: int64(z), Type: txn.TypeSetData},
		Body:   &txn.SetData{Path: "/zookeeper/quota", Data: bytes.Repeat([]byte{'x'}, size), Version: int32(z)},
	}
}

// sets is a batch of first to last.
func sets(first, last zk.Zxid, size int) []Entry {
	var txns []*txn.Txn
	for z := first; z <= last; z++ {
		txns = append(txns, set(z, size))
	}
	return entries(txns...)
}

// started is a store on an empty disk that may be made to fail.
func started(t testing.TB, o Options) (*Store, *vfs.Faulty) {
	t.Helper()
	fsys := vfs.NewFaulty(vfs.NewMem())
	s := open(t, fsys, o)
	if _, err := s.Restore(freshTree); err != nil {
		t.Fatal(err)
	}
	return s, fsys
}

func commit(t testing.TB, s *Store, batch []Entry) {
	t.Helper()
	if err := s.Commit(batch); err != nil {
		t.Fatal(err)
	}
}

// logs describes the log files: name, size, zxids.
func logs(t testing.TB, fsys vfs.FS) string {
	t.Helper()
	list, _, err := (&Store{fs: fsys}).list(inVersion2("."), logPrefix)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, n := range list {
		b := readAll(t, fsys, n.path())
		zxids, stop := parse(b)
		line := fmt.Sprintf("%s %d %v-%v", n.name, len(b), zxids[0], zxids[len(zxids)-1])
		if stop.Error() != "EOF" {
			line += " " + stop.Error()
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func wantLogs(t testing.TB, fsys vfs.FS, want ...string) {
	t.Helper()
	if got := logs(t, fsys); got != strings.Join(want, "\n") {
		t.Errorf("log files:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func TestPadding(t *testing.T) {
	s, fsys := started(t, testOptions())
	commit(t, s, sets(1, 1, 100))
	wantLogs(t, fsys, "log.1 65552 0x1-0x1")
	commit(t, s, sets(2, 2, 61200)) // still more than 4096 before the end
	wantLogs(t, fsys, "log.1 65552 0x1-0x2")
	commit(t, s, sets(3, 3, 100))
	commit(t, s, sets(4, 4, 100))
	wantLogs(t, fsys, "log.1 131088 0x1-0x4")
	commit(t, s, sets(5, 5, 200000)) // longer than the padding
	wantLogs(t, fsys, "log.1 262160 0x1-0x5")

	o := testOptions()
	o.PreAlloc = 0
	s, fsys = started(t, o)
	commit(t, s, sets(1, 2, 100))
	commit(t, s, sets(3, 3, 100))
	wantLogs(t, fsys, "log.1 535 0x1-0x3")
}

func TestNewFiles(t *testing.T) {
	o := testOptions()
	o.LogSizeLimit = 100000
	s, fsys := started(t, o)
	commit(t, s, sets(1, 2, 100))
	s.Roll()
	wantLogs(t, fsys, "log.1 65552 0x1-0x2") // not before the next batch
	commit(t, s, sets(3, 4, 100))
	commit(t, s, sets(5, 5, 62000))
	commit(t, s, sets(6, 6, 100)) // now longer than the limit, with padding
	wantLogs(t, fsys, "log.1 65552 0x1-0x2", "log.3 131088 0x3-0x6")
	commit(t, s, sets(7, 7, 100))
	s.Close()
	s = open(t, fsys, o)
	if r, err := s.Restore(freshTree); err != nil || r.LastZxid != 7 || r.Txns != 7 {
		t.Fatal(r, err)
	}
	commit(t, s, sets(8, 8, 100)) // never appends to what it found
	wantLogs(t, fsys, "log.1 65552 0x1-0x2", "log.3 131088 0x3-0x6", "log.7 65552 0x7-0x7", "log.8 65552 0x8-0x8")
	commit(t, s, sets(1<<32|1, 1<<32|1, 100)) // an epoch begins
}

func TestDiskFull(t *testing.T) {
	for _, prealloc := range []int64{0, 8 << 10} {
		o := testOptions()
		o.PreAlloc = prealloc
		s, fsys := started(t, o)
		commit(t, s, sets(1, 3, 100))
		fsys.SetSpace(9000)
		var full *DiskError
		last := zk.Zxid(3)
		for ; full == nil; last++ {
			if err := s.Commit(sets(last+1, last+1, 1000)); err != nil && !errors.As(err, &full) {
				t.Fatal(err)
			}
		}
		last--
		if !full.Full() || full.Op != "write" || !strings.HasSuffix(full.File, "log.1") {
			t.Errorf("%+v", full)
		}
		if last < 9 {
			t.Errorf("full after %v already: space that padding could not take is not used", last)
		}
		wantLogs(t, fsys, fmt.Sprintf("log.1 %d 0x1-%v", s.w.pos, last)) // clean, with nothing behind
		if err := s.Commit(sets(last+1, last+20, 1000)); err == nil {
			t.Fatal("there is no space")
		}
		fsys.SetSpace(-1)
		commit(t, s, sets(last+1, last+21, 1000)) // the same batch, grown; the same file
		s.Close()
		r, err := open(t, fsys, o).Restore(freshTree)
		if err != nil || r.LastZxid != last+21 || len(r.Notes) != 0 {
			t.Fatal(r, err)
		}
	}
}

// ZOOKEEPER-4882: after a disk error the server went on in the same file, behind what the failed write had left.
func TestFailedWriteOrSync(t *testing.T) {
	for name, fault := range map[string]vfs.Fault{
		"write":              {Op: vfs.OpWrite, Times: 1, Short: 500},
		"sync":               {Op: vfs.OpSync, Times: 1},
		"sync that forgets":  {Op: vfs.OpSync, Times: 1, Lose: true},
		"sync, not mendable": {Op: vfs.OpSync, Times: 3, Lose: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, fsys := started(t, testOptions())
			commit(t, s, sets(1, 3, 100))
			good := s.w.pos
			fsys.Add(fault)
			batch := sets(4, 9, 100)
			tries := 0
			for ; ; tries++ {
				err := s.Commit(batch)
				if err == nil {
					break
				}
				if !isDiskError(err) || tries > 3 {
					t.Fatal(err)
				}
			}
			if tries == 0 {
				t.Fatal("the fault did not show")
			}
			wantLogs(t, fsys, fmt.Sprintf("log.1 %d 0x1-0x3", good), "log.4 65552 0x4-0x9")
			commit(t, s, sets(10, 10, 100))
			wantLogs(t, fsys, fmt.Sprintf("log.1 %d 0x1-0x3", good), "log.4 65552 0x4-0xa")
		})
	}
}

func TestFailedNewFileLeavesNothing(t *testing.T) {
	for _, op := range []vfs.Op{vfs.OpCreate, vfs.OpWrite, vfs.OpSync, vfs.OpRename} {
		s, fsys := started(t, testOptions())
		fsys.Add(vfs.Fault{Op: op, Times: 1, Short: 700})
		if err := s.Commit(sets(1, 9, 100)); !isDiskError(err) {
			t.Fatal(op, err)
		}
		entries, err := fsys.ReadDir(inVersion2("."))
		if err != nil || len(entries) != 1 || entries[0].Name() != "snapshot.0" {
			t.Errorf("%s: %v %v", op, entries, err)
		}
		commit(t, s, sets(1, 10, 100))
		wantLogs(t, fsys, "log.1 65552 0x1-0xa")
	}
}

func TestForceSyncOff(t *testing.T) {
	o := testOptions()
	o.ForceSync = false
	s, fsys := started(t, o)
	fsys.Add(vfs.Fault{Op: vfs.OpSync})
	commit(t, s, sets(1, 3, 100))
	commit(t, s, sets(4, 5, 100))
	wantLogs(t, fsys, "log.1 65552 0x1-0x5")
}

func TestSlowSync(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	o := testOptions()
	o.FsyncWarning = time.Second
	o.Now = func() time.Time { now = now.Add(600 * time.Millisecond); return now }
	o.Logger = slog.New(slog.NewTextHandler(&out, nil))
	s, _ := started(t, o)
	commit(t, s, sets(1, 1, 100))
	if s.SlowSyncs() != 0 {
		t.Error("0.6 s is not too long")
	}
	o.Now = func() time.Time { now = now.Add(1234 * time.Millisecond); return now }
	s, _ = started(t, o)
	commit(t, s, sets(1, 1, 100))
	if want := "took 1234ms which will adversely effect operation latency.File size is 65552 bytes. See the ZooKeeper troubleshooting guide"; s.SlowSyncs() != 1 ||
		!strings.Contains(out.String(), want) || !strings.Contains(out.String(), "Creating new log file: log.1") {
		t.Errorf("%d slow; %s", s.SlowSyncs(), out.String())
	}
}

func TestOrderIsAnInvariant(t *testing.T) {
	for name, c := range map[string]struct {
		batch []Entry
		want  invariant.Name
	}{
		"again":            {sets(3, 3, 1), invariant.TotalOrder},
		"hole":             {sets(5, 5, 1), invariant.LogContiguous},
		"hole in an epoch": {sets(1<<32|7, 1<<32|7, 1), invariant.LogContiguous},
		"hole in a batch":  {slices.Concat(sets(4, 4, 1), sets(6, 6, 1)), invariant.LogContiguous},
		"wrong label":      {[]Entry{{4, set(5, 1).Append(nil)}}, invariant.TotalOrder},
	} {
		s, fsys := started(t, testOptions())
		commit(t, s, sets(1, 3, 100))
		func() {
			defer func() {
				if b, ok := recover().(invariant.Broken); !ok || b.Name != c.want {
					t.Errorf("%s: %v", name, b)
				}
			}()
			s.Commit(c.batch)
		}()
		wantLogs(t, fsys, "log.1 65552 0x1-0x3")
	}
}

func TestSnapshotDue(t *testing.T) {
	o := testOptions()
	o.SnapCount, o.SnapSizeLimit = 10, 0
	drawn := 0
	o.Rand = func(n int) int { drawn = n; return 2 }
	s, _ := started(t, o)
	if drawn != 5 {
		t.Errorf("drawn below %d", drawn)
	}
	commit(t, s, sets(1, 7, 10))
	if s.SnapshotDue() {
		t.Error("due after 7; 5 and 2 by chance must be passed")
	}
	commit(t, s, sets(8, 8, 10))
	if !s.SnapshotDue() {
		t.Error("not due after 8")
	}
	s.Roll()
	if s.SnapshotDue() {
		t.Error("due after Roll")
	}

	o.SnapCount, o.SnapSizeLimit = 1000, 150000
	o.Rand = func(int) int { return 0 }
	s, _ = started(t, o)
	commit(t, s, sets(1, 1, 10))
	if s.SnapshotDue() {
		t.Error("65552 bytes are not above 75000")
	}
	commit(t, s, sets(2, 2, 63000))
	commit(t, s, sets(3, 3, 10))
	if !s.SnapshotDue() {
		t.Error("131088 bytes are above 75000")
	}
	s.Roll()
	commit(t, s, sets(4, 4, 10))
	if s.SnapshotDue() {
		t.Error("the old file still counts")
	}
}

func TestDiskErrorTellsFull(t *testing.T) {
	for err, want := range map[error]bool{syscall.ENOSPC: true, syscall.EDQUOT: true, syscall.EIO: false} {
		if got := (&DiskError{"write", "f", fmt.Errorf("x: %w", err)}).Full(); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}

// On the real disk. b.TempDir is where $TMPDIR is: point it at the disk that is meant.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 512} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			o := testOptions()
			o.PreAlloc = 64 << 20
			s, err := Open(vfs.OS{}, b.TempDir(), "", o)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Restore(freshTree); err != nil {
				b.Fatal(err)
			}
			payload := set(1, 200-60).Append(nil)
			batch := make([]Entry, n)
			last := zk.Zxid(0)
			b.SetBytes(int64(n * len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				for i := range batch {
					last++
					batch[i] = Entry{last, payload}
					for k := range 8 {
						payload[12+k] = byte(last >> (56 - 8*k))
					}
					batch[i].Payload = slices.Clone(payload)
				}
				commit(b, s, batch)
			}
		})
	}
}
