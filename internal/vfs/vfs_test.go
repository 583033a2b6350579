package vfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// everywhere runs a test on each file system, in an empty directory.
func everywhere(t *testing.T, test func(t *testing.T, fsys FS, dir string)) {
	t.Run("OS", func(t *testing.T) { test(t, OS{}, t.TempDir()) })
	t.Run("Mem", func(t *testing.T) {
		m := NewMem()
		must(t, m.MkdirAll("/d"))
		test(t, m, "/d")
	})
	t.Run("Faulty", func(t *testing.T) {
		m := NewFaulty(NewMem())
		must(t, m.MkdirAll("/d"))
		test(t, m, "/d")
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, fsys FS, name, content string) File {
	t.Helper()
	f, err := fsys.Create(name)
	must(t, err)
	_, err = f.Write([]byte(content))
	must(t, err)
	return f
}

func get(t *testing.T, fsys FS, name string) string {
	t.Helper()
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "(none)"
	}
	must(t, err)
	defer f.Close()
	b, err := io.ReadAll(f)
	must(t, err)
	return string(b)
}

func TestFiles(t *testing.T) {
	everywhere(t, func(t *testing.T, fsys FS, dir string) {
		name := filepath.Join(dir, "a")
		f := put(t, fsys, name, "hello")
		_, err := f.Write([]byte(" you"))
		must(t, err)
		_, err = f.WriteAt([]byte("J"), 0)
		must(t, err)
		must(t, f.Preallocate(12))
		must(t, f.Preallocate(3)) // does not cut
		must(t, f.Datasync())
		must(t, f.Sync())
		if size, err := f.Size(); size != 12 || err != nil {
			t.Errorf("size %d, %v", size, err)
		}
		if got := get(t, fsys, name); got != "Jello you\x00\x00\x00" {
			t.Errorf("%q", got)
		}
		must(t, f.Truncate(2))
		must(t, f.Truncate(4))
		if got := get(t, fsys, name); got != "Je\x00\x00" {
			t.Errorf("cut and lengthened: %q", got)
		}
		b := make([]byte, 8)
		if n, err := f.ReadAt(b, 1); n != 3 || err != io.EOF {
			t.Errorf("ReadAt over the end: %d, %v", n, err)
		}
		must(t, f.Close())

		r, err := fsys.Open(name)
		must(t, err)
		if _, err := r.Write([]byte("x")); err == nil {
			t.Error("wrote to a file opened for reading")
		}
		must(t, r.Close())
		if _, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL); !errors.Is(err, fs.ErrExist) {
			t.Errorf("O_EXCL: %v", err)
		}
	})
}

func TestNames(t *testing.T) {
	everywhere(t, func(t *testing.T, fsys FS, dir string) {
		at := func(name string) string { return filepath.Join(dir, name) }
		must(t, fsys.MkdirAll(at("x/y")))
		must(t, fsys.MkdirAll(at("x/y")))
		put(t, fsys, at("x/b"), "b").Close()
		put(t, fsys, at("x/a"), "a").Close()
		must(t, fsys.Rename(at("x/b"), at("x/a"))) // replaces
		put(t, fsys, at("x/c"), "c").Close()
		must(t, fsys.SyncDir(at("x")))
		entries, err := fsys.ReadDir(at("x"))
		must(t, err)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if got := strings.Join(names, " "); got != "a c y" {
			t.Errorf("names: %s", got)
		}
		if got := get(t, fsys, at("x/a")); got != "b" {
			t.Errorf("a is %q", got)
		}
		must(t, fsys.Remove(at("x/c")))
		for _, err := range []error{fsys.Remove(at("x/c")), fsys.Rename(at("x/c"), at("x/d"))} {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("of a file that is gone: %v", err)
			}
		}
		if _, err := fsys.Create(at("none/f")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("in no directory: %v", err)
		}
		if _, err := fsys.Stat(at("x/c")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat: %v", err)
		}
		if info, err := fsys.Stat(at("x")); err != nil || !info.IsDir() {
			t.Errorf("Stat: %v %v", info, err)
		}
		must(t, fsys.Writable(at("x")))
	})
}

func TestLock(t *testing.T) {
	everywhere(t, func(t *testing.T, fsys FS, dir string) {
		l, err := fsys.Lock(dir)
		must(t, err)
		if _, none := l.(unlocked); none {
			t.Skip("this system has no locks on directories")
		}
		if _, err := fsys.Lock(dir); err != ErrLocked {
			t.Errorf("taken twice: %v", err)
		}
		must(t, l.Close())
		l, err = fsys.Lock(dir)
		must(t, err)
		must(t, l.Close())
		if entries, _ := fsys.ReadDir(dir); len(entries) != 0 {
			t.Error("the lock left a file")
		}
	})
}

// crashes collects what the file may hold after a crash, over many seeds.
func crashes(t *testing.T, m *Mem, name string) map[string]bool {
	seen := map[string]bool{}
	for seed := range uint64(300) {
		after := m.Crash(rand.New(rand.NewPCG(seed, 0)))
		got := get(t, after, name)
		seen[got] = true
		if again := get(t, m.Crash(rand.New(rand.NewPCG(seed, 0))), name); again != got {
			t.Fatalf("seed %d gave %q and then %q", seed, got, again)
		}
		if twice := get(t, after.Crash(rand.New(rand.NewPCG(seed, 1))), name); twice != got {
			t.Fatalf("seed %d: a second crash turned %q into %q", seed, got, twice)
		}
	}
	return seen
}

func TestCrashKeepsWhatIsSynced(t *testing.T) {
	m := NewMem()
	f := put(t, m, "a", "durable")
	must(t, f.Sync())
	must(t, m.SyncDir("."))
	if seen := crashes(t, m, "a"); len(seen) != 1 || !seen["durable"] {
		t.Errorf("%v", seen)
	}
}

func TestCrashTearsWrites(t *testing.T) {
	m := NewMem()
	f := put(t, m, "a", "12")
	must(t, f.Sync())
	must(t, m.SyncDir("."))
	f.Write([]byte("34"))
	f.Write([]byte("56"))
	seen := crashes(t, m, "a")
	for _, want := range []string{"12", "123", "1234", "12345", "123456", "12\x00\x0056"} {
		if !seen[want] {
			t.Errorf("never %q", want)
		}
		delete(seen, want)
	}
	if len(seen) != 0 {
		t.Errorf("and also %v", seen)
	}
	if get(t, m, "a") != "123456" {
		t.Error("the crash changed the file system that it was of")
	}
}

func TestCrashLosesSectors(t *testing.T) {
	m := NewMem()
	f := put(t, m, "a", "")
	must(t, f.Sync())
	must(t, m.SyncDir("."))
	one, zero := strings.Repeat("x", 512), strings.Repeat("\x00", 512)
	f.WriteAt([]byte(one+one+one), 0)
	if seen := crashes(t, m, "a"); !seen[one+zero+one] || !seen[zero+zero+one] {
		t.Error("sectors are always written in order")
	}
}

func TestCrashLosesNames(t *testing.T) {
	m := NewMem()
	must(t, put(t, m, "a", "old").Sync())
	must(t, m.SyncDir("."))
	must(t, put(t, m, "b", "new").Sync())
	must(t, m.Rename("b", "a"))
	if seen := crashes(t, m, "a"); len(seen) != 2 || !seen["old"] || !seen["new"] {
		t.Errorf("after a rename: %v", seen)
	}
	must(t, m.SyncDir("."))
	must(t, m.Remove("a"))
	if seen := crashes(t, m, "a"); len(seen) != 2 || !seen["new"] || !seen["(none)"] {
		t.Errorf("after a remove: %v", seen)
	}
}

func TestFailedSyncForgets(t *testing.T) {
	m := NewMem()
	f := NewFaulty(m)
	must(t, f.MkdirAll("d"))
	must(t, f.SyncDir("."))
	file := put(t, f, "d/a", "1")
	must(t, f.SyncDir("d"))
	must(t, file.Sync())
	file.Write([]byte("2"))
	f.Add(Fault{Op: OpSync, Times: 1, Lose: true})
	if err := file.Datasync(); !errors.Is(err, ErrInjected) {
		t.Fatal(err)
	}
	if got := get(t, f, "d/a"); got != "12" {
		t.Errorf("processes see %q", got)
	}
	file.Write([]byte("3"))
	must(t, file.Sync()) // and yet "2" is lost
	if seen := crashes(t, m, "d/a"); len(seen) != 1 || !seen["1\x003"] {
		t.Errorf("%v", seen)
	}
}

func TestFaults(t *testing.T) {
	m := NewFaulty(NewMem())
	f := put(t, m, "log.1", "")
	g := put(t, m, "snapshot.1", "")
	boom := errors.New("boom")
	m.Add(Fault{Op: OpWrite, Name: "log", After: 1, Times: 2, Err: boom, Short: 3})
	for i, want := range []struct {
		n   int
		err error
	}{{5, nil}, {3, boom}, {3, boom}, {5, nil}} {
		if n, err := f.Write([]byte("abcde")); n != want.n || !errors.Is(err, want.err) {
			t.Errorf("write %d: %d, %v", i, n, err)
		}
		if _, err := g.Write([]byte("x")); err != nil {
			t.Errorf("another file: %v", err)
		}
	}
	if got := get(t, m, "log.1"); got != "abcdeabcabcabcde" {
		t.Errorf("%q", got)
	}

	m.SetSpace(4)
	if n, err := f.Write([]byte("12345")); n != 4 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("disk full: %d, %v", n, err)
	}
	if err := f.Preallocate(100); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("disk full: %v", err)
	}
	must(t, f.Truncate(10))
	if n, err := f.WriteAt([]byte("12345"), 10); n != 5 || err != nil {
		t.Errorf("with space given back: %d, %v", n, err)
	}
	m.Clear()
	must(t, f.Preallocate(100))

	m.CrashAfter(1, rand.New(rand.NewPCG(1, 1)))
	must(t, f.Sync())
	if m.Crashed() {
		t.Error("crashed too early")
	}
	if n, err := g.Write(bytes.Repeat([]byte("y"), 1000)); err == nil || n == 1000 || n == 0 {
		t.Errorf("the write that met the end: %d, %v", n, err)
	}
	if _, err := m.Open("log.1"); !errors.Is(err, ErrCrashed) || !m.Crashed() {
		t.Errorf("after the crash: %v", err)
	}
}

// What NextData skips is zero, and what was written it does not skip, synced or not.
func TestNextData(t *testing.T) {
	f := put(t, OS{}, filepath.Join(t.TempDir(), "f"), "")
	defer f.Close()
	must(t, f.Preallocate(4<<20))
	size := int64(4 << 20)
	next := func(off int64) int64 {
		n, err := f.(interface{ NextData(int64) (int64, error) }).NextData(off)
		must(t, err)
		return n
	}
	for _, at := range []int64{3 << 20, 1 << 20, size - 1} {
		_, err := f.WriteAt([]byte("x"), at)
		must(t, err)
		for _, from := range []int64{0, at - 5, at} {
			if n := next(from); n < from || n > at {
				t.Errorf("data at %d, from %d on it is said to begin at %d", at, from, n)
			}
		}
		must(t, f.Datasync())
	}
	if n := next(size); n != size {
		t.Errorf("behind the end: %d", n)
	}
	must(t, f.Truncate(0))
	must(t, f.Truncate(size))
	if n := next(0); n != 0 && n != size {
		t.Errorf("in a hole: %d", n)
	}
	_, err := f.Write([]byte("head"))
	must(t, err)
	next(0)
	_, err = f.Write([]byte("more")) // the position is where it was
	must(t, err)
	b := make([]byte, 8)
	if _, err := f.ReadAt(b, 0); err != nil || string(b) != "headmore" {
		t.Errorf("%q %v", b, err)
	}
}
