//go:build !unix

package peer

import "net"

// sock is of unix: elsewhere the writer writes.
type sock struct{}

func newSock(net.Conn) *sock { return nil }

func (*sock) tryWrite([]byte) (int, error) { return 0, nil }
