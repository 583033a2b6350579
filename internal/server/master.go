package server

import (
	"net"
	"strconv"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/peer"
	"github.com/zooid-io/zooid/internal/zab"
)

// masters are where an observer finds those that serve observers in the leader's place: the voters that do not lead, at the port
// that it has itself for that. Each search begins with another, and the first with any, so that observers spread. Nobody else has any.
func (m *member) masters(leader ensemble.SID) (list []peer.Master) {
	if m.o.ObserverMasterPort <= 0 || m.role.State != zab.Observing {
		return nil
	}
	st, _ := m.s.rep.Status()
	for _, x := range st.Configs.Committed.Members {
		if x.Observer || x.ID == leader {
			continue
		}
		to := peer.Master{SID: x.ID}
		for _, a := range x.Peers {
			to.Addrs = append(to.Addrs, net.JoinHostPort(a.Host, strconv.Itoa(m.o.ObserverMasterPort)))
		}
		list = append(list, to)
	}
	if n := len(list); n > 0 {
		m.turn++
		at := m.turn % n
		list = append(list[at:n:n], list[:at]...)
	}
	return list
}
