package store

import "github.com/zooid-io/zooid/zk"

// What a leader sends again from Restored.Recent must be a history without a hole (ensemble protocol, section 5.6): at every
// place where one is found it begins anew.

// forget empties out.Recent.
func (r *restorer) forget() { r.out.Recent, r.ring = r.out.Recent[:0], 0 }

// skips tells whether a damaged snapshot, as of a transaction between the last one and z, shows that some are missing even
// though z begins a new epoch and could come next.
func (r *restorer) skips(z zk.Zxid) bool {
	return r.newestBad > r.at && z > r.newestBad && r.newestBad.Counter() != 0
}
