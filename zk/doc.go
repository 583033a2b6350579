// Package zk holds the nouns of ZooKeeper that clients and servers share: codes, Stat, ACL, create modes, events, ids and
// the rules of paths.
//
// It does no I/O, holds no state and imports nothing of this module.
//
// Where to start: Code for errors, Stat for what a znode says of itself, ValidatePath for what a name may be.
package zk
