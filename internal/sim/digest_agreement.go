package sim

import "github.com/zooid-io/zooid/zk"

// digest is DigestAgreement.
func (k *checks) digest(s *server, z zk.Zxid) {
	t := s.rep.Tree()
	if have, want := t.Digest(), k.w.history.digest(z); have != want {
		k.w.fail("DigestAgreement", "as of %v, %d has the digest %d, and the history makes %d", z, s.sid, have, want)
	}
	if n := t.DigestMismatches(); n > 0 {
		m, _ := t.FirstDigestMismatch()
		k.w.fail("DigestAgreement", "%d has found %d digests in txns that are not its tree's, first %+v", s.sid, n, m)
	}
}
