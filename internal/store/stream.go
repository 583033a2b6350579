package store

import (
	"errors"
	"fmt"
	"io"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/zk"
)

// The stream is what follows SNAP on the connection to a learner (ensemble protocol, section 5.4): a snapshot without header,
// seals and trailers, and at the end a string to tell that it is whole. Its zxid is the packet's.

// signature ends a stream.
const signature = "BenWasHere"

// streamName stands for a file in errors.
const streamName = "the leader's snapshot"

// WriteStream writes sn for a learner. Of sn the digest is not used. The error is w's.
func WriteStream(w io.Writer, sn Snapshot) error {
	out := snapshotWriter{w: w, buf: make([]byte, 0, 4096)}
	out.content(&sn)
	out.buf = jute.AppendString(out.buf, signature)
	out.flushAt(1)
	return out.err
}

// ReadStream reads what WriteStream or Apache's leader writes into a tree of fresh's, as of z, and the timeouts of the sessions,
// in ms. It takes nothing from r behind the signature, and many small pieces before it: r should be buffered. Fields are bounded by
// Options.MaxRecord; it never allocates much more than has come. The error is a *SnapshotError around what is wrong, r's error
// among them: then the tree is of no use, and what is on disk is untouched.
func (s *Store) ReadStream(r io.Reader, z zk.Zxid, fresh func() *tree.Tree) (*tree.Tree, map[zk.SessionID]int32, error) {
	t, sessions := fresh(), map[zk.SessionID]int32{}
	t.BeginLoad()
	d := &snapshotReader{r: r, max: s.o.MaxRecord}
	var info SnapshotInfo
	err := d.content(SnapshotVisitor{
		Session: func(x Session) error { sessions[x.ID] = x.Timeout; return nil },
		ACL:     func(e tree.ACLEntry) error { t.LoadACL(e.Key, e.ACL); return nil },
		Node:    t.LoadNode,
	}, &info)
	if err == nil {
		err = d.signature()
	}
	if err == nil && info.Nodes == 0 {
		err = errors.New("it has no root")
	}
	if own := (*visitorError)(nil); errors.As(err, &own) {
		err = own.err
	}
	if err != nil {
		return nil, nil, &SnapshotError{streamName, d.off, err}
	}
	t.FinishLoad(z)
	return t, sessions, nil
}

func (d *snapshotReader) signature() error {
	n, err := d.int()
	if err != nil {
		return err
	}
	if n != int32(len(signature)) {
		return fmt.Errorf("its signature has a length of %d", n)
	}
	b, err := d.next(len(signature))
	if err == nil && string(b) != signature {
		err = fmt.Errorf("its signature is %q", b)
	}
	return err
}
