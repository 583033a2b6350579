// Package admin answers what operators ask: the four-letter words, byte for byte as Apache ZooKeeper answers them, and the
// metrics behind mntr.
//
// It does not see the replica, the tree or a client's socket: whoever holds those hands in a Source, which is asked only for
// what a word needs, and a Metrics, which is cheap enough to be written to on every request. It decides nothing about the
// server. (Run4lw is the other side: a client of the words, for the command line.)
//
//	first 4 bytes of a connection > Known? > Words.Answer(word, Source) > bytes, then the connection is closed
//
// Where the answer is a list whose order Apache leaves to a hash table, the Source's order is kept.
//
// Where to start: Source in source.go, Words.Answer in words.go, Metrics in metrics.go. What Apache says is in
// testdata/apache-3.8.0, recorded from a running server.
package admin
