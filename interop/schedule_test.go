package interop

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

var schedules = flag.Bool("schedules", false, "the schedules of docs/defects.md are played on Apache's servers, too, and must show there what is said")

// schedule is what leads to a defect of docs/defects.md, where that can be brought about from outside.
type schedule struct {
	id string // of the defects, and what tells this schedule from others of theirs
	// shows tells whether Apache 3.8.0 has it: last column of the table.
	shows bool
	// luck is that it does at times.
	luck bool
	// long is what takes long, or is looked at elsewhere, too: only with -schedules.
	long bool
	// play gives what is wrong in the end, "" if nothing is.
	play func(t *testing.T, k Kind) string
}

// playSchedules plays each on Zooid, where nothing may be wrong, and with -schedules on Apache, where what is wrong must be what the
// table says.
func playSchedules(t *testing.T, all []schedule) {
	for _, s := range all {
		for _, k := range []Kind{Zooid, Apache} {
			if (k == Apache || s.long) && !*schedules {
				continue
			}
			t.Run(s.id+"/"+k.String(), func(t *testing.T) {
				t.Parallel()
				Need(t, k)
				wrong := s.play(t, k)
				switch {
				case k == Zooid && wrong != "":
					t.Error(wrong)
				case k == Apache:
					t.Logf("Apache: %q", wrong)
					if s.shows != (wrong != "") && !s.luck {
						t.Errorf("it is said that Apache shows it: %v", s.shows)
					}
				}
			})
		}
	}
}

// scene is a server, 1 of an ensemble of three, and us as the third: we lead it, or follow it. The second is away. Sessions are
// local: who looks at what the server shows needs no leader for that.
type scene struct {
	*guest
	t    *testing.T
	srv  *Server
	link zab.Link // the last that we have used

	epoch   zab.Epoch // the last that we have led
	led     zab.Link  // and where
	dialled zab.Link  // and that we have dialled
}

// dialledLinks is beyond the numbers of those that are accepted.
const dialledLinks zab.Link = 1<<20 + 1

const server = ensemble.SID(1) // the server on the scene

// setScene starts a server on the scene. before, which may be nil, may put something into its folder.
func setScene(t *testing.T, k Kind, setup Setup, before func(dir string)) *scene {
	t.Helper()
	s := &scene{guest: newGuest(t, 3), t: t}
	s.guest.answer = s.vote
	s.enter(k, setup, before)
	return s
}

// enter starts the server.
func (s *scene) enter(k Kind, setup Setup, before func(dir string)) {
	t := s.t
	t.Helper()
	conf := s.members()
	for _, line := range []string{"tickTime=500", "initLimit=40", "syncLimit=40", "localSessionsEnabled=true", "4lw.commands.whitelist=*"} {
		key, _, _ := strings.Cut(line, "=")
		if !slices.ContainsFunc(setup.Conf, func(own string) bool { return strings.HasPrefix(own, key+"=") }) {
			conf = append(conf, line)
		}
	}
	setup.Conf = append(conf, setup.Conf...)
	if setup.Dir == "" {
		setup.Dir = t.TempDir()
	}
	s.srv = &Server{Kind: k, Dir: setup.Dir, setup: setup, cfg: filepath.Join(t.TempDir(), "zoo.cfg")}
	if err := os.WriteFile(filepath.Join(s.srv.Dir, "myid"), []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if before != nil {
		before(s.srv.Dir)
	}
	t.Cleanup(func() {
		s.srv.Kill()
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", k, tail(s.srv.log.String(), 6000))
		}
	})
	s.srv.Launch(t)
}

// vote answers a notification of the server, or of nobody in particular: see lead and follow. It is called with the lock held.
func (s *scene) vote(n zab.Notification) {
	if n.State != zab.Looking || n.Vote.Leader == ensemble.NoSID {
		return
	}
	switch s.role {
	case zab.Leading: // we are better than it
		n.Vote.Leader = s.sid
	case zab.Following:
		n.Vote.Leader = server
	default:
		return
	}
	if n.Vote.Leader == server && s.last.Vote.Leader != server {
		return // it will say what it stands for itself
	}
	s.Elections.Send(server, zab.Notification{State: zab.Looking, Vote: n.Vote, Config: s.config})
}

// becomes makes us somebody else: from now on we answer for that.
func (s *scene) becomes(role zab.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.role = role
	if role == zab.Looking || s.last.State != zab.Looking {
		return
	}
	s.vote(s.last)
}

// restart kills the server and starts it again. Until somebody leads it does not serve.
func (s *scene) restart() {
	s.t.Helper()
	s.becomes(zab.Looking)
	s.srv.Kill()
	s.note(func() { s.last = zab.Notification{} })
	s.srv.Launch(s.t)
}

// reign is a time in which we lead the server.
type reign struct {
	*scene
	zab.Epoch
	has  zab.AckEpoch // what the server says it has
	last zk.Zxid      // the last that was proposed
}

// lead lets the server follow us, and gives it an epoch. How it is synchronized is yet to come.
func (s *scene) lead() *reign {
	s.t.Helper()
	s.becomes(zab.Leading)
	s.wait(s.t, "a link of the server's", func() bool {
		i := slices.IndexFunc(s.links, func(l zab.Link) bool { return l < dialledLinks && l > s.led && !s.down[l] })
		if i >= 0 {
			s.link, s.led = s.links[i], s.links[i]
		}
		return i >= 0
	})
	info := getsOn[*zab.LearnerInfo](s.t, s.guest, s.link)
	r := &reign{scene: s, Epoch: info.Accepted + 1}
	s.epoch = r.Epoch
	s.send(&zab.LeaderInfo{Epoch: r.Epoch, Version: 0x10000})
	r.has = *getsOn[*zab.AckEpoch](s.t, s.guest, s.link)
	r.last = r.first()
	return r
}

// first is the zxid that stands for the epoch.
func (r *reign) first() zk.Zxid { return zk.Zxid(r.Epoch) << 32 }

func (s *scene) send(ps ...zab.Packet) {
	for _, p := range ps {
		s.Links.Send(s.link, p)
	}
}

// hangUp ends the link behind all that was sent, and does not lead any more.
func (s *scene) hangUp() {
	s.becomes(zab.Looking)
	s.Links.Close(s.link)
}

// complete says that the history is, and waits until the server serves.
func (r *reign) complete() {
	r.t.Helper()
	r.newLeader()
	r.upToDate()
}

// newLeader says that the history is complete, and waits for the acknowledgement.
func (r *reign) newLeader() {
	r.t.Helper()
	r.send(&zab.NewLeader{Epoch: r.Epoch, Config: r.config})
	r.acked(r.first())
}

func (r *reign) upToDate() {
	r.t.Helper()
	r.send(&zab.UpToDate{})
	r.acked(r.first())
	r.srv.WaitServing(r.t)
}

// acked waits for an acknowledgement.
func (r *reign) acked(z zk.Zxid) {
	r.t.Helper()
	if !r.ackedOrGone(z) {
		r.t.Fatalf("it hangs up before it acknowledges %v: %q", z, r.told)
	}
}

// ackedOrGone is false if the server hangs up instead.
func (r *reign) ackedOrGone(z zk.Zxid) bool {
	r.t.Helper()
	for {
		p, gone := getsOrGone[*zab.Ack](r.t, r.guest, r.link)
		if gone || p.Zxid == z {
			return !gone
		}
	}
}

// next is a proposal with the next zxid.
func (r *reign) next(x txn.Txn) *zab.Propose {
	r.last++
	return proposal(r.last, x)
}

// proposal is one of a txn.
func proposal(z zk.Zxid, x txn.Txn) *zab.Propose {
	x.Zxid, x.Time = z, 1_700_000_000_000+int64(z&0xffff)
	return &zab.Propose{Proposal: zab.Proposal{Zxid: z, Payload: x.Append(nil)}}
}

// do proposes a txn, and commits it when the server has acknowledged it.
func (r *reign) do(x txn.Txn) zk.Zxid {
	r.t.Helper()
	p := r.next(x)
	r.send(p)
	r.acked(p.Zxid)
	r.send(&zab.Commit{Zxid: p.Zxid})
	return p.Zxid
}

// creates is a txn that makes a znode at the root.
func creates(path string) txn.Txn {
	return txn.Txn{Header: txn.Header{Type: txn.TypeCreate}, Body: txn.NewCreate(path, []byte("x"), zk.WorldACL(zk.PermAll), -1)}
}

func createsBig(path string, size int) txn.Txn {
	return txn.Txn{Header: txn.Header{Type: txn.TypeCreate}, Body: txn.NewCreate(path, make([]byte, size), zk.WorldACL(zk.PermAll), -1)}
}

func createsEphemeral(session zk.SessionID, path string) txn.Txn {
	x := creates(path)
	x.Session, x.Body.(*txn.Create).Ephemeral = session, true
	return x
}

func deletes(path string) txn.Txn {
	return txn.Txn{Header: txn.Header{Type: txn.TypeDelete}, Body: &txn.Delete{Path: path}}
}

func createsSession(session zk.SessionID) txn.Txn {
	return txn.Txn{Header: txn.Header{Type: txn.TypeCreateSession, Session: session}, Body: &txn.CreateSession{TimeOut: 30000}}
}

func closesSession(session zk.SessionID, paths ...string) txn.Txn {
	return txn.Txn{Header: txn.Header{Type: txn.TypeCloseSession, Session: session}, Body: &txn.CloseSession{HasPaths: true, Paths: paths}}
}

// shows tells which znodes the server shows at its root, without /zookeeper.
func (s *scene) shows() []string {
	s.t.Helper()
	return children(s.t, s.srv)
}

func children(t *testing.T, srv *Server) []string {
	t.Helper()
	c, err := Connect(srv.Addr(), sessionTimeout)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var r wire.ChildrenReply
	call(t, c, &wire.GetChildren{Path: "/"}, &r)
	var names []string
	for _, n := range r.Children {
		if n != "zookeeper" {
			names = append(names, "/"+strings.Clone(n))
		}
	}
	slices.Sort(names)
	return names
}

// settles waits until the server has applied up to z.
func (s *scene) settles(z zk.Zxid) {
	s.t.Helper()
	want := fmt.Sprintf("Zxid: %#x\n", uint64(z))
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		out, err := s.srv.FourLetters("srvr")
		if err == nil && strings.Contains(out, want) {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("it does not come to %s: %s, %v", want, out, err)
		}
	}
}

// wrongly compares what a server shows with what it should.
func wrongly(shown []string, want ...string) string {
	slices.Sort(want)
	if slices.Equal(shown, want) {
		return ""
	}
	var list []string
	for _, p := range want {
		if !slices.Contains(shown, p) {
			list = append(list, p+" is gone")
		}
	}
	for _, p := range shown {
		if !slices.Contains(want, p) {
			list = append(list, p+" should not be there")
		}
	}
	if len(list) > 6 {
		list = append(list[:6], "and "+strconv.Itoa(len(list)-6)+" more")
	}
	return strings.Join(list, ", ")
}

// goesOn makes one more txn in our last reign, and tells what is wrong with what the server has after a restart.
func (s *scene) goesOn(h *history, x txn.Txn) string {
	s.t.Helper()
	r := &reign{scene: s, Epoch: s.epoch, last: max(h.last(), zk.Zxid(s.epoch)<<32)}
	z := r.do(x)
	h.add(zab.Epoch(z>>32), x)
	s.settles(z)
	if wrong := wrongly(s.shows(), h.paths(s.t)...); wrong != "" {
		return wrong
	}
	s.restart()
	r = s.lead()
	if r.has.Last < z {
		return fmt.Sprintf("it acknowledged all up to %v, and has all up to %v", z, r.has.Last)
	}
	r.sync(*h)
	r.complete()
	return wrongly(s.shows(), h.paths(s.t)...)
}

// history is what was committed.
type history []*zab.Propose

// add appends txns of an epoch.
func (h *history) add(e zab.Epoch, all ...txn.Txn) {
	z := zk.Zxid(e) << 32
	if l := h.last(); l > z {
		z = l
	}
	for _, x := range all {
		z++
		*h = append(*h, proposal(z, x))
	}
}

func (h history) last() zk.Zxid {
	if len(h) == 0 {
		return 0
	}
	return h[len(h)-1].Zxid
}

// tree is what comes of it, and the sessions that live.
func (h history) tree(t *testing.T) (*tree.Tree, map[zk.SessionID]int32) {
	t.Helper()
	tr, sessions := tree.New(tree.Options{Seed: 1}), map[zk.SessionID]int32{}
	for _, p := range h {
		x, err := txn.Decode(p.Payload)
		if err != nil {
			t.Fatal(err)
		}
		tr.Replay(x)
		switch b := x.Body.(type) {
		case *txn.CreateSession:
			sessions[x.Session] = b.TimeOut
		case *txn.CloseSession:
			delete(sessions, x.Session)
		}
	}
	return tr, sessions
}

// paths are the znodes at the root in the end, without /zookeeper.
func (h history) paths(t *testing.T) (list []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range h {
		x, err := txn.Decode(p.Payload)
		if err != nil {
			t.Fatal(err)
		}
		switch b := x.Body.(type) {
		case *txn.Create:
			seen[b.Path] = true
		case *txn.Delete:
			delete(seen, b.Path)
		case *txn.CloseSession:
			for _, path := range b.Paths {
				delete(seen, path)
			}
		}
	}
	for path := range seen {
		list = append(list, path)
	}
	slices.Sort(list)
	return list
}

// write writes it as the stream behind SNAP.
func (h history) write(t *testing.T) func(io.Writer) error {
	tr, sessions := h.tree(t)
	return func(w io.Writer) error {
		view := tr.Freeze()
		defer view.Close()
		sn := store.Snapshot{Zxid: h.last(), ACLs: view.ACLs(), Next: view.Next}
		for id, timeout := range sessions {
			sn.Sessions = append(sn.Sessions, store.Session{ID: id, Timeout: timeout})
		}
		return store.WriteStream(w, sn)
	}
}

// snap sends the whole of it.
func (r *reign) snap(h history) {
	r.send(&zab.Snap{Zxid: h.last()})
	r.Links.SendSnapshot(r.link, h.write(r.t))
}

// pairs sends proposals that are committed already.
func (r *reign) pairs(h history) {
	for _, p := range h {
		r.send(p, &zab.Commit{Zxid: p.Zxid})
	}
}

// sync sends the server what it lacks, as its leader with this history does: section 5.2.
func (r *reign) sync(h history) {
	r.t.Helper()
	i := slices.IndexFunc(h, func(p *zab.Propose) bool { return p.Zxid > r.has.Last })
	if i < 0 {
		i = len(h)
	}
	var before zk.Zxid // the last that it may keep
	if i > 0 {
		before = h[i-1].Zxid
	}
	switch {
	case r.has.Last == 0 && len(h) > 0:
		r.snap(h)
		return
	case r.has.Last == before || uint32(r.has.Last) == 0:
		r.send(&zab.Diff{Zxid: h.last()})
	case i == len(h) || h[i].Zxid>>32 == r.has.Last>>32:
		r.send(&zab.Trunc{Zxid: before})
	default:
		r.snap(h)
		return
	}
	r.pairs(h[i:])
}

// begin leads the server for the first time, with this history, and until it serves.
func (s *scene) begin(h *history, all ...txn.Txn) *reign {
	s.t.Helper()
	r := s.lead()
	r.sync(*h)
	r.complete()
	for _, x := range all {
		r.do(x)
	}
	h.add(r.Epoch, all...)
	if len(all) > 0 {
		r.settles(r.last)
	}
	return r
}

// finds leads the server once more, gives it what it lacks, and tells what is wrong with what it shows then.
func (s *scene) finds(h history) string {
	s.t.Helper()
	r := s.lead()
	r.sync(h)
	r.complete()
	if wrong := wrongly(s.shows(), h.paths(s.t)...); wrong != "" {
		return fmt.Sprintf("it says that it has all up to %v, but %s", r.has.Last, wrong)
	}
	return ""
}

// keeps is finds, and once more behind a restart.
func (s *scene) keeps(h history) string {
	s.t.Helper()
	if wrong := s.finds(h); wrong != "" {
		return wrong
	}
	s.restart()
	return s.finds(h)
}

// follow lets the server lead, and follows it as one that has the history up to z of an epoch, whose leader we are not. It tells how we are
// synchronized, and what we have then.
func (s *scene) follow(h history, z zk.Zxid, current zab.Epoch) (how string, has []string) {
	s.t.Helper()
	s.becomes(zab.Following)
	s.link = s.dial(&zab.LearnerInfo{SID: s.sid, Accepted: current, Version: 0x10000})
	getsOn[*zab.LeaderInfo](s.t, s.guest, s.link)
	s.send(&zab.AckEpoch{Last: z, Current: current})
	got := slices.Clone(h[:slices.IndexFunc(h, func(p *zab.Propose) bool { return p.Zxid == z })+1])
	for {
		switch p := getsOn[zab.Packet](s.t, s.guest, s.link).(type) {
		case *zab.Diff:
			how = "DIFF"
		case *zab.Trunc:
			how = "TRUNC"
			for len(got) > 0 && got.last() > p.Zxid {
				got = got[:len(got)-1]
			}
		case *zab.Snap:
			how, got = "SNAP", nil
		case *zab.Propose:
			got = append(got, p)
		case *zab.NewLeader:
			has = got.paths(s.t)
			if how == "SNAP" {
				for _, p := range s.stream {
					if strings.LastIndex(p, "/") == 0 && p != "/zookeeper" && !slices.Contains(has, p) {
						has = append(has, p)
					}
				}
			}
			s.send(&zab.Ack{Zxid: zk.Zxid(p.Epoch) << 32})
			getsOn[*zab.UpToDate](s.t, s.guest, s.link)
			return how, has
		}
	}
}

// dial opens a link to the server, which leads or will soon, and says who we are.
func (s *scene) dial(info *zab.LearnerInfo) zab.Link {
	s.t.Helper()
	for {
		s.dialled += 2
		l := dialledLinks + s.dialled
		s.Links.Dial(zab.Dial{Link: l, Leader: server, Budget: patience.Milliseconds()})
		s.wait(s.t, "a link to the server", func() bool { return s.down[l] || slices.Contains(s.links, l) })
		if s.Links.Send(l, info) {
			return l
		}
	}
}

// plant writes a file.
func plant(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// plantHistory writes a snapshot of a history.
func plantHistory(t *testing.T, dir string, h history) {
	t.Helper()
	plantSnapshot(t, dir, h.last(), func(tr *tree.Tree) {
		for _, p := range h {
			x, err := txn.Decode(p.Payload)
			if err != nil {
				t.Fatal(err)
			}
			tr.Replay(x)
		}
	})
}

// asked is a call that is under way.
type asked struct {
	wire.ReplyHeader
	err error
}

// ask makes a call and gives its answer when it comes.
func ask(c *Conn, op wire.Op) <-chan asked {
	answer := make(chan asked, 1)
	go func() { // ends with the connection at the latest
		h, err := c.Call(op, nil)
		answer <- asked{h, err}
	}()
	return answer
}

// answered waits for an answer.
func answered(t *testing.T, answer <-chan asked) asked {
	t.Helper()
	select {
	case a := <-answer:
		return a
	case <-time.After(patience):
		t.Fatal("no answer")
		return asked{}
	}
}
