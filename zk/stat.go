package zk

// Stat is what a znode says of itself, as clients see it. Its 68 bytes on the wire are in field order.
type Stat struct {
	Czxid          Zxid      // the txn that created the znode
	Mzxid          Zxid      // the txn that last changed its data
	Ctime          int64     // creation, ms since 1970
	Mtime          int64     // last change of data, ms since 1970
	Version        int32     // changes of data
	CVersion       int32     // changes of the list of children: creates plus deletes
	AVersion       int32     // changes of the ACL
	EphemeralOwner SessionID // the owning session of an ephemeral, else 0 (also for containers and TTL znodes)
	DataLength     int32     // bytes of data
	NumChildren    int32     // children now
	Pzxid          Zxid      // the txn that last created or deleted a child
}
