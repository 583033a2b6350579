// Package store keeps transactions, snapshots and epochs on disk, in the files and bytes of Apache ZooKeeper: either can open what
// the other left.
//
//	<dataDir>/version-2/snapshot.<zxid>[.gz|.snappy]   the tree and the sessions as of a zxid
//	<logDir>/version-2/log.<zxid>                      the transactions from a zxid on
//	<dataDir>/version-2/acceptedEpoch, currentEpoch    of a member of an ensemble, in decimal
//	<dataDir>/version-2/zooid-truncate.<zxid>, zooid-install.<snapshot>
//	                                                   a change of history that a crash interrupted; Open finishes it
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
// durable, before anything else is written; snapshots are written under another name, synced, and renamed. What takes a history
// back or replaces it, Truncate, Install and Wipe, is declared in one file before it is begun, and finished whatever happens.
// Epochs never fall.
//
// Where to start: Open, then Store.Restore, Store.Commit and Store.WriteSnapshot. log.go writes, reader.go reads, tail.go
// tells a torn end from a damaged middle. For an ensemble: epochs.go, truncate.go with intent.go, stream.go, which is a
// snapshot on its way to a learner, and passage.go, a part of the log on that way.
package store
