package server

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/zab"
)

// word asks a server a four-letter word.
func word(t testing.TB, s *Server, w string) string {
	t.Helper()
	c := dial(t, s)
	c.write([]byte(w))
	c.nc.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(c.r)
	if err != nil {
		t.Fatalf("%s: %v", w, err)
	}
	return string(b)
}

// values are the lines of mntr by their keys.
func values(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		all[key] = value
	}
	return all
}

// What the words say of each role.
func TestWordsOfRoles(t *testing.T) {
	w := gather(t, 4, 1)
	leader := w.serving()
	follower := (leader + 1) % 3
	l, f, o := w.all[leader], w.all[follower], w.all[3]
	c := connect(t, f, lasting)
	c.must(ephemeral("/e"))
	eventually(t, "all learners are in sync", func() bool {
		return strings.Contains(word(t, l, "mntr"), "zk_synced_followers\t2\n") && strings.Contains(word(t, l, "mntr"), "zk_synced_observers\t1\n")
	})
	w.same()

	for _, x := range []struct {
		s           *Server
		mode, state string
	}{{l, "leader", "leading - broadcast"}, {f, "follower", "following - broadcast"}, {o, "observer", "observing - broadcast"}} {
		srvr, stat, mntr := word(t, x.s, "srvr"), word(t, x.s, "stat"), values(word(t, x.s, "mntr"))
		if !strings.Contains(srvr, "Mode: "+x.mode+"\n") || !strings.Contains(stat, "Mode: "+x.mode+"\n") {
			t.Errorf("a %s says %q and %q", x.mode, srvr, stat)
		}
		if got := strings.Contains(srvr, "Proposal sizes last/min/max: "); got != (x.s == l) {
			t.Errorf("a %s tells of proposals: %v", x.mode, got)
		}
		want := map[string]string{"zk_server_state": x.mode, "zk_peer_state": x.state, "zk_quorum_size": "3", "zk_global_sessions": "1"}
		if x.s == l {
			for key, value := range map[string]string{"zk_learners": "3", "zk_synced_non_voting_followers": "0", "zk_pending_syncs": "0"} {
				want[key] = value
			}
			if mntr["zk_proposal_count"] == "0" || mntr["zk_commit_count"] == "0" || mntr["zk_max_proposal_size"] == "-1" {
				t.Errorf("a leader has counted nothing: %v", mntr)
			}
		} else if x.s == o {
			want["zk_observer_master_id"] = name("%d", leader+1)
		}
		if (mntr["zk_cnt_election_time"] == "0") != (x.s == o) || mntr["zk_looking_count"] == "0" {
			t.Errorf("a %s was elected %q times in %q", x.mode, mntr["zk_cnt_election_time"], mntr["zk_looking_count"])
		}
		for key, value := range want {
			if mntr[key] != value {
				t.Errorf("a %s has %s %q, not %q", x.mode, key, mntr[key], value)
			}
		}
		for _, key := range []string{"zk_learners", "zk_leader_uptime", "zk_synced_followers", "zk_last_proposal_size"} {
			if _, ok := mntr[key]; ok != (x.s == l) {
				t.Errorf("a %s has %s: %v", x.mode, key, ok)
			}
		}
		conf := word(t, x.s, "conf")
		self, _ := w.config.Member(x.s.member.o.SID)
		for _, part := range []string{
			name("\nserverId=%d\ninitLimit=20\nsyncLimit=10\nelectionAlg=3\nelectionPort=%d\nquorumPort=%d\npeerType=%d\nmembership: \n",
				self.ID, self.Peers[0].ElectionPort, self.Peers[0].QuorumPort, map[bool]int{true: 1}[self.Observer]),
			w.config.String(),
		} {
			if !strings.Contains(conf, part) {
				t.Errorf("conf of a %s lacks %q: %q", x.mode, part, conf)
			}
		}
		if strings.HasSuffix(conf, "\n") {
			t.Error("conf ends in a newline")
		}
		dump := word(t, x.s, "dump")
		part := name("SessionTracker dump:\nGlobal Sessions(1):\n%v\t%dms\nephemeral nodes dump:\nSessions with Ephemerals (1):\n", c.session.SessionID, lastingMs)
		if x.s == l {
			part = "SessionTracker dump:\nSession Sets (1)/(1):\n"
		}
		if !strings.HasPrefix(dump, part) || !strings.Contains(dump, name("%v:\n\t/e\n", c.session.SessionID)) {
			t.Errorf("dump of a %s: %q", x.mode, dump)
		}
		if got := word(t, x.s, "isro") + word(t, x.s, "ruok"); got != "rwimok" {
			t.Errorf("a %s answers %q", x.mode, got)
		}
	}
	word(t, l, "srst")
	if s := word(t, l, "srvr"); !strings.Contains(s, "Proposal sizes last/min/max: -1/-1/-1\n") {
		t.Errorf("behind srst: %q", s)
	}
	j := w.logs[leader]
	j.wait(t, "INFO LOOKING")
	j.wait(t, name("INFO New election. My id = %d, proposed zxid=0x0", leader+1))
	j.wait(t, "INFO LEADING - LEADER ELECTION TOOK - ", " MS")
	j.wait(t, "INFO Have quorum of supporters, sids: [[", "]]; starting up and setting last processed zxid: 0x100000000")
	j.wait(t, "INFO Peer state changed: leading - broadcast")
	j = w.logs[follower]
	j.wait(t, "INFO FOLLOWING - LEADER ELECTION TOOK - ", " MS")
	j.wait(t, "INFO Learner received UPTODATE message")
	w.logs[3].wait(t, "INFO OBSERVING")
}

// A server without a quorum says so.
func TestWordsWhileLooking(t *testing.T) {
	w := gather(t, 3, 0)
	leader := w.serving()
	w.stop((leader + 1) % 3)
	w.stop((leader + 2) % 3)
	s := w.all[leader]
	eventually(t, "it looks for a leader", func() bool { return s.role().State == zab.Looking })
	const not = "This ZooKeeper instance is not currently serving requests"
	for w, want := range map[string]string{
		"srvr": not + "\n", "stat": not + "\n", "mntr": not + "\n", "conf": not + "\n", "dump": not + "\n", "cons": not + "\n", "wchs": not + "\n",
		"crst": not + "\n", "srst": not + "\n", "dirs": not + "\n", "hash": not, "isro": "null", "ruok": "imok", "gtmk": "306",
	} {
		if got := word(t, s, w); got != want {
			t.Errorf("%s: %q", w, got)
		}
	}
	if got := word(t, s, "envi"); !strings.HasPrefix(got, "Environment:\n") {
		t.Errorf("envi: %q", got)
	}
	w.logs[leader].wait(t, "WARN Shutdown called. For the reason ")
	w.logs[leader].more(t, 1, "INFO LOOKING")
}
