package store

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
)

func TestPurge(t *testing.T) {
	whole := snapshotBytes(t, 0)
	cut := whole[:len(whole)-3]
	for _, c := range []struct {
		name    string
		logs    string
		whole   string // snapshots that are complete
		cut     string // and that are not
		removed string
	}{
		// The example of section 7 of the storage reference, of a real server.
		{"as Apache did", "1 c", "0 9 a b c d", "", "snapshot.0 snapshot.9 snapshot.a"},
		{"a log that holds later transactions stays", "1 5 9 e", "3 7 b c d", "", "snapshot.3 snapshot.7 log.1 log.5"},
		{"a log that begins with the oldest", "1 5 b d", "b c d", "", "log.1 log.5"},
		{"fewer than asked for", "1 5 9", "7 c", "", "log.1"},
		{"none", "1 5 9", "", "7 c", ""},
		{"incomplete ones do not count", "1 5 9", "5 6 a", "4 7 c", "snapshot.4 log.1"},
		{"and go by their age", "1 5 9", "6 7 a b", "3 6.gz 8 c", "snapshot.3 snapshot.6 snapshot.6.gz log.1"},
		{"hex is not text", "9 10 100", "f 10 11 100", "", "snapshot.f log.9"},
		{"what has no number goes", "1 xyz", "1 2 3", "junk ffffffffffffffff", "snapshot.ffffffffffffffff snapshot.junk log.xyz"},
		{"copies go by their number", "1 1.bak 5 5.bak", "4 6 7 8", "6.tmp", "snapshot.4 log.1 log.1.bak"},
		{"negative", "-5 1", "1 2 3", "", "log.-5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := vfs.NewMem()
			var out bytes.Buffer
			o := testOptions()
			o.Logger = slog.New(slog.NewTextHandler(&out, nil))
			s := open(t, m, o)
			for _, z := range strings.Fields(c.logs) {
				writeAll(t, m, inVersion2("log."+z), nil)
			}
			for _, z := range strings.Fields(c.whole) {
				writeAll(t, m, inVersion2("snapshot."+z), whole)
			}
			for _, z := range strings.Fields(c.cut) {
				writeAll(t, m, inVersion2("snapshot."+z), cut)
			}
			for _, other := range []string{"currentEpoch", "acceptedEpoch", "logs", "snapshots.1"} {
				writeAll(t, m, inVersion2(other), nil)
			}
			before, _ := m.ReadDir(inVersion2("."))
			removed, err := s.Purge(3)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, path := range removed {
				names = append(names, strings.TrimPrefix(path, inVersion2("")+"/"))
				if _, err := m.Stat(path); err == nil {
					t.Errorf("%s is still there", path)
				}
				if !strings.Contains(out.String(), `\t`+path) || !strings.Contains(out.String(), "Removing file: ") {
					t.Errorf("nothing was said of %s", path)
				}
			}
			if want := strings.Fields(c.removed); !slices.Equal(names, want) {
				t.Errorf("removed %v, not %v", names, want)
			}
			if after, _ := m.ReadDir(inVersion2(".")); len(after) != len(before)-len(removed) {
				t.Error("something else went")
			}
		})
	}
}

func TestPurgeKeepsThree(t *testing.T) {
	s := open(t, vfs.NewMem(), testOptions())
	if _, err := s.Purge(2); err == nil {
		t.Error("kept 2")
	}
}

func TestPurgeGoesOn(t *testing.T) {
	fsys := vfs.NewFaulty(vfs.NewMem())
	s := open(t, fsys, testOptions())
	for _, z := range []string{"1", "2", "3", "4", "5"} {
		writeAll(t, fsys, inVersion2("snapshot."+z), snapshotBytes(t, 0))
	}
	fsys.Add(vfs.Fault{Op: vfs.OpRemove, Name: "snapshot.1", Times: 1})
	removed, err := s.Purge(3)
	var e *DiskError
	if !errors.As(err, &e) || !strings.HasSuffix(e.File, "snapshot.1") || len(removed) != 1 || !strings.HasSuffix(removed[0], "snapshot.2") {
		t.Fatal(removed, err)
	}
}
