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

// recordSize is the length of a record of set(z, 100); the n-th of a file begins at 16 + (n-1)*recordSize.
const recordSize = 173

func offsetOf(n int) int { return logHeaderSize + (n-1)*recordSize }

// disk is a data directory with snapshot.0 and the given files in version-2.
func disk(t testing.TB, files map[string][]byte) *vfs.Mem {
	t.Helper()
	m := vfs.NewMem()
	s := open(t, m, testOptions())
	if _, err := s.Restore(freshTree); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for name, b := range files {
		writeAll(t, m, inVersion2(name), b)
	}
	return m
}

// logFile is a file with the transactions from first to last and some padding.
func logFile(first, last zk.Zxid, padding int) []byte {
	b := appendLogHeader(nil)
	for _, e := range sets(first, last, 100) {
		b = appendRecord(b, e.Payload)
	}
	return append(b, make([]byte, padding)...)
}

func restore(t testing.TB, m vfs.FS, change ...func(*Options)) (*Restored, error) {
	t.Helper()
	o := testOptions()
	for _, c := range change {
		c(&o)
	}
	s := open(t, m, o)
	defer s.Close()
	return s.Restore(freshTree)
}

func TestTornLastRecord(t *testing.T) {
	const last = 5
	start, end := offsetOf(last), offsetOf(last+1)
	for _, padding := range []int{0, 3000} {
		whole := logFile(1, last, padding)
		for cut := start; cut <= end; cut++ {
			file := slices.Clone(whole)
			clear(file[cut:])
			if padding == 0 {
				file = file[:cut]
			}
			m := disk(t, map[string][]byte{"log.1": file})
			r, err := restore(t, m)
			want := zk.Zxid(last - 1)
			if cut == end {
				want = last
			}
			if err != nil || r.LastZxid != want {
				t.Fatalf("padding %d, cut at %d: %+v %v", padding, cut, r, err)
			}
			// Up to the fourth byte there is nothing of it: the high half of a checksum is zero.
			if torn := cut > start+4 && cut < end; torn != (len(r.Notes) == 1) || torn && len(readAll(t, m, inVersion2("log.1"))) != start {
				t.Fatalf("padding %d, cut at %d: %q", padding, cut, r.Notes)
			}
			if again, err := restore(t, m); err != nil || again.LastZxid != want || len(again.Notes) != 0 {
				t.Fatalf("padding %d, cut at %d, once more: %+v %v", padding, cut, again, err)
			}
		}
	}
}

// What may be behind the last good record of the last file, and what becomes of it.
func TestEndOfLog(t *testing.T) {
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 0x10; return b }
	}
	zero := func(from, to int) func([]byte) []byte {
		return func(b []byte) []byte { clear(b[from:to]); return b }
	}
	for _, c := range []struct {
		name   string
		change func(b []byte) []byte // of a file with 20 records, 3476 bytes, and 1000 bytes of padding
		last   zk.Zxid               // restored, by cutting the file behind it; or
		refuse Damage
		offset int
	}{
		{"nothing", func(b []byte) []byte { return b }, 20, 0, 0},
		{"last record, a bit of the payload", flip(offsetOf(20) + 60), 19, 0, 0},
		{"last record, a bit of the checksum", flip(offsetOf(20) + 7), 19, 0, 0},
		{"last record, its end", flip(offsetOf(21) - 1), 19, 0, 0},
		{"a bit of the payload", flip(offsetOf(3) + 60), 0, BadSum, offsetOf(3)},
		{"a bit of the checksum", flip(offsetOf(3) + 2), 0, BadSum, offsetOf(3)},
		{"a record's end", flip(offsetOf(4) - 1), 0, NoEnd, offsetOf(3)},
		{"a length, too long", flip(offsetOf(3) + 8), 0, BadLength, offsetOf(3)},
		{"a length, negative", func(b []byte) []byte { b[offsetOf(3)+8] = 0xff; return b }, 0, BadLength, offsetOf(3)},
		{"a length, a bit too long", flip(offsetOf(3) + 11), 0, NoEnd, offsetOf(3)},
		{"a length, over the end", flip(offsetOf(3) + 9), 19, 0, -1},
		{"zeros over a record's head", zero(offsetOf(3), offsetOf(3)+20), 0, Zeros, offsetOf(3)},
		{"zeros within a record", zero(offsetOf(3)+20, offsetOf(3)+100), 0, BadSum, offsetOf(3)},
		{"the magic number", flip(1), 0, BadHeader, 0},
		{"a lost sector", zero(1024, 1536), 5, 0, 0}, // record 6 is at 881 to 1054
		{"a lost sector that ends a record", zero(512, 1024), 2, 0, 0},
		{"two lost sectors", zero(1024, 2048), 5, 0, 0},
		{"a part of a sector", zero(1024, 1500), 0, NoEnd, offsetOf(6)},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := c.change(logFile(1, 20, 1000))
			m := disk(t, map[string][]byte{"log.1": file})
			r, err := restore(t, m)
			after := readAll(t, m, inVersion2("log.1"))
			if c.refuse == 0 && c.offset >= 0 {
				if err != nil || r.LastZxid != c.last {
					t.Fatalf("%+v %v", r, err)
				}
				if c.last < 20 {
					if len(after) != offsetOf(int(c.last)+1) || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], fmt.Sprintf("to %d bytes, behind zxid %v", len(after), c.last)) {
						t.Errorf("%d bytes; %q", len(after), r.Notes)
					}
				}
				return
			}
			var e *LogError
			if c.offset < 0 {
				return
			}
			if !errors.As(err, &e) || e.Kind != c.refuse || e.Offset != int64(c.offset) || e.File != inVersion2("log.1") {
				t.Fatalf("%+v %v", r, err)
			}
			if !bytes.Equal(after, file) {
				t.Error("a file that was refused was changed")
			}
			if text := err.Error(); !strings.Contains(text, fmt.Sprintf("log.1: offset %d", c.offset)) || !strings.Contains(text, "move this server's version-2 aside") {
				t.Errorf("the operator reads: %s", text)
			}
		})
	}
}

// ZOOKEEPER-1621, 2332: what a crash between making a file and the first record leaves.
func TestLogWithoutRecord(t *testing.T) {
	header := appendLogHeader(nil)
	for name, file := range map[string][]byte{
		"empty":             {},
		"part of a header":  header[:7],
		"header":            header,
		"header and zeros":  append(slices.Clone(header), make([]byte, 70000)...),
		"zeros":             make([]byte, 5000),
		"torn first record": logFile(6, 6, 0)[:100],
	} {
		m := disk(t, map[string][]byte{"log.1": logFile(1, 5, 100), "log.6": file})
		r, err := restore(t, m)
		if err != nil || r.LastZxid != 5 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "log.6") {
			t.Errorf("%s: %+v %v", name, r, err)
		}
		if _, err := m.Stat(inVersion2("log.6")); err == nil {
			t.Errorf("%s: the file is still there", name)
		}
	}
}

func TestMiddleOfLog(t *testing.T) {
	for _, c := range []struct {
		name   string
		files  map[string][]byte
		last   zk.Zxid
		notes  string // parts, | between them
		refuse Damage
	}{
		{"upstream left a torn end and went on", map[string][]byte{"log.1": logFile(1, 5, 0)[:offsetOf(5)+50], "log.5": logFile(5, 9, 100)}, 9, "", 0},
		{"the same with padding", map[string][]byte{"log.1": append(logFile(1, 5, 0)[:offsetOf(5)+50], make([]byte, 900)...), "log.5": logFile(5, 9, 100)}, 9, "", 0},
		{"a bad checksum that was overwritten in a new file", map[string][]byte{"log.1": corrupt(logFile(1, 5, 100), offsetOf(5)+60), "log.5": logFile(5, 9, 100)}, 9, "Cut data/version-2/log.1", 0},
		{"then an epoch began", map[string][]byte{"log.1": logFile(1, 5, 0)[:offsetOf(5)+50], "log.100000001": logFile(1<<32|1, 1<<32|2, 100)}, 1<<32 | 2, "", 0},
		{"torn, and what follows is missing", map[string][]byte{"log.1": logFile(1, 5, 0)[:offsetOf(5)+50], "log.6": logFile(6, 9, 100)}, 0, "", CutOff},
		{"a bad checksum", map[string][]byte{"log.1": corrupt(logFile(1, 5, 100), offsetOf(3)+60), "log.6": logFile(6, 9, 100)}, 0, "", BadSum},
		{"a file is missing", map[string][]byte{"log.1": logFile(1, 5, 100), "log.8": logFile(8, 9, 100)}, 9, "between 0x5 and 0x8 are missing", 0},
		{"an empty file between two", map[string][]byte{"log.1": logFile(1, 5, 100), "log.6": {}, "log.100000001": logFile(1<<32|1, 1<<32|2, 100)}, 1<<32 | 2, "log.6", 0},
		{"a copy is not a log", map[string][]byte{"log.1": logFile(1, 5, 100), "log.1.bak": logFile(1, 2, 0)}, 5, "Not taken for a log", 0},
		{"backwards", map[string][]byte{"log.1": logFile(1, 5, 100), "log.6": logFile(4, 7, 100)}, 7, "0x4 comes after 0x5|0x5 comes after 0x5", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := restore(t, disk(t, c.files))
			var e *LogError
			if c.refuse != 0 {
				if !errors.As(err, &e) || e.Kind != c.refuse {
					t.Fatalf("%+v %v", r, err)
				}
				return
			}
			if err != nil || r.LastZxid != c.last {
				t.Fatalf("%+v %v", r, err)
			}
			want := strings.Split(c.notes, "|")
			if c.notes == "" {
				want = nil
			}
			if len(r.Notes) != len(want) {
				t.Fatalf("%q", r.Notes)
			}
			for i := range want {
				if !strings.Contains(r.Notes[i], want[i]) {
					t.Errorf("%q", r.Notes)
				}
			}
		})
	}
}

func corrupt(b []byte, at int) []byte {
	b[at] ^= 1
	return b
}

func TestUnknownTransaction(t *testing.T) {
	x := set(2, 100)
	x.Type = 99
	file := appendRecord(logFile(1, 1, 0), x.Append(nil))
	_, err := restore(t, disk(t, map[string][]byte{"log.1": file}))
	var e *LogError
	if !errors.As(err, &e) || e.Kind != BadTxn || e.Offset != int64(offsetOf(2)) || !strings.Contains(e.Error(), "99") {
		t.Fatal(err)
	}
}

// snapshotBytes is a snapshot of a tree with sets up to z.
func snapshotBytes(t testing.TB, z zk.Zxid) []byte {
	t.Helper()
	tr := freshTree()
	for i := zk.Zxid(1); i <= z; i++ {
		tr.Replay(set(i, 100))
	}
	view := tr.Freeze()
	defer view.Close()
	m := vfs.NewMem()
	path, _, err := open(t, m, testOptions()).WriteSnapshot(Snapshot{Zxid: z, ACLs: view.ACLs(), Digest: view.Digest(), HasDigest: true, Next: view.Next})
	if err != nil {
		t.Fatal(err)
	}
	return readAll(t, m, path)
}

func TestWhichSnapshot(t *testing.T) {
	good5, good8 := snapshotBytes(t, 5), snapshotBytes(t, 8)
	logs := func(extra map[string][]byte) map[string][]byte {
		extra["log.1"], extra["log.7"] = logFile(1, 6, 100), logFile(7, 9, 100)
		return extra
	}
	for _, c := range []struct {
		name     string
		files    map[string][]byte
		snapshot zk.Zxid
		txns     int
		notes    int
	}{
		{"the newest", logs(map[string][]byte{"snapshot.5": good5, "snapshot.8": good8}), 8, 1, 0},
		{"the newest is cut", logs(map[string][]byte{"snapshot.5": good5, "snapshot.8": good8[:100]}), 5, 4, 0},
		{"the newest is empty", logs(map[string][]byte{"snapshot.5": good5, "snapshot.8": {}}), 5, 4, 0},
		{"the newest fails its seal", logs(map[string][]byte{"snapshot.5": good5, "snapshot.8": corrupt(slices.Clone(good8), 200)}), 5, 4, 1},
		{"both fail", logs(map[string][]byte{"snapshot.5": corrupt(slices.Clone(good5), 200), "snapshot.8": corrupt(slices.Clone(good8), 200)}), 0, 9, 2},
		{"a damaged one is newer than all", logs(map[string][]byte{"snapshot.5": good5, "snapshot.ff": good8[:100]}), 5, 4, 1},
		{"other names", logs(map[string][]byte{"snapshot.5": good5, "snapshot.8.tmp": good8, "snapshot.xyz": good8, "snapshot.ffffffffffffffff": good8, "other": {}}), 5, 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := disk(t, c.files)
			r, err := restore(t, m)
			if err != nil || r.SnapshotZxid != c.snapshot || r.Txns != c.txns || r.LastZxid != 9 || len(r.Notes) != c.notes {
				t.Fatalf("%+v %v", r, err)
			}
			if all, _ := restore(t, disk(t, logs(map[string][]byte{}))); all.Tree.Digest() != r.Tree.Digest() {
				t.Error("not the tree that the whole log gives")
			}
		})
	}
}

func TestNoSnapshot(t *testing.T) {
	without := func(files map[string][]byte) *vfs.Mem {
		m := disk(t, files)
		m.Remove(inVersion2("snapshot.0"))
		return m
	}
	logs := map[string][]byte{"log.3": logFile(3, 6, 100)}
	trust := func(o *Options) { o.TrustEmpty = true }
	noCreate := func(o *Options) { o.AutoCreateDB = false }

	// ZOOKEEPER-2325
	if _, err := restore(t, without(logs)); !errors.Is(err, ErrNoSnapshot) {
		t.Errorf("logs alone: %v", err)
	}
	if r, err := restore(t, without(logs), trust); err != nil || r.LastZxid != 6 || r.Txns != 4 || r.SnapshotZxid != -1 {
		t.Errorf("logs alone, trusted: %+v %v", r, err)
	}
	if _, err := restore(t, without(map[string][]byte{"snapshot.5": {1}})); !errors.Is(err, ErrAllBad) {
		t.Errorf("a broken snapshot alone: %v", err)
	}
	if _, err := restore(t, without(map[string][]byte{"snapshot.5": corrupt(snapshotBytes(t, 5), 200)})); !errors.Is(err, ErrAllBad) {
		t.Errorf("a damaged snapshot alone: %v", err)
	}
	bad := map[string][]byte{"snapshot.5": snapshotBytes(t, 5), "snapshot.8": corrupt(snapshotBytes(t, 8), 200), "log.8": logFile(8, 9, 100)}
	if _, err := restore(t, without(bad)); !errors.Is(err, ErrAllBad) || !strings.Contains(err.Error(), "0x8") {
		t.Errorf("the log between the good snapshot and the damaged one is gone: %v", err)
	}

	m := without(nil)
	if r, err := restore(t, m); err != nil || !r.Created || r.LastZxid != 0 {
		t.Errorf("nothing: %+v %v", r, err)
	} else if _, err := m.Stat(inVersion2("snapshot.0")); err != nil {
		t.Error(err)
	}
	if r, err := restore(t, without(nil), noCreate); err != nil || r.Created || r.LastZxid != -1 {
		t.Errorf("nothing, and no word to begin: %+v %v", r, err)
	}
}

// The marker is looked for beside the logs by Apache's server, and put beside the snapshots by its script.
func TestInitialize(t *testing.T) {
	for _, dir := range []string{"data", "logs"} {
		m := vfs.NewMem()
		o := testOptions()
		o.AutoCreateDB = false
		for _, first := range []bool{true, false} {
			s, err := Open(m, "data", "logs", o)
			if err != nil {
				t.Fatal(err)
			}
			if first {
				writeAll(t, m, dir+"/initialize", nil)
			}
			r, err := s.Restore(freshTree)
			s.Close()
			if err != nil || r.LastZxid != 0 || r.Created != first {
				t.Errorf("%s: %+v %v", dir, r, err)
			}
			if _, err := m.Stat(dir + "/initialize"); err == nil {
				t.Errorf("%s/initialize is still there", dir)
			}
		}
	}
}

// ephemerals is a log: session 7 is made and closed after two creates, 8 is made and owns /b, /c has an owner that never was,
// /t has what looks like a time to live of 1000 ms.
func ephemerals() []byte {
	create := func(z zk.Zxid, owner zk.SessionID, path string) *txn.Txn {
		c := txn.NewCreate(path, nil, zk.WorldACL(zk.PermAll), int32(z))
		c.Ephemeral = true
		return &txn.Txn{Header: txn.Header{Session: owner, Zxid: z, Type: txn.TypeCreate}, Body: c}
	}
	session := func(z zk.Zxid, id zk.SessionID) *txn.Txn {
		return &txn.Txn{Header: txn.Header{Session: id, Zxid: z, Type: txn.TypeCreateSession}, Body: &txn.CreateSession{TimeOut: 5000}}
	}
	b := appendLogHeader(nil)
	for _, e := range entries(
		session(1, 7), session(2, 8), create(3, 7, "/a"), create(4, 8, "/b"), create(5, 9, "/c"),
		create(6, zk.SessionID(tree.TTLOwner(1000)), "/t"), create(7, 7, "/a2"),
		&txn.Txn{Header: txn.Header{Session: 7, Zxid: 8, Type: txn.TypeCloseSession}, Body: &txn.CloseSession{}},
	) {
		b = appendRecord(b, e.Payload)
	}
	return b
}

func TestSessionsAndTheirEphemerals(t *testing.T) {
	r, err := restore(t, disk(t, map[string][]byte{"log.1": ephemerals()}))
	if err != nil || len(r.Sessions) != 1 || r.Sessions[8] != 5000 {
		t.Fatalf("%+v %v", r, err)
	}
	for path, want := range map[string]bool{"/a": false, "/a2": false, "/b": true, "/c": false, "/t": true} {
		if got := r.Tree.Find(path) != 0; got != want {
			t.Errorf("%s is there: %v", path, got)
		}
	}
	if r.LastZxid != 8 || r.Tree.LastZxid() != 8 {
		t.Error("removing what nobody owns took a zxid")
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "/t") || !strings.Contains(r.Notes[0], "extendedTypesEnabled") {
		t.Errorf("%q", r.Notes)
	}
}

func TestRecent(t *testing.T) {
	r, err := restore(t, disk(t, map[string][]byte{"log.1": logFile(1, 1234, 0)}))
	if err != nil || len(r.Recent) != recentTxns {
		t.Fatal(err)
	}
	for i, e := range r.Recent {
		if want := zk.Zxid(1234 - recentTxns + 1 + i); e.Zxid != want || !bytes.Equal(e.Payload, set(want, 100).Append(nil)) {
			t.Fatalf("%d is %v", i, e.Zxid)
		}
	}
}

// Digests are compared from the first that agrees: a snapshot that was written while the tree changed shows it as it never was.
func TestDigests(t *testing.T) {
	tr := freshTree()
	var right []*txn.Txn
	for z := zk.Zxid(1); z <= 6; z++ {
		x := set(z, 100)
		x.Body.(*txn.SetData).Path = "/" // counts in the digest
		tr.Replay(x)
		x.HasDigest, x.Digest = true, tr.Digest()
		right = append(right, x)
	}
	all := []int{1, 2, 3, 4, 5, 6}
	file := func(wrong, bare []int) []byte {
		b := appendLogHeader(nil)
		for i, x := range right {
			y := *x
			if slices.Contains(wrong, i+1) {
				y.Digest++
			}
			y.HasDigest = !slices.Contains(bare, i+1)
			b = appendRecord(b, y.Append(nil))
		}
		return b
	}
	for _, c := range []struct {
		name        string
		wrong, bare []int // digests of the log
		target      int   // digest trailer of a snapshot.0: the zxid; 0 is none
		bad         bool
		want        int
	}{
		{"all right", nil, nil, 0, false, 0},
		{"two are wrong", []int{2, 5}, nil, 0, false, 2},
		{"two are wrong behind a snapshot", []int{2, 5}, nil, 3, false, 2},
		{"none is right", all, nil, 3, false, 6},
		{"wrong until one is right", []int{1, 2, 3, 4}, nil, 3, false, 0},
		{"the snapshot's is wrong, the log's are right", nil, nil, 3, true, 0},
		{"the snapshot's alone, right", nil, all, 3, false, 0},
		{"the snapshot's alone, wrong", nil, all, 3, true, 1},
		{"the snapshot's and then the log's", []int{5}, []int{1, 2, 3, 4}, 3, false, 1},
		{"a right one clears the snapshot's", nil, []int{1, 2, 3, 4, 5}, 3, true, 0},
	} {
		m := disk(t, map[string][]byte{"log.1": file(c.wrong, c.bare)})
		if c.target > 0 {
			s := open(t, m, testOptions())
			view := freshTree().Freeze()
			sn := Snapshot{Zxid: zk.Zxid(c.target), ACLs: view.ACLs(), Digest: right[c.target-1].Digest, HasDigest: true, Next: view.Next}
			if c.bad {
				sn.Digest++
			}
			path, _, err := s.WriteSnapshot(sn)
			s.Close()
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Rename(path, inVersion2("snapshot.0")); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := restore(t, m); err != nil || r.DigestMismatches != c.want || r.Txns != 6 {
			t.Errorf("%s: %d of %d, %v", c.name, r.DigestMismatches, r.Txns, err)
		}
	}
	// What Apache writes when some of a transaction is in the snapshot and the trailer still names the one before.
	ahead := freshTree()
	for _, x := range right[:4] {
		ahead.Replay(x)
	}
	for _, base := range []zk.Zxid{2, 3} {
		m := disk(t, map[string][]byte{"log.1": file(nil, nil)})
		s := open(t, m, testOptions())
		view := ahead.Freeze()
		path, _, err := s.WriteSnapshot(Snapshot{Zxid: 3, ACLs: view.ACLs(), Digest: right[2].Digest, HasDigest: true, Next: view.Next})
		s.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Rename(path, inVersion2(fmt.Sprintf("snapshot.%d", base))); err != nil {
			t.Fatal(err)
		}
		r, err := restore(t, m)
		if err != nil || r.DigestMismatches != 0 || r.Txns != 6-int(base) || r.Tree.Digest() != right[5].Digest {
			t.Errorf("snapshot.%d shows some of 4: %d of %d, %v", base, r.DigestMismatches, r.Txns, err)
		}
	}
	if r, err := restore(t, disk(t, map[string][]byte{"log.1": file([]int{2}, nil)}), func(o *Options) { o.Digest = false }); err != nil || r.DigestMismatches != 0 {
		t.Errorf("not wanted: %+v %v", r, err)
	}
}
