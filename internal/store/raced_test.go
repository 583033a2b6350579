//go:build race

package store

const raced = true // the race detector is on
