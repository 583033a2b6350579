// Package txn is the language that leader, log, tree and watches speak: transactions, what they result in, and what they
// change.
//
// A transaction holds everything that applying it needs: final names, new versions, expanded ACLs, the time. Applying it
// asks nobody and cannot fail in normal operation. Its bytes are Apache's, on disk and between servers:
//
//	Header: clientId long | cxid int | zxid long | time long (ms) | type int
//	body of the type
//	Digest, optional: version int | digest of the whole tree after it, long
//
// Where to start: Txn; the bodies in body.go; Result and Change in result.go.
package txn
