package interop

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/script"
)

var update = flag.Bool("update", false, "rewrite the recordings with what Apache answers")

// profiles are the configurations that cases run under; a case names one with server=NAME and gets "base" otherwise. Cases
// of one profile share a server, each below a znode of its own; a case with the setting "own" gets a server for itself.
var profiles = map[string]Setup{
	// Everything on, and nothing that happens by itself.
	"base": {
		Conf: []string{
			"tickTime=2000", "maxClientCnxns=0", "4lw.commands.whitelist=*", "extendedTypesEnabled=true", "enforceQuota=true",
			"maxSessionTimeout=60000", "DigestAuthenticationProvider.superDigest=" + digestID("super:test"),
		},
		Props: []string{"znode.container.checkIntervalMs=3600000", "zookeeper.request_throttler.shutdownTimeout=100"},
	},
	// As little configuration as a server needs.
	"stock": {Props: []string{"zookeeper.request_throttler.shutdownTimeout=100"}},
	// Sessions may end soon, and so do connections without one; but not so soon that a player who stalls has none.
	"quick": {
		Conf:  []string{"tickTime=100", "maxSessionTimeout=60000", "4lw.commands.whitelist=*"},
		Props: []string{"zookeeper.nio.sessionlessCnxnTimeout=2000"},
	},
	"few":      {Conf: []string{"maxClientCnxns=4"}},
	"small":    {Props: []string{"jute.maxbuffer=0x3e8"}},
	"sha256":   {Conf: []string{"DigestAuthenticationProvider.digestAlg=SHA-256"}},
	"nodigest": {Conf: []string{"DigestAuthenticationProvider.enabled=false"}},
	"readonly": {Props: []string{"readonlymode.enabled=true"}},
	// Containers and TTL znodes are looked through all the time.
	"reaper": {
		Conf:  []string{"tickTime=2000", "extendedTypesEnabled=true"},
		Props: []string{"znode.container.checkIntervalMs=200"},
	},
	// Nobody may do anything before showing who he is.
	"enforce": {
		Conf: []string{"tickTime=2000", "enforce.auth.enabled=true", "enforce.auth.schemes=digest"},
	},
	"skipacl": {Conf: []string{"tickTime=2000", "skipACL=yes"}},
}

// profileOrder is the order in which they run.
var profileOrder = []string{
	"base", "stock", "quick", "few", "small", "reaper", "enforce", "skipacl", "sha256", "nodigest", "readonly",
}

// caseOf is a case and the file it stands in.
type caseOf struct {
	*script.Case
	file string // without folder and ending
}

func (c caseOf) profile() string {
	if p, ok := c.Settings["server"]; ok {
		return p
	}
	return "base"
}

// runsOn tells whether the case is for servers of this kind: only=zooid spares Apache what it would hang on.
func (c caseOf) runsOn(k Kind) bool {
	only, ok := c.Settings["only"]
	return !ok || only == k.String()
}

func (c caseOf) own() bool { _, ok := c.Settings["own"]; return ok }

// readCases reads all files of testdata/conform.
func readCases(t *testing.T) (cases []caseOf, files map[string]*script.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "conform", "*.txt"))
	if err != nil || len(names) == 0 {
		t.Fatal("no cases:", err)
	}
	files = map[string]*script.File{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		f, err := script.Parse(string(b))
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		files[n] = f
		seen := map[string]bool{}
		for _, c := range f.Cases {
			if seen[c.Name] {
				t.Errorf("%s:%d: a second case %s", n, c.Line, c.Name)
			}
			seen[c.Name] = true
			cases = append(cases, caseOf{c, strings.TrimSuffix(filepath.Base(n), ".txt")})
			if _, ok := profiles[cases[len(cases)-1].profile()]; !ok {
				t.Errorf("%s:%d: no such server: %s", n, c.Line, c.Settings["server"])
			}
		}
	}
	return cases, files
}

// The suite. Every case runs against Apache, which must answer what is recorded, and against Zooid, which must answer the same but
// where the recording says otherwise.
func TestConformance(t *testing.T) {
	cases, files := readCases(t)
	for _, k := range []Kind{Apache, Zooid} {
		t.Run(k.String(), func(t *testing.T) {
			Need(t, k)
			for _, profile := range profileOrder {
				t.Run(profile, func(t *testing.T) { runProfile(t, k, profile, cases, Start) })
			}
			if *update && k == Apache && !t.Failed() {
				for name, f := range files {
					if err := os.WriteFile(name, []byte(f.String()), 0o644); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

// runProfile runs the cases of one profile: first those that share a server, then those that need one of their own, so
// that no two servers run at once.
func runProfile(t *testing.T, k Kind, profile string, cases []caseOf, start func(testing.TB, Kind, Setup) *Server) {
	setup := profiles[profile]
	named := func(c caseOf) string { return c.file + "/" + c.Name }
	t.Run("shared", func(t *testing.T) {
		var srv *Server
		for _, c := range cases {
			if c.profile() == profile && !c.own() && c.runsOn(k) {
				if srv == nil {
					srv = start(t, k, setup)
				}
				t.Run(named(c), func(t *testing.T) { runCase(t, srv, c) })
			}
		}
	})
	for _, c := range cases {
		if c.profile() == profile && c.own() && c.runsOn(k) {
			t.Run(named(c), func(t *testing.T) { runCase(t, start(t, k, setup), c) })
		}
	}
}

// runCase plays a case and compares what each step yields with what is expected of this server.
func runCase(t *testing.T, srv *Server, c caseOf) {
	p := newPlayer(t, srv, c.file+"-"+c.Name, c.Settings)
	defer p.finish()
	for _, s := range c.Steps {
		got, err := p.play(s)
		where := fmt.Sprintf("%s.txt:%d: %s", c.file, s.Line, s.Text)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		if *update && srv.Kind == Apache {
			s.Want = got
		}
		want, own := s.For(srv.Kind.String())
		if !slices.Equal(got, want) {
			t.Errorf("%s\n got:\n%s want:\n%s", where, block(got), block(want))
		}
		if own && slices.Equal(want, s.Want) {
			t.Errorf("%s: %s is said to differ, and does not", where, srv.Kind)
		}
	}
}

func block(lines []string) string {
	if len(lines) == 0 {
		return "   (nothing)\n"
	}
	return "   " + strings.Join(lines, "\n   ") + "\n"
}
