package store

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// Options say how to write. The zero value writes without padding, without syncing and never asks for a snapshot; a server
// fills it from its own options.
type Options struct {
	PreAlloc      int64         // bytes by which a log file is padded ahead; <= 0 is not at all
	ForceSync     bool          // Commit waits for the disk; false: only for the operating system (forceSync=no)
	SnapCount     int           // txns between snapshots, about: half of it and up to as much again by chance; < 2 is 2
	SnapSizeLimit int64         // bytes of log between snapshots, likewise; <= 0 is no limit
	LogSizeLimit  int64         // bytes of a log file, with padding, after which a new one begins; <= 0 is no limit
	Compression   string        // of snapshots: "", "gz" or "snappy"
	TrustEmpty    bool          // start from logs without any snapshot
	AutoCreateDir bool          // make missing directories
	AutoCreateDB  bool          // an empty directory is a new database
	Digest        bool          // write the digest trailer in snapshots and compare digests at Restore
	LastZxid      bool          // write the trailer with the last zxid, as 3.9 does
	Shared        bool          // beside a server that owns the directories: only Purge and what reads, no lock, no clean-up
	ExtendedTypes bool          // owners that look like a TTL are a TTL
	MaxRecord     int           // bytes of a record or field, at most; 0 is twice jute.maxbuffer's default
	Recent        int           // txns in Restored.Recent, at most; 0 is Apache's commitLogCount, 500
	FsyncWarning  time.Duration // an fsync that takes longer is logged; 0 is never
	Logger        *slog.Logger  // nil is slog.Default()
	Now           func() time.Time
	Rand          func(n int) int // a number in [0, n); nil is math/rand
}

// defaultMaxRecord is jute.maxbuffer and as much again, zookeeper.jute.maxbuffer.extrasize.
const defaultMaxRecord = 2 * 0xfffff

// Store is the files of one server. Commit, Restore, Truncate, Install, Wipe and what concerns epochs belong to one goroutine at
// a time, WriteSnapshot to one; every other method may be called from anywhere, beside them.
type Store struct {
	fs      vfs.FS
	dataDir string // parent of version-2
	logDir  string
	snapAt  string // version-2 with the snapshots
	logAt   string // version-2 with the logs; may be the same
	o       Options
	log     *slog.Logger
	locks   []io.Closer

	w   writer
	due due

	names      sync.Mutex   // held by who gives and takes the names of snapshots and logs, Commit apart
	generation atomic.Int64 // counts the histories that were cut or replaced
	unsettled  atomic.Bool  // an intent may be on disk
	accepted   epoch
	current    epoch

	slow     atomic.Int64
	lastSnap struct {
		sync.Mutex
		SnapshotFile
	}
}

// Open checks and makes the directories and removes what was left unfinished in them. logDir "" is dataDir. The directories
// are locked for this process where the system can do so without a file. The error is a *DirError.
func Open(fsys vfs.FS, dataDir, logDir string, o Options) (*Store, error) {
	if logDir == "" {
		logDir = dataDir
	}
	if o.MaxRecord <= 0 {
		o.MaxRecord = defaultMaxRecord
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.IntN
	}
	s := &Store{
		fs: fsys, dataDir: dataDir, logDir: logDir,
		snapAt: filepath.Join(dataDir, versionDir), logAt: filepath.Join(logDir, versionDir),
		o: o, log: o.Logger,
	}
	if s.o.Recent <= 0 {
		s.o.Recent = recentTxns
	}
	s.accepted.reset(acceptedName)
	s.current.reset(currentName)
	s.lastSnap.Zxid = -1
	s.due.draw(&o)
	if err := s.openDirs(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the log and gives the directories back. Everything that Commit returned nil for is already on disk.
func (s *Store) Close() error {
	err := errors.Join(s.mend(), s.w.close())
	for _, l := range s.locks {
		err = errors.Join(err, l.Close())
	}
	s.locks = nil
	return err
}

// SlowSyncs is how often an fsync of the log took longer than Options.FsyncWarning.
func (s *Store) SlowSyncs() int64 { return s.slow.Load() }

// SnapshotFile is a snapshot on disk.
type SnapshotFile struct {
	Path string
	Zxid zk.Zxid   // of its name; -1 if there is none
	Size int64     // bytes on disk
	Time time.Time // when it was written
}

// LastSnapshot is the snapshot that was written last, or else the one that Restore read; Zxid is -1 if there is none.
func (s *Store) LastSnapshot() SnapshotFile {
	s.lastSnap.Lock()
	defer s.lastSnap.Unlock()
	return s.lastSnap.SnapshotFile
}

func (s *Store) setLastSnapshot(f SnapshotFile) {
	s.lastSnap.Lock()
	defer s.lastSnap.Unlock()
	s.lastSnap.SnapshotFile = f
}

// Sizes adds up the files of the two directories, as their lengths say, padding included. With one directory for both the
// two numbers are the same.
func (s *Store) Sizes() (dataDir, logDir int64) {
	return s.size(s.snapAt), s.size(s.logAt)
}

func (s *Store) size(dir string) (sum int64) {
	entries, err := s.fs.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !info.IsDir() {
			sum += info.Size()
		}
	}
	return sum
}
