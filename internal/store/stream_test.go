package store

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// stream is tr as it goes to a learner.
func stream(t testing.TB, tr *tree.Tree, sessions ...Session) []byte {
	t.Helper()
	view := tr.Freeze()
	defer view.Close()
	var b bytes.Buffer
	if err := WriteStream(&b, Snapshot{Zxid: view.Zxid(), Sessions: sessions, ACLs: view.ACLs(), Next: view.Next}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestStreamRoundTrip(t *testing.T) {
	s := open(t, vfs.NewMem(), testOptions())
	defer s.Close()
	tr := grown(3000)
	b := stream(t, tr, Session{8, 4000}, Session{-5, 6000})
	packets := "and now packets"
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"buffered":                func(r io.Reader) io.Reader { return r },
		"a byte at a time":        iotest.OneByteReader,
		"halves":                  iotest.HalfReader,
		"the error with the data": iotest.DataErrReader,
	} {
		r := bufio.NewReader(wrap(strings.NewReader(string(b) + packets)))
		got, sessions, err := s.ReadStream(r, 1<<32|7, freshTree)
		if err != nil {
			t.Fatal(name, err)
		}
		if err := got.Check(); err != nil || got.Digest() != tr.Digest() || got.NodeCount() != tr.NodeCount() || got.LastZxid() != 1<<32|7 {
			t.Errorf("%s: another tree: %v", name, err)
		}
		if !maps.Equal(sessions, map[zk.SessionID]int32{8: 4000, -5: 6000}) {
			t.Errorf("%s: %v", name, sessions)
		}
		if rest, err := io.ReadAll(r); err != nil || string(rest) != packets {
			t.Errorf("%s: %q %v is left", name, rest, err)
		}
	}
	// Without a buffer too nothing is taken that lies behind it.
	raw := strings.NewReader(string(b) + packets)
	if _, _, err := s.ReadStream(raw, 1, freshTree); err != nil || raw.Len() != len(packets) {
		t.Errorf("%v, %d bytes are left", err, raw.Len())
	}
}

// nodeOf is a znode of a stream.
func nodeOf(b []byte, path string, aclKey int64) []byte {
	return nodeBytes(b, path, []byte("data"), aclKey, tree.Meta{})
}

func TestStreamRefuses(t *testing.T) {
	s := open(t, vfs.NewMem(), testOptions())
	defer s.Close()
	none := []byte{0, 0, 0, 0, 0, 0, 0, 0} // sessions and lists
	end := func(b []byte) []byte { return jute.AppendString(jute.AppendString(b, "/"), signature) }
	root := nodeOf(bytes.Clone(none), "", -1)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "unexpected EOF"},
		{"a count below zero", []byte{0xff, 0xff, 0xff, 0xfe}, "count of sessions is -2"},
		{"lists below zero", []byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, "count of ACLs is -1"},
		{"no node", end(none), "no root"},
		{"a child before its parent", end(nodeOf(bytes.Clone(root), "/a/b", -1)), "unable to find parent /a of path /a/b"},
		{"a child before the root", end(nodeOf(bytes.Clone(none), "/a", -1)), "unable to find parent  of path /a"},
		{"a path that is too long", jute.AppendInt(bytes.Clone(root), 1<<30), "Unreasonable length = 1073741824"},
		{"a path of a length below null", jute.AppendInt(bytes.Clone(root), -2), "Unreasonable length = -2"},
		{"another signature", jute.AppendString(jute.AppendString(bytes.Clone(root), "/"), "BenWasHera"), `signature is "BenWasHera"`},
		{"a signature of another length", jute.AppendInt(jute.AppendString(bytes.Clone(root), "/"), 1<<30), "length of 1073741824"},
	} {
		tr, sessions, err := s.ReadStream(bytes.NewReader(c.b), 5, freshTree)
		var bad *SnapshotError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) || tr != nil || sessions != nil {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	whole := stream(t, grown(5), Session{8, 4000})
	for n := range whole {
		if _, _, err := s.ReadStream(bytes.NewReader(whole[:n]), 5, freshTree); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut off at %d of %d: %v", n, len(whole), err)
		}
	}
	broken := errors.New("connection lost")
	if _, _, err := s.ReadStream(io.MultiReader(bytes.NewReader(whole[:99]), iotest.ErrReader(broken)), 5, freshTree); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// A list that no znode names does not stay; one that a znode names and nobody sent lets nobody in.
func TestStreamLists(t *testing.T) {
	s := open(t, vfs.NewMem(), testOptions())
	defer s.Close()
	b := jute.AppendInt(nil, 0)
	b = jute.AppendInt(b, 2)
	b = jute.AppendACL(jute.AppendLong(b, 4), ipACL)
	b = jute.AppendACL(jute.AppendLong(b, 7), zk.WorldACL(zk.PermRead))
	b = nodeOf(b, "", -1)
	b = nodeOf(b, "/a", 7)
	b = jute.AppendString(jute.AppendString(b, "/"), signature)
	tr, _, err := s.ReadStream(bytes.NewReader(b), 5, freshTree)
	if err != nil {
		t.Fatal(err)
	}
	view := tr.Freeze()
	defer view.Close()
	if l := view.ACLs(); len(l) != 1 || l[0].Key != 7 {
		t.Errorf("%+v", l)
	}
}

// Whatever comes from a leader, reading it ends in an error or in a sound tree, and takes nothing that lies behind it; written
// again it is the same tree.
func FuzzStream(f *testing.F) {
	whole := stream(f, grown(4), Session{7, 8000})
	f.Add(whole)
	f.Add(recorded(f, "snap-stream"))
	f.Add(whole[:len(whole)-5])
	f.Add(append(bytes.Clone(whole), "packets"...))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, '/', 0, 0, 0, 10})
	s := open(f, vfs.NewMem(), testOptions())
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.NewReader(b)
		tr, sessions, err := s.ReadStream(in, 9, freshTree)
		if err != nil {
			if bad := (*SnapshotError)(nil); !errors.As(err, &bad) {
				t.Fatal(err)
			}
			return
		}
		if err := tr.Check(); err != nil {
			t.Fatal(err)
		}
		if used := b[:len(b)-in.Len()]; !bytes.HasSuffix(used, []byte(signature)) {
			t.Fatalf("it ends with %q", used[max(0, len(used)-20):])
		}
		var list []Session
		for id, timeout := range sessions {
			list = append(list, Session{id, timeout})
		}
		again, same, err := s.ReadStream(bytes.NewReader(stream(t, tr, list...)), 9, freshTree)
		if err != nil || again.Digest() != tr.Digest() || again.NodeCount() != tr.NodeCount() || !maps.Equal(same, sessions) {
			t.Fatalf("written again: %v", err)
		}
	})
}
