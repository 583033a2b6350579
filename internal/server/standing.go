package server

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/zab"
)

// standing is where a member stands in its ensemble, as the log has told it and the metrics count it. Times are on Server.clock.
type standing struct {
	role    zab.Role
	stage   string
	told    string    // the last zk_peer_state in the log
	looking int64     // when it last began to look for a leader
	left    int64     // when the role began
	dim     bool      // it is read-only
	led     time.Time // when it began to serve as a leader
}

// look notes that the search for a leader begins.
func (m *member) look(now int64) {
	m.looking = now
	m.s.scribe.note(slog.LevelInfo, "LOOKING")
	m.s.metrics.Add(admin.Looking, 1)
}

// enter notes a change of role, in the words that operators look for (operations, section 7).
func (m *member) enter(r zab.Role) {
	s, was, now := m.s, m.role, m.s.clock()
	m.role = r
	if was.State != zab.Looking && (was.State != r.State || was.Leader != r.Leader || was.Epoch != r.Epoch && was.Epoch != 0) {
		m.leaveRole(was)
		m.looking = now // where the next role is known there is no search
	}
	if was.State != r.State || was.Leader != r.Leader {
		switch name := strings.ToUpper(r.State.String()); r.State {
		case zab.Looking:
			m.look(now)
		case zab.Observing:
			s.scribe.note(slog.LevelInfo, name)
		default:
			s.scribe.note(slog.LevelInfo, name)
			s.scribe.note(slog.LevelInfo, fmt.Sprintf("%s - LEADER ELECTION TOOK - %d MS", name, now-m.looking))
			s.metrics.Record(admin.ElectionTime, now-m.looking)
		}
		m.left = now
	}
	if r.Serving && !was.Serving {
		s.metrics.Record(admin.UnavailableTime, now-m.looking)
		if r.State == zab.Leading {
			m.led = time.Now()
			s.metrics.Record(admin.LeaderUnavailableTime, now-m.left)
			s.scribe.note(slog.LevelInfo, fmt.Sprintf("Have quorum of supporters, sids: [[%s]]; starting up and setting last processed zxid: %v",
				joined(s.rep.Supporters()), s.rep.Tree().LastZxid()))
		}
	}
}

func (m *member) leaveRole(was zab.Role) {
	why := m.s.rep.Why()
	switch was.State {
	case zab.Leading:
		m.s.scribe.note(slog.LevelWarn, "Shutdown called. For the reason "+why)
	case zab.Following:
		m.s.scribe.note(slog.LevelWarn, "Exception when following the leader: "+why)
	case zab.Observing:
		m.s.scribe.note(slog.LevelWarn, "Exception when observing the leader: "+why)
	}
}

// joined are numbers with commas between.
func joined[T ~int64](all []T) string {
	var b strings.Builder
	for i, n := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d", n)
	}
	return b.String()
}

// report notes what else a Step has brought.
func (m *member) report(o *replica.Orders) {
	s := m.s
	if stage := s.rep.Stage(); o.Role != nil || stage != m.stage {
		m.stage = stage
		if now := peerState(m.role.State, stage); stage != "" && now != m.told {
			m.told = now
			s.scribe.note(slog.LevelInfo, "Peer state changed: "+now)
		}
		if m.role.State == zab.Looking && stage != "" { // by now the tree has all that was logged
			s.scribe.note(slog.LevelInfo, fmt.Sprintf("New election. My id = %d, proposed zxid=%v", m.o.SID, s.rep.Tree().LastZxid()))
		}
	}
	if dim := s.rep.ReadOnly(); dim != m.dim {
		if m.dim = dim; dim {
			s.scribe.note(slog.LevelInfo, "Read-only server started: no leader was found; what clients read now may be old, or taken back")
		} else {
			s.scribe.note(slog.LevelInfo, "Read-only server stopped")
		}
	}
	if o.Proposed > 0 {
		s.metrics.Add(admin.Proposals, int64(o.Proposed))
	}
	if o.Committed > 0 && m.role.State == zab.Leading {
		s.metrics.Add(admin.Commits, int64(o.Committed))
	}
	for i := range o.Links {
		l := &o.Links[i]
		switch p := l.Packet.(type) {
		case *zab.Diff:
			s.metrics.Add(admin.Diffs, 1)
			s.scribe.note(slog.LevelInfo, fmt.Sprintf("Sending DIFF zxid=%v  for peer sid: %d", p.Zxid, s.rep.LearnerOn(l.Link)))
		case *zab.Trunc:
			s.scribe.note(slog.LevelInfo, fmt.Sprintf("Sending TRUNC zxid=%v  for peer sid: %d", p.Zxid, s.rep.LearnerOn(l.Link)))
		case *zab.Snap:
			s.metrics.Add(admin.Snaps, 1)
			s.scribe.note(slog.LevelInfo, fmt.Sprintf("Sending SNAP zxid=%v  for peer sid: %d", p.Zxid, s.rep.LearnerOn(l.Link)))
		}
	}
}

// received notes a packet of a peer's, before the lock is taken.
func (m *member) received(p zab.Packet) {
	s := m.s
	switch p := p.(type) {
	case *zab.Revalidate:
		s.metrics.Add(admin.Revalidations, 1)
	case *zab.Propose:
		s.metrics.Add(admin.LearnerProposalsReceived, 1)
	case *zab.Commit, *zab.CommitActivate, *zab.Inform, *zab.InformActivate:
		s.metrics.Add(admin.LearnerCommitsReceived, 1)
	case *zab.Diff:
		s.scribe.note(slog.LevelInfo, "Getting a diff from the leader "+p.Zxid.String())
	case *zab.Snap:
		s.scribe.note(slog.LevelInfo, "Getting a snapshot from leader "+p.Zxid.String())
	case *zab.Trunc:
		s.scribe.note(slog.LevelWarn, "Truncating log to get in sync with the leader "+p.Zxid.String())
	case *zab.NewLeader:
		s.scribe.note(slog.LevelInfo, "Learner received NEWLEADER message")
	case *zab.UpToDate:
		s.scribe.note(slog.LevelInfo, "Learner received UPTODATE message")
	}
}

// peerState is zk_peer_state.
func peerState(s zab.State, stage string) string {
	if stage == "" {
		return s.String()
	}
	return s.String() + " - " + stage
}

// departed notes packets that leave for a learner: how many had gathered, and how long the first of them had waited.
func (m *member) departed(sid ensemble.SID, packets int, waited time.Duration) {
	key := strconv.FormatInt(int64(sid), 10)
	m.s.metrics.RecordKey(admin.LearnerPacketSize, key, int64(packets))
	m.s.metrics.RecordKey(admin.LearnerPacketTime, key, waited.Milliseconds())
}
