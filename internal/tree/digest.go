package tree

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"unsafe"

	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/zk"
)

// The digest of a tree (AdHash, version 2 of DigestCalculator upstream) is the sum, wrapping, of the digests of its znodes;
// that of a znode is the CRC-32 of its path, its data and 60 bytes of stat. ACLs are not in it. A record remembers its own, so
// that a change computes one digest and not two.
//
// To change a record: t.unseal(r, path), the sum without r; the change; t.reseal(r, path), the sum with what r is now.

// CountsInDigest tells whether the znode at path is in the digest: not what is below /zookeeper.
func CountsInDigest(path string) bool { return !strings.HasPrefix(path, zookeeperPath+"/") }

// NodeDigest is the digest of one znode. The root may be given as "/" or "". It does not ask CountsInDigest.
func NodeDigest(path string, data []byte, m *Meta) int64 {
	return int64(checksum(new(pad), path, data, m))
}

// Foretell is NodeDigest without an allocation. It may not run beside anything else that the tree does.
func (t *Tree) Foretell(path string, data []byte, m *Meta) int64 {
	return int64(checksum(&t.pad, path, data, m))
}

// pad is where what is to be digested is brought together. On a stack it cannot be: the compiler does not see what the CRC does
// with it.
type pad [384]byte

// NodeDigest is the digest of the znode n as the tree remembers it; 0 of one that does not count.
func (t *Tree) NodeDigest(n Node) int64 { return int64(t.at(n).crc) }

// checksum is the CRC of path, data and stat. What is short is first brought together: the fast CRC wants long pieces.
func checksum(b *pad, path string, data []byte, m *Meta) uint32 {
	if path == "/" {
		path = ""
	}
	const stamp = 60
	if n := len(path) + len(data); n+stamp <= len(b) {
		copy(b[copy(b[:], path):], data)
		putStamp((*[stamp]byte)(b[n:]), m)
		return crc32.ChecksumIEEE(b[:n+stamp])
	}
	putStamp((*[stamp]byte)(b[:]), m)
	crc := crc32.Update(0, crc32.IEEETable, unsafe.Slice(unsafe.StringData(path), len(path))) // read only, and not kept
	return crc32.Update(crc32.Update(crc, crc32.IEEETable, data), crc32.IEEETable, b[:stamp])
}

// putStamp lays the stat out in the order of the digest, which is not that of a snapshot.
func putStamp(b *[60]byte, m *Meta) {
	binary.BigEndian.PutUint64(b[0:], uint64(m.Czxid))
	binary.BigEndian.PutUint64(b[8:], uint64(m.Mzxid))
	binary.BigEndian.PutUint64(b[16:], uint64(m.Pzxid))
	binary.BigEndian.PutUint64(b[24:], uint64(m.Ctime))
	binary.BigEndian.PutUint64(b[32:], uint64(m.Mtime))
	binary.BigEndian.PutUint32(b[40:], uint32(m.Version))
	binary.BigEndian.PutUint32(b[44:], uint32(m.CVersion))
	binary.BigEndian.PutUint32(b[48:], uint32(m.AVersion))
	binary.BigEndian.PutUint64(b[52:], uint64(m.Owner))
}

// Digest is the digest of the tree, 0 with NoDigest.
func (t *Tree) Digest() int64 { return t.digest }

func (t *Tree) counts(path string) bool { return !t.opt.NoDigest && CountsInDigest(path) }

func (t *Tree) unseal(r *record, path string) {
	if t.counts(path) {
		t.digest -= int64(r.crc)
	}
}

func (t *Tree) reseal(r *record, path string) {
	if t.counts(path) {
		m := r.meta()
		r.crc = checksum(&t.pad, path, t.data(r), &m)
		t.digest += int64(r.crc)
	}
}

// resealAs is reseal with the digest that prep has foretold. What it foretold it from had the digest that r had before the change,
// so it was the same, and so is what becomes of it.
func (t *Tree) resealAs(r *record, path string, crc uint32) {
	if t.counts(path) {
		if invariant.Costly {
			m := r.meta()
			is := checksum(&t.pad, path, t.data(r), &m)
			invariant.Check(is == crc, invariant.PrefixConsistency, "the digest of %s was foretold as %d and is %d", path, crc, is)
		}
		r.crc = crc
		t.digest += int64(crc)
	}
}

// Mismatch is a transaction after which the tree had another digest than the transaction says.
type Mismatch struct {
	Zxid      zk.Zxid
	Want, Got int64 // of the transaction, of the tree
}

// DigestMismatches is the number of transactions after which the digests differed.
func (t *Tree) DigestMismatches() int { return t.mismatches }

// FirstDigestMismatch is the first of them.
func (t *Tree) FirstDigestMismatch() (m Mismatch, ok bool) { return t.firstMismatch, t.mismatches > 0 }
