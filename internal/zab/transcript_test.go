package zab

import (
	"cmp"
	"flag"
	"fmt"
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

var rewrite = flag.Bool("rewrite", false, "rewrite the results in testdata")

// transcripts runs the files of a folder. open begins a case and gives what runs its steps.
func transcripts(t *testing.T, folder string, open func(t *testing.T, c *script.Case) func(step string) []string) {
	names, err := filepath.Glob(filepath.Join("testdata", folder, "*.txt"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no transcripts in %s: %v", folder, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := script.Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, c := range f.Cases {
			t.Run(strings.TrimSuffix(filepath.Base(name), ".txt")+"/"+c.Name, func(t *testing.T) {
				step := open(t, c)
				for _, s := range c.Steps {
					got := step(s.Text)
					if *rewrite {
						s.Want = got
					} else if !slices.Equal(got, s.Want) {
						t.Fatalf("%s:%d: %s\ngot\n  %s\nwant\n  %s", name, s.Line, s.Text, strings.Join(got, "\n  "), strings.Join(s.Want, "\n  "))
					}
				}
			})
		}
		if *rewrite {
			if err := os.WriteFile(name, []byte(f.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCore runs the transcripts of one core: what it is told, and what it then does.
func TestCore(t *testing.T) { transcripts(t, "core", openSolo) }

// solo is one core, its events typed by hand.
type solo struct {
	t      *testing.T
	core   *Core
	now    int64
	issued uint64
	text   []string
	begun  bool
}

func number(t *testing.T, s, def string) int64 {
	n, err := strconv.ParseInt(cmp.Or(s, def), 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// members reads a configuration: 1,2,3o has an observer; 3@b is at another address.
func members(t *testing.T, s string, version zk.Zxid) *ensemble.Config {
	g := &ensemble.Config{Version: version}
	for _, w := range strings.Split(s, ",") {
		w, host, _ := strings.Cut(w, "@")
		id := strings.TrimSuffix(w, "o")
		g.Members = append(g.Members, ensemble.Member{ID: ensemble.SID(number(t, id, "")), Observer: id != w,
			Peers: []ensemble.Addr{{Host: cmp.Or(host, "a"), QuorumPort: 2888, ElectionPort: 3888}}})
	}
	return g
}

func openSolo(t *testing.T, c *script.Case) func(string) []string {
	s := c.Settings
	g := members(t, cmp.Or(s["members"], "1,2,3"), zk.Zxid(number(t, s["version"], "0")))
	d := Durable{Accepted: Epoch(number(t, s["accepted"], "0")), Current: Epoch(number(t, s["current"], "0")),
		Configs: Configs{g, g}}
	if s["current"] == "" {
		d.Current = d.Accepted
	}
	if s["seen"] != "" { // members that were proposed, as of seenversion
		d.LastSeen = members(t, s["seen"], zk.Zxid(number(t, s["seenversion"], "")))
	}
	for _, z := range strings.Split(s["log"], ",") {
		if z != "" {
			d.Last = zk.Zxid(number(t, z, ""))
			d.Recent = append(d.Recent, Proposal{Zxid: d.Last, Payload: []byte("old")})
		}
	}
	_, force := s["snapshots"]
	_, reconfig := s["reconfig"]
	o := Options{SID: ensemble.SID(number(t, s["sid"], "1")), Tick: 100, InitLimit: 10, SyncLimit: 5, ForceSnapshot: force, Reconfig: reconfig}
	x := &solo{t: t, core: New(o, d, 0)}
	x.show(x.core.Ready())
	return x.step
}

// step runs one line:
//
//	elect SID            the election decides
//	up L, down L         a link
//	recv L PACKET        a packet
//	loaded L ZXID        the stream behind SNAP was read
//	synced [N]           the disk is done with N operations, or all
//	wait MS              time passes, with its timers
//	propose TEXT         the leader writes; "members=1,2" is a reconfiguration
//	counter N            the leader's zxids are used up so far
//	confirm, confirmed   section 6.5
//	send L PACKET        of the upper layer
//	heard SID PACKET     a notification: STATE LEADER ROUND EPOCH
//	lost SID             a peer's election port cannot be reached
//	stop
//	follow SID           all of the above, until it serves; silently, as the next two
//	lead SID...          and leads, with followers on the links 2, 4, ...; "4o" is an observer
//	join L SID           one more
func (x *solo) step(line string) []string {
	w := strings.Fields(line)
	arg := func(i int) string {
		if i < len(w) {
			return w[i]
		}
		return ""
	}
	link := func() Link { return Link(number(x.t, arg(1), "0")) }
	c := x.core
	if x.begun { // else it shows, too, what the start has given
		x.text = nil
	}
	x.begun = true
	switch w[0] {
	case "elect":
		c.elect.decided = &Vote{Leader: ensemble.SID(number(x.t, arg(1), "")), Zxid: c.last, Round: 1, Epoch: c.current}
		c.Step(&Timer{}, x.now)
	case "up":
		c.Step(&LinkUp{link()}, x.now)
	case "down":
		c.Step(&LinkDown{link()}, x.now)
	case "recv":
		c.Step(&Received{link(), x.packet(w[2:])}, x.now)
	case "loaded":
		c.Step(&Loaded{link(), x.zxid(arg(2))}, x.now)
	case "synced":
		n := x.issued
		if arg(1) != "" {
			n = uint64(number(x.t, arg(1), ""))
		}
		c.Step(&Synced{n}, x.now)
	case "wait":
		for end := x.now + number(x.t, arg(1), ""); ; {
			if x.now = min(max(x.now, c.Deadline()), end); x.now == end && c.Deadline() > end {
				break
			}
			c.Step(&Timer{}, x.now)
			x.show(c.Ready())
		}
	case "propose":
		z, ok := c.Next()
		if !ok {
			x.text = append(x.text, "refused")
			break
		}
		c.Propose(x.proposal(z, arg(1)), x.now)
	case "counter":
		c.lead.proposed = zxidOf(c.epoch) + zk.Zxid(number(x.t, arg(1), ""))
	case "confirm":
		x.text = append(x.text, fmt.Sprintf("question %d", c.Confirm(x.now)))
	case "confirmed":
		x.text = append(x.text, fmt.Sprint(c.Confirmed()))
	case "send":
		x.text = append(x.text, fmt.Sprint(c.Send(link(), x.packet(w[2:]))))
	case "heard":
		v := Vote{Leader: ensemble.SID(number(x.t, arg(3), "")), Round: number(x.t, arg(4), ""), Epoch: Epoch(number(x.t, arg(5), ""))}
		state := slices.Index([]string{"LOOKING", "FOLLOWING", "LEADING", "OBSERVING"}, arg(2))
		c.Step(&Notified{ensemble.SID(number(x.t, arg(1), "")), Notification{State: State(state), Vote: v, Version: 2}}, x.now)
	case "lost":
		c.Step(&PeerConn{SID: ensemble.SID(number(x.t, arg(1), ""))}, x.now)
	case "follow":
		e := c.accepted + 1
		for _, l := range []string{"elect " + arg(1), "up 1", fmt.Sprint("recv 1 LEADERINFO ", e), "synced", fmt.Sprint("recv 1 DIFF ", c.last),
			fmt.Sprint("recv 1 NEWLEADER ", e), "synced", "recv 1 UPTODATE"} {
			x.step(l)
		}
		x.text = nil
		return nil
	case "lead":
		x.step("elect 1")
		for i, sid := range w[1:] {
			x.register(2*i+2, sid)
		}
		x.step("synced")
		for i := range w[1:] {
			x.step(fmt.Sprintf("recv %d ACKEPOCH %v %d", 2*i+2, c.last, max(c.accepted-1, 0)))
		}
		x.step("synced")
		for i := range w[1:] {
			x.step(fmt.Sprintf("recv %d ACK %v", 2*i+2, zxidOf(c.epoch)))
		}
		x.text = nil
		return nil
	case "join":
		n := int(number(x.t, arg(1), ""))
		x.register(n, arg(2))
		x.step(fmt.Sprintf("recv %d ACKEPOCH %v -1", n, c.delivered))
		x.step(fmt.Sprintf("recv %d ACK %v", n, zxidOf(c.epoch)))
		x.text = nil
		return nil
	case "stop":
		c.Step(&Stop{}, x.now)
	default:
		x.t.Fatalf("what is %q?", line)
	}
	x.show(c.Ready())
	return x.text
}

func (x *solo) register(link int, sid string) {
	x.step(fmt.Sprint("up ", link))
	what := "FOLLOWERINFO"
	if id, ok := strings.CutSuffix(sid, "o"); ok {
		sid, what = id, "OBSERVERINFO"
	}
	x.step(fmt.Sprintf("recv %d %s %s %d", link, what, sid, max(x.core.accepted-1, 0)))
}

func (x *solo) zxid(s string) zk.Zxid { return zk.Zxid(number(x.t, s, "0")) }

func (x *solo) proposal(z zk.Zxid, text string) Proposal {
	p := Proposal{Zxid: z, Payload: []byte(text), Unreadable: text == "unreadable"}
	if m, ok := strings.CutPrefix(text, "members="); ok {
		p.Config = members(x.t, m, z)
	}
	return p
}

// packet reads a packet as show writes it.
func (x *solo) packet(w []string) Packet {
	w = append(w, "", "", "", "")
	z := func(i int) zk.Zxid { return x.zxid(w[i]) }
	n := func(i int) int64 { return number(x.t, w[i], "0") }
	switch w[0] {
	case "FOLLOWERINFO", "OBSERVERINFO": // SID ACCEPTED [CONFIG]
		return &LearnerInfo{SID: ensemble.SID(n(1)), Observer: w[0] == "OBSERVERINFO", Accepted: Epoch(n(2)), Version: protocolVersion, ConfigVersion: z(3)}
	case "LEADERINFO":
		return &LeaderInfo{Epoch(n(1)), protocolVersion}
	case "ACKEPOCH": // LAST CURRENT
		return &AckEpoch{z(1), Epoch(n(2))}
	case "DIFF":
		return &Diff{z(1)}
	case "TRUNC":
		return &Trunc{z(1)}
	case "SNAP":
		return &Snap{z(1)}
	case "NEWLEADER": // EPOCH [members=... VERSION]
		p := &NewLeader{Epoch: Epoch(n(1))}
		if m, ok := strings.CutPrefix(w[2], "members="); ok {
			p.Config = members(x.t, m, z(3))
		}
		return p
	case "UPTODATE":
		return &UpToDate{}
	case "PROPOSAL":
		return &Propose{x.proposal(z(1), w[2])}
	case "ACK":
		return &Ack{z(1)}
	case "COMMIT":
		return &Commit{z(1)}
	case "COMMITANDACTIVATE":
		return &CommitActivate{z(1), ensemble.SID(n(2))}
	case "INFORM":
		return &Inform{x.proposal(z(1), w[2])}
	case "INFORMANDACTIVATE": // ZXID LEADER TEXT
		return &InformActivate{x.proposal(z(1), w[3]), ensemble.SID(n(2))}
	case "PING":
		return &Ping{Zxid: z(1)}
	case "REQUEST":
		return &Request{}
	case "SYNC":
		return &SyncDone{}
	}
	x.t.Fatalf("what is %q?", w)
	return nil
}

func packetText(p Packet) string {
	name := packetName(p)
	switch p := p.(type) {
	case *LearnerInfo:
		name = "FOLLOWERINFO"
		if p.Observer {
			name = "OBSERVERINFO"
		}
		return fmt.Sprintf("%s %d %d", name, p.SID, p.Accepted)
	case *LeaderInfo:
		return fmt.Sprintf("%s %d", name, p.Epoch)
	case *AckEpoch:
		return fmt.Sprintf("%s %v %d", name, p.Last, p.Current)
	case *Diff:
		return fmt.Sprintf("%s %v", name, p.Zxid)
	case *Trunc:
		return fmt.Sprintf("%s %v", name, p.Zxid)
	case *Snap:
		return fmt.Sprintf("%s %v", name, p.Zxid)
	case *NewLeader:
		if p.Config.Version.Counter() > 0 {
			return fmt.Sprintf("%s %d %v", name, p.Epoch, p.Config.Version)
		}
		return fmt.Sprintf("%s %d", name, p.Epoch)
	case *Propose:
		return fmt.Sprintf("%s %v %s", name, p.Zxid, p.Payload)
	case *Ack:
		return fmt.Sprintf("%s %v", name, p.Zxid)
	case *Commit:
		return fmt.Sprintf("%s %v", name, p.Zxid)
	case *CommitActivate:
		return fmt.Sprintf("%s %v %d", name, p.Zxid, p.Leader)
	case *Inform:
		return fmt.Sprintf("%s %v %s", name, p.Zxid, p.Payload)
	case *InformActivate:
		return fmt.Sprintf("%s %v %d %s", name, p.Zxid, p.Leader, p.Payload)
	case *Ping:
		return fmt.Sprintf("%s %v", name, p.Zxid)
	}
	return name
}

func diskText(d Disk) string {
	switch d := d.(type) {
	case *WriteAccepted:
		return fmt.Sprintf("acceptedEpoch %d", d.Epoch)
	case *WriteCurrent:
		return fmt.Sprintf("currentEpoch %d", d.Epoch)
	case *Append:
		return fmt.Sprintf("append %v %s", d.Zxid, d.Payload)
	case *Truncate:
		return fmt.Sprintf("truncate to %v", d.Zxid)
	case *Install:
		return fmt.Sprintf("install %v", d.Zxid)
	}
	return "?"
}

func configText(g *ensemble.Config) string {
	var b strings.Builder
	for i, m := range g.Members {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, m.ID)
		if m.Observer {
			b.WriteByte('o')
		}
	}
	return fmt.Sprintf("%s as of %v", b.String(), g.Version)
}

func roleText(r Role) string {
	s := [...]string{"looking", "following", "leading", "observing"}[r.State]
	if r.State == Following || r.State == Observing {
		s += fmt.Sprintf(" %d", r.Leader)
	}
	if r.Epoch != 0 {
		s += fmt.Sprintf(" epoch %d", r.Epoch)
	}
	if r.Serving {
		s += ", serving"
	}
	return s
}

// show writes a Ready, in its order.
func (x *solo) show(r *Ready) {
	say := func(format string, args ...any) { x.text = append(x.text, fmt.Sprintf(format, args...)) }
	for _, s := range r.Trace {
		say("# %s", s)
	}
	if r.Role != nil {
		say("role %s", roleText(*r.Role))
	}
	for _, p := range r.Committed {
		say("commit %v %s", p.Zxid, p.Payload)
	}
	for _, d := range r.Disk {
		x.issued++
		say("disk %d %s", x.issued, diskText(d))
	}
	for _, s := range r.Send {
		say("send %d %s", s.Link, packetText(s.Packet))
	}
	if r.Dial != nil {
		say("dial %d to server %d within %d ms", r.Dial.Link, r.Dial.Leader, r.Dial.Budget)
	}
	for _, l := range r.Close {
		say("close %d", l)
	}
	for _, u := range r.Upper {
		say("upper %d from %d: %s", u.Link, u.From, packetText(u.Packet))
	}
	if r.Config != nil {
		say("config committed %s; last seen %s", configText(r.Config.Committed), configText(r.Config.LastSeen))
	}
}
