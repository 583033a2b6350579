package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

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
