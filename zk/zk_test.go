package zk_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/zk"
)

// The rules of section 3.12 of the client protocol, each with its nearest legal neighbour.
func TestValidatePath(t *testing.T) {
	for _, c := range []struct {
		path string
		ok   bool
	}{
		{"/", true}, {"/a", true}, {"/a/b", true}, {"/...", true}, {"/.a", true}, {"/a.", true}, {"/a b", true}, {"/é", true},
		{"/\ud7ff", true}, {"/\u00a0", true}, {"/\uf900", true}, {"/\uffef", true}, {"/" + strings.Repeat("x", 1<<16), true},
		{"", false}, {"a", false}, {"/a/", false}, {"//", false}, {"//a", false}, {"/a//b", false}, {"/.", false}, {"/..", false},
		{"/a/./b", false}, {"/a/../b", false}, {"/a\x00", false}, {"/a\x1f", false}, {"/a\x7f", false}, {"/a\u009f", false},
		{"/\ue000", false}, {"/\uf8ff", false}, {"/\ufff0", false}, {"/\ufffd", false}, {"/\U0001F600", false}, {"/\xff", false},
	} {
		if err := zk.ValidatePath(c.path); (err == nil) != c.ok {
			t.Errorf("ValidatePath(%.20q) = %v, want ok=%v", c.path, err, c.ok)
		}
	}
}

func TestSplitPath(t *testing.T) {
	for _, c := range []struct {
		path, parent, name string
		ok                 bool
	}{{"/a", "/", "a", true}, {"/a/b", "/a", "b", true}, {"/a/", "/a", "", true}, {"//b", "/", "b", true}, {"a", "", "", false}, {"a/b", "a", "b", true}} {
		p, n, ok := zk.SplitPath(c.path)
		if p != c.parent || n != c.name || ok != c.ok {
			t.Errorf("SplitPath(%q) = %q %q %v", c.path, p, n, ok)
		}
	}
}

func TestErrorsMatchByCodeAndCause(t *testing.T) {
	err := error(&zk.Error{Op: "create", Path: "/a", Code: zk.ConnectionLoss, Err: io.EOF})
	if !errors.Is(err, zk.ConnectionLoss) || !errors.Is(err, io.EOF) || errors.Is(err, zk.NoNode) {
		t.Fatalf("errors.Is does not see through %v", err)
	}
	if got := err.Error(); got != "create /a: connection loss: EOF" {
		t.Fatalf("text is %q", got)
	}
	if zk.CodeOf(err) != zk.ConnectionLoss || zk.CodeOf(nil) != zk.OK || zk.CodeOf(io.EOF) != zk.SystemError {
		t.Fatal("CodeOf")
	}
}
