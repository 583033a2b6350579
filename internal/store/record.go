package store

import (
	"encoding/binary"
	"hash/adler32"

	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

const (
	logMagic      = 0x5A4B4C47 // "ZKLG"
	snapshotMagic = 0x5A4B534E // "ZKSN"
	fileVersion   = 2

	logHeaderSize = 16
	frameHead     = 12  // checksum and length
	recordEnd     = 'B' // after the payload
)

// Entry is one transaction for the log.
type Entry struct {
	Zxid    zk.Zxid
	Payload []byte // txn.Txn.Append; of its header Zxid is the zxid
}

func appendLogHeader(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, logMagic)
	b = binary.BigEndian.AppendUint32(b, fileVersion)
	return binary.BigEndian.AppendUint64(b, 0) // dbid
}

// appendRecord frames a payload. The checksum is over the payload alone, whatever Apache's comment says.
func appendRecord(b, payload []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(adler32.Checksum(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	b = append(b, payload...)
	return append(b, recordEnd)
}

// payloadZxid is the zxid of the header that a payload begins with; -1 if it is shorter than one.
func payloadZxid(payload []byte) zk.Zxid {
	if len(payload) < txn.HeaderSize {
		return -1
	}
	return zk.Zxid(binary.BigEndian.Uint64(payload[12:]))
}

// follows tells whether z may come right after last in the log: the next counter, or the beginning of a later epoch. A
// leader's counter starts at 1; 0 is what a counter that overflowed begins with in a standalone server.
func follows(last, z zk.Zxid) bool {
	return z == last+1 || z.Epoch() > last.Epoch() && z.Counter() <= 1
}

// checkOrder holds TotalOrder and LogContiguous for a batch after last; last -1 is not known.
func checkOrder(last zk.Zxid, batch []Entry) {
	for _, e := range batch {
		// Compared here first, as the arguments of Check would be allocated for every entry.
		if z := payloadZxid(e.Payload); z != e.Zxid {
			invariant.Check(false, invariant.TotalOrder, "entry %v holds txn %v", e.Zxid, z)
		}
		if last >= 0 && e.Zxid <= last {
			invariant.Check(false, invariant.TotalOrder, "entry %v after %v", e.Zxid, last)
		}
		if last >= 0 && !follows(last, e.Zxid) {
			invariant.Check(false, invariant.LogContiguous, "entry %v after %v leaves a hole", e.Zxid, last)
		}
		last = e.Zxid
	}
}
