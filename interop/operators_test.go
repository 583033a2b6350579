package interop

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/zk"
)

// told are the lines of mntr whose values are compared too.
var told = regexp.MustCompile(`^zk_(server_state|peer_state|quorum_size|learners|synced_followers|synced_non_voting_followers|synced_observers|pending_syncs|global_sessions|local_sessions)\t`)

// elsewhere are metrics of 3.9, and those of a set, whose keys are what happened to come: each member of Apache's counts all writes
// that it applies, each of ours those that it answers.
var elsewhere = regexp.MustCompile(`^zk_([a-z]+_)?(restore_|snapshot_error_|snapshot_rate_)|_per_namespace|_learner_handler_qp_`)

// shape is the answer to a word without what depends on machine and moment: lines in order of the alphabet, each once.
func shape(word, text string) []string {
	text = regexp.MustCompile(`(?m)^(Zookeeper version: |zk_version\t|dataDir=|dataLogDir=).*`).ReplaceAllString(text, "${1}V")
	if word == "mntr" {
		lines := strings.Split(text, "\n")
		lines = slices.DeleteFunc(lines, elsewhere.MatchString)
		for i, l := range lines {
			if !told.MatchString(l) {
				lines[i], _, _ = strings.Cut(l, "\t")
			}
		}
		slices.Sort(lines)
		return lines
	}
	text = regexp.MustCompile(`lop=[A-Z]+`).ReplaceAllString(text, "lop=OP")
	for _, m := range fourLetterMasks {
		text = m.re.ReplaceAllString(text, m.with)
	}
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return slices.Compact(lines)
}

// Members of either make answer every word with the same fields, in every role.
func TestWordsOfEnsembles(t *testing.T) {
	t.Parallel()
	roles := map[Kind]map[string]*Server{}
	for _, k := range []Kind{Apache, Zooid} {
		e := startWithObservers(t, []Kind{k, k, k, k}, 1)
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		roles[k] = map[string]*Server{}
		for _, s := range e.Servers {
			c := join(t, ctx, s.Addr())
			if _, _, err := c.Create(ctx, "/e-", nil, zk.EphemeralSequential); err != nil {
				t.Fatal(err)
			}
			out, err := s.FourLetters("srvr")
			if err != nil {
				t.Fatal(err)
			}
			_, mode, _ := strings.Cut(out, "Mode: ")
			mode, _, _ = strings.Cut(mode, "\n")
			roles[k][mode] = s
		}
	}
	eventually := func(s *Server, part string) {
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			out, err := s.FourLetters("mntr")
			if err == nil && strings.Contains(out, part) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("no %q in %q, %v", part, out, err)
			}
		}
	}
	for _, k := range []Kind{Apache, Zooid} {
		eventually(roles[k]["leader"], "zk_synced_followers\t2\n")
		eventually(roles[k]["leader"], "zk_synced_observers\t1\n")
		eventually(roles[k]["follower"], "zk_global_sessions\t4\n")
		eventually(roles[k]["observer"], "zk_global_sessions\t4\n")
	}
	for _, role := range []string{"leader", "follower", "observer"} {
		for _, word := range strings.Fields("srvr stat mntr conf dump cons isro ruok hash wchs dirs crst srst") {
			t.Run(role+"/"+word, func(t *testing.T) {
				var got [2][]string
				for _, k := range []Kind{Apache, Zooid} {
					s := roles[k][role]
					if s == nil {
						t.Fatalf("no %s among %v of %s", role, roles[k], k)
					}
					out, err := s.FourLetters(word)
					if err != nil {
						t.Fatal(err)
					}
					got[k] = shape(word, out)
				}
				for _, k := range []Kind{Apache, Zooid} {
					for _, line := range got[k] {
						if !slices.Contains(got[1-k], line) {
							t.Errorf("only %s says %q", k, line)
						}
					}
				}
			})
		}
	}
}
