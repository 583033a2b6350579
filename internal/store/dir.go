package store

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/zooid-io/zooid/internal/vfs"
)

// openDirs does the checks of Apache's FileTxnSnapLog, in its order and words.
func (s *Store) openDirs() error {
	if err := s.openDir(s.logAt, "data"); err != nil {
		return err
	}
	if err := s.openDir(s.snapAt, "snap"); err != nil {
		return err
	}
	if s.logAt != s.snapAt {
		entries, err := s.fs.ReadDir(s.logAt)
		if err != nil {
			return &DirError{s.logAt, "Cannot read data directory " + s.logAt, err}
		}
		if hasPrefix(entries, snapshotPrefix) {
			return &DirError{s.logAt, "Log directory has snapshot files. Check if dataLogDir and dataDir configuration is correct.", nil}
		}
		if entries, err = s.fs.ReadDir(s.snapAt); err != nil {
			return &DirError{s.snapAt, "Cannot read snap directory " + s.snapAt, err}
		}
		if hasPrefix(entries, logPrefix) {
			return &DirError{s.snapAt, "Snapshot directory has log files. Check if dataLogDir and dataDir configuration is correct.", nil}
		}
	}
	if s.o.Shared {
		return nil
	}
	for _, dir := range s.dirs() {
		lock, err := s.fs.Lock(dir)
		if errors.Is(err, vfs.ErrLocked) {
			return &DirError{dir, "Directory " + dir + " is in use by another server. Stop it first, or configure another dataDir.", nil}
		}
		if err != nil {
			return &DirError{dir, "Cannot lock directory " + dir, err}
		}
		s.locks = append(s.locks, lock)
	}
	for _, dir := range s.dirs() {
		if err := s.removeUnfinished(dir); err != nil {
			return &DirError{dir, "Cannot write to directory " + dir, err}
		}
	}
	if half, err := s.intents(); err != nil || len(half) > 0 {
		if err == nil {
			err = s.settleIntents()
		}
		if err != nil {
			return &DirError{s.snapAt, "Cannot finish a truncation or an installation that was begun in " + s.snapAt, err}
		}
	}
	return nil
}

// dirs are the one or two directories with files.
func (s *Store) dirs() []string {
	if s.logAt == s.snapAt {
		return []string{s.snapAt}
	}
	return []string{s.logAt, s.snapAt}
}

// openDir makes sure of one directory; kind is "data" for the logs' and "snap" for the snapshots', as in Apache's messages.
func (s *Store) openDir(dir, kind string) error {
	if _, err := s.fs.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if !s.o.AutoCreateDir {
			return &DirError{dir, "Missing " + kind + " directory " + dir + ", automatic data directory creation is disabled " +
				"(zookeeper.datadir.autocreate is false). Please create this directory manually.", nil}
		}
		if err := s.makeDir(dir); err != nil {
			return &DirError{dir, "Unable to create " + kind + " directory " + dir, err}
		}
	}
	if err := s.fs.Writable(dir); err != nil {
		return &DirError{dir, "Cannot write to " + kind + " directory " + dir, err}
	}
	return nil
}

// makeDir makes dir and what is missing above it, durably: a log in a directory that a crash unmakes is lost with it.
func (s *Store) makeDir(dir string) error {
	var touched []string // the directories that get a new entry
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := s.fs.Stat(d); err == nil || filepath.Dir(d) == d {
			break
		}
		touched = append(touched, filepath.Dir(d))
	}
	if err := s.fs.MkdirAll(dir); err != nil {
		return err
	}
	for _, d := range touched {
		if err := s.fs.SyncDir(d); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) removeUnfinished(dir string) error {
	entries, err := s.fs.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if isUnfinished(e.Name()) {
			if err := s.fs.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
