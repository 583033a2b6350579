// Package prep is the leader's judgement: a request, the tree and the changes that are decided but not yet applied give a
// transaction, or an error transaction.
//
// It does not apply, log or answer. Every write that reaches it takes a zxid, also one that is refused: one order for
// everything (client protocol, section 3.3). What it decides is final: applying the txn asks nobody again.
//
// The overlay holds, by path, the state of each znode as it will be when all prepared txns are applied; Applied drops what
// the tree has caught up with. Digests are predicted from it, so that a log record can carry the digest of the tree after it.
//
// Invariants: TotalOrder - zxids are given in rising order without a gap; PrefixConsistency - with nothing outstanding the
// predicted digest is the tree's.
//
// Where to start: Prep.Prepare, then the file named for the operation.
package prep
