// Package masterworker has tasks done by workers, under a master that hands them out: the example that books on ZooKeeper begin with,
// made to survive the death of anybody at any step.
//
//	/master               ephemeral; whoever has it leads, the others are backups
//	/workers/NAME         ephemeral, one for each worker
//	/tasks/TASK           submitted, and nobody's
//	/assign/NAME/TASK     a worker's, with the number of the attempt
//	/status/TASK          done: the result
//
// A task is at exactly one of the last three places, and moves by transactions only, each of which fails if the task is not where it
// was thought to be:
//
//	submit     create tasks/T                                               by the client
//	assign     check workers/W, delete tasks/T, create assign/W/T           by the master
//	give back  delete assign/W/T, create tasks/T                            by the master, when W is gone
//	renew      delete assign/W/T, create it anew                            by the worker, of what was there before it
//	finish     delete assign/W/T, create status/T                           by the worker
//
// So nothing need be remembered: a new master reads the tree and goes on; after a lost reply the tree is looked at again. A session
// that has ended can do nothing any more, so that a master or worker that was taken for dead cannot interfere.
//
// A task may be begun more than once, when its worker dies in it, and is finished once. Task.Attempt tells a worker that somebody may
// have begun before, Task.Token is a fencing token for what it does outside.
//
// Where to start: System.
package masterworker
