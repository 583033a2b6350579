package client

import "github.com/zooid-io/zooid/zk"

// The results of the calls of a Multi, a MultiRead or a Batch. Each is given out, empty, when the call is added, and is filled when
// Commit, Read or Flush returns; until then its Err is ErrNotSent. After an error the other fields are zero.
type (
	// CreateResult is that of a create.
	CreateResult struct {
		Path string // with its number, if sequential
		Stat zk.Stat
		Err  error
	}
	// SetResult is that of a set.
	SetResult struct {
		Stat zk.Stat
		Err  error
	}
	// DeleteResult is that of a delete.
	DeleteResult struct{ Err error }
	// CheckResult is that of a check.
	CheckResult struct{ Err error }
	// GetResult is that of a get.
	GetResult struct {
		Data []byte
		Stat zk.Stat
		Err  error
	}
	// ExistsResult is that of an exists; a missing znode is not an error.
	ExistsResult struct {
		Found bool
		Stat  zk.Stat
		Err   error
	}
	// ChildrenResult is that of a listing. A MultiRead has no Stat for it.
	ChildrenResult struct {
		Children []string
		Stat     zk.Stat
		Err      error
	}
	// ACLResult is that of a reading of an access control list.
	ACLResult struct {
		ACL  []zk.ACL
		Stat zk.Stat
		Err  error
	}
	// SyncResult is that of a sync.
	SyncResult struct{ Err error }
)
