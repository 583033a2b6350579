package interop

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shows runs a command, and waits as sitDown does.
func (s *seat) shows(command string) string {
	s.t.Helper()
	s.types(command)
	s.types("printwatches")
	return strings.TrimSuffix(s.prints(sessionFence), "printwatches is on\n")
}

// leads is 1 for the leader, and 0 for others.
func leads(t *testing.T, s *Server) int {
	t.Helper()
	out, err := s.FourLetters("srvr")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(out, "Mode: leader")
}

// TestShellOnEnsemble has an ensemble of Zooid's servers, and of a shell what only an ensemble shows: config, with its watch, and
// reconfig; and -r, with which a server without a quorum will do.
func TestShellOnEnsemble(t *testing.T) {
	t.Parallel()
	e := StartEnsemble(t, []Kind{Zooid, Zooid, Zooid}, "maxSessionTimeout=60000", "reconfigEnabled=true", "skipACL=yes")
	// Who is removed does not lead: with the leader, connections would end before the answer.
	slices.SortStableFunc(e.Servers, func(a, b *Server) int { return cmp.Compare(leads(t, b), leads(t, a)) })
	operator := sitDown(t, e.Servers[0].Addr(), Zooid)
	onlooker := sitDown(t, e.Servers[1].Addr(), Zooid)

	config := onlooker.shows("config -w")
	member := map[string]string{}
	var ids []string // of e.Servers
	for _, s := range e.Servers {
		id, err := os.ReadFile(filepath.Join(s.Dir, "myid"))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, string(id))
	}
	for _, m := range regexp.MustCompile(`(?m)^server\.(\d)=.*$`).FindAllStringSubmatch(config, -1) {
		member[m[1]] = m[0]
	}
	if len(member) != 3 || !strings.Contains(config, "\nversion=") {
		t.Fatalf("config: %q", config)
	}
	if got := onlooker.shows("config -c"); strings.Contains(got, "server.") || !regexp.MustCompile(`^[0-9a-f]+ `).MatchString(got) {
		t.Errorf("config -c: %q", got)
	}
	if got := operator.shows("reconfig -remove " + ids[2]); !strings.HasPrefix(got, "Committed new configuration:\n") ||
		strings.Count(got, "server.") != 2 || strings.Contains(got, member[ids[2]]) {
		t.Errorf("reconfig -remove: %q", got)
	}
	if got := onlooker.prints(sessionEvent); !strings.Contains(got, "type:NodeDataChanged path:/zookeeper/config") {
		t.Errorf("the onlooker hears %q", got)
	}
	newcomer := member[ids[2]] + ";" + e.Servers[2].Addr()
	for _, c := range []struct{ command, want string }{
		{"reconfig -v 1 -add " + member[ids[2]], "version No is not valid : "},
		{"reconfig -add " + member[ids[2]], "Arguments are not valid"}, // who joins has to say where clients go
		{"reconfig -s -add " + newcomer, newcomer + "\n"},
		{"reconfig -remove 7", "Committed new configuration:\n"}, // who is not there is gone, says Apache's server too
		{"reconfig -add 9=nonsense", "Arguments are not valid"},
	} {
		if got := operator.shows(c.command); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.command, got, c.want)
		}
	}
	file := filepath.Join(t.TempDir(), "members")
	if err := os.WriteFile(file, []byte(member[ids[0]]+"\n"+member[ids[1]]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := operator.shows("reconfig -file " + file); !strings.Contains(got, member[ids[1]]) || strings.Contains(got, member[ids[2]]) {
		t.Errorf("reconfig -file: %q", got)
	}
	if got := operator.shows("reconfig -members " + strings.Join([]string{member[ids[0]], member[ids[1]], member[ids[2]]}, ",")); !strings.Contains(got, member[ids[2]]) {
		t.Errorf("reconfig -members: %q", got)
	}

	operator.shows("create /a x")
	e.Servers[0].setup.Props = []string{"readonlymode.enabled=true"}
	e.Servers[0].Restart(t)
	for _, i := range []int{1, 2} {
		e.Servers[i].Kill()
	}
	reader := sitDown(t, e.Servers[0].Addr(), Zooid, "-r", "-waitforconnection")
	if got := reader.shows("get /a"); got != "x\n" {
		t.Errorf("get, read-only: %q", got)
	}
	if got := reader.shows("set /a y"); !strings.Contains(got, "Not a read-only call") {
		t.Errorf("set, read-only: %q", got)
	}
	out := runOurShell(t, e.Servers[0].Addr(), "", "get", "/a")
	if out.Code == 0 || !strings.Contains(out.Err, "ConnectionLoss") {
		t.Errorf("get without -r: %+v", out)
	}
	e.Servers[1].Launch(t)
	reader.prints(regexp.MustCompile(`WatchedEvent state:SyncConnected type:None.*\n`))
	if got := reader.shows("set /a z"); got != "" {
		t.Errorf("set, with a quorum: %q", got)
	}
	if got := reader.shows("get /a"); got != "z\n" {
		t.Errorf("get, with a quorum: %q", got)
	}
}
