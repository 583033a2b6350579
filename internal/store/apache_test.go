package store

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

func recorded(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "apache-3.8.0", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What an Apache leader streamed and what the Apache learner wrote of it are the same tree; written by us for a learner they
// have the same number of bytes, as only the order of children is free, less the open list, which needs no key here.
func TestApachesStream(t *testing.T) {
	const zxid, digest = zk.Zxid(0x10000000d), 21861613350 // of the leader's log at that zxid
	whole := recorded(t, "snap-stream")
	m := disk(t, nil)
	s := open(t, m, testOptions())
	tr, sessions, err := s.ReadStream(bytes.NewReader(whole), zxid, freshTree)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Check(); err != nil || tr.Digest() != digest || tr.LastZxid() != zxid || len(sessions) != 1 {
		t.Errorf("%v, digest %d, %v, %v", err, tr.Digest(), tr.LastZxid(), sessions)
	}
	var list []Session
	for id, timeout := range sessions {
		list = append(list, Session{id, timeout})
	}
	const openList = 8 + 4 + 4 + 4 + len("world") + 4 + len("anyone")
	if again := stream(t, tr, list...); len(again) != len(whole)-openList {
		t.Errorf("%d bytes, Apache's are %d", len(again), len(whole))
	}
	s.Close()

	for _, name := range []string{"snapshot.10000000d", acceptedName, currentName} {
		writeSynced(t, m, inVersion2(name), recorded(t, name))
	}
	s = open(t, m, testOptions())
	defer s.Close()
	r, err := s.Restore(freshTree)
	if err != nil || r.Tree.Digest() != digest || !maps.Equal(r.Sessions, sessions) || r.LastZxid != zxid {
		t.Fatalf("%+v %v", r, err)
	}
	if a, c, err := s.Epochs(r.LastZxid); a != 1 || c != 1 || err != nil {
		t.Errorf("%d %d %v", a, c, err)
	}
	// And as we write them.
	other := vfs.NewMem()
	o := open(t, other, testOptions())
	defer o.Close()
	if err := o.WriteAccepted(1); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, other, inVersion2(acceptedName)); !bytes.Equal(got, recorded(t, acceptedName)) {
		t.Errorf("%q", got)
	}
}
