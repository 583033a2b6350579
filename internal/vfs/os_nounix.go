//go:build !unix

package vfs

// syncDir does nothing where a directory cannot be opened for it, as on Windows, whose NTFS journals names in order.
func syncDir(string) error { return nil }
