package store

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
)

func TestDirectories(t *testing.T) {
	sep := string(filepath.Separator)
	for _, c := range []struct {
		name    string
		logDir  string
		files   string // that are there before
		fault   vfs.Fault
		create  bool
		message string // "" is success
	}{
		{"made", "logs", "", vfs.Fault{Op: "none"}, true, ""},
		{"one for both", "", "data/version-2/snapshot.0 data/version-2/log.1", vfs.Fault{Op: "none"}, true, ""},
		{"the same, said twice", "data", "data/version-2/snapshot.0 data/version-2/log.1", vfs.Fault{Op: "none"}, true, ""},
		{"not made, logs", "logs", "", vfs.Fault{Op: "none"}, false, "Missing data directory logs/version-2, automatic data directory creation is disabled (zookeeper.datadir.autocreate is false). Please create this directory manually."},
		{"not made, snapshots", "logs", "logs/version-2/log.1", vfs.Fault{Op: "none"}, false, "Missing snap directory data/version-2, automatic data directory creation is disabled (zookeeper.datadir.autocreate is false). Please create this directory manually."},
		{"cannot be made", "logs", "", vfs.Fault{Op: vfs.OpMkdir, Name: "data"}, true, "Unable to create snap directory data/version-2: "},
		{"cannot be written", "logs", "logs/version-2/log.1", vfs.Fault{Op: vfs.OpStat, Name: "logs", After: 1}, true, "Cannot write to data directory logs/version-2: "},
		{"snapshots among logs", "logs", "logs/version-2/snapshot.1", vfs.Fault{Op: "none"}, true, "Log directory has snapshot files. Check if dataLogDir and dataDir configuration is correct."},
		{"logs among snapshots", "logs", "data/version-2/log.1", vfs.Fault{Op: "none"}, true, "Snapshot directory has log files. Check if dataLogDir and dataDir configuration is correct."},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := vfs.NewMem()
			for _, f := range strings.Fields(c.files) {
				if err := m.MkdirAll(filepath.Dir(f)); err != nil {
					t.Fatal(err)
				}
				writeAll(t, m, f, nil)
			}
			faulty := vfs.NewFaulty(m)
			faulty.Add(c.fault)
			o := testOptions()
			o.AutoCreateDir = c.create
			s, err := Open(faulty, "data", c.logDir, o)
			if c.message == "" {
				if err != nil {
					t.Fatal(err)
				}
				s.Close()
				return
			}
			var e *DirError
			message := strings.ReplaceAll(c.message, "/", sep)
			if !errors.As(err, &e) || e.Error() != message && !(strings.HasSuffix(message, ": ") && strings.HasPrefix(e.Error(), message)) {
				t.Fatalf("%v", err)
			}
		})
	}
}

func TestOneServerAtATime(t *testing.T) {
	for name, logDir := range map[string]string{"one directory": "", "two": "logs"} {
		m := vfs.NewMem()
		s, err := Open(m, "data", logDir, testOptions())
		if err != nil {
			t.Fatal(err)
		}
		var e *DirError
		if _, err := Open(m, "other", logDir, testOptions()); logDir != "" && !errors.As(err, &e) {
			t.Errorf("%s: shared logs: %v", name, err)
		}
		if _, err := Open(m, "data", logDir, testOptions()); !errors.As(err, &e) || !strings.Contains(err.Error(), "in use by another server") {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
		if s, err = Open(m, "data", logDir, testOptions()); err != nil {
			t.Errorf("%s: after Close: %v", name, err)
		} else {
			s.Close()
		}
	}
}

func TestUnfinishedFilesGo(t *testing.T) {
	m := disk(t, map[string][]byte{unfinished("snapshot.9"): {1}, unfinished("log.9"): {1}, "keep.tmp": {1}})
	open(t, m, testOptions())
	entries, err := m.ReadDir(inVersion2("."))
	if err != nil || len(entries) != 2 || entries[0].Name() != "keep.tmp" || entries[1].Name() != "snapshot.0" {
		t.Error(entries, err)
	}
}

// ZOOKEEPER-4730
func TestSizes(t *testing.T) {
	m := vfs.NewMem()
	s, err := Open(m, "data", "logs", testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Restore(freshTree); err != nil {
		t.Fatal(err)
	}
	commit(t, s, sets(1, 2, 100))
	if data, logs := s.Sizes(); data != 478 || logs != 65552 {
		t.Error(data, logs)
	}
}
