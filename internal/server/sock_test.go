package server

import (
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
)

// A connection that is no plain TCP socket (TLS, other systems) is served in the same way.
func TestPlainSock(t *testing.T) {
	s := start(t, vfs.NewMem())
	s.plain.Store(true)
	a := connect(t, s, lasting)
	b := connect(t, s, lasting)
	b.must(&wire.GetData{Path: "/", Watch: true})
	for i := range 200 {
		a.must(create(name("/x%d-%d", i, 0), string(make([]byte, 3000))))
	}
	if got := len(b.children("/")); got != 201 {
		t.Errorf("%d children", got)
	}
}
