package zk

import "strconv"

// Zxid numbers a transaction: the epoch of the leader that proposed it in the high 32 bits, a counter in the low ones.
type Zxid int64

// Epoch is the high half.
func (z Zxid) Epoch() int64 { return int64(z) >> 32 }

// Counter is the low half.
func (z Zxid) Counter() uint32 { return uint32(z) }

// String is "0x" and lower-case hex, as Apache's tools print it.
func (z Zxid) String() string { return "0x" + strconv.FormatUint(uint64(z), 16) }

// SessionID names a client's session. Its top byte is the id of the server that made it.
type SessionID int64

// String is "0x" and lower-case hex, as Apache's tools print it.
func (s SessionID) String() string { return "0x" + strconv.FormatUint(uint64(s), 16) }
