//go:build !linux

package sysmon

func sleeper() func() { return nil }
