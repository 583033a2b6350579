package sim

import (
	"hash"
	"hash/fnv"
)

// trace is what happened: a hash of all of it, and the last lines.
type trace struct {
	sum   hash.Hash64
	lines []string
	next  int
	count int
	each  func(string)
}

// kept is how many lines are kept for a failure.
const kept = 400

func (t *trace) init() { t.sum = fnv.New64a() }

func (t *trace) line(s string) {
	t.sum.Write([]byte(s))
	t.sum.Write([]byte{'\n'})
	t.count++
	if t.each != nil {
		t.each(s)
	}
	if len(t.lines) < kept {
		t.lines = append(t.lines, s)
		return
	}
	t.lines[t.next] = s
	t.next = (t.next + 1) % kept
}

// last gives the kept lines, the oldest first.
func (t *trace) last() []string {
	return append(append([]string(nil), t.lines[t.next:]...), t.lines[:t.next]...)
}
