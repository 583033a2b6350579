package zktest

import "slices"

// Clients stands for all clients that were made here, where CutWay takes the number of a server. Clients that found their way by Addr
// are not cut off by anything.
const Clients = -1

// Partition cuts servers off from the other servers, in both directions, and leaves them their clients. Nobody is told: bytes stop
// arriving, and each side finds out by the silence, within Options.SyncLimit. It adds to what is cut already.
//
//	e.Partition(e.Leader())  // the others elect another one
//	e.Heal()
func (e *Ensemble) Partition(servers ...int) {
	e.ways.change(func(cut map[way]bool) {
		for _, s := range servers {
			for o := range e.members {
				if !slices.Contains(servers, o) {
					cut[way{s, o}], cut[way{o, s}] = true, true
				}
			}
		}
	})
}

// Isolate is Partition from the clients, too.
func (e *Ensemble) Isolate(servers ...int) {
	e.Partition(servers...)
	for _, s := range servers {
		e.CutWay(s, Clients)
		e.CutWay(Clients, s)
	}
}

// CutWay cuts one direction: what from sends no longer arrives at to. Each is a server's number, or Clients. A connection that is made
// needs both directions.
func (e *Ensemble) CutWay(from, to int) {
	e.ways.change(func(cut map[way]bool) { cut[way{from, to}] = true })
}

// Heal mends all that is cut. What was sent meanwhile arrives on the connections that have outlasted it.
func (e *Ensemble) Heal() { e.ways.change(func(cut map[way]bool) { clear(cut) }) }

func (e *Ensemble) dialer(from int, dial dialer) dialer {
	return e.ways.dialer(from, func(addr string) int {
		if s, ok := e.owner[addr]; ok {
			return s
		}
		return nobody
	}, dial)
}

// nobody is the number of who is no member: the ways to it are never cut.
const nobody = -2

func (e *Ensemble) forClients(dial dialer) dialer { return e.dialer(Clients, dial) }
