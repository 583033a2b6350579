package sim

import "github.com/zooid-io/zooid/internal/zab"

// Plant is the name of a bug that is built in on purpose, to see that a checker catches it.
type Plant string

// packet may change a packet on its way.
func (p Plant) packet(w *world, to *server, x zab.Packet) zab.Packet { return x }
