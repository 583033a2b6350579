// Package session knows which sessions live and when each must end.
//
// It does not know connections, requests or znodes, makes no transaction, and has no clock: now is an argument, in ms of a
// clock that never goes back. That a session's ephemerals end with it is the tree's work; here a session is an id, a timeout
// and a bucket.
//
// Time is cut into ticks, and sessions expire by the bucket: all whose time ends within one tick end together, at the tick's
// end. With tick 1000 a session of 2000 ms that was heard of at 5300 stands in the bucket of 8000:
//
//	((5300 + 2000) / 1000 + 1) * 1000 = 8000      strictly later than 7300, at most one tick later
//
// The life of a session:
//
//	Add --> Touch ... Touch --> Due (it stays where it is) --> SetClosing --> Remove
//	                              \--- or its client closes it ---/
//
// Invariants: a session stands in exactly one bucket, or in none while it is closing; no bucket is empty; Touch never brings
// an end nearer.
//
// Where to start: Table.Touch and Table.Due; Password and FirstID for how a session is named.
package session
