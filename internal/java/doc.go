// Package java reads text the way Java's library does, because Apache's files and Apache's ensembles hold such text: the
// Properties format with the line of each entry, Long.parseLong, String.split and String.trim, with Java's words where they refuse.
//
// It knows no key of ZooKeeper's.
//
// Where to start: Properties in properties.go.
package java
