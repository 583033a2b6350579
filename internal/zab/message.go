package zab

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// Epoch numbers a leader's reign: the high 32 bits of the zxids that it gives.
type Epoch int64

// Proposal is a change with its zxid.
type Proposal struct {
	Zxid    zk.Zxid
	Payload []byte // opaque here; not to be changed
	// Config is the configuration that the payload installs, nil for all but a reconfiguration. Who hands a proposal to the Core
	// has looked.
	Config *ensemble.Config
	Value  any // the caller's decoded form of Payload; comes back with Committed
	// Unreadable says that Payload is no txn of this zxid. Such a proposal is not taken from a leader.
	Unreadable bool
}

// State is what a server says of itself in a notification; the numbers are those on the wire.
type State int32

const (
	Looking State = iota
	Following
	Leading
	Observing
)

// Vote is who somebody thinks should lead, or leads.
type Vote struct {
	Leader ensemble.SID // NoSID: of a server that does not vote
	Zxid   zk.Zxid      // the last logged of Leader
	Round  int64        // the election's logical clock
	Epoch  Epoch        // currentEpoch of Leader
}

// Notification is what travels between election ports: section 3.1.
type Notification struct {
	State   State
	Vote    Vote
	Version int32            // of the format: 2 from 3.5 on
	Config  *ensemble.Config // the sender's committed configuration; nil if it said none
}

// Packet is what travels on a link: section 4.1. One type for each.
type Packet interface{ packet() }

type (
	// LearnerInfo is FOLLOWERINFO, or OBSERVERINFO.
	LearnerInfo struct {
		SID           ensemble.SID
		Observer      bool // which of the two it is
		Accepted      Epoch
		Version       int32 // of the protocol: 0x10000
		ConfigVersion zk.Zxid
	}
	// LeaderInfo is LEADERINFO.
	LeaderInfo struct {
		Epoch   Epoch
		Version int32
	}
	// AckEpoch is ACKEPOCH. Current is -1 when the epoch was promised before: do not count me.
	AckEpoch struct {
		Last    zk.Zxid // last logged
		Current Epoch
	}
	// Diff, Trunc and Snap open the synchronization. Behind Snap stands a stream, which the driver sends and reads.
	Diff struct{ Zxid zk.Zxid }
	// Trunc says to cut the log back to Zxid.
	Trunc struct{ Zxid zk.Zxid }
	// Snap announces a whole tree as of Zxid.
	Snap struct{ Zxid zk.Zxid }
	// NewLeader is NEWLEADER: the history is complete.
	NewLeader struct {
		Epoch  Epoch
		Config *ensemble.Config // the leader's last seen; nil if it said none
	}
	// UpToDate is UPTODATE: serve.
	UpToDate struct{}
	// Propose is PROPOSAL.
	Propose struct{ Proposal }
	// Ack is ACK: of NEWLEADER, with (epoch,0), or of one proposal.
	Ack struct{ Zxid zk.Zxid }
	// Commit is COMMIT.
	Commit struct{ Zxid zk.Zxid }
	// CommitActivate is COMMITANDACTIVATE: a reconfiguration is committed; Leader leads from now on.
	CommitActivate struct {
		Zxid   zk.Zxid
		Leader ensemble.SID
	}
	// Inform is INFORM: a committed proposal, for observers.
	Inform struct{ Proposal }
	// InformActivate is INFORMANDACTIVATE.
	InformActivate struct {
		Proposal
		Leader ensemble.SID
	}
	// Ping is PING, both ways. A learner's carries the sessions that it has heard of since the last one.
	Ping struct {
		Zxid    zk.Zxid
		Answer  bool // a learner's
		Touched []Touch
	}
	// Request is REQUEST: a client's write, or sync, on its way to the leader.
	Request struct {
		Session zk.SessionID
		Xid     int32
		Op      int32   // opcode
		Body    []byte  // as the client sent it
		IDs     []zk.ID // nil: the server itself asks
	}
	// Revalidate is REVALIDATE, the question: does this session live, and is it mine now?
	Revalidate struct {
		Session zk.SessionID
		Timeout int32 // ms
	}
	// Revalidated is REVALIDATE, the answer.
	Revalidated struct {
		Session zk.SessionID
		Valid   bool
	}
	// SyncDone is SYNC: the oldest pending sync of this learner's clients is done.
	SyncDone struct{}
)

// Touch says that a session was heard of.
type Touch struct {
	Session zk.SessionID
	Timeout int32 // ms
}

func (*LearnerInfo) packet()    {}
func (*LeaderInfo) packet()     {}
func (*AckEpoch) packet()       {}
func (*Diff) packet()           {}
func (*Trunc) packet()          {}
func (*Snap) packet()           {}
func (*NewLeader) packet()      {}
func (*UpToDate) packet()       {}
func (*Propose) packet()        {}
func (*Ack) packet()            {}
func (*Commit) packet()         {}
func (*CommitActivate) packet() {}
func (*Inform) packet()         {}
func (*InformActivate) packet() {}
func (*Ping) packet()           {}
func (*Request) packet()        {}
func (*Revalidate) packet()     {}
func (*Revalidated) packet()    {}
func (*SyncDone) packet()       {}
