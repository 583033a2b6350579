//go:build !race

package bubble_test

const raced = false // the race detector is off
