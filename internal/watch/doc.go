// Package watch remembers which connections wait for which paths and turns applied changes into notices.
//
// It does not know sessions or sockets: a connection is a small number that the caller gives out. It does not send, does not
// read the tree, and does not check permissions: each notice says what list its reader must pass, and the caller drops it if
// not; the watch is consumed all the same.
//
// A path is a literal string; whether such a znode exists, or ever could, plays no part. Each has three lists:
//
//	data       getData, exists (standard)        + addWatch (persistent)
//	child      getChildren (standard)            + addWatch (persistent)
//	recursive                                      addWatch (persistent recursive)
//
// In Apache's terms data and recursive together are the data side. One connection has at most one watch in each list of a
// path, with one bit for standard and one for persistent, so that no kind pushes another out (ZOOKEEPER-4466, 4471, 4475).
//
// What a change of /a/b fires, in this order; a connection gets one notice for each line at most:
//
//	created       NodeCreated on /a/b: its data list, then the recursive lists of /a/b, /a and /
//	              NodeChildrenChanged on /a: its child list
//	deleted       NodeDeleted on /a/b: its data list, the recursive lists as above, then its child list, all as one line
//	              NodeChildrenChanged on /a: its child list
//	data changed  NodeDataChanged on /a/b: its data list, the recursive lists as above
//
// Within one list notices leave in the order of registration.
//
// Memory: about 100 bytes for a watch on a path of its own of 30 bytes, nothing of it a pointer (package slab):
//
//	place  the path: where its bytes are, the heads of its three lists    20 + 12 in an index + the bytes
//	watch  one connection in one list: a ring of the place's list and
//	       a ring of all that the connection has                          24 + 12 in an index
//
// Invariants: OneShot - a standard watch yields at most one notice; a place without a watch is gone; the counts agree with the
// lists. Check walks everything.
//
// Where to start: Table.AddData, then Table.Match. Worked examples are in testdata.
package watch
