package server

import (
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
)

// The lines that operators look for.
func TestLines(t *testing.T) {
	var j journal
	s := start(t, vfs.NewMem(), j.into)
	a := connect(t, s, lasting)
	id := a.session.SessionID.String()
	at := "/" + a.nc.LocalAddr().String()
	j.wait(t, "DEBUG Established session "+id+" with negotiated timeout 3600000 for client "+at)
	a.must(&wire.Auth{Scheme: "digest", Auth: []byte("bob:hidden")})
	j.wait(t, "INFO Session "+id+": auth success for scheme digest and address "+at)
	a.nc.Close()
	j.wait(t, "DEBUG Unable to read additional data from client, it probably closed the socket: address = "+at+", session = "+id)

	b, refused := a.resume(s)
	if refused {
		t.Fatal("the session is gone")
	}
	j.wait(t, "DEBUG Established session "+id, "/"+b.nc.LocalAddr().String())
	b.call(&wire.Auth{Scheme: "nobody", Auth: []byte("bob:hidden")})
	j.wait(t, "WARN Session "+id+": auth failure for scheme \"nobody\" and address /"+b.nc.LocalAddr().String())
	c, _ := b.resume(s)
	c.write([]byte("ruok"))
	j.wait(t, "WARN Exception causing close of session "+id+": Len error 1920298859")
	c.session.Password[0]++
	d, _ := c.resume(s)
	j.wait(t, "INFO Invalid session for client /"+d.nc.LocalAddr().String()+", probably expired")
	e := dial(t, s)
	e.write(hello(&wire.ConnectRequest{LastZxidSeen: 999}))
	e.ended()
	j.wait(t, "INFO Refusing session request for client /"+e.nc.LocalAddr().String()+" as it has seen zxid 0x3e7")
	s.Close()
	j.wait(t, "INFO Shutdown complete")
	if n := j.with("hidden"); n > 0 {
		t.Errorf("%d lines hold a password", n)
	}
}
