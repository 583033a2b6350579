// Package store keeps transactions and snapshots on disk, in the files and bytes of Apache ZooKeeper: either can open what
// the other left.
//
//	<dataDir>/version-2/snapshot.<zxid>[.gz|.snappy]   the tree and the sessions as of a zxid
//	<logDir>/version-2/log.<zxid>                      the transactions from a zxid on
//
// A log file, all integers big-endian:
//
//	+----------+-----------+--------+-   -+--------------+------------+-----------+-----+-   -+-------------+
//	| "ZKLG" 4 | version 4 | dbid 8 | ... | adler-32 8   | length 4   | payload   | 'B' | ... | zeros       |
//	+----------+-----------+--------+-   -+--------------+------------+-----------+-----+-   -+-------------+
//	                                      |<------ one transaction: txn.Txn.Append ---->|     |<- padding ->|
//
// It does not order, apply or acknowledge anything: it is handed batches and trees. It does not know the network.
//
// Invariants: DurableAck - Commit returns nil only when every entry of the batch is on disk. LogContiguous - at every moment,
// whatever failed and wherever the power went, what is on disk reads as every acknowledged transaction in order, without a
// hole, followed by at most a part of what was not acknowledged. TotalOrder - Commit refuses a zxid out of order.
//
// How they are kept: a log file appears under its name only when its first batch is durable in it; an existing file is never
// appended to by another process than the one that made it; after a failed write or fsync the file is cut back, and that made
// durable, before anything else is written; snapshots are written under another name, synced, and renamed.
//
// Where to start: Open, then Store.Restore, Store.Commit and Store.WriteSnapshot. log.go writes, reader.go reads, tail.go
// tells a torn end from a damaged middle.
package store
