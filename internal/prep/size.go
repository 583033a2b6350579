package prep

import "github.com/zooid-io/zooid/zk"

// room is what a txn holds besides path, data and ACL: header, lengths, numbers, digest.
const room = 128

// fits refuses what would become a record that readers of the log do not take. A request is bounded at the door, but an ACL
// entry "auth" becomes one entry for each identity of the connection.
func (p *Prep) fits(path string, data []byte, acl []zk.ACL) {
	if p.cfg.MaxTxn <= 0 || len(acl) < 64 {
		return
	}
	size := room + len(path) + len(data)
	for _, a := range acl {
		size += 12 + len(a.ID.Scheme) + len(a.ID.ID)
	}
	if size > p.cfg.MaxTxn {
		refuse(zk.MarshallingError)
	}
}
