package interop

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// register is the history of one znode: whole writes of values that never repeat, and reads each right behind a sync. The versions that
// the servers gave are the order in which it happened, if there is one; check tells whether it can be.
type register struct {
	mu    sync.Mutex
	began time.Time
	ops   []registerOp
}

type registerOp struct {
	who     string
	write   bool
	value   string
	version int32 // -1: nobody knows whether the write was done
	from    time.Duration
	to      time.Duration // when the answer came; of no meaning if that is not known
}

func (r *register) now() time.Duration { return time.Since(r.began) }

func (r *register) add(op registerOp) {
	if op.version >= 0 {
		op.to = r.now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, op)
}

// check tells the first thing that is not as in one register: linearizability, with the versions as the witness. A version has one value;
// whatever began after another thing had been answered has a version that is not smaller, and a write a larger one.
func (r *register) check() error {
	ops := slices.Clone(r.ops)
	values, versions := map[int32]string{}, map[string]int32{}
	for _, op := range ops {
		if op.version < 0 {
			continue
		}
		if v, ok := values[op.version]; ok && v != op.value {
			return fmt.Errorf("version %d is %q and %q", op.version, v, op.value)
		}
		if v, ok := versions[op.value]; ok && v != op.version {
			return fmt.Errorf("%q has the versions %d and %d", op.value, v, op.version)
		}
		values[op.version], versions[op.value] = op.value, op.version
	}
	type seen struct {
		at      time.Duration
		version int32
		op      registerOp
	}
	var answers []seen // by time; version is the largest so far
	for _, op := range ops {
		if op.version >= 0 {
			answers = append(answers, seen{op.to, op.version, op})
		}
	}
	slices.SortFunc(answers, func(a, b seen) int { return int(a.at - b.at) })
	for i := 1; i < len(answers); i++ {
		if answers[i].version < answers[i-1].version {
			answers[i].version, answers[i].op = answers[i-1].version, answers[i-1].op
		}
	}
	for _, op := range ops {
		if op.version < 0 {
			v, done := versions[op.value]
			if !done {
				continue
			}
			op.version = v // somebody has read it
		}
		n, _ := slices.BinarySearchFunc(answers, op.from, func(s seen, t time.Duration) int {
			if s.at < t {
				return -1
			}
			return 1
		})
		if n == 0 {
			continue
		}
		before := answers[n-1]
		if op.version < before.version || op.write && op.version == before.version {
			return fmt.Errorf("%s: write %v of %q, version %d, began at %v, after %s had the answer %d, %q, at %v",
				op.who, op.write, op.value, op.version, op.from, before.op.who, before.version, before.op.value, before.op.to)
		}
	}
	return nil
}

func TestRegisterCheck(t *testing.T) {
	at := func(s string, from, to int, write bool, value string, version int32) registerOp {
		return registerOp{who: s, write: write, value: value, version: version, from: time.Duration(from), to: time.Duration(to)}
	}
	for name, c := range map[string]struct {
		ops  []registerOp
		want string
	}{
		"in order":         {[]registerOp{at("a", 1, 2, true, "x", 1), at("b", 3, 4, false, "x", 1), at("a", 5, 6, true, "y", 2)}, ""},
		"side by side":     {[]registerOp{at("a", 1, 9, true, "x", 2), at("b", 2, 3, true, "y", 1), at("b", 4, 5, false, "y", 1)}, ""},
		"stale":            {[]registerOp{at("a", 1, 2, true, "x", 1), at("a", 3, 4, true, "y", 2), at("b", 5, 6, false, "x", 1)}, "b: write false"},
		"lost":             {[]registerOp{at("a", 1, 2, true, "x", 2), at("b", 3, 4, true, "y", 2)}, "is \"x\" and \"y\""},
		"written earlier":  {[]registerOp{at("a", 1, 2, true, "x", 2), at("b", 3, 4, true, "y", 1)}, "b: write true"},
		"never answered":   {[]registerOp{at("a", 1, 2, true, "x", 1), at("a", 3, 0, true, "y", -1), at("b", 5, 6, false, "x", 1)}, ""},
		"done after all":   {[]registerOp{at("a", 3, 0, true, "y", -1), at("b", 5, 6, false, "y", 2), at("b", 7, 8, false, "z", 3)}, ""},
		"done before that": {[]registerOp{at("b", 1, 2, false, "x", 3), at("a", 3, 0, true, "y", -1), at("b", 5, 6, false, "x", 3), at("c", 1, 2, false, "y", 2)}, "a: write true"},
	} {
		r := register{ops: c.ops}
		if err := r.check(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
