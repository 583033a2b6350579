package session

import (
	"math"

	"github.com/zooid-io/zooid/zk"
)

// FirstID is the id of the first session that a server gives out after its start; each later one is one more. The top byte
// is the server's id, the next five are the low 40 bits of the clock in ms (SessionTrackerImpl.initializeNextSessionId
// upstream). Use a wall clock, so that a restart does not give out an id again.
func FirstID(server int64, nowMs int64) zk.SessionID {
	id := int64(uint64(nowMs)<<24>>8) | server<<56
	if id == math.MinInt64 { // as the owner of a znode this number means "container"
		id++
	}
	return zk.SessionID(id)
}

// Negotiate is the timeout that a client gets for the one it asked for, all in ms: nothing is refused, 0 and negative wishes
// get the least.
func Negotiate(wished, least, most int32) int32 { return min(max(wished, least), most) }
