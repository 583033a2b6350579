// Package jute is the record codec of ZooKeeper: big-endian, unpadded, untagged fields in order, and the two records that
// wire and disk share, ACL and Stat.
//
//	byte, boolean   1 byte; any byte but 0 reads as true, 1 is written
//	int, long       4 or 8 bytes, signed
//	ustring, buffer int length, then that many bytes; length -1 is null, which is not the same as empty
//	vector          int count, then the items; -1 is null
//
// Encoding appends to a []byte and cannot fail. Decoding never allocates more than the input justifies: a length is
// compared with the bytes that remain before anything is made. The first error sticks, so a record is decoded field by
// field and checked once. Strings and buffers that a Decoder returns alias its input: whoever keeps one past the life of
// the input clones it.
//
// Where to start: Decoder; AppendString; ACL in acl.go.
package jute
