package server

import (
	"testing"

	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

func (s *Server) mismatched() int64 { return s.metric("digest_mismatches_count").Value }

// A member whose tree is not the leader's finds out with the next txn: it says so once, and counts.
func TestEnsembleDigestsDiffer(t *testing.T) {
	w := gather(t, 3, 0, patient)
	leader := w.serving()
	odd := w.followers()[0]
	c := connect(t, w.all[leader], lasting)
	c.must(&wire.Create{Path: "/a", Data: []byte("right"), ACL: zk.WorldACL(zk.PermAll)})
	w.same()
	s := w.all[odd]
	s.mu.Lock()
	at := s.rep.Tree().LastZxid()
	s.rep.Tree().Replay(&txn.Txn{Header: txn.Header{Type: txn.TypeSetData, Zxid: at}, Body: &txn.SetData{Path: "/a", Data: []byte("wrong"), Version: 1}})
	s.mu.Unlock()
	for range 3 {
		c.must(&wire.Create{Path: "/b-", Mode: zk.PersistentSequential, ACL: zk.WorldACL(zk.PermAll)})
	}
	eventually(t, "it has counted", func() bool { return s.mismatched() == 3 })
	const complaint = "The digest of the tree is not the one that the leader's txn says"
	eventually(t, "it has said so", func() bool { return w.logs[odd].with("ERROR", complaint) > 0 })
	if n := w.logs[odd].with(complaint); n != 1 {
		t.Errorf("it has said so %d times", n)
	}
	for i, s := range w.all {
		if i != odd && (s.mismatched() != 0 || w.logs[i].with(complaint) != 0) {
			t.Errorf("server %d counts %d", i+1, s.mismatched())
		}
	}
}

// What a start finds on disk counts, too.
func TestDigestsOnDiskDiffer(t *testing.T) {
	disk := vfs.NewMem()
	seedDisk(t, disk, 5)
	st, err := store.Open(disk, "data", "data", store.Options{MaxRecord: 1 << 20, PreAlloc: 4096})
	if err != nil {
		t.Fatal(err)
	}
	res, err := st.Restore(func() *tree.Tree { return tree.New(tree.Options{Seed: 1}) })
	if err != nil {
		t.Fatal(err)
	}
	x := txn.Txn{Header: txn.Header{Type: txn.TypeSetData, Zxid: 6}, Body: &txn.SetData{Path: "/", Version: 1}, HasDigest: true, Digest: res.Tree.Digest()}
	if err := st.Commit([]store.Entry{{Zxid: 6, Payload: x.Append(nil)}}); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	s := start(t, disk)
	if n := s.mismatched(); n != 1 {
		t.Error(n)
	}
}
