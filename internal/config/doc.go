// Package config turns a zoo.cfg, a dynamic file and Java's system properties into a server's Options.
//
//	zoo.cfg ------> entries (line, key, value) --+
//	-Dname=value -> Properties ------------------+--> table of keys --> Options, Warnings, or one Error
//	myid, dynamic file --------------------------+
//
// One table, keys(), says of every key that ZooKeeper knows how it is spelled in zoo.cfg and with -D, how its value is read,
// what it is when it is not given, and what happens to it: it is honoured, it has nothing to do here, it is ignored with a
// warning, or it is refused. docs/configuration.md is that table for people, and a test holds the two together.
//
// Who the members are, and the grammar of their lines, is package ensemble's; here are the files they stand in.
//
// The package reads files and never writes one. It opens no socket; it asks the resolver for the name in clientPortAddress,
// as Apache does. It does not look into the data directory except for myid: whether dataDir can be used is for the server.
//
// Invariants: an unknown key is never an error; the last of two equal keys counts; nothing depends on the order of keys.
//
// Where to start: Load, then loader.finish, then the tables in keys_*.go.
package config
