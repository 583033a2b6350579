// Package tree holds the znodes: it applies transactions, answers reads, computes digests and quotas, and can be written
// out while it changes.
//
// It does not decide whether a request is allowed (prep does), does not know watches or connections, and reads no clock: the
// time, the final name and the new versions are in the transaction. Apply is pure and total: the same transactions give the
// same tree on every server, and what cannot be applied changes nothing but what the rules of replay say.
//
// The tree is made for many znodes and for a garbage collector with nothing to do: a znode is a record of 104 bytes without a
// pointer, its name and data are blocks of an arena, and it is found by a hash of its parent and its name.
//
//	record  3 zxids, 2 times, owner | 3 versions, acl | parent, first child, next, previous | children, name, data
//	        48 bytes                  16 bytes          16 bytes                               16 bytes
//
// A Node is the number of a record. It is good until the next change of the tree. Siblings form a list in order of
// creation: next of the last is 0, previous of the first is the last.
//
// Everything that only reads may run beside other reads, View.Next among them, and never beside a change: the driver holds a
// read-write lock around the tree.
//
// Invariants: TreeShape - Check says what it means; TotalOrder - zxids rise; PrefixConsistency - the digest of the leader is
// met after every transaction; EphemeralsEnd - after a closeSession its session owns nothing.
//
// Where to start: Tree in tree.go, Apply in apply.go, View in view.go.
package tree
