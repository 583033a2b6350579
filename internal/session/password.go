package session

import (
	"crypto/subtle"
	"encoding/binary"

	"github.com/zooid-io/zooid/zk"
)

// Password is what a client must show to resume the session. It is a function of the id alone, so that every server of an
// ensemble, Apache's too, can check it: the first 16 bytes of java.util.Random seeded with id XOR 0xB3415C00. It is a guard
// against accidents, not a secret.
func Password(id zk.SessionID) (p [16]byte) {
	const multiplier, addend, mask = 0x5DEECE66D, 0xB, 1<<48 - 1
	seed := (uint64(id) ^ 0xB3415C00 ^ multiplier) & mask
	for i := 0; i < len(p); i += 4 {
		seed = (seed*multiplier + addend) & mask
		binary.LittleEndian.PutUint32(p[i:], uint32(seed>>16))
	}
	return p
}

// ValidPassword tells whether p opens the session. Session 0 is none and has no password.
func ValidPassword(id zk.SessionID, p []byte) bool {
	want := Password(id)
	return id != 0 && subtle.ConstantTimeCompare(want[:], p) == 1
}
