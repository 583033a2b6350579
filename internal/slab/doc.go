// Package slab holds very many small things without giving the garbage collector anything to do.
//
// Go's collector follows pointers. A million records with a string and two links each are millions of pointers to follow,
// again and again; the same records in large blocks without a pointer inside are a few hundred blocks to mark. So here a
// thing is named by a uint32 instead of a pointer:
//
//	Arena  bytes of any length:  Put(b) gives a Ref, Bytes(ref, len(b)) gives them back, Free(ref, len(b)) ends it
//	Pool   records of one type:  New() gives a handle from 1 upwards, At(handle) the record, Free(handle) ends it
//	Index  a hash table of the handles of one Pool: First(hash) and Next(handle) walk those of an equal hash
//	Hash   a seeded hash for the Index
//
// Nothing here ever copies what it holds in order to grow: no single call costs more than a chunk (about 1 MiB) of fresh
// memory, whatever the size. A structure that has grown large takes some chunks at a time (Advice). Memory that is freed is used again by the same structure but not given back to the system,
// except blocks of an Arena above 64 KiB.
//
// It does not know what the bytes mean, does no locking, and trusts its caller: a Ref or handle used after Free is a bug of
// the caller, which Check of the structure on top must find.
//
// Invariants: a Ref or handle is never 0, so 0 is free to mean none; views and records do not move.
//
// Where to start: the example in slab_test.go, a set of strings built of the three.
package slab
