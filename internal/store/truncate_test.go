package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

const epochTwo = zk.Zxid(2) << 32

// twoEpochs is 1 to 20 and the first ten of epoch 2, in logs 1, 9, f, 200000001 and 200000006, with snapshots 0, 8, e and
// 200000005; everything is synced. Each txn makes a znode, so a tree shows what it has seen.
func twoEpochs(t testing.TB) *vfs.Mem {
	t.Helper()
	m := vfs.NewMem()
	s := open(t, m, slim())
	r, err := s.Restore(freshTree)
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range append(zxids(1, 20), zxids(epochTwo|1, epochTwo|10)...) {
		if z == epochTwo|1 {
			s.Roll()
		}
		commit(t, s, entries(made(z)))
		r.Tree.Replay(made(z))
		if z == 8 || z == 14 || z == epochTwo|5 {
			s.Roll()
			writeSnapshot(t, s, r.Tree)
		}
	}
	if err := errors.Join(s.WriteAccepted(3), s.WriteCurrent(2), s.Close()); err != nil {
		t.Fatal(err)
	}
	return m.Crash(rand.New(rand.NewPCG(0, 0)))
}

// slim are options with little padding, as these tests copy disks all the time.
func slim() Options {
	o := testOptions()
	o.PreAlloc = 1024
	return o
}

// upTo are those of twoEpochs up to z.
func upTo(z zk.Zxid) []zk.Zxid {
	all := append(zxids(1, 20), zxids(epochTwo|1, epochTwo|10)...)
	return slices.DeleteFunc(all, func(x zk.Zxid) bool { return x > z })
}

// state is what a store restores: up to where, and what its tree shows.
func state(t testing.TB, r *Restored) string {
	t.Helper()
	if err := r.Tree.Check(); err != nil {
		t.Fatal(err)
	}
	if r.DigestMismatches > 0 || r.Tree.LastZxid() != r.LastZxid {
		t.Fatalf("%+v", r)
	}
	for i, e := range r.Recent {
		if i > 0 && !follows(r.Recent[i-1].Zxid, e.Zxid) || e.Zxid <= r.SnapshotZxid || payloadZxid(e.Payload) != e.Zxid {
			t.Fatalf("recent: %v at %d", e.Zxid, i)
		}
	}
	if n := len(r.Recent); n > 0 && r.Recent[n-1].Zxid != r.LastZxid {
		t.Fatalf("recent ends with %v", r.Recent[n-1].Zxid)
	}
	var names []string
	for name := range r.Tree.Children(r.Tree.Find("/")) {
		names = append(names, name)
	}
	slices.Sort(names)
	return fmt.Sprintf("%v %v %v", r.LastZxid, names, r.Sessions)
}

// goesOn restores, commits what comes after, and restores once more in another life: whatever was cut, the history goes on.
func goesOn(t testing.TB, m *vfs.Mem, want string) {
	t.Helper()
	s := open(t, m, slim())
	r, err := s.Restore(freshTree)
	if err != nil || state(t, r) != want || len(r.Notes) > 0 {
		t.Fatalf("%v %+v, want %v", err, r, want)
	}
	z := r.LastZxid + 1
	if z.Counter()%2 == 0 { // a new epoch as well
		z = zk.Zxid(z.Epoch()+1)<<32 | 1
	}
	for range 3 {
		commit(t, s, entries(made(z)))
		r.Tree.Replay(made(z))
		z++
	}
	r.LastZxid, r.Recent = z-1, nil
	after := state(t, r)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	m = m.Crash(rand.New(rand.NewPCG(0, 0)))
	again, err := restore(t, m)
	if err != nil || state(t, again) != after || len(again.Notes) > 0 {
		t.Fatalf("gone on: %v %+v, want %v", err, again, after)
	}
}

func TestTruncate(t *testing.T) {
	for _, z := range append(upTo(epochTwo|10), 0, epochTwo) {
		m := twoEpochs(t)
		s := open(t, m, slim())
		if _, err := s.Restore(freshTree); err != nil {
			t.Fatal(err)
		}
		if err := s.Truncate(z); err != nil {
			t.Fatal(z, err)
		}
		r, err := s.Restore(freshTree)
		last := z
		if z == epochTwo {
			last = 20
		}
		if err != nil || r.LastZxid != last || !slices.Equal(shown(t, r.Tree), upTo(z)) || len(r.Notes) > 0 || s.LastSnapshot().Zxid != r.SnapshotZxid {
			t.Fatalf("%v: %+v %v", z, r, err)
		}
		want := state(t, r)
		if a, c, err := s.Epochs(r.LastZxid); a != 3 || c != 2 || err != nil {
			t.Errorf("%d %d %v", a, c, err)
		}
		s.Close()
		for _, n := range []string{"snapshot.0", "snapshot.8", "snapshot.e", "snapshot.200000005"} {
			if _, err := m.Stat(inVersion2(n)); (err == nil) != (looseZxid(snapshotPrefix, n) <= z) {
				t.Errorf("%v: %s: %v", z, n, err)
			}
		}
		goesOn(t, m, want)
	}
}

// While it is being written: the open file is cut and left, and what is committed next goes into another.
func TestTruncateWhatIsBeingWritten(t *testing.T) {
	s, fsys := started(t, slim())
	defer s.Close()
	commit(t, s, sets(1, 5, 100))
	if err := s.Truncate(3); err != nil {
		t.Fatal(err)
	}
	commit(t, s, sets(4, 4, 200))
	commit(t, s, entries(set(1<<32|1, 10)))
	if err := s.Truncate(4); err != nil {
		t.Fatal(err)
	}
	commit(t, s, entries(set(2<<32|1, 10)))
	r, err := s.Restore(freshTree)
	if err != nil || r.LastZxid != 2<<32|1 || r.Txns != 5 || len(r.Recent) != 5 {
		t.Errorf("%+v %v", r, err)
	}
	commit(t, s, entries(set(2<<32|2, 10)))
	for _, n := range []string{"log.1", "log.4", "log.200000001", "log.200000002"} {
		if _, err := fsys.Stat(inVersion2(n)); err != nil {
			t.Error(err)
		}
	}
}

func TestTruncateWithoutBase(t *testing.T) {
	for _, c := range []struct {
		name   string
		z      zk.Zxid
		change func(m *vfs.Mem) error
	}{
		{"above the end", epochTwo | 11, nil},
		{"above the end of an epoch", 21, nil},
		{"an epoch that is not there", 1<<32 | 1, nil},
		{"no snapshot below", 7, func(m *vfs.Mem) error { return m.Remove(inVersion2("snapshot.0")) }},
		{"a damaged one below", 9, func(m *vfs.Mem) error {
			b := readAll(t, m, inVersion2("snapshot.8"))
			writeAll(t, m, inVersion2("snapshot.8"), corrupt(b, 90))
			return m.Remove(inVersion2("snapshot.0"))
		}},
		{"a log is missing", epochTwo | 3, func(m *vfs.Mem) error { return m.Remove(inVersion2("log.200000001")) }},
		{"a log is missing before", 19, func(m *vfs.Mem) error {
			return errors.Join(m.Remove(inVersion2("log.9")), m.Remove(inVersion2("snapshot.e")))
		}},
		{"a damaged log", 13, func(m *vfs.Mem) error {
			b := readAll(t, m, inVersion2("log.9"))
			writeAll(t, m, inVersion2("log.9"), corrupt(b, 60))
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := twoEpochs(t)
			if c.change != nil {
				if err := c.change(m); err != nil {
					t.Fatal(err)
				}
			}
			before := listing(t, m)
			s := open(t, m, slim())
			if err := s.Truncate(c.z); !errors.Is(err, ErrNoBase) || listing(t, m) != before {
				t.Fatal(err)
			}
			if err := s.Wipe(); err != nil {
				t.Fatal(err)
			}
			r, err := s.Restore(freshTree)
			if err != nil || r.LastZxid != 0 || r.Tree.Digest() != freshTree().Digest() || len(r.Notes)+len(r.Recent) > 0 || s.LastSnapshot().Zxid != 0 {
				t.Fatalf("%+v %v", r, err)
			}
			if a, c, err := s.Epochs(0); a != 3 || c != 2 || err != nil {
				t.Errorf("%d %d %v", a, c, err)
			}
			s.Close()
			if entries, _ := m.ReadDir(inVersion2(".")); len(entries) != 3 {
				t.Errorf("%v", entries)
			}
			goesOn(t, m, state(t, r))
		})
	}
	// A disk that cannot be read is another matter: nobody must wipe for that.
	for _, op := range []vfs.Op{vfs.OpOpen, vfs.OpRead, vfs.OpReadDir, vfs.OpStat} {
		for after := range 3 {
			faulty := vfs.NewFaulty(twoEpochs(t))
			s := open(t, faulty, slim())
			faulty.Add(vfs.Fault{Op: op, After: after, Times: 1})
			if err := s.Truncate(epochTwo | 7); err != nil && (errors.Is(err, ErrNoBase) || !isDiskError(err)) {
				t.Errorf("%s: %v", op, err)
			}
			s.Close()
		}
	}
}

// A snapshot of Apache's shows what was applied while it was written, and says so in its trailers: if that is to go, it goes too,
// whatever its name.
func TestTruncateFuzzySnapshot(t *testing.T) {
	m := twoEpochs(t)
	b := readAll(t, m, inVersion2("snapshot.200000005"))
	for _, n := range []string{"snapshot.200000005", "snapshot.e"} {
		if err := m.Remove(inVersion2(n)); err != nil {
			t.Fatal(err)
		}
	}
	writeAll(t, m, inVersion2("snapshot.a"), b)
	r, err := restore(t, m)
	if err != nil || r.LastZxid != epochTwo|10 || r.SnapshotZxid != 10 {
		t.Fatalf("%+v %v", r, err)
	}
	s := open(t, m, slim())
	if err := s.Truncate(epochTwo | 5); err != nil { // all that it shows stays
		t.Fatal(err)
	}
	if r, err = s.Restore(freshTree); err != nil || r.SnapshotZxid != 10 || !slices.Equal(shown(t, r.Tree), upTo(epochTwo|5)) {
		t.Fatalf("%+v %v", r, err)
	}
	if err := s.Truncate(epochTwo | 3); err != nil {
		t.Fatal(err)
	}
	if r, err = s.Restore(freshTree); err != nil || r.SnapshotZxid != 8 || !slices.Equal(shown(t, r.Tree), upTo(epochTwo|3)) {
		t.Fatalf("%+v %v", r, err)
	}
	s.Close()
	goesOn(t, m, state(t, r))
}

// given is a tree that is as of z and of another history.
func given(z zk.Zxid) *tree.Tree {
	tr := freshTree()
	body := txn.NewCreate("/given", []byte("by a leader"), ipACL, 1)
	tr.Replay(&txn.Txn{Header: txn.Header{Zxid: z, Time: 1, Type: txn.TypeCreate}, Body: body})
	return tr
}

func install(s *Store, z zk.Zxid) error {
	view := given(z).Freeze()
	defer view.Close()
	path, size, err := s.Install(Snapshot{
		Zxid: z, Sessions: []Session{{77, 4000}}, ACLs: view.ACLs(), Digest: view.Digest(), HasDigest: true, Next: view.Next,
	})
	if err == nil {
		if f := s.LastSnapshot(); f.Path != path || f.Size != size || f.Zxid != z {
			return fmt.Errorf("%s, last is %+v", path, f)
		}
	}
	return err
}

func TestInstall(t *testing.T) {
	for _, z := range []zk.Zxid{0, 3, 8, 9, 14, 15, 20, 25, 1<<32 | 1, epochTwo, epochTwo | 1, epochTwo | 7, epochTwo | 10, epochTwo | 30, 3 << 32, 3<<32 | 9} {
		for _, compression := range []string{"", "gz"} {
			m := twoEpochs(t)
			o := slim()
			o.Compression = compression
			s := open(t, m, o)
			if _, err := s.Restore(freshTree); err != nil {
				t.Fatal(err)
			}
			if err := install(s, z); err != nil {
				t.Fatal(z, err)
			}
			r, err := s.Restore(freshTree)
			if err != nil || r.LastZxid != z || r.SnapshotZxid != z || r.Tree.Digest() != given(z).Digest() || len(r.Notes)+len(r.Recent) > 0 || r.Sessions[77] != 4000 {
				t.Fatalf("%v: %+v %v", z, r, err)
			}
			s.Close()
			goesOn(t, m, state(t, r))
		}
	}
}

// If the installed snapshot is damaged later, the older generation is not taken for what comes before the log, even where a new
// epoch would let it.
func TestGenerationsDoNotMix(t *testing.T) {
	for _, next := range []zk.Zxid{epochTwo | 14, 3<<32 | 1} {
		m := twoEpochs(t)
		s := open(t, m, slim())
		if err := install(s, epochTwo|13); err != nil {
			t.Fatal(err)
		}
		commit(t, s, entries(made(next)))
		s.Close()
		name := inVersion2("snapshot.20000000d")
		writeAll(t, m, name, corrupt(readAll(t, m, name), 70))
		if r, err := restore(t, m); !errors.Is(err, ErrAllBad) {
			t.Errorf("%v: %+v %v", next, r, err)
		}
	}
}

// A folder of an ensemble: epochs begin at 1, and what is missing is noticed and not handed to anybody.
func TestRestoreEpochs(t *testing.T) {
	for _, c := range []struct {
		logs   map[string][]byte
		recent zk.Zxid // the first
		notes  int
	}{
		{map[string][]byte{"log.1": madeLog(1, 2, 1<<32|1, 1<<32|2, 4<<32|1), "log.400000002": madeLog(4<<32|2, 7<<32|1)}, 1, 0},
		{map[string][]byte{"log.100000001": madeLog(1<<32|1, 1<<32|2)}, 1<<32 | 1, 0},
		{map[string][]byte{"log.1": madeLog(1, 2, 1<<32|2, 1<<32|3)}, 1<<32 | 2, 1},
		{map[string][]byte{"log.1": madeLog(1, 2, 4, 5)}, 4, 1},
		{map[string][]byte{"log.1": madeLog(1, 2, 3, 2, 4, 5)}, 4, 1},
	} {
		r, err := restore(t, disk(t, c.logs))
		if err != nil || len(r.Recent) == 0 || r.Recent[0].Zxid != c.recent || len(r.Notes) != c.notes {
			t.Errorf("%+v %v, want recent from %v", r, err, c.recent)
		}
	}
}

func TestRecentOption(t *testing.T) {
	m := twoEpochs(t)
	for n, first := range map[int]zk.Zxid{0: epochTwo | 6, 3: epochTwo | 8, 5: epochTwo | 6, 50: epochTwo | 6} {
		r, err := restore(t, m, func(o *Options) { o.Recent = n })
		if err != nil || r.Recent[0].Zxid != first || r.Recent[len(r.Recent)-1].Zxid != epochTwo|10 {
			t.Errorf("%d: %+v %v", n, r.Recent, err)
		}
	}
}

// A snapshot that was begun before the history was cut does not come back after it, and a purge does not look at what is half
// done.
func TestOvertaken(t *testing.T) {
	m := twoEpochs(t)
	faulty := vfs.NewFaulty(m)
	s := open(t, faulty, slim())
	r, err := s.Restore(freshTree)
	if err != nil {
		t.Fatal(err)
	}
	view := r.Tree.Freeze()
	sn := Snapshot{Zxid: view.Zxid(), ACLs: view.ACLs()}
	sn.Next = func(b []byte, max int) ([]byte, bool) {
		if err := s.Truncate(epochTwo | 7); err != nil {
			t.Error(err)
		}
		return view.Next(b, max)
	}
	if _, _, err := s.WriteSnapshot(sn); !errors.Is(err, errOvertaken) || !isDiskError(err) {
		t.Error(err)
	}
	view.Close()
	if r, err = s.Restore(freshTree); err != nil || r.LastZxid != epochTwo|7 {
		t.Fatalf("%+v %v", r, err)
	}

	faulty.Add(vfs.Fault{Op: vfs.OpTruncate})
	if err := s.Truncate(epochTwo | 6); !isDiskError(err) {
		t.Fatal(err)
	}
	if _, err := s.Purge(3); !errors.Is(err, errUnsettled) {
		t.Error(err)
	}
	if err := s.Commit(entries(made(epochTwo | 8))); !errors.Is(err, errUnsettled) {
		t.Error(err)
	}
	view = r.Tree.Freeze()
	if _, _, err := s.WriteSnapshot(Snapshot{Zxid: view.Zxid(), ACLs: view.ACLs(), Next: view.Next}); !errors.Is(err, errUnsettled) {
		t.Error(err)
	}
	view.Close()
	faulty.Clear()
	if r, err = s.Restore(freshTree); err != nil || r.LastZxid != epochTwo|6 { // it goes on
		t.Fatalf("%+v %v", r, err)
	}
	if err := s.Commit(entries(made(epochTwo | 7))); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, what := range []string{truncateIntent, installIntent} {
		entries, _ := m.ReadDir(inVersion2("."))
		if hasPrefix(entries, what[:len(what)-1]) {
			t.Errorf("%s is left", what)
		}
	}
	if _, err := m.Stat(inVersion2("snapshot.20000000a")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// changes are what takes a history back or replaces it.
var changes = []struct {
	name string
	do   func(s *Store) error
}{
	{"truncate the last txn", func(s *Store) error { return s.Truncate(epochTwo | 9) }},
	{"truncate a file", func(s *Store) error { return s.Truncate(epochTwo | 5) }},
	{"truncate an epoch", func(s *Store) error { return s.Truncate(20) }},
	{"truncate two snapshots", func(s *Store) error { return s.Truncate(10) }},
	{"truncate everything", func(s *Store) error { return s.Truncate(0) }},
	{"install something newer", func(s *Store) error { return install(s, 3<<32|7) }},
	{"install something older", func(s *Store) error { return install(s, 11) }},
	{"install the same", func(s *Store) error { return install(s, epochTwo|5) }},
	{"wipe", func(s *Store) error { return s.Wipe() }},
}

// Wherever the power goes, while one of these is done or what it left is finished, there is the old history or the new one; the
// new one for good, once anybody has seen it or was told so. Epochs stay.
func TestCrashesOfChanges(t *testing.T) {
	seeds := uint64(5)
	if testing.Short() {
		seeds = 2
	}
	counts := map[string]int{}
	whole := twoEpochs(t)
	for _, c := range changes {
		was, now := bothStates(t, whole, c.do)
		for crashAt, end := 0, false; !end; crashAt++ {
			for seed := range seeds {
				rng := rand.New(rand.NewPCG(seed, uint64(crashAt)))
				m := whole.Crash(rng)
				faulty := vfs.NewFaulty(m)
				s := open(t, faulty, slim())
				if _, err := s.Restore(freshTree); err != nil {
					t.Fatal(err)
				}
				faulty.CrashAfter(crashAt, rng)
				err := c.do(s)
				if !faulty.Crashed() {
					end = true
				}
				seen := err == nil
				for life := 0; life < 3; life++ {
					m = m.Crash(rng)
					faulty = vfs.NewFaulty(m)
					if life < 2 {
						faulty.CrashAfter(rng.IntN(15), rng)
					}
					s, err := Open(faulty, "data", "", slim())
					var r *Restored
					if err == nil {
						r, err = s.Restore(freshTree)
					}
					if err != nil {
						if !faulty.Crashed() {
							t.Fatalf("%s, crash at %d, seed %d, life %d: %v", c.name, crashAt, seed, life, err)
						}
						counts["crash again"]++
						continue
					}
					got := state(t, r)
					if got != now && (got != was || seen) {
						t.Fatalf("%s, crash at %d, seed %d, life %d: %v\nwas %v\nnow %v", c.name, crashAt, seed, life, got, was, now)
					}
					if got == now {
						counts["new"]++
					} else {
						counts["old"]++
					}
					seen = seen || got == now
				}
				m = m.Crash(rng)
				want := was
				if seen {
					want = now
				}
				goesOn(t, m, want)
				s = open(t, m, slim())
				if a, cur, err := s.Epochs(epochTwo); a < 3 || cur < 2 || err != nil {
					t.Fatalf("%d %d %v", a, cur, err)
				}
				s.Close()
			}
		}
	}
	for _, what := range []string{"old", "new", "crash again"} {
		if counts[what] == 0 {
			t.Error("never: " + what)
		}
	}
	t.Log(counts)
}

// bothStates are the history before and after a change.
func bothStates(t testing.TB, whole *vfs.Mem, do func(*Store) error) (was, now string) {
	t.Helper()
	s := open(t, whole.Crash(rand.New(rand.NewPCG(0, 0))), slim())
	defer s.Close()
	r, err := s.Restore(freshTree)
	if err != nil {
		t.Fatal(err)
	}
	was = state(t, r)
	if err := do(s); err != nil {
		t.Fatal(err)
	}
	if r, err = s.Restore(freshTree); err != nil {
		t.Fatal(err)
	}
	return was, state(t, r)
}

// Whatever the disk refuses, the change reports it; tried again on a disk that is well it succeeds; not tried again, there is the
// old history or the new one, after Restore as after a crash; and nothing is written in between.
func TestFaultsOfChanges(t *testing.T) {
	ops := []vfs.Op{vfs.OpCreate, vfs.OpWrite, vfs.OpTruncate, vfs.OpSync, vfs.OpRename, vfs.OpRemove, vfs.OpSyncDir, vfs.OpOpen, vfs.OpRead, vfs.OpReadDir, vfs.OpStat}
	whole := twoEpochs(t)
	counts := map[string]int{}
	for _, c := range changes {
		was, now := bothStates(t, whole, c.do)
		for _, op := range ops {
			for after, end := 0, false; !end && after < 40; after++ {
				for way := range 4 {
					rng := rand.New(rand.NewPCG(uint64(after), uint64(way)))
					m := whole.Crash(rng)
					faulty := vfs.NewFaulty(m)
					s := open(t, faulty, slim())
					if _, err := s.Restore(freshTree); err != nil {
						t.Fatal(err)
					}
					faulty.Add(vfs.Fault{Op: op, After: after, Times: 1, Lose: op == vfs.OpSync, LoseRand: rng})
					err := c.do(s)
					where := fmt.Sprintf("%s, %s fails after %d, way %d", c.name, op, after, way)
					if err == nil {
						end = true
					} else if !isDiskError(err) {
						t.Fatalf("%s: %v", where, err)
					}
					faulty.Clear()
					want := now
					if err != nil {
						counts[string(op)]++
						switch way {
						case 0:
							if err := c.do(s); err != nil {
								t.Fatalf("%s: tried again: %v", where, err)
							}
						case 1: // another life
							want = ""
						case 2:
							want = ""
							if _, err := s.Restore(freshTree); err != nil {
								t.Fatalf("%s: Restore: %v", where, err)
							}
						case 3: // somebody goes on as if nothing had happened
							if e := s.Commit(entries(made(epochTwo | 11))); e == nil {
								want = "gone on"
								counts[want]++
							} else if want = ""; !errors.Is(e, errUnsettled) {
								t.Fatalf("%s: %v", where, e)
							}
						}
					}
					s.Close()
					r, err := restore(t, m.Crash(rng))
					if err != nil {
						t.Fatalf("%s: %v", where, err)
					}
					switch got := state(t, r); {
					case want == "gone on":
						if r.LastZxid != epochTwo|11 {
							t.Fatalf("%s: %v", where, got)
						}
					case want == "" && got != was && got != now, want != "" && got != want:
						t.Fatalf("%s: %v\nwas %v\nnow %v", where, got, was, now)
					}
				}
			}
		}
	}
	for _, op := range ops {
		if counts[string(op)] == 0 {
			t.Errorf("never failed: %s", op)
		}
	}
	t.Log(counts)
}
