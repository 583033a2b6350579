package server

import (
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/watch"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// source shows the server to package admin. Each method takes the lock it needs and lets it go.
type source struct{ s *Server }

func (v *source) Serving() bool {
	s := v.s
	if s.ctx.Err() != nil {
		return false
	}
	if s.member == nil {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	role, _ := s.rep.Role()
	return role.Serving || s.rep.ReadOnly()
}

func (v *source) Status() admin.Status {
	s := v.s
	s.mu.RLock()
	defer s.mu.RUnlock()
	st := admin.Status{
		Version: s.opt.Version, State: "standalone", Zxid: s.rep.Tree().LastZxid(), Nodes: s.rep.Tree().NodeCount() + 1,
		Connections: s.conns.len(), Outstanding: s.rep.InFlight(), Traffic: s.metrics.Traffic(),
	}
	if m, ok := s.rep.Status(); ok {
		st.State = modes[m.Role.State]
		st.PeerState = peerState(m.Role.State, m.Stage)
		if st.ReadOnly = s.rep.ReadOnly(); st.ReadOnly {
			st.State = "read-only"
		}
		if m.Role.State == zab.Leading {
			st.Proposals = &admin.Sizes{Last: int64(m.Proposals.Last), Min: int64(m.Proposals.Min), Max: int64(m.Proposals.Max)}
		}
	}
	return st
}

// modes are what srvr calls the roles. Looking is told only to who has asked just before: such a server does not serve, unless it is read-only.
var modes = map[zab.State]string{zab.Looking: "looking", zab.Following: "follower", zab.Leading: "leader", zab.Observing: "observer"}

func (v *source) Monitor() admin.Monitor {
	s := v.s
	open, most := admin.Descriptors()
	s.mu.RLock()
	defer s.mu.RUnlock()
	mo := admin.Monitor{
		Uptime: time.Since(s.started), Watches: s.rep.Watches().Count(), Ephemerals: s.rep.Tree().EphemeralCount(),
		DataSize: s.rep.Tree().DataSize(), GlobalSessions: s.rep.Sessions().Len(), LocalSessions: s.rep.Locals().Len(), OpenFiles: open, MaxFiles: most,
	}
	m, ok := s.rep.Status()
	if !ok {
		return mo
	}
	mo.QuorumSize = len(m.Configs.Committed.Voters())
	switch n := m.Learners; m.Role.State {
	case zab.Leading:
		mo.Leader = &admin.LeaderMonitor{
			Learners: n.Connected, SyncedFollowers: n.Followers, SyncedNonVoting: n.NonVoting, SyncedObservers: n.Observers,
			PendingSyncs: m.Syncs, Uptime: time.Since(s.member.led),
		}
	case zab.Following:
		if s.opt.Ensemble.ObserverMasterPort > 0 {
			mo.Observers = &n.Observers
		}
	case zab.Observing:
		master := int64(m.Role.Leader)
		if to, ok := s.member.links.Dialled(s.member.up); ok {
			master = int64(to)
		}
		mo.ObserverMaster = &master
	}
	return mo
}

func (v *source) Metrics() *admin.Metrics { return v.s.metrics }

func (v *source) Connections() []admin.Connection {
	s := v.s
	var list []admin.Connection
	for _, c := range s.conns.list() {
		a := admin.Connection{Remote: c.addr, InterestOps: 1, Established: c.made}
		c.act.Fill(&a)
		s.mu.RLock()
		if c.rc != nil {
			a.Session, a.Timeout, a.Queued = c.rc.Session(), int(c.rc.TimeOut()), int64(c.rc.Pending())
		} else {
			a.InterestOps = 0
		}
		s.mu.RUnlock()
		list = append(list, a)
	}
	return list
}

func (v *source) Config() admin.Config {
	o := &v.s.opt
	least, most := o.SessionLimits()
	c := admin.Config{
		ClientPort: -1, SecureClientPort: -1, DataDir: version2(o.DataDir), DataLogDir: version2(o.DataLogDir),
		TickTime: int(o.TickTime.Milliseconds()), MaxClientCnxns: o.MaxClientCnxns,
		MinSessionTimeout: int(least.Milliseconds()), MaxSessionTimeout: int(most.Milliseconds()),
		ListenBacklog: o.ListenBacklog,
	}
	if a := v.s.Addr(); a != nil {
		if _, port, err := net.SplitHostPort(a.String()); err == nil {
			c.ClientPort, _ = strconv.Atoi(port)
		}
	}
	if e := o.Ensemble; e != nil {
		v.s.mu.RLock()
		defer v.s.mu.RUnlock()
		m, _ := v.s.rep.Status()
		self, _ := m.Configs.Committed.Member(e.SID)
		c.ServerID = int64(e.SID)
		c.Quorum = &admin.QuorumConfig{
			InitLimit: e.InitLimit, SyncLimit: e.SyncLimit, ElectionAlg: 3,
			ElectionPort: ports(self, func(a ensemble.Addr) int { return a.ElectionPort }),
			QuorumPort:   ports(self, func(a ensemble.Addr) int { return a.QuorumPort }),
			Observer:     self.Observer,
		}
		if !v.s.rep.ReadOnly() {
			c.Quorum.Membership = m.Configs.Committed.String()
		}
	}
	return c
}

// ports are a member's ports of one kind as conf prints them.
func ports(self ensemble.Member, port func(ensemble.Addr) int) string {
	var all []string
	for _, a := range self.Peers {
		all = append(all, strconv.Itoa(port(a)))
	}
	return strings.Join(all, "|")
}

// version2 is the folder that a data folder's files are in, absolute.
func version2(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return filepath.Join(dir, "version-2")
}

func (v *source) Dirs() admin.Dirs {
	data, log := v.s.store.Sizes()
	return admin.Dirs{Data: data, Log: log}
}

func (v *source) Dump() admin.Dump {
	s := v.s
	var d admin.Dump
	s.mu.RLock()
	defer s.mu.RUnlock()
	if role, member := s.rep.Role(); member && role.State != zab.Leading { // whose sessions end when the leader says so
		d.Learner = true
		for _, e := range s.rep.Sessions().All() {
			d.Global = append(d.Global, admin.SessionTimeout{Session: e.ID, Timeout: int(e.Timeout)})
		}
	} else {
		d.Sessions = buckets(s.rep.Sessions())
	}
	if s.rep.Locals().Len() > 0 {
		d.Local = buckets(s.rep.Locals())
	}
	for _, id := range s.rep.Tree().EphemeralOwners() {
		d.Ephemerals = append(d.Ephemerals, admin.SessionEphemerals{Session: id, Paths: s.rep.Tree().Ephemerals(id)})
	}
	byTime := map[int64]*admin.ConnectionBucket{}
	for _, c := range s.conns.list() {
		name := admin.ConnectionName{Remote: c.addr}
		timeout := s.opt.HandshakeTimeout.Milliseconds()
		if c.rc != nil {
			name.Session, timeout = c.rc.Session(), int64(c.rc.TimeOut())
		}
		const bucket = 10000 // upstream's connections expire in buckets of ten seconds
		at := (max(c.heard.Load(), s.clock()-(time.Now().UnixMilli()-c.made))+timeout)/bucket*bucket + bucket
		b := byTime[at]
		if b == nil {
			b = &admin.ConnectionBucket{Expires: wall(at)}
			byTime[at] = b
		}
		b.Connections = append(b.Connections, name)
	}
	for _, at := range slices.Sorted(maps.Keys(byTime)) {
		d.Connections = append(d.Connections, *byTime[at])
	}
	return d
}

// buckets are a table's sessions by the time at which they end.
func buckets(t *session.Table) (list []admin.SessionBucket) {
	for _, b := range t.Buckets() {
		list = append(list, admin.SessionBucket{Expires: wall(b.Expiry), Sessions: b.Sessions})
	}
	return list
}

func (v *source) WatchSummary() admin.WatchSummary {
	s := v.s
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.rep.Watches()
	return admin.WatchSummary{Sessions: w.Watchers(), Paths: w.Paths(), Watches: w.DataCount()}
}

// session is the session behind a watcher.
func (s *Server) session(w watch.Watcher) zk.SessionID {
	if c := s.rep.ConnOf(w); c != nil {
		return c.Session()
	}
	return 0
}

func (v *source) WatchesBySession() []admin.SessionWatches {
	s := v.s
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []admin.SessionWatches
	for _, e := range s.rep.Watches().DataByWatcher() {
		list = append(list, admin.SessionWatches{Session: s.session(e.Watcher), Paths: e.Paths})
	}
	return list
}

func (v *source) WatchesByPath() []admin.PathWatches {
	s := v.s
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []admin.PathWatches
	for _, e := range s.rep.Watches().DataByPath() {
		p := admin.PathWatches{Path: e.Path}
		for _, w := range e.Watchers {
			p.Sessions = append(p.Sessions, s.session(w))
		}
		list = append(list, p)
	}
	return list
}

func (v *source) Digests() []admin.Digest {
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	var list []admin.Digest
	for _, d := range v.s.rep.Digests() {
		list = append(list, admin.Digest{Zxid: d.Zxid, Digest: d.Digest})
	}
	return list
}

func (v *source) Environment() []admin.Property { return admin.Environment(v.s.opt.Version) }

func (v *source) ResetStats() {
	v.s.metrics.Reset()
	v.s.mu.Lock()
	v.s.rep.ResetSizes()
	v.s.mu.Unlock()
}

func (v *source) ResetConnections() {
	for _, c := range v.s.conns.list() {
		c.act.Reset()
	}
}
