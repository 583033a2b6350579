//go:build race

package server

const raced = true // the race detector is on
