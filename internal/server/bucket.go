package server

import (
	"math"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/wire"
)

// bucket is the connection throttle: a token bucket on handshakes, with random dropping on top (client protocol, section
// 2.16; Apache BlueThrottle).
type bucket struct {
	o     ConnThrottle
	most  int // the size, weighted
	fill  int
	fresh int // cost of a new session
	renew int // cost of resuming one

	mu     sync.Mutex
	tokens int
	filled int64   // ms: when it was last filled
	froze  int64   // ms: when the chance last changed
	drop   float64 // the chance that a handshake is dropped
}

// newBucket is nil if the throttle is off. local tells that new sessions are local ones. now is in ms, from any origin.
func newBucket(o ConnThrottle, local bool, now int64) *bucket {
	if o.Tokens == 0 {
		return nil
	}
	b := &bucket{o: o, most: o.Tokens, fill: o.FillCount, fresh: 1, renew: 1, filled: now, froze: now}
	if o.Weighted {
		// What is configured is meant for new sessions of the dearest kind.
		b.fresh, b.renew = max(o.GlobalWeight, o.LocalWeight), max(o.RenewWeight, o.LocalWeight)
		b.most, b.fill = b.most*b.fresh, b.fill*b.fresh
		if local {
			b.fresh = o.LocalWeight
		}
	}
	b.tokens = b.most
	return b
}

// take tells whether a handshake may go on. chance is in [0, 1).
func (b *bucket) take(resumes bool, now int64, chance float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if past, every := now-b.filled, b.o.FillTime.Milliseconds(); past > every {
		b.filled = now
		if every <= 0 || past > int64(b.most)*every {
			b.tokens = b.most // as good as for ever
		} else {
			b.tokens = int(min(int64(b.tokens)+past*int64(b.fill)/every, int64(b.most)))
		}
	}
	if freeze := b.o.FreezeTime; freeze >= 0 {
		if now-b.froze > freeze.Milliseconds() {
			b.froze = now
			missing := b.most - b.tokens
			switch {
			case missing == b.most && b.drop < 1:
				b.drop = min(b.drop+b.o.DropIncrease, 1)
			case missing <= int(math.Floor(float64(b.most)*b.o.DecreaseRatio+0.5)) && b.drop > 0:
				b.drop = max(b.drop-b.o.DropDecrease, 0)
			}
		}
		if chance < b.drop {
			return false
		}
	}
	cost := b.fresh
	if resumes {
		cost = b.renew
	}
	if b.tokens < cost {
		return false
	}
	b.tokens -= cost
	return true
}

// admits tells whether the throttle lets a handshake through.
func (s *Server) admits(c *conn, req *wire.ConnectRequest) bool {
	if s.bucket == nil {
		return true
	}
	const fine = 1 << 30
	if s.bucket.take(req.SessionID != 0, time.Since(epoch).Milliseconds(), float64(chance(fine))/fine) {
		return true
	}
	s.metrics.Add(admin.ConnectionsRejected, 1)
	s.log.Debug("Connection throttled: address = /" + c.addr.String())
	return false
}
