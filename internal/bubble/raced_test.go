//go:build race

package bubble_test

const raced = true // the race detector is on
