package bench

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// Root is the znode below which everything happens.
const Root = "/zooid-bench"

// bucketSize is the number of keys below one parent: a million children of one znode would measure lists, not the tree.
const bucketSize = 100

// maxKeys is what eight digits can number.
const maxKeys = 100_000_000

const (
	dataRoot  = Root + "/data"
	churnRoot = Root + "/churn"
	watchRoot = Root + "/watch"
	keyWidth  = len("000000/00")
)

// keyPath is the path of key k: its eight digits, the last two of them the name within a bucket.
func keyPath(parent string, k uint64) string {
	b := make([]byte, 0, len(parent)+1+keyWidth)
	b = append(append(b, parent...), "/000000/00"...)
	putKey(b[len(parent)+1:], k)
	return string(b)
}

// bucketPath is the parent of the bucketSize keys from n*bucketSize on.
func bucketPath(parent string, n uint64) string {
	return keyPath(parent, n*bucketSize)[:len(parent)+1+6]
}

const digitPairs = "0001020304050607080910111213141516171819" +
	"2021222324252627282930313233343536373839" +
	"4041424344454647484950515253545556575859" +
	"6061626364656667686970717273747576777879" +
	"8081828384858687888990919293949596979899"

// putKey writes k over the 9 bytes "dddddd/dd" at b.
func putKey(b []byte, k uint64) {
	_ = b[8]
	p := k % 100 * 2
	b[7], b[8] = digitPairs[p], digitPairs[p+1]
	putBucket(b, k/100)
}

// putBucket writes n over the 6 digits at b.
func putBucket(b []byte, n uint64) {
	_ = b[5]
	for i := 4; i >= 0; i -= 2 {
		p := n % 100 * 2
		b[i], b[i+1] = digitPairs[p], digitPairs[p+1]
		n /= 100
	}
}

// stampSize is the part of a value that tells which key and which write it belongs to.
const stampSize = 16

// newValue makes the part of a value that is the same in all of them: bytes that do not compress.
func newValue(size int) []byte {
	b := make([]byte, (size+7)/8*8)
	for i := 0; i < len(b); i += 8 {
		binary.BigEndian.PutUint64(b[i:], mix(uint64(i)))
	}
	return b[:size]
}

// stampValue writes key and stamp over the first bytes of value, as many as there are.
func stampValue(value []byte, key, stamp uint64) {
	if len(value) >= stampSize {
		binary.BigEndian.PutUint64(value, key)
		binary.BigEndian.PutUint64(value[8:], stamp)
		return
	}
	var b [stampSize]byte
	binary.BigEndian.PutUint64(b[:], key)
	binary.BigEndian.PutUint64(b[8:], stamp)
	copy(value, b[:])
}

// mix turns a counter into a number that looks random (the finalizer of SplitMix64), so that operation i of a connection is
// known from i alone and needs no memory.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// pick is a number in [0, n) that follows from seed.
func pick(seed, n uint64) uint64 {
	hi, _ := bits.Mul64(mix(seed), n)
	return hi
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
