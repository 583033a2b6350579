// Package ensemble knows the members of an ensemble: who they are, who votes, and what counts as a quorum.
//
// A Config is a value that is never changed: a reconfiguration makes another. It has a text form, byte-compatible with Apache's
// (ensemble protocol, section 8.1), which travels in notifications, in NEWLEADER and in /zookeeper/config.
//
// It does not resolve names, read files or know which member leads.
//
// Where to start: Config in config.go, then quorum.go; text.go reads and writes it, reconfigure.go makes the next one.
package ensemble
