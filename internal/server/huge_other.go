//go:build !linux

package server

func hugePages([]byte) {}
