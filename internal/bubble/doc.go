// Package bubble has real clients meet simulated servers, under one virtual clock: that of testing/synctest.
//
// The servers are a sim.Ensemble: replicas and stores as they ship, on memory disks, with crashes, partitions and whatever else a seed
// has drawn. The clients are package client as it ships, with its goroutines, its timers and its contexts, and on it the recipes. Between
// them are connections in memory. Everything runs in a bubble of testing/synctest, where time passes only when every goroutine
// waits: minutes of it cost milliseconds, nothing is late because a machine is slow, and a goroutine that is left behind fails the test.
//
// A World owns the ensemble and drives it: one goroutine sleeps until the ensemble's next event is due. Whoever else enters, to send
// a frame, takes the same lock. A Process is what a client's connections belong to, so that they can be dropped, robbed of a reply, or
// stand still together.
//
// The seed decides what is drawn: the ensemble with its faults, the recipe, the mishaps and when they come. It does not decide everything:
// among goroutines that can run at one instant the scheduler of Go chooses. So a seed that fails is likely to fail again, not certain.
//
// This room is for tests: nothing else imports it.
//
// Where to start: World, then Process; the tests' round_test.go for a round, and one file for each kind of recipe.
package bubble
