package zab

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/script"
	"github.com/zooid-io/zooid/zk"
)

var updateElection = flag.Bool("update-election", false, "rewrite the transcripts of elections with what happens")

// Each file of testdata/election is cases of steps and what each yielded. Its head says what the words mean.
func TestElectionTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/election/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := script.Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range f.Cases {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+c.Name, func(t *testing.T) {
				p := newElectionPlay(c)
				for _, s := range c.Steps {
					got, err := p.step(s.Text)
					if err != nil {
						t.Fatalf("%s:%d: %s: %v", file, s.Line, s.Text, err)
					}
					if !*updateElection && !slices.Equal(got, s.Want) {
						t.Errorf("%s:%d: %s\ngot\n  %s\nwant\n  %s", file, s.Line, s.Text, strings.Join(got, "\n  "), strings.Join(s.Want, "\n  "))
					}
					s.Want = got
				}
			})
		}
		if *updateElection {
			if err := os.WriteFile(file, []byte(f.String()), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// There is one place for each peer, and what is newer takes it (trap 6).
func TestElectionOnePlaceForEachPeer(t *testing.T) {
	c, err := electionConfig(map[string]string{"voters": "1,2,3"})
	if err != nil {
		t.Fatal(err)
	}
	e := newElection(&Options{SID: 1}, Configs{Committed: c})
	e.begin(Vote{Zxid: 7, Epoch: 1}, 0)
	e.begin(Vote{Zxid: 8, Epoch: 1}, 0)
	e.heard(3, &Notification{Vote: Vote{Leader: 3, Zxid: 9, Round: 5, Epoch: 1}, Version: 2}, 0)
	e.heard(3, &Notification{Vote: Vote{Leader: 3, Zxid: 9, Round: 4, Epoch: 1}, Version: 2}, 0)
	want := Notification{Vote: Vote{Leader: 3, Zxid: 9, Round: 5, Epoch: 1}, Version: 2, Config: c}
	if !slices.Equal(e.notify, []Notify{{2, want}, {3, want}}) {
		t.Errorf("%+v", e.notify)
	}
}

// Strangers' sids are only numbers: of any number of them, a bounded number is remembered, and each is answered.
func TestElectionStrangers(t *testing.T) {
	c, err := electionConfig(map[string]string{"voters": "1,2,3"})
	if err != nil {
		t.Fatal(err)
	}
	e := newElection(&Options{SID: 1}, Configs{Committed: c})
	e.begin(Vote{}, 0)
	for i := range ensemble.SID(10 * maxAnswered) {
		e.notify = nil
		e.heard(100+i, &Notification{Vote: Vote{Leader: ensemble.NoSID}, Version: 2}, 0)
		if len(e.notify) != 1 || e.notify[0].To != 100+i || len(e.answered) > maxAnswered {
			t.Fatalf("stranger %d: %+v, %d remembered", i, e.notify, len(e.answered))
		}
	}
}

// The tables of section 3.2.
func TestVoteOrder(t *testing.T) {
	rising := []Vote{
		{Leader: ensemble.NoSID, Zxid: math.MinInt64, Epoch: math.MinInt64},
		{Leader: 9, Zxid: 9, Epoch: -1},
		{Leader: 9, Zxid: -1, Round: 9},
		{Leader: -2, Zxid: 0, Round: 9},
		{Leader: 1, Zxid: 0},
		{Leader: 0, Zxid: 5},
		{Leader: 1, Zxid: 5},
		{Leader: 0, Zxid: 0, Epoch: 1},
		{Leader: 0, Zxid: 0x100000000, Epoch: 1},
	}
	for i, v := range rising {
		for j, w := range rising {
			if v.beats(w) != (i > j) {
				t.Errorf("%v beats %v: %v", v, w, v.beats(w))
			}
		}
	}
}

func TestClaimsAgree(t *testing.T) {
	v := Vote{Leader: 3, Zxid: 5, Round: 1, Epoch: 2}
	other := func(change func(*Vote)) Vote { w := v; change(&w); return w }
	leader, zxid := other(func(v *Vote) { v.Leader = 4 }), other(func(v *Vote) { v.Zxid = 4 })
	round, epoch := other(func(v *Vote) { v.Round = 4 }), other(func(v *Vote) { v.Epoch = 4 })
	for _, c := range []struct {
		a, b claim
		want bool
	}{
		{claim{v, Looking, 0}, claim{v, Looking, 0}, true},
		{claim{v, Looking, 0}, claim{v, Following, 2}, true},
		{claim{v, Looking, 0}, claim{leader, Looking, 0}, false},
		{claim{v, Looking, 0}, claim{zxid, Looking, 0}, false},
		{claim{v, Looking, 0}, claim{round, Following, 2}, false},
		{claim{v, Looking, 2}, claim{epoch, Leading, 0}, false},
		{claim{v, Following, 2}, claim{leader, Leading, 2}, false},
		{claim{v, Following, 2}, claim{zxid, Leading, 2}, true},
		{claim{v, Following, 2}, claim{round, Leading, 2}, true},
		{claim{v, Following, 2}, claim{epoch, Leading, 2}, false},
		{claim{v, Following, 1}, claim{epoch, Leading, 2}, false},
		{claim{v, Following, 0}, claim{epoch, Leading, 0}, false},
		{claim{v, Following, 0}, claim{epoch, Leading, 2}, true},
		{claim{v, Following, 0}, claim{leader, Leading, 2}, false},
	} {
		if c.a.agrees(c.b) != c.want || c.b.agrees(c.a) != c.want {
			t.Errorf("%v and %v agree: %v", c.a, c.b, !c.want)
		}
	}
}

type electionPlay struct {
	*electors
	configs map[string]*ensemble.Config
	silent  map[[2]ensemble.SID]bool // from, to
	options Options
}

func newElectionPlay(c *script.Case) *electionPlay {
	p := &electionPlay{electors: newElectors(), configs: map[string]*ensemble.Config{}, silent: map[[2]ensemble.SID]bool{}}
	_, p.alone = c.Settings["alone"]
	_, p.trace = c.Settings["trace"]
	_, p.mute = c.Settings["mute"]
	_, off := c.Settings["noreconfig"]
	p.options.Reconfig = !off
	p.lost = func(from, to ensemble.SID) bool { return p.silent[[2]ensemble.SID{from, to}] }
	n, _ := strconv.Atoi(c.Settings["voters"])
	config := &ensemble.Config{}
	for i := range n {
		config.Members = append(config.Members, ensemble.Member{ID: ensemble.SID(i + 1)})
	}
	p.configs["first"] = config
	return p
}

// step plays one step.
func (p *electionPlay) step(text string) ([]string, error) {
	words, _, err := script.Words(text)
	if err != nil {
		return nil, err
	}
	var plain []string
	set := map[string]string{}
	for _, w := range words[1:] {
		if k, v, ok := strings.Cut(w, "="); ok {
			set[k] = v
		} else {
			plain = append(plain, w)
		}
	}
	number := func(s string) (n int64) {
		switch s {
		case "":
			return 0
		case "nobody", "min":
			return math.MinInt64
		}
		n, e := strconv.ParseInt(s, 0, 64)
		if e != nil && err == nil {
			err = e
		}
		return n
	}
	arg := func(i int) string {
		if i >= len(plain) {
			if err == nil {
				err = fmt.Errorf("a word is missing")
			}
			return ""
		}
		return plain[i]
	}
	sid := func(i int) ensemble.SID { return ensemble.SID(number(arg(i))) }
	server := func(i int) *elector {
		if s := p.servers[sid(i)]; s != nil {
			return s
		}
		if err == nil {
			err = fmt.Errorf("there is no such server")
		}
		return &elector{e: newElection(&Options{}, Configs{Committed: &ensemble.Config{}})}
	}
	config := func(name string) *ensemble.Config {
		c := p.configs[name]
		if c == nil && err == nil {
			err = fmt.Errorf("there is no configuration %q", name)
		}
		return c
	}
	history := func(s *elector) {
		if v, ok := set["zxid"]; ok {
			s.own.Zxid = zk.Zxid(number(v))
		}
		if v, ok := set["epoch"]; ok {
			s.own.Epoch = Epoch(number(v))
		}
	}
	p.said = nil
	switch words[0] {
	case "config":
		p.configs[arg(0)], err = electionConfig(set)
	case "start":
		for i := range plain {
			s := p.servers[sid(i)]
			if s == nil {
				s = &elector{id: sid(i), o: p.options, view: Configs{Committed: config("first")}}
			}
			if name := set["config"]; name != "" {
				s.view.Committed = config(name)
			}
			if name := set["seen"]; name != "" {
				s.view.LastSeen = config(name)
			}
			history(s)
			if err == nil {
				p.start(s)
			}
		}
	case "again":
		for i := range plain {
			s := server(i)
			history(s)
			if err == nil {
				p.begin(s)
			}
		}
	case "epoch": // epoch N SERVER...: they have reached the broadcast of an epoch
		for i := range plain[1:] {
			s := server(i + 1)
			v := s.e.vote
			v.Epoch = Epoch(number(arg(0)))
			s.own.Epoch = v.Epoch
			s.e.become(s.e.state, v)
		}
	case "become": // become SERVER STATE LEADER ZXID round= epoch=
		server(0).e.become(State(slices.Index(stateWords, arg(1))),
			Vote{ensemble.SID(number(arg(2))), zk.Zxid(number(arg(3))), number(set["round"]), Epoch(number(set["epoch"]))})
	case "hear": // hear TO FROM STATE LEADER ZXID round= epoch=
		s := server(0)
		n := &Notification{
			State:   State(slices.Index(stateWords, arg(2))),
			Vote:    Vote{ensemble.SID(number(arg(3))), zk.Zxid(number(arg(4))), number(set["round"]), Epoch(number(set["epoch"]))},
			Version: 2,
			Config:  p.configs["first"],
		}
		if name := set["config"]; name != "" {
			n.Config = config(name)
		}
		if v, ok := set["version"]; ok {
			if n.Version = int32(number(v)); n.Version < 2 {
				n.Config = nil
			}
		}
		if err == nil {
			p.deliver(sid(1), s, n)
		}
	case "up", "down": // as the first server's transport sees the second
		s := server(0)
		s.e.connected(sid(1), words[0] == "up", p.now)
		p.flush(s)
	case "kill":
		for i := range plain {
			if server(i); err == nil {
				p.kill(sid(i))
			}
		}
	case "cut", "heal", "lose", "keep": // lose A B: notifications of A's to B's vanish, the connections do not
		for _, a := range strings.Split(arg(0), ",") {
			for _, b := range strings.Split(arg(1), ",") {
				x, y := ensemble.SID(number(a)), ensemble.SID(number(b))
				switch words[0] {
				case "lose", "keep":
					p.silent[[2]ensemble.SID{x, y}] = words[0] == "lose"
				default:
					p.cut[pair(x, y)] = words[0] == "cut"
					p.meet(x, y)
				}
			}
		}
	case "run":
		p.advance(number(arg(0)))
	case "reconfig": // reconfig SERVER config= seen=
		s := server(0)
		s.view = Configs{Committed: config(set["config"])}
		if name := set["seen"]; name != "" {
			s.view.LastSeen = config(name)
		}
		if err == nil {
			s.e.reconfigured(s.view, p.now)
			p.flush(s)
		}
	case "due":
		if d := server(0).e.deadline(); d == math.MaxInt64 {
			p.said = append(p.said, "never")
		} else {
			p.said = append(p.said, fmt.Sprintf("in %d", d-p.now))
		}
	case "show":
		for _, id := range p.ids() {
			if s := p.servers[id]; s.alive {
				p.said = append(p.said, fmt.Sprintf("%d %s", id, s.is()))
			}
		}
	default:
		err = fmt.Errorf("unknown step")
	}
	return p.said, err
}
