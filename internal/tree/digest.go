package tree

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"unsafe"

	"github.com/zooid-io/zooid/zk"
)

// The digest of a tree (AdHash, version 2 of DigestCalculator upstream) is the sum, wrapping, of the digests of its znodes;
// that of a znode is the CRC-32 of its path, its data and 60 bytes of stat. ACLs are not in it.
//
// To change a record:
//
//	crc := t.unseal(r, path)   // the sum without r; crc is that of path and data
//	...                        // change the stat; after a change of data, crc = t.prefix(r, path)
//	t.reseal(r, path, crc)     // the sum with r

// CountsInDigest tells whether the znode at path is in the digest: not what is below /zookeeper.
func CountsInDigest(path string) bool { return !strings.HasPrefix(path, zookeeperPath+"/") }

// NodeDigest is the digest of one znode. The root may be given as "/" or "". It does not ask CountsInDigest.
func NodeDigest(path string, data []byte, m *Meta) int64 {
	var stamp [60]byte
	putStamp(&stamp, m.Czxid, m.Mzxid, m.Pzxid, m.Ctime, m.Mtime, m.Version, m.CVersion, m.AVersion, m.Owner)
	return int64(crc32.Update(crcPrefix(path, data), crc32.IEEETable, stamp[:]))
}

// crcPrefix is the CRC of path and data.
func crcPrefix(path string, data []byte) uint32 {
	if path == "/" {
		path = ""
	}
	crc := crc32.Update(0, crc32.IEEETable, unsafe.Slice(unsafe.StringData(path), len(path))) // read only, and not kept
	return crc32.Update(crc, crc32.IEEETable, data)
}

// putStamp lays the stat out in the order of the digest, which is not that of a snapshot.
func putStamp(b *[60]byte, czxid, mzxid, pzxid zk.Zxid, ctime, mtime int64, version, cversion, aversion int32, owner int64) {
	binary.BigEndian.PutUint64(b[0:], uint64(czxid))
	binary.BigEndian.PutUint64(b[8:], uint64(mzxid))
	binary.BigEndian.PutUint64(b[16:], uint64(pzxid))
	binary.BigEndian.PutUint64(b[24:], uint64(ctime))
	binary.BigEndian.PutUint64(b[32:], uint64(mtime))
	binary.BigEndian.PutUint32(b[40:], uint32(version))
	binary.BigEndian.PutUint32(b[44:], uint32(cversion))
	binary.BigEndian.PutUint32(b[48:], uint32(aversion))
	binary.BigEndian.PutUint64(b[52:], uint64(owner))
}

// Digest is the digest of the tree, 0 with NoDigest.
func (t *Tree) Digest() int64 { return t.digest }

func (t *Tree) counts(path string) bool { return !t.opt.NoDigest && CountsInDigest(path) }

func (t *Tree) prefix(r *record, path string) uint32 {
	if !t.counts(path) {
		return 0
	}
	return crcPrefix(path, t.data(r))
}

func (t *Tree) unseal(r *record, path string) (crc uint32) {
	if !t.counts(path) {
		return 0
	}
	crc = t.prefix(r, path)
	t.digest -= t.seal(r, crc)
	return crc
}

func (t *Tree) reseal(r *record, path string, crc uint32) {
	if t.counts(path) {
		t.digest += t.seal(r, crc)
	}
}

func (t *Tree) seal(r *record, crc uint32) int64 {
	putStamp(&t.stamp, r.czxid, r.mzxid, r.pzxid, r.ctime, r.mtime, r.version, r.cversion, r.aversion, r.owner)
	return int64(crc32.Update(crc, crc32.IEEETable, t.stamp[:]))
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
