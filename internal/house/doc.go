// Package house holds the tests that keep the house in order: who may import whom, what a pure room may not touch, that every
// room has its doc.go, that no file names the machine it was written on, that docs/defects.md names tests that exist.
//
// It has no code of its own and nothing imports it. It reads the sources with go/parser and never builds them, so that it
// takes a moment.
//
// Where to start: graph_test.go. A new room needs a line there.
package house
