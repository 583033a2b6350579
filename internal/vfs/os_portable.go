//go:build !linux

package vfs

import "os"

func datasync(f *os.File) error { return f.Sync() }

func preallocate(f *os.File, _, size int64) error { return sparse(f, size) }

func nextData(_ *os.File, off int64) (int64, error) { return off, nil }
