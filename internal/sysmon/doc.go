// Package sysmon keeps the Go runtime's monitor thread from spinning while a server has much to do.
//
// The runtime has a thread of its own, sysmon, that takes processors away from goroutines that stay in system calls. It looks every 20 µs
// and less often only when it has found nothing to do for a while; when all processors are idle it sleeps, and whoever leaves a system call
// then wakes it and it begins with 20 µs again. A server that waits for sockets and for fsync is idle a thousand times a second, so that the
// thread never gets to rest: it was half of all context switches of a server under load, and a third of the processor time of an ensemble
// that writes one value after the other (docs/performance.md).
//
// What is done about it: one goroutine sleeps in a system call, with a processor that nobody else needs, and is scheduled anew before sysmon
// would take that away. Not all processors are ever idle then, nothing is taken from anybody, and sysmon looks every 10 ms. As processors stay
// with goroutines in system calls for so long there is one more of them, for who waits for the disk.
//
// It is not for free: 200 wakes a second, and a processor (of the machine) that nothing wakes every 20 µs sleeps deeper, which a lone client
// that sends one request after the other would wait for. So it is done only while there are several that have something to say, and not
// at all in a server without anything to do. Correctness does not depend on any of it.
//
// Start where: keeper.go. It changes GOMAXPROCS, which is the process's and from then on does not follow the limit of a control group that
// changes: only a program that is nothing but a server may do it.
package sysmon
