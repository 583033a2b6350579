package interop

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// Ensemble is several servers, of either kind, that agree.
type Ensemble struct {
	Servers []*Server // by id, less one
	conf    []string
	props   []string
}

// StartEnsemble starts one server of each kind, and returns when all of them serve. The last one leads: of fresh servers the highest id
// wins, and those who make the first majority with it start before the others, who might be sooner ready and elect another one. conf is
// added to each zoo.cfg.
func StartEnsemble(t testing.TB, kinds []Kind, conf ...string) *Ensemble {
	t.Helper()
	return startWithObservers(t, kinds, 0, conf...)
}

// startWithObservers is StartEnsemble with the last servers as observers; the last voter leads.
func startWithObservers(t testing.TB, kinds []Kind, observers int, conf ...string) *Ensemble {
	t.Helper()
	return startEnsemble(t, kinds, observers, Setup{Conf: append([]string{"tickTime=1000", "4lw.commands.whitelist=*"}, conf...)})
}

// startEnsemble is startWithObservers with system properties, too; the setup's folder is not used.
func startEnsemble(t testing.TB, kinds []Kind, observers int, setup Setup) *Ensemble {
	t.Helper()
	e := &Ensemble{
		conf:  append([]string{"initLimit=20", "syncLimit=10"}, setup.Conf...),
		props: setup.Props,
	}
	for i := range kinds {
		quorum, election := freePort(t), freePort(t)
		line := fmt.Sprintf("server.%d=127.0.0.1:%d:%d", i+1, quorum, election)
		if i >= len(kinds)-observers {
			line += ":observer"
		}
		e.conf = append(e.conf, line)
	}
	for _, k := range kinds {
		e.add(t, k)
	}
	voters := len(kinds) - observers
	rest := voters - (voters/2 + 1)
	for _, wave := range [][]*Server{e.Servers[rest:voters], append(slices.Clone(e.Servers[:rest]), e.Servers[voters:]...)} {
		for _, s := range wave {
			s.Launch(t)
		}
		for _, s := range wave {
			s.WaitServing(t)
		}
	}
	return e
}

// add makes the next server, and does not start it.
func (e *Ensemble) add(t testing.TB, k Kind) *Server {
	t.Helper()
	Need(t, k)
	id := len(e.Servers) + 1
	s := &Server{Kind: k, Dir: t.TempDir(), cfg: filepath.Join(t.TempDir(), "zoo.cfg"), setup: Setup{Conf: e.conf, Props: e.props}}
	if err := os.WriteFile(filepath.Join(s.Dir, "myid"), []byte(strconv.Itoa(id)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("end of the log of server %d, %s:\n%s", id, s.Kind, tail(s.log.String(), 6000))
		}
	})
	s.port = freePort(t)
	e.Servers = append(e.Servers, s)
	return s
}

// Join starts one more server, which knows the others and is not known to them, and returns when it serves. line is what
// a reconfiguration has to add.
func (e *Ensemble) Join(t testing.TB, k Kind) (line string) {
	t.Helper()
	s := e.add(t, k)
	line = fmt.Sprintf("server.%d=127.0.0.1:%d:%d:participant;127.0.0.1:%d", len(e.Servers), freePort(t), freePort(t), s.port)
	s.setup.Conf = append(slices.Clone(e.conf), line)
	s.Launch(t)
	s.WaitServing(t)
	return line
}

// Replace ends a server with SIGTERM and starts one of the other kind, or of the same, on its data, its ports and its id; it returns
// when that serves.
func (e *Ensemble) Replace(t testing.TB, i int, k Kind) {
	t.Helper()
	s := e.Servers[i]
	s.Stop()
	s.Kind = k
	s.Launch(t)
	s.WaitServing(t)
}

// Addrs is where clients connect, by id, less one.
func (e *Ensemble) Addrs() []string {
	var all []string
	for _, s := range e.Servers {
		all = append(all, s.Addr())
	}
	return all
}

// freePort finds a port that nobody has now, from below those that connections are given (32768 and more, on Linux): else it could
// be some connection's before the server is there. No two tests get the same.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 12000 + rand.IntN(20000)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			l.Close()
			if _, taken := givenPorts.LoadOrStore(port, true); !taken {
				return port
			}
		}
	}
	t.Fatal("no free port below 32000")
	return 0
}

var givenPorts sync.Map
