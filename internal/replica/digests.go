package replica

import "github.com/zooid-io/zooid/zk"

// digestEvery and digestsKept say which digests are remembered for the four-letter word hash: one for each zxid that is a
// multiple of 128, the last 1024 of them, as upstream does, so that operators can compare servers.
const (
	digestEvery = 128
	digestsKept = 1024
)

// Digest is the digest of the whole tree right after a zxid.
type Digest struct {
	Zxid   zk.Zxid
	Digest int64
}

// digests is a ring of the digests that are remembered.
type digests struct {
	ring []Digest
	next int
}

func (d *digests) note(z zk.Zxid, digest int64) {
	if z%digestEvery != 0 {
		return
	}
	if len(d.ring) < digestsKept {
		d.ring = append(d.ring, Digest{z, digest})
		return
	}
	d.ring[d.next] = Digest{z, digest}
	d.next = (d.next + 1) % digestsKept
}

// Digests are those remembered, in rising order of zxid.
func (r *Replica) Digests() []Digest {
	d := &r.digests
	return append(append([]Digest(nil), d.ring[d.next:]...), d.ring[:d.next]...)
}
