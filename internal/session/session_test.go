package session_test

import (
	"encoding/hex"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/zk"
)

// Client protocol, Appendix B: three observed on Apache's servers, two computed.
func TestPassword(t *testing.T) {
	for _, c := range []struct {
		id   uint64
		want string
	}{
		{0x0100001477f00000, "e2d12b9fc79a2669907cf35de8b1f70c"},
		{0x0100000f5a970000, "fba9e7ad6c135458d118d05c959f342f"},
		{0x0100001e888a0001, "f7c6277441f71e3257c822e226a8bc9c"},
		{0x0000000000000001, "054cc74a37327db215e702e20c73f005"},
		{0xffffffffffffffff, "20f62cb5648dc2d771471c8a2486a9ee"},
	} {
		id := zk.SessionID(c.id)
		p := session.Password(id)
		if got := hex.EncodeToString(p[:]); got != c.want {
			t.Errorf("%v: %s, want %s", id, got, c.want)
		}
		if !session.ValidPassword(id, p[:]) {
			t.Errorf("%v: its own password is refused", id)
		}
		wrong := p
		wrong[15] ^= 1
		for _, bad := range [][]byte{nil, {}, wrong[:], p[:15], append(p[:], 0), make([]byte, 16)} {
			if session.ValidPassword(id, bad) {
				t.Errorf("%v: %x is accepted", id, bad)
			}
		}
	}
	zero := session.Password(0)
	if session.ValidPassword(0, zero[:]) {
		t.Error("session 0 has a password")
	}
}

func TestFirstID(t *testing.T) {
	for _, c := range []struct {
		server, now int64
		want        uint64
	}{
		{1, 0x1477f0, 0x0100001477f00000},                // as observed
		{1, 0, 0x0100000000000000},                       //
		{5, 0x123456789ABCDEF, 0x056789abcdef0000},       // 40 bits of the clock remain
		{254, 0xFFFFFFFFFF, 0xFEFFFFFFFFFF0000},          //
		{128, 0, 0x8000000000000001},                     // not the mark of containers
		{0, 1, 0x0000000000010000},                       //
		{3, 0x0000_0190_0000_0000, 0x03900000_0000_0000}, // the bits above 40 do not spill into the server's byte
	} {
		if got := uint64(session.FirstID(c.server, c.now)); got != c.want {
			t.Errorf("server %d at %#x: %#016x, want %#016x", c.server, c.now, got, c.want)
		}
	}
}

func TestNegotiate(t *testing.T) {
	for _, c := range []struct{ wished, want int32 }{
		{10000, 10000}, {4000, 4000}, {3999, 4000}, {0, 4000}, {-1, 4000}, {math.MinInt32, 4000}, {40000, 40000}, {40001, 40000}, {math.MaxInt32, 40000},
	} {
		if got := session.Negotiate(c.wished, 4000, 40000); got != c.want {
			t.Errorf("%d: %d, want %d", c.wished, got, c.want)
		}
	}
}

// The arithmetic of section 7.1: strictly later than the timeout, by at most one tick.
func TestExpiry(t *testing.T) {
	for _, c := range []struct {
		tick      int64
		timeout   int32
		now, want int64
	}{
		{1000, 2000, 5300, 8000}, {1000, 2000, 5000, 8000}, {1000, 2000, 5999, 8000}, {1000, 2000, 6000, 9000}, {3000, 4000, 1, 6000},
		{1, 10, 100, 111}, {2000, 2147483647, 0, 2147484000},
	} {
		x := session.New(c.tick)
		x.Add(1, c.timeout, c.now)
		if got := x.NextDeadline(); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
		if x.Due(c.want-1) != nil || !slices.Equal(x.Due(c.want), []zk.SessionID{1}) {
			t.Errorf("%+v: due before %v, at %v", c, x.Due(c.want-1), x.Due(c.want))
		}
	}
}

func TestLife(t *testing.T) {
	x := session.New(1000)
	if x.NextDeadline() != math.MaxInt64 || x.Len() != 0 || x.Touch(1, 5000, 0) || x.SetClosing(1) || x.Known(1) {
		t.Fatal("an empty table knows something")
	}
	x.Add(2, 2000, 0) // ends at 3000
	x.Add(1, 2000, 500)
	x.Add(3, 4000, 0) // ends at 5000
	want := []session.Bucket{{3000, []zk.SessionID{1, 2}}, {5000, []zk.SessionID{3}}}
	if got := x.Buckets(); !reflect.DeepEqual(got, want) {
		t.Fatalf("buckets %v", got)
	}

	// A resume that negotiated 9000: later touches use it, the persisted value stays.
	if !x.Touch(2, 9000, 100) || x.NextDeadline() != 3000 {
		t.Fatal("touch")
	}
	if ms, ok := x.Timeout(2); !ok || ms != 2000 {
		t.Fatalf("the timeout became %d", ms)
	}
	if !x.Touch(2, 1000, 200) || !slices.Equal(x.Due(2000), []zk.SessionID{2}) { // shorter: ends sooner
		t.Fatal("touch")
	}
	x.Touch(2, 9000, 300)
	if got := x.Due(9999); !slices.Equal(got, []zk.SessionID{1, 3}) {
		t.Fatalf("due %v", got)
	}
	if got := x.Due(10000); !slices.Equal(got, []zk.SessionID{1, 2, 3}) {
		t.Fatalf("due %v", got)
	}

	// Closing: no touch, not due again, still known until the txn is applied.
	if !x.SetClosing(1) || !x.SetClosing(1) || !x.IsClosing(1) || !x.Known(1) || x.Touch(1, 5000, 300) {
		t.Fatal("closing")
	}
	x.Add(1, 2000, 300) // nor does an Add revive it
	if got := x.Due(10000); !slices.Equal(got, []zk.SessionID{2, 3}) || x.NextDeadline() != 5000 {
		t.Fatalf("due %v, next %d", got, x.NextDeadline())
	}
	if got := x.All(); !reflect.DeepEqual(got, []session.Entry{{1, 2000}, {2, 2000}, {3, 4000}}) {
		t.Fatalf("all %v", got)
	}
	x.Remove(1)
	x.Remove(1)
	if x.Known(1) || x.IsClosing(1) || x.Len() != 2 {
		t.Fatal("removed and still here")
	}
	x.Remove(2)
	x.Remove(3)
	if x.NextDeadline() != math.MaxInt64 || len(x.Buckets()) != 0 {
		t.Fatal("a bucket is left over")
	}
}

// Against a table of plain maps, over many seeded runs.
func TestAgainstModel(t *testing.T) {
	type entry struct {
		timeout int32
		expiry  int64
		closing bool
	}
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		const tick = 100
		x, model, now := session.New(tick), map[zk.SessionID]*entry{}, int64(1000)
		expiry := func(timeout int32) int64 { return ((now+int64(timeout))/tick + 1) * tick }
		for step := range 2000 {
			id, timeout := zk.SessionID(rnd.IntN(60)-10), int32(rnd.IntN(1000))
			e, known := model[id]
			switch op := rnd.IntN(10); {
			case op < 2 && !known:
				x.Add(id, timeout, now)
				model[id] = &entry{timeout, expiry(timeout), false}
			case op < 7:
				if got, want := x.Touch(id, timeout, now), known && !e.closing; got != want {
					t.Fatalf("seed %d step %d: touch %v", seed, step, got)
				}
				if known && !e.closing {
					e.expiry = expiry(timeout)
				}
			case op < 8:
				if x.SetClosing(id) != known {
					t.Fatalf("seed %d step %d: closing", seed, step)
				}
				if known {
					e.closing = true
				}
			case op < 9:
				x.Remove(id)
				delete(model, id)
			default:
				now += int64(rnd.IntN(150))
			}
			var due []zk.SessionID
			next := int64(math.MaxInt64)
			for _, id := range slices.Sorted(maps.Keys(model)) {
				if e := model[id]; !e.closing {
					next = min(next, e.expiry)
					if e.expiry <= now {
						due = append(due, id)
					}
				}
			}
			if got := x.Due(now); !slices.Equal(got, due) || x.NextDeadline() != next || x.Len() != len(model) {
				t.Fatalf("seed %d step %d: due %v next %d len %d, want %v %d %d", seed, step, got, x.NextDeadline(), x.Len(), due, next, len(model))
			}
		}
	}
}

func BenchmarkTouch(b *testing.B) {
	const n = 1_000_000
	x := session.New(3000)
	for i := range n {
		x.Add(zk.SessionID(i), 30000, int64(i)/100)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	now := int64(20000)
	for i := 0; b.Loop(); i++ {
		if i%100 == 0 {
			now++
		}
		x.Touch(zk.SessionID(rnd.IntN(n)), 30000, now)
	}
}

// The memory of a million sessions.
func BenchmarkMemory(b *testing.B) {
	const n = 1_000_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		before := heap()
		x := session.New(3000)
		for i := range n {
			x.Add(zk.SessionID(i)<<20, 30000, int64(i)/100)
		}
		b.ReportMetric(float64(heap()-before)/n, "B/session")
		runtime.KeepAlive(x)
	}
}
