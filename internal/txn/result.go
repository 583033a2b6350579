package txn

import "github.com/zooid-io/zooid/zk"

// Result is what the client that asked is told once the txn is applied.
type Result struct {
	Type Type     // the type of the txn, or of the entry; TypeError for a failure
	Code zk.Code  // OK unless the txn is an error, or within a failed multi the entry's code
	Path string   // create: the final name
	Stat zk.Stat  // every create, setData, setACL, reconfig: the Stat right after
	Data []byte   // reconfig: the new config
	Subs []Result // multi, one for each entry
}

// ChangeKind says what an applied txn did to a znode.
type ChangeKind uint8

// The kinds. A multi yields several changes; a setACL, a check, a failed write, a new session and the bookkeeping of quotas
// yield none.
const (
	NodeCreated ChangeKind = iota + 1
	NodeDeleted
	NodeDataChanged
)

// Change is one thing that happened to one znode, in the order in which notices must leave. The ACLs are those that the
// reader of a notice must pass (ZOOKEEPER-4799): of a created, changed or deleted znode itself, and of the parent for the
// notice that its list of children changed.
type Change struct {
	Kind      ChangeKind
	Path      string
	Zxid      zk.Zxid
	ACL       []zk.ACL // shared, immutable
	ParentACL []zk.ACL // shared, immutable; NodeCreated and NodeDeleted
}
