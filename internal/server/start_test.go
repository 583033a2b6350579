package server

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/vfs"
)

// start runs a server on fs, made for tests: a free port, small files, no limit of connections. It is closed at the end.
func start(t testing.TB, fs vfs.FS, change ...func(*Options)) *Server {
	t.Helper()
	s, err := try(fs, change...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func try(fs vfs.FS, change ...func(*Options)) (*Server, error) {
	o := Default()
	o.ClientAddr, o.DataDir = "127.0.0.1:0", "data"
	o.MaxClientCnxns = 0
	o.PreAllocSize = 64 << 10
	o.TickTime = 500 * time.Millisecond
	o.MaxSessionTimeout = lasting
	o.FourLetterWords = []string{"*"}
	o.Logger = slog.New(slog.DiscardHandler)
	for _, f := range change {
		f(&o)
	}
	return Start(o, fs)
}

// journal keeps what a server logs.
type journal struct {
	mu    sync.Mutex
	lines []string // LEVEL message key=value...
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		return true
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
	return nil
}

// into is a change of options that makes the server log here.
func (j *journal) into(o *Options) { o.Logger = slog.New(j) }

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.lines...)
}

// with counts the lines that contain all parts.
func (j *journal) with(parts ...string) int {
	n := 0
	for _, l := range j.all() {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(l, p)
		}
		if all {
			n++
		}
	}
	return n
}

// more waits until more lines contain all parts than there were: what is decided under a lock is logged a little later.
func (j *journal) more(t testing.TB, were int, parts ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("more than %d lines with %q", were, parts), func() bool { return j.with(parts...) > were })
}

// wait waits for a line that contains all parts.
func (j *journal) wait(t testing.TB, parts ...string) {
	t.Helper()
	for end := time.Now().Add(patience); j.with(parts...) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no line with %q among\n%s", parts, strings.Join(j.all(), "\n"))
		}
	}
}
