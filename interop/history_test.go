package interop

import (
	"io"
	"slices"
	"testing"

	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// proposal is one of a txn.
func proposal(z zk.Zxid, x txn.Txn) *zab.Propose {
	x.Zxid, x.Time = z, 1_700_000_000_000+int64(z&0xffff)
	return &zab.Propose{Proposal: zab.Proposal{Zxid: z, Payload: x.Append(nil)}}
}

// creates is a txn that makes a znode at the root.
func creates(path string) txn.Txn {
	return txn.Txn{Header: txn.Header{Type: txn.TypeCreate}, Body: txn.NewCreate(path, []byte("x"), zk.WorldACL(zk.PermAll), -1)}
}

func createsBig(path string, size int) txn.Txn {
	return txn.Txn{Header: txn.Header{Type: txn.TypeCreate}, Body: txn.NewCreate(path, make([]byte, size), zk.WorldACL(zk.PermAll), -1)}
}

func createsEphemeral(session zk.SessionID, path string) txn.Txn {
	x := creates(path)
	x.Session, x.Body.(*txn.Create).Ephemeral = session, true
	return x
}

func deletes(path string) txn.Txn {
	return txn.Txn{Header: txn.Header{Type: txn.TypeDelete}, Body: &txn.Delete{Path: path}}
}

func createsSession(session zk.SessionID) txn.Txn {
	return txn.Txn{Header: txn.Header{Type: txn.TypeCreateSession, Session: session}, Body: &txn.CreateSession{TimeOut: 30000}}
}

func closesSession(session zk.SessionID, paths ...string) txn.Txn {
	return txn.Txn{Header: txn.Header{Type: txn.TypeCloseSession, Session: session}, Body: &txn.CloseSession{HasPaths: true, Paths: paths}}
}

// history is what was committed.
type history []*zab.Propose

// add appends txns of an epoch.
func (h *history) add(e zab.Epoch, all ...txn.Txn) {
	z := zk.Zxid(e) << 32
	if l := h.last(); l > z {
		z = l
	}
	for _, x := range all {
		z++
		*h = append(*h, proposal(z, x))
	}
}

func (h history) last() zk.Zxid {
	if len(h) == 0 {
		return 0
	}
	return h[len(h)-1].Zxid
}

// tree is what comes of it, and the sessions that live.
func (h history) tree(t *testing.T) (*tree.Tree, map[zk.SessionID]int32) {
	t.Helper()
	tr, sessions := tree.New(tree.Options{Seed: 1}), map[zk.SessionID]int32{}
	for _, p := range h {
		x, err := txn.Decode(p.Payload)
		if err != nil {
			t.Fatal(err)
		}
		tr.Replay(x)
		switch b := x.Body.(type) {
		case *txn.CreateSession:
			sessions[x.Session] = b.TimeOut
		case *txn.CloseSession:
			delete(sessions, x.Session)
		}
	}
	return tr, sessions
}

// paths are the znodes at the root in the end, without /zookeeper.
func (h history) paths(t *testing.T) (list []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range h {
		x, err := txn.Decode(p.Payload)
		if err != nil {
			t.Fatal(err)
		}
		switch b := x.Body.(type) {
		case *txn.Create:
			seen[b.Path] = true
		case *txn.Delete:
			delete(seen, b.Path)
		case *txn.CloseSession:
			for _, path := range b.Paths {
				delete(seen, path)
			}
		}
	}
	for path := range seen {
		list = append(list, path)
	}
	slices.Sort(list)
	return list
}

// write writes it as the stream behind SNAP.
func (h history) write(t *testing.T) func(io.Writer) error {
	tr, sessions := h.tree(t)
	return func(w io.Writer) error {
		view := tr.Freeze()
		defer view.Close()
		sn := store.Snapshot{Zxid: h.last(), ACLs: view.ACLs(), Next: view.Next}
		for id, timeout := range sessions {
			sn.Sessions = append(sn.Sessions, store.Session{ID: id, Timeout: timeout})
		}
		return store.WriteStream(w, sn)
	}
}
