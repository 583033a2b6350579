package sysmon

import "syscall"

// sleeper gives what takes a nap in a system call.
func sleeper() func() {
	return func() {
		t := syscall.NsecToTimespec(nap.Nanoseconds())
		_ = syscall.Nanosleep(&t, nil) // a signal may end it early: it is called again
	}
}
