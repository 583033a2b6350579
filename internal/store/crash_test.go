package store

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// A machine lives several times on one disk: it restores, commits batches, snapshots, rolls and purges while the disk fails
// now and then, and loses power at some effect. After each life and at the start of the next:
//
//   - Apache could read the log up to the last acknowledged transaction, with no hole and no bad record before it
//   - Restore gives every acknowledged transaction, perhaps a beginning of the batch in flight, and nothing else
//   - after Restore the log has no bad record at all
type machine struct {
	t       *testing.T
	rng     *rand.Rand
	disk    *vfs.Mem
	acked   zk.Zxid
	tried   zk.Zxid // the last that was ever handed to Commit, in this life
	digests []int64 // of the tree by zxid, as this history has it
	model   *tree.Tree
	counts  map[string]int
}

var (
	crashSeeds = flag.Uint64("crashseeds", 0, "how many seeds TestCrashes runs; 0 is 600, fewer where that takes long")
	fullFlag   = flag.Bool("full", false, "under the race detector too, run every test at its full size")
)

// brief tells that the tests with the most rounds are to do with fewer: this room has one lock, and each round takes it alike.
func brief() bool { return raced && !*fullFlag }

func TestCrashes(t *testing.T) {
	seeds := uint64(600)
	switch {
	case *crashSeeds > 0:
		seeds = *crashSeeds
	case brief():
		seeds = 60
	case testing.Short():
		seeds = 200
	}
	counts := map[string]int{}
	for seed := range seeds {
		m := &machine{t: t, rng: rand.New(rand.NewPCG(seed, 1)), disk: vfs.NewMem(), digests: []int64{freshTree().Digest()}, counts: counts}
		for life := range 4 {
			if err := m.live(life == 3); err != nil {
				t.Fatalf("seed %d, life %d: %v", seed, life, err)
			}
		}
	}
	// The test is of no use if these do not happen.
	for _, what := range []string{"crash in Open or Restore", "crash in Commit", "crash in WriteSnapshot", "repair", "failed Commit", "survived without ack", "lost without ack"} {
		if counts[what] == 0 {
			t.Errorf("never happened: %s", what)
		}
	}
	t.Log(counts)
}

func (m *machine) live(last bool) error {
	if err := m.apacheReads(); err != nil {
		return fmt.Errorf("as found: %w", err)
	}
	faulty := vfs.NewFaulty(m.disk)
	if !last {
		faulty.CrashAfter(m.rng.IntN(150), m.rng)
	}
	o := testOptions()
	o.PreAlloc = []int64{0, 4096, 8192, 20000}[m.rng.IntN(4)]
	o.LogSizeLimit = []int64{0, 30000}[m.rng.IntN(2)]
	o.Compression = []string{"", "gz", "snappy"}[m.rng.IntN(3)]
	s, err := Open(faulty, "data", "", o)
	if err == nil {
		err = m.restore(s)
	}
	switch {
	case faulty.Crashed():
		m.counts["crash in Open or Restore"]++
	case err != nil:
		return err
	default:
		err = m.work(s, faulty)
	}
	if err != nil && !faulty.Crashed() {
		return err
	}
	if s != nil && m.rng.IntN(4) == 0 { // only the process ends
		m.counts["killed"]++
		s.Close()
		return nil
	}
	m.disk = m.disk.Crash(m.rng)
	return nil
}

// restore compares what the disk has with what it must and may have, and goes on from there.
func (m *machine) restore(s *Store) error {
	r, err := s.Restore(freshTree)
	if err != nil {
		return fmt.Errorf("Restore: %w", err)
	}
	m.counts["repair"] += len(r.Notes)
	switch {
	case r.LastZxid < m.acked:
		return fmt.Errorf("restored up to %v, acknowledged was %v", r.LastZxid, m.acked)
	case r.LastZxid > m.tried:
		return fmt.Errorf("restored up to %v, tried was %v", r.LastZxid, m.tried)
	case r.LastZxid > m.acked:
		m.counts["survived without ack"]++
	case m.tried > m.acked:
		m.counts["lost without ack"]++
	}
	if got, want := r.Tree.Digest(), m.digests[r.LastZxid]; got != want || r.DigestMismatches != 0 {
		return fmt.Errorf("at %v the digest is %d, not %d; %d mismatches", r.LastZxid, got, want, r.DigestMismatches)
	}
	if err := m.apacheReads(); err != nil {
		return fmt.Errorf("after Restore: %w", err)
	}
	for i, f := range m.logFiles() {
		if _, stop := parse(f); stop != io.EOF {
			return fmt.Errorf("after Restore, log file %d of %d: %w", i+1, len(m.logFiles()), stop)
		}
	}
	m.model, m.acked, m.tried = r.Tree, r.LastZxid, r.LastZxid
	m.digests = m.digests[:r.LastZxid+1]
	return nil
}

// work is what a server does between start and end.
func (m *machine) work(s *Store, faulty *vfs.Faulty) error {
	var batch []Entry
	for range 30 {
		if faulty.Crashed() {
			return nil
		}
		faulty.Clear()
		if m.rng.IntN(3) == 0 {
			m.addFault(faulty)
		}
		switch n := m.rng.IntN(12); {
		case n == 0:
			s.Roll()
		case n == 1 && len(batch) == 0:
			if err := m.snapshot(s); faulty.Crashed() {
				m.counts["crash in WriteSnapshot"]++
			} else if err != nil && !isDiskError(err) {
				return err
			}
		case n == 2:
			if _, err := s.Purge(3); err != nil && !isDiskError(err) {
				return err
			}
		default:
			for range m.rng.IntN(6) + 1 {
				batch = append(batch, m.submit())
			}
			switch err := s.Commit(batch); {
			case err == nil:
				if faulty.Crashed() {
					return errors.New("acknowledged after the crash")
				}
				m.acked, batch = m.tried, batch[:0]
			case faulty.Crashed():
				m.counts["crash in Commit"]++
			case !isDiskError(err):
				return err
			default:
				m.counts["failed Commit"]++
			}
		}
	}
	faulty.Clear()
	if !faulty.Crashed() && len(batch) > 0 { // the disk is well again
		if err := s.Commit(batch); err != nil && !faulty.Crashed() {
			return fmt.Errorf("with a disk that is well: %w", err)
		} else if err == nil {
			m.acked = m.tried
		}
	}
	return nil
}

func isDiskError(err error) bool {
	var e *DiskError
	return errors.As(err, &e)
}

func (m *machine) addFault(faulty *vfs.Faulty) {
	if m.rng.IntN(5) == 0 {
		faulty.SetSpace(int64(m.rng.IntN(6000)))
		return
	}
	ops := []vfs.Op{vfs.OpCreate, vfs.OpWrite, vfs.OpTruncate, vfs.OpPreallocate, vfs.OpSync, vfs.OpSync, vfs.OpRename, vfs.OpSyncDir, vfs.OpOpen}
	x := vfs.Fault{Op: ops[m.rng.IntN(len(ops))], After: m.rng.IntN(2), Times: 1 + m.rng.IntN(3), Short: m.rng.IntN(3000)}
	if x.Op == vfs.OpSync && m.rng.IntN(2) == 0 {
		x.Lose, x.LoseRand = true, m.rng
	}
	faulty.Add(x)
}

// submit makes the next transaction. Its data tells the life it was made in, as its digest does.
func (m *machine) submit() Entry {
	m.tried++
	data := bytes.Repeat([]byte{byte(m.rng.IntN(256))}, []int{0, 10, 300, 2000}[m.rng.IntN(4)])
	x := &txn.Txn{Header: txn.Header{Zxid: m.tried, Time: m.rng.Int64N(1 << 40), Type: txn.TypeCreate}}
	x.Body = txn.NewCreate(fmt.Sprintf("/n%d", m.tried), data, zk.WorldACL(zk.PermAll), int32(m.tried))
	m.model.Replay(x)
	x.HasDigest, x.Digest = true, m.model.Digest()
	m.digests = append(m.digests, x.Digest)
	return Entry{x.Zxid, x.Append(nil)}
}

func (m *machine) snapshot(s *Store) error {
	s.Roll()
	view := m.model.Freeze()
	defer view.Close()
	_, _, err := s.WriteSnapshot(Snapshot{Zxid: view.Zxid(), ACLs: view.ACLs(), Digest: view.Digest(), HasDigest: true, Next: view.Next})
	return err
}

func (m *machine) logFiles() (files [][]byte) {
	list, _, _ := (&Store{fs: m.disk}).list(inVersion2("."), logPrefix)
	for _, n := range list {
		files = append(files, readAll(m.t, m.disk, n.path()))
	}
	return files
}

// parse reads a log as Apache does: stop is io.EOF at the end or at zeros.
func parse(file []byte) (zxids []zk.Zxid, stop error) {
	for rec, err := range ReadLog(bytes.NewReader(file), "log", 0) {
		if err != nil {
			return zxids, err
		}
		zxids = append(zxids, rec.Zxid)
	}
	return zxids, io.EOF
}

// apacheReads makes sure that the files are a log that Apache reads up to what was acknowledged: without a hole, no file
// without a record, no bad record but behind that and in the last file.
//
// Below the newest snapshot there may be holes: a purge whose removals survived only in part.
func (m *machine) apacheReads() error {
	snapshots, _, _ := (&Store{fs: m.disk}).list(inVersion2("."), snapshotPrefix)
	files := m.logFiles()
	if len(snapshots) == 0 {
		if m.acked > 0 || len(files) > 0 {
			return errors.New("no snapshot")
		}
		return nil
	}
	at := snapshots[len(snapshots)-1].zxid
	for i, f := range files {
		zxids, stop := parse(f)
		if len(zxids) == 0 {
			return fmt.Errorf("file %d of %d with %d bytes has no record: %v", i+1, len(files), len(f), stop)
		}
		for _, z := range zxids {
			if z > at+1 {
				return fmt.Errorf("file %d of %d: %v after %v", i+1, len(files), z, at)
			}
			at = max(at, z)
		}
		if stop != io.EOF && i+1 < len(files) {
			return fmt.Errorf("file %d of %d: %w", i+1, len(files), stop)
		}
	}
	if at < m.acked {
		return fmt.Errorf("the log ends at %v, acknowledged is %v", at, m.acked)
	}
	return nil
}
