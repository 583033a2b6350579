package vfs

import (
	"errors"
	"io"
	"io/fs"
)

// FS is a file system. Errors wrap fs.ErrNotExist, fs.ErrExist and syscall.ENOSPC where they mean that. All methods may be
// called from several goroutines.
type FS interface {
	// OpenFile opens with flags of package os: O_RDONLY or O_RDWR, with O_CREATE, O_EXCL, O_TRUNC.
	OpenFile(name string, flag int) (File, error)
	// Create makes or empties a file and opens it for reading and writing.
	Create(name string) (File, error)
	// Open opens for reading.
	Open(name string) (File, error)
	// Rename moves a file onto a name, replacing what had it.
	Rename(from, to string) error
	Remove(name string) error
	// ReadDir lists a directory, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	Stat(name string) (fs.FileInfo, error)
	MkdirAll(name string) error
	// SyncDir makes the names in a directory durable.
	SyncDir(name string) error
	// Writable returns an error if files cannot be made in the directory.
	Writable(name string) error
	// Lock takes a directory for this process, without leaving a file in it; closing what it returns gives it back. The
	// error is ErrLocked if somebody else has it. Where the system has no such lock, Lock does nothing.
	Lock(name string) (io.Closer, error)
}

// File is an open file. Read and Write share a position that starts at 0; ReadAt and WriteAt leave it alone.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	// Truncate cuts the file, or lengthens it with zeros that need not be allocated.
	Truncate(size int64) error
	// Preallocate lengthens the file to size with zeros, allocated if the system can, so that writing there neither fails
	// for want of space nor changes the file's size. A file that is longer stays.
	Preallocate(size int64) error
	// Sync makes content and size durable; Datasync leaves out times and the like.
	Sync() error
	Datasync() error
	Size() (int64, error)
	// A file may have, besides, NextData(off int64) (int64, error): see OS.
}

// ErrLocked says that another process holds a directory.
var ErrLocked = errors.New("vfs: directory is in use by another process")
