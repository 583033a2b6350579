package server

import (
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
)

// The token bucket, by hand: times are ms, each row one handshake.
func TestBucket(t *testing.T) {
	type row struct {
		at      int64
		resumes bool
		chance  float64
		want    bool
	}
	plain := Default().ConnThrottle
	plain.Tokens, plain.FillTime, plain.FillCount = 2, 10*time.Millisecond, 1
	weighted := plain
	weighted.Weighted = true
	blue := plain
	blue.FreezeTime, blue.DropIncrease, blue.DropDecrease = 0, 0.5, 0.25
	for _, c := range []struct {
		name  string
		o     ConnThrottle
		local bool
		rows  []row
	}{
		{"two at once, then one each ten ms", plain, false, []row{
			{0, false, 0, true}, {0, false, 0, true}, {0, false, 0, false},
			{10, false, 0, false}, // not yet: more than the fill time has to pass
			{11, false, 0, true}, {11, false, 0, false}, {1000, false, 0, true}, {1000, false, 0, true}, {1000, false, 0, false},
		}},
		{"resuming is cheaper", weighted, false, []row{ // six tokens: two new sessions, or three resumed
			{0, true, 0, true}, {0, true, 0, true}, {0, true, 0, true}, {0, true, 0, false},
			{11, false, 0, true}, {11, true, 0, false},
		}},
		{"local sessions are cheaper still", weighted, true, []row{ // six tokens
			{0, false, 0, true}, {0, false, 0, true}, {0, false, 0, true}, {0, false, 0, true}, {0, true, 0, true}, {0, false, 0, false},
		}},
		{"an empty bucket raises the chance, a full one lowers it", blue, false, []row{
			{1, false, 0, true}, {1, false, 0, true},
			{2, false, 0.4, false},    // empty: the chance is 0.5
			{13, false, 0.6, true},    // one token came, the chance stays
			{14, false, 0.9, false},   // empty: the chance is 1
			{1000, false, 0.8, true},  // full: the chance is 0.75
			{1000, false, 0.7, false}, // by chance
		}},
	} {
		b := newBucket(c.o, c.local, 0)
		for i, r := range c.rows {
			if got := b.take(r.resumes, r.at, r.chance); got != r.want {
				t.Errorf("%s: row %d: %v", c.name, i, got)
			}
		}
	}
	if newBucket(Default().ConnThrottle, false, 0) != nil {
		t.Error("the throttle is on by default")
	}
}

// A handshake for which there is no token is closed without a reply, and its session lives on.
func TestConnThrottle(t *testing.T) {
	s := start(t, vfs.NewMem(), func(o *Options) { o.ConnThrottle.Tokens, o.ConnThrottle.FillTime = 2, time.Hour })
	a := connect(t, s, lasting)
	connect(t, s, lasting)
	for range 3 {
		c := dial(t, s)
		c.write(hello(&wire.ConnectRequest{TimeOut: lastingMs, SessionID: a.session.SessionID, Password: a.session.Password[:]}))
		c.ended()
	}
	if !a.exists("/") { // the throttle comes before everything else
		t.Error("gone")
	}
}
