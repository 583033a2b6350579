package store

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/zk"
)

// An intent is a file beside the snapshots that says what is to become of the other files. Cutting a log in several files, and
// snapshots with it, is many changes, and no order of them is safe by itself:
//
//   - logs before snapshots: a snapshot of Apache's is of several moments and needs the log behind it to become one of them
//   - snapshots before logs: between an older snapshot and the log's end there may be a hole, where a leader's tree was installed
//   - removals that were not synced survive a crash in any choice, so that even one after the other they leave holes
//
// So the one change that counts is that the intent gets its name, durably. Before it a crash leaves everything as it was; after it
// Open, or the next call that needs to, goes on until everything is done and then takes the intent away, durably. Doing it twice
// does no harm. Nothing else is written meanwhile.
//
//	zooid-truncate.<zxid>                              empty
//	zooid-install.snapshot.<zxid>[.gz|.snappy]         the snapshot, whole and synced, that is to get its name
type intent struct {
	name     string
	zxid     zk.Zxid // what is above it goes
	snapshot string  // the name that the file gets at the end; "" for a truncation, whose file goes
}

const (
	truncateIntent = unfinishedPrefix + "truncate."
	installIntent  = unfinishedPrefix + "install."
)

var (
	errUnsettled = errors.New("a truncation or an installation has to be finished first")
	errOvertaken = errors.New("the history was cut or replaced meanwhile")
)

func truncation(z zk.Zxid) intent {
	return intent{name: truncateIntent + strconv.FormatUint(uint64(z), 16), zxid: z}
}

func installation(z zk.Zxid, snapshot string) intent {
	return intent{name: installIntent + snapshot, zxid: z, snapshot: snapshot}
}

// intents lists what is to be finished.
func (s *Store) intents() (list []intent, err error) {
	entries, err := s.fs.ReadDir(s.snapAt)
	if err != nil {
		return nil, &DiskError{"list", s.snapAt, err}
	}
	for _, e := range entries {
		if hex, ok := strings.CutPrefix(e.Name(), truncateIntent); ok {
			if z, err := strconv.ParseInt(hex, 16, 64); err == nil {
				list = append(list, truncation(zk.Zxid(z)))
			}
		}
		if name, ok := strings.CutPrefix(e.Name(), installIntent); ok {
			if n, ok := parseName(snapshotPrefix, name); ok {
				list = append(list, installation(n.zxid, name))
			}
		}
	}
	return list, nil
}

// quiet takes the writer off its file and finishes what an earlier call left. The caller holds s.names.
func (s *Store) quiet() error {
	if err := s.mend(); err != nil {
		return err
	}
	s.w.close() // what it holds is durable
	if !s.unsettled.Load() {
		return nil
	}
	return s.settleIntents()
}

// settleIntents finishes what is to be finished.
func (s *Store) settleIntents() error {
	list, err := s.intents()
	if err != nil {
		return err
	}
	for _, it := range list {
		s.unsettled.Store(true)
		if err := s.finish(it); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		// It may be gone without the disk knowing.
		if err := s.fs.SyncDir(s.snapAt); err != nil {
			return &DiskError{"sync", s.snapAt, err}
		}
	}
	s.unsettled.Store(false)
	return nil
}

// finish does what an intent says. On an error it is called again, in this life or the next.
func (s *Store) finish(it intent) error {
	base, err := s.dropSnapshots(it)
	if err != nil {
		return err
	}
	if err := s.cutLogs(it.zxid, base); err != nil {
		return err
	}
	for _, dir := range s.dirs() {
		if err := s.fs.SyncDir(dir); err != nil {
			return &DiskError{"sync", dir, err}
		}
	}
	path := filepath.Join(s.snapAt, it.name)
	if it.snapshot == "" {
		err = diskError("remove", path, s.fs.Remove(path))
	} else {
		to := filepath.Join(s.snapAt, it.snapshot)
		err = diskError("rename", to, s.fs.Rename(path, to))
	}
	if err != nil {
		return err
	}
	if err := s.fs.SyncDir(s.snapAt); err != nil {
		return &DiskError{"sync", s.snapAt, err}
	}
	if it.snapshot == "" {
		s.log.Warn(fmt.Sprintf("Truncated the history to %v", it.zxid))
	} else {
		s.log.Info(fmt.Sprintf("Installed %s", it.snapshot))
	}
	return nil
}

// dropSnapshots removes what may show more than the history is to have, and returns the zxid of the snapshot that Restore will
// begin with. Of the snapshots at or below a truncation those go that were still being written when later transactions had been
// applied. All others there are exact, or older than the base: Apache takes one at a time, so it was complete before the base
// was begun.
func (s *Store) dropSnapshots(it intent) (base zk.Zxid, err error) {
	files, _, err := s.list(s.snapAt, snapshotPrefix)
	if err != nil {
		return 0, &DiskError{"list", s.snapAt, err}
	}
	base = it.zxid
	if it.snapshot == "" {
		n, beyond, err := s.base(it.zxid)
		if err != nil && !errors.Is(err, ErrNoBase) { // then the log alone is the history, or was when this was begun
			return 0, err
		}
		base = n.zxid
		files = slices.DeleteFunc(files, func(n named) bool { return n.zxid <= it.zxid && !slices.Contains(beyond, n) })
	} else {
		files = slices.DeleteFunc(files, func(n named) bool { return n.zxid < it.zxid })
	}
	for _, n := range slices.Backward(files) {
		if err := s.fs.Remove(n.path()); err != nil {
			return 0, &DiskError{"remove", n.path(), err}
		}
	}
	return base, nil
}

// base is the snapshot that Restore begins with if nothing above z is left: the newest that can be read whole and shows nothing
// above z. beyond are newer ones with a name at or below z that do. The error is ErrNoBase or a *DiskError.
func (s *Store) base(z zk.Zxid) (n named, beyond []named, err error) {
	files, _, err := s.list(s.snapAt, snapshotPrefix)
	if err != nil {
		return n, nil, &DiskError{"list", s.snapAt, err}
	}
	for _, n := range slices.Backward(files) {
		if n.zxid > z {
			continue
		}
		shows, err := s.shows(n)
		if bad := (*SnapshotError)(nil); errors.As(err, &bad) {
			continue
		}
		if err != nil {
			return n, nil, err
		}
		if shows <= z {
			return n, beyond, nil
		}
		beyond = append(beyond, n)
	}
	return named{}, beyond, fmt.Errorf("%w: no snapshot at or below %v", ErrNoBase, z)
}

// shows reads a snapshot to its end and tells up to which zxid it may show transactions. That is above the zxid of its name if
// it was written by Apache while the tree changed. Half of the next may be in it, too, but that was committed then: nobody cuts the log
// before it. The error is a *SnapshotError if it is damaged, a *DiskError if the disk does
// not let it be read.
func (s *Store) shows(n named) (zk.Zxid, error) {
	f, err := s.fs.Open(n.path())
	if err != nil {
		return 0, &DiskError{"open", n.path(), err}
	}
	defer f.Close()
	r := &honestReader{r: f}
	info, err := ReadSnapshot(r, n.path(), s.o.MaxRecord, SnapshotVisitor{})
	if r.err != nil {
		return 0, &DiskError{"read", n.path(), r.err}
	}
	return max(n.zxid, info.DigestZxid, info.LastZxid), err
}

// honestReader keeps an error of the disk apart from those of who reads through it.
type honestReader struct {
	r   io.Reader
	err error
}

func (h *honestReader) Read(b []byte) (int, error) {
	n, err := h.r.Read(b)
	if err != nil && err != io.EOF {
		h.err = err
	}
	return n, err
}

// cutLogs removes every record above z from the files that Restore reads after a snapshot of base, and leaves the last of them
// without anything behind its last good record, as what would be judged there is of no interest any more.
func (s *Store) cutLogs(z, base zk.Zxid) error {
	files, _, err := s.list(s.logAt, logPrefix)
	if err != nil {
		return &DiskError{"list", s.logAt, err}
	}
	kept := false
	for _, n := range slices.Backward(files) {
		var end int64
		more := true
		if n.zxid <= z {
			if end, more, err = s.extent(n, z); err != nil {
				return err
			}
		}
		switch {
		case end <= logHeaderSize:
			if err := s.fs.Remove(n.path()); err != nil {
				return &DiskError{"remove", n.path(), err}
			}
			continue
		case more || !kept:
			if err := s.cut(n.path(), end); err != nil {
				return err
			}
		}
		if kept = true; n.zxid <= base+1 {
			break // Restore begins here
		}
	}
	return nil
}

// extent is where the records of a log up to z end; more tells that a good record above z follows there.
func (s *Store) extent(n named, z zk.Zxid) (end int64, more bool, err error) {
	err = s.eachRecord(n, func(rec Record) bool {
		if more = rec.Zxid > z; !more {
			end = rec.End()
		}
		return !more
	})
	return end, more, err
}

// eachRecord shows the good records at the beginning of a log file until visit returns false. Damage is the end.
func (s *Store) eachRecord(n named, visit func(Record) bool) error {
	f, err := s.fs.Open(n.path())
	if err != nil {
		return &DiskError{"open", n.path(), err}
	}
	defer f.Close()
	for rec, err := range ReadLog(f, n.path(), s.o.MaxRecord) {
		if bad := (*LogError)(nil); errors.As(err, &bad) {
			return nil
		}
		if err != nil {
			return &DiskError{"read", n.path(), err}
		}
		if !visit(rec) {
			return nil
		}
	}
	return nil
}

// declare makes an intent of a file: from is what has its content, "" for an empty one. When it returns nil the operation has
// happened, and finish only has to be called until it succeeds. When it fails that is open, and unsettled says so.
func (s *Store) declare(it intent, from string) error {
	path := filepath.Join(s.snapAt, it.name)
	s.unsettled.Store(true)
	if from == "" {
		f, err := s.fs.Create(path)
		if err != nil {
			return &DiskError{"create", path, err}
		}
		if err := cmp.Or(f.Sync(), f.Close()); err != nil {
			return &DiskError{"sync", path, err}
		}
	} else if err := s.fs.Rename(from, path); err != nil {
		return &DiskError{"rename", path, err}
	}
	return diskError("sync", s.snapAt, s.fs.SyncDir(s.snapAt))
}
