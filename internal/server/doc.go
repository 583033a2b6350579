// Package server is the real driver of a replica: sockets to clients, goroutines, ticker, fsync. It feeds events to the
// replica value and performs the effects that come back.
package server
