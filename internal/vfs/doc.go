// Package vfs is the file system as the store needs it, behind an interface: real files, files in memory that lose in a
// crash what was not synced, and a wrapper that fails on demand.
//
// It knows nothing of logs and snapshots. Names are those of path/filepath; directories are synced by name, because on a
// POSIX system a new, renamed or removed file is durable only after its directory was synced.
//
//	OS       the real thing
//	Mem      in memory; Crash gives what a machine would find after losing power
//	Faulty   any of them, with faults: errors, short writes, a full disk, an fsync that fails and forgets
//
// What an implementation promises, and what the store relies on:
//
//  1. What was written before a Sync or Datasync that returned nil survives a crash, with the size that makes it readable.
//  2. What was written after the last of them may survive wholly, partly, or not; pages may survive in any order.
//  3. A create, rename or remove survives if SyncDir of the directory returned nil after it; else it may or may not. A
//     rename is never half done.
//  4. After a Sync that failed, what was written since the one before may be gone, and a later Sync does not bring it back.
//
// Where to start: FS and File; Mem.Crash for what a crash may do; Fault for what can be made to fail.
package vfs
