package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

func TestEpochs(t *testing.T) {
	const missing = "-"
	for _, c := range []struct {
		name                   string
		accepted, current, tmp string // files
		last                   zk.Zxid
		wantA, wantC           int64
		refuse                 string
	}{
		{"a new server", missing, missing, missing, 0, 0, 0, ""},
		{"nothing, and nobody said so", missing, missing, missing, -1, 0, 0, ""},
		{"of a standalone server", missing, missing, missing, 0x77, 0, 0, ""},
		{"upgraded", missing, missing, missing, 3<<32 | 5, 3, 3, ""},
		{"as usual", "4", "4", missing, 4<<32 | 5, 4, 4, ""},
		{"no txn yet", "9", "7", missing, 4<<32 | 5, 9, 7, ""},
		{"with an end of line", "12\r\n", "10\nand more", missing, 4<<32 | 5, 12, 10, ""},
		{"the name is missing", "6", "5", "6", 6<<32 | 1, 6, 6, ""},
		{"a torn tmp", "64", "5", "6", 6<<32 | 1, 64, 5, ""},
		{"an empty tmp", "6", "5", "", 6<<32 | 1, 6, 5, ""},
		{"a tmp that nobody needs", "6", "5", "6", 5<<32 | 1, 6, 5, ""},
		{"history without epoch", "6", "5", missing, 6<<32 | 1, 6, 5, ""},
		{"accepted is missing", missing, "3", missing, 3<<32 | 5, 3, 3, ""},
		{"accepted is missing and current newer", missing, "4", missing, 3<<32 | 5, 0, 0, "The accepted epoch, 3 is less than the current epoch, 4"},
		{"current is missing", "5", missing, missing, 3<<32 | 5, 5, 3, ""},
		{"accepted below current", "3", "4", missing, 3<<32 | 5, 0, 0, "The accepted epoch, 3 is less than the current epoch, 4"},
		{"history of nobody", "5", "5", missing, 6<<32 | 1, 0, 0, "The current epoch, 5, is older than the last zxid, 0x600000001"},
		{"history of nobody, a tmp", "5", "5", "6", 6<<32 | 1, 0, 0, "The current epoch, 5, is older than the last zxid"},
		{"no number", "five", "5", missing, 1, 0, 0, `Found "five"`},
		{"empty", "5", "", missing, 1, 0, 0, `Found ""`},
		{"below zero", "5", "-1", missing, 1, 0, 0, `Found "-1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := disk(t, nil)
			for name, content := range map[string]string{acceptedName: c.accepted, currentName: c.current, currentName + epochTmp: c.tmp} {
				if content != missing {
					writeSynced(t, m, inVersion2(name), []byte(content))
				}
			}
			before := listing(t, m)
			s := open(t, m, testOptions())
			a, cur, err := s.Epochs(c.last)
			if c.refuse != "" {
				var bad *EpochError
				if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.refuse) || listing(t, m) != before {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || a != c.wantA || cur != c.wantC {
				t.Fatalf("%d %d %v, want %d %d", a, cur, err, c.wantA, c.wantC)
			}
			s.Close()
			// On disk as Apache has it, after a crash too.
			m = m.Crash(rand.New(rand.NewPCG(1, 1)))
			for name, want := range map[string]int64{acceptedName: a, currentName: cur} {
				if got, _, err := s.readNumber(inVersion2(name)); err != nil || got != want {
					t.Errorf("%s: %d %v", name, got, err)
				}
			}
			if _, err := m.Stat(inVersion2(currentName + epochTmp)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("currentEpoch.tmp is left: %v", err)
			}
			s = open(t, m, testOptions())
			if a2, cur2, err := s.Epochs(c.last); err != nil || a2 != a || cur2 != cur {
				t.Errorf("once more: %d %d %v", a2, cur2, err)
			}
		})
	}
}

func writeSynced(t testing.TB, m *vfs.Mem, name string, b []byte) {
	t.Helper()
	f, err := m.Create(name)
	if err == nil {
		_, err = f.Write(b)
	}
	if err = errors.Join(err, f.Sync(), f.Close(), m.SyncDir(inVersion2("."))); err != nil {
		t.Fatal(err)
	}
}

// listing is what there is, names and content.
func listing(t testing.TB, m vfs.FS) string {
	t.Helper()
	entries, err := m.ReadDir(inVersion2("."))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%s %x\n", e.Name(), readAll(t, m, inVersion2(e.Name())))
	}
	return b.String()
}

func TestEpochsOnlyRise(t *testing.T) {
	m := disk(t, nil)
	s := open(t, m, testOptions())
	defer s.Close()
	var bad *EpochError
	step := func(err error, fine bool) {
		t.Helper()
		if fine && err != nil || !fine && !errors.As(err, &bad) {
			t.Fatal(err)
		}
	}
	step(s.WriteCurrent(1), false) // nothing was accepted
	step(s.WriteAccepted(5), true)
	step(s.WriteAccepted(5), true)
	step(s.WriteAccepted(4), false)
	step(s.WriteCurrent(6), false)
	step(s.WriteCurrent(5), true)
	step(s.WriteCurrent(3), false)
	step(s.WriteAccepted(-1), false)
	if got := string(readAll(t, m, inVersion2(acceptedName))); got != "5" {
		t.Errorf("%q", got)
	}
	other := open(t, vfs.NewFaulty(vfs.NewMem()), testOptions())
	defer other.Close()
	step(other.WriteAccepted(0), true)
	s.Close()
	s = open(t, m, testOptions())
	step(s.WriteAccepted(4), false) // without Epochs, too
	step(s.WriteCurrent(4), false)
	step(s.WriteAccepted(12), true)
	if a, c, err := s.Epochs(5<<32 | 1); a != 12 || c != 5 || err != nil {
		t.Errorf("%d %d %v", a, c, err)
	}
}

// A server promises and acknowledges epochs on a disk that fails and loses power: what was written is never gone, and what a
// start finds is never less than an earlier start found.
func TestEpochCrashes(t *testing.T) {
	counts := map[string]int{}
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 7))
		m := disk(t, nil)
		var acked, tried [2]int64 // accepted and current
		for life := range 5 {
			faulty := vfs.NewFaulty(m)
			if life < 4 {
				faulty.CrashAfter(rng.IntN(40), rng)
			}
			s, err := Open(faulty, "data", "", testOptions())
			if err == nil {
				var now [2]int64
				now[0], now[1], err = s.Epochs(zk.Zxid(acked[1]) << 32)
				if err == nil {
					for i, e := range now {
						if e < acked[i] || e > tried[i] {
							t.Fatalf("seed %d, life %d: found %d, written was %v, tried %v", seed, life, now, acked, tried)
						}
					}
					acked, tried = now, now
				}
			}
			if err != nil && !faulty.Crashed() {
				t.Fatalf("seed %d, life %d: %v", seed, life, err)
			}
			for range 12 {
				if faulty.Crashed() {
					counts["crash"]++
					break
				}
				faulty.Clear()
				if rng.IntN(3) == 0 {
					ops := []vfs.Op{vfs.OpCreate, vfs.OpWrite, vfs.OpSync, vfs.OpRename, vfs.OpSyncDir}
					faulty.Add(vfs.Fault{Op: ops[rng.IntN(len(ops))], Times: 1})
				}
				which := rng.IntN(2)
				e := tried[which] + rng.Int64N(30)
				write := s.WriteAccepted
				if which == 1 {
					write, e = s.WriteCurrent, acked[0]
				}
				err := write(e)
				if err == nil {
					tried[which], acked[which] = e, e
					continue
				}
				tried[which] = max(tried[which], e)
				if bad := (*EpochError)(nil); errors.As(err, &bad) {
					// A write in doubt was higher.
					if counts["refused"]++; acked[which] >= e && tried[which] == acked[which] {
						t.Fatalf("seed %d, life %d: %v", seed, life, err)
					}
				}
				counts["failed"]++
			}
			m = m.Crash(rng)
		}
	}
	if counts["crash"] == 0 || counts["failed"] == 0 {
		t.Error(counts)
	}
	t.Log(counts)
}
