package zktest

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/server"
	"github.com/zooid-io/zooid/zk"
)

// Ensemble is several servers that agree. Its members are numbered from 0.
type Ensemble struct {
	t       testing.TB
	members []*Server
	ways    *ways
	owner   map[string]int // who has an address
}

// StartEnsemble starts n servers that end with the test. It returns when all of them serve.
func StartEnsemble(t testing.TB, n int, change ...func(*Options)) *Ensemble {
	t.Helper()
	o := settle(change)
	e := &Ensemble{t: t, ways: newWays(), owner: map[string]int{}}
	t.Cleanup(e.ways.close)
	config := &ensemble.Config{}
	for i := range n {
		m := member(t, i)
		config.Members = append(config.Members, m)
		for _, a := range m.Peers {
			e.owner[a.Quorum()], e.owner[a.Election()] = i, i
		}
	}
	for i := range n {
		s := newServer(t, &o, "zookeeper"+strconv.Itoa(i+1))
		m := server.DefaultEnsemble()
		m.SID, m.Config, m.InitLimit, m.SyncLimit, m.ConnectLimit = ensemble.SID(i+1), config, 100, o.SyncLimit, 2*o.SyncLimit
		m.Dial = e.dialer(i, (&net.Dialer{}).DialContext)
		s.opt.Ensemble, s.opt.ServerID = &m, int64(i+1)
		s.wrap = e.forClients
		e.owner[s.addr] = i
		e.members = append(e.members, s)
		t.Cleanup(s.Stop)
	}
	t.Cleanup(e.Heal) // so that servers part in peace
	for _, s := range e.members {
		s.Restart()
	}
	e.Settle()
	return e
}

func member(t testing.TB, i int) ensemble.Member {
	t.Helper()
	var host string
	var ports [2]int
	for k, addr := range freePorts(t, 2) {
		h, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		host = h
		if ports[k], err = strconv.Atoi(port); err != nil {
			t.Fatal(err)
		}
	}
	return ensemble.Member{
		ID: ensemble.SID(i + 1), Peers: []ensemble.Addr{{Host: host, QuorumPort: ports[0], ElectionPort: ports[1]}},
	}
}

// Len is how many servers there are.
func (e *Ensemble) Len() int { return len(e.members) }

// Server is the i-th server, with its own Stop, Restart, Drop and Client.
func (e *Ensemble) Server(i int) *Server { return e.members[i] }

// Addrs is where clients find the servers.
func (e *Ensemble) Addrs() (addrs []string) {
	for _, s := range e.members {
		addrs = append(addrs, s.addr)
	}
	return addrs
}

// Addr is Addrs as one text, with commas between.
func (e *Ensemble) Addr() string { return strings.Join(e.Addrs(), ",") }

// Client gives a client of all servers with a session of its own, which ends with the test at the latest.
func (e *Ensemble) Client(t testing.TB, change ...func(*client.Options)) *client.Client {
	t.Helper()
	return dial(t, e.Addrs(), change, e.forClients)
}

// Settle waits until all servers that run serve clients: more than half of all must run.
func (e *Ensemble) Settle() {
	e.t.Helper()
	await(e.t, "the ensemble to serve", func() bool {
		led := false
		for _, s := range e.members {
			if r := s.now(); r != nil {
				serving, leading := r.Serving()
				if !serving {
					return false
				}
				led = led || leading
			}
		}
		return led
	})
}

// Leader is the number of a server that leads at this moment, -1 if none does.
func (e *Ensemble) Leader() int {
	if all := e.Leaders(); len(all) > 0 {
		return all[0]
	}
	return -1
}

// Leaders are all that believe to lead at this moment: in a partition there may be one that is about to find out that it does not any more.
func (e *Ensemble) Leaders() (all []int) {
	for i, s := range e.members {
		if r := s.now(); r != nil {
			if _, leading := r.Serving(); leading {
				all = append(all, i)
			}
		}
	}
	return all
}

// Stop stops the i-th server.
func (e *Ensemble) Stop(i int) { e.members[i].Stop() }

// Restart stops the i-th server if it runs, and starts it on the same disk and ports. It does not wait until it serves: see Settle.
func (e *Ensemble) Restart(i int) {
	e.t.Helper()
	e.members[i].Restart()
}

// Drop is Server.Drop at all servers.
func (e *Ensemble) Drop(sessions ...zk.SessionID) (n int) {
	for _, s := range e.members {
		n += s.Drop(sessions...)
	}
	return n
}

// Expire ends a session now, as Server.Expire does. It waits for a leader, and until no server that runs knows the session.
func (e *Ensemble) Expire(session zk.SessionID) {
	e.t.Helper()
	await(e.t, "a leader that ends session "+session.String(), func() bool {
		l := e.Leader()
		if l < 0 {
			return false
		}
		r := e.members[l].now()
		return r != nil && r.ExpireSession(session)
	})
	await(e.t, "the end of session "+session.String(), func() bool {
		for _, s := range e.members {
			if r := s.now(); r != nil && r.KnowsSession(session) {
				return false
			}
		}
		return true
	})
}

// TryExpire is Expire of a session that may be over already, where a server may lead. It tells whether both was so, and does not wait.
func (e *Ensemble) TryExpire(session zk.SessionID) bool {
	l := e.Leader()
	return l >= 0 && e.members[l].TryExpire(session)
}
