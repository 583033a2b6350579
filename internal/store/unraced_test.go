//go:build !race

package store

const raced = false // the race detector is off
