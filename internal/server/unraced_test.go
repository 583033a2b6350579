//go:build !race

package server

const raced = false // the race detector is off
