package zab

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// electors are servers of which only the election is there, a network between them, and a clock. Links keep the order unless delay
// says otherwise.
type electors struct {
	now     int64
	servers map[ensemble.SID]*elector
	cut     map[[2]ensemble.SID]bool // no connection, both ways
	queue   []*happening
	seq     int

	delay    func(from, to ensemble.SID) int64
	lost     func(from, to ensemble.SID) bool
	repeated func() bool

	alone bool // what a server says goes nowhere
	mute  bool // nobody is told that a connection is lost or refused
	trace bool // say what is delivered
	said  []string
	chose func(s *elector, v Vote)                             // a decision
	gets  func(s *elector, from ensemble.SID, n *Notification) // a delivery, before it
}

type happening struct {
	at  int64
	seq int
	do  func()
}

type elector struct {
	id    ensemble.SID
	o     Options
	view  Configs
	own   Vote
	e     *election
	alive bool
	life  int // how often it was started
}

func newElectors() *electors {
	return &electors{
		servers: map[ensemble.SID]*elector{}, cut: map[[2]ensemble.SID]bool{},
		delay:    func(_, _ ensemble.SID) int64 { return 10 },
		lost:     func(_, _ ensemble.SID) bool { return false },
		repeated: func() bool { return false },
		chose:    func(*elector, Vote) {},
		gets:     func(*elector, ensemble.SID, *Notification) {},
	}
}

func (w *electors) say(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf("+%d ", w.now)+fmt.Sprintf(format, args...))
}

func (w *electors) ids() (ids []ensemble.SID) {
	for id := range w.servers {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func pair(a, b ensemble.SID) [2]ensemble.SID { return [2]ensemble.SID{min(a, b), max(a, b)} }

func (w *electors) reach(a, b ensemble.SID) bool {
	return w.servers[a].alive && w.servers[b] != nil && w.servers[b].alive && !w.cut[pair(a, b)]
}

func (w *electors) after(d int64, do func()) {
	w.seq++
	w.queue = append(w.queue, &happening{w.now + d, w.seq, do})
}

// advance lets time pass.
func (w *electors) advance(d int64) {
	for end := w.now + d; ; {
		next := end
		var h *happening
		for _, x := range w.queue {
			if x.at < next || x.at == next && (h == nil || x.seq < h.seq) {
				next, h = x.at, x
			}
		}
		var due *elector
		for _, id := range w.ids() {
			if s := w.servers[id]; s.alive && s.e.deadline() < next {
				next, due = s.e.deadline(), s
			}
		}
		w.now = max(w.now, next)
		switch {
		case due != nil:
			due.e.timer(w.now)
			w.flush(due)
		case h != nil:
			w.queue = slices.DeleteFunc(w.queue, func(x *happening) bool { return x == h })
			h.do()
		default:
			for _, id := range w.ids() {
				if s := w.servers[id]; s.alive && s.e.deadline() <= w.now {
					s.e.timer(w.now)
					w.flush(s)
				}
			}
			return
		}
	}
}

// start starts a server, or starts it again.
func (w *electors) start(s *elector) {
	w.servers[s.id] = s
	s.o.SID = s.id
	s.alive = true
	s.life++
	s.e = newElection(&s.o, s.view)
	s.e.begin(s.own, w.now)
	if !w.alone {
		for _, id := range w.ids() {
			if id != s.id {
				w.meet(s.id, id)
			}
		}
	}
	w.flush(s)
}

// meet tells both ends whether there is a connection between them.
func (w *electors) meet(a, b ensemble.SID) {
	for _, x := range [][2]ensemble.SID{{a, b}, {b, a}} {
		s, other := w.servers[x[0]], x[1]
		if s == nil || !s.alive {
			continue
		}
		life := s.life
		w.after(w.delay(other, s.id), func() {
			up := w.reach(s.id, other)
			if s.alive && s.life == life && (up || !w.mute) {
				s.e.connected(other, up, w.now)
				w.flush(s)
			}
		})
	}
}

func (w *electors) kill(id ensemble.SID) {
	w.servers[id].alive = false
	for _, other := range w.ids() {
		if other != id {
			w.meet(id, other)
		}
	}
}

// flush does for an election what the Core does.
func (w *electors) flush(s *elector) {
	for s.e.adopt != nil {
		c := s.e.adopt
		s.e.adopt = nil
		s.view.Committed = c
		if s.view.LastSeen == nil || s.view.LastSeen.Version < c.Version {
			s.view.LastSeen = c
		}
		w.say("%d adopts %v", s.id, c.Version)
		s.e.reconfigured(s.view, w.now)
	}
	notify := s.e.notify
	s.e.notify = nil
	for i, n := range notify {
		for _, m := range notify[:i] {
			if m.To == n.To {
				panic("two notifications for one peer")
			}
		}
		w.send(s, n)
	}
	if v := s.e.decided; v != nil {
		s.e.decided = nil
		w.say("%d %s", s.id, s.is())
		w.chose(s, *v)
	}
}

func (w *electors) send(s *elector, n Notify) {
	if w.alone {
		w.say("%d>%d %s", s.id, n.To, notificationText(&n.Notification))
		return
	}
	if !w.reach(s.id, n.To) {
		w.meet(s.id, n.To)
		return
	}
	if w.lost(s.id, n.To) {
		return
	}
	for times := 1; times > 0; times-- {
		life := w.servers[n.To].life
		w.after(w.delay(s.id, n.To), func() {
			if to := w.servers[n.To]; to.life == life && to.alive && !w.cut[pair(s.id, n.To)] {
				w.deliver(s.id, to, &n.Notification)
			}
		})
		if w.repeated() {
			times++
		}
	}
}

func (w *electors) deliver(from ensemble.SID, to *elector, n *Notification) {
	if w.trace {
		w.say("%d>%d %s", from, to.id, notificationText(n))
	}
	w.gets(to, from, n)
	to.e.heard(from, n, w.now)
	w.flush(to)
}

// begin makes a server look again.
func (w *electors) begin(s *elector) {
	s.e.begin(s.own, w.now)
	w.flush(s)
}

// is tells what a server takes itself for.
func (s *elector) is() string {
	if s.e.state == Looking {
		return fmt.Sprintf("looking proposes %s", voteText(s.e.proposed))
	}
	return stateWords[s.e.state] + " " + voteText(s.e.vote)
}

var stateWords = []string{"looking", "following", "leading", "observing"}

func sidText(id ensemble.SID) string {
	if id == ensemble.NoSID {
		return "nobody"
	}
	return strconv.FormatInt(int64(id), 10)
}

// voteText reads "3 0x100000002 round=1 epoch=1".
func voteText(v Vote) string {
	zxid, epoch := v.Zxid.String(), strconv.FormatInt(int64(v.Epoch), 10)
	if v.Zxid == math.MinInt64 {
		zxid = "min"
	}
	if v.Epoch == math.MinInt64 {
		epoch = "min"
	}
	return fmt.Sprintf("%s %s round=%d epoch=%s", sidText(v.Leader), zxid, v.Round, epoch)
}

func notificationText(n *Notification) string { return stateWords[n.State] + " " + voteText(n.Vote) }

// electionConfig reads a=b words: voters, observers, version, groups (1.2/3.4) and weights (3:0).
func electionConfig(set map[string]string) (*ensemble.Config, error) {
	c := &ensemble.Config{}
	add := func(list string, observer bool) error {
		for _, w := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
			id, err := strconv.Atoi(w)
			if err != nil {
				return err
			}
			c.Members = append(c.Members, ensemble.Member{ID: ensemble.SID(id), Observer: observer})
		}
		return nil
	}
	if err := add(set["voters"], false); err != nil {
		return nil, err
	}
	if err := add(set["observers"], true); err != nil {
		return nil, err
	}
	slices.SortFunc(c.Members, func(a, b ensemble.Member) int { return int(a.ID - b.ID) })
	if v := set["version"]; v != "" {
		z, err := strconv.ParseInt(v, 0, 64)
		if err != nil {
			return nil, err
		}
		c.Version = zk.Zxid(z)
	}
	if w := set["weights"]; w != "" { // one group of all voters
		c.Groups, c.Weights = map[int64][]ensemble.SID{}, map[ensemble.SID]int64{}
		for _, m := range c.Members {
			if !m.Observer {
				c.Groups[1] = append(c.Groups[1], m.ID)
				c.Weights[m.ID] = 1
			}
		}
		for _, x := range strings.Split(w, ",") {
			var id, weight int64
			if _, err := fmt.Sscanf(x, "%d:%d", &id, &weight); err != nil {
				return nil, err
			}
			c.Weights[ensemble.SID(id)] = weight
		}
	}
	return c, nil
}
