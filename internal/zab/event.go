package zab

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// Link numbers one connection on the quorum port, ours to a leader or a learner's to us. The driver gives the numbers to
// accepted ones, the Core to those that it asks for; both count from their own start, so that an odd number is the Core's and an even
// number the driver's. 0 is none.
type Link uint64

// Event is something that happened, for Core.Step.
type Event interface{ event() }

type (
	// Notified is a notification of a peer's.
	Notified struct {
		From ensemble.SID
		Notification
	}
	// PeerConn says that a connection to a peer's election port is up, or was lost or refused.
	PeerConn struct {
		SID ensemble.SID
		Up  bool
	}
	// LinkUp says that a learner has connected (an even link), or that a Dial has succeeded.
	LinkUp struct{ Link Link }
	// LinkDown says that a link has ended, or that a Dial has failed.
	LinkDown struct{ Link Link }
	// Received is a packet.
	Received struct {
		Link   Link
		Packet Packet
	}
	// Loaded says that the stream behind Snap has been read and that the tree is what it said. It comes before the link's next packet.
	Loaded struct {
		Link Link
		Zxid zk.Zxid
	}
	// Found answers a Search. OK: At is the last record that is not above its Last, and from there to its To the log has no hole.
	Found struct {
		Link Link
		At   zk.Zxid
		OK   bool
	}
	// Synced says that the first N of all disk operations of this Core are done and durable. For a Truncate that means that the
	// tree, too, is as of its zxid.
	Synced struct{ N uint64 }
	// Unreachable says that a leader's quorum port cannot be opened.
	Unreachable struct{}
	// Failed says that the disk could not do a Truncate or an Install, the first operation that is not Synced. Neither that nor what was given
	// behind it is done, and none of it counts: the next operation has the number of that one. What is on disk was read anew: the tree is as
	// of Last, the log's last zxid, and currentEpoch is Current.
	Failed struct {
		Last    zk.Zxid
		Current Epoch
	}
	// Timer says that Deadline has passed. One too many does no harm.
	Timer struct{}
	// Stop says that the server is about to end. A leader stops leading.
	Stop struct{}
)

func (*Notified) event() {}
func (*PeerConn) event() {}
func (*LinkUp) event()   {}
func (*LinkDown) event() {}
func (*Received) event() {}
func (*Loaded) event()   {}
func (*Found) event()    {}
func (*Synced) event()   {}
func (*Failed) event()   {}

func (*Unreachable) event() {}
func (*Timer) event()       {}
func (*Stop) event()        {}

// Ready is what has to be done after a Step, a Propose or a Send: in the order of its fields, and each field in its order.
type Ready struct {
	// Role is set when role, leader or serving have changed. Whoever ends serving closes its clients' connections first.
	Role *Role
	// Committed is to be applied to the tree. When a server stops following or leading, that is everything logged.
	Committed []Proposal
	// Disk is to be made durable, in order, each before the next; Synced says how far that is.
	Disk []Disk
	// Notify are notifications for peers: a newer one takes the place of an older one that has not left.
	Notify []Notify
	// Send are packets. A Snap among them is followed on its link by the stream of the tree as it is now, and one with a Passage by that,
	// before anything else. Whoever sends or reads the stream ends the link if it stands still: the Core sets no limit to it.
	Send []Send
	// Search asks what the log on disk has for learners that lag; Found answers each, in any order and at any time.
	Search []Search
	// Dial asks for a connection to a leader's quorum port, tried until LinkUp or LinkDown is due; at most one at a time.
	Dial *Dial
	// Close are links to be closed, behind what was sent on them. Closing one that is being dialled ends the dial.
	Close []Link
	// Upper are packets that concern sessions and requests, not the agreement: Request, Revalidate, Ping with Touched of
	// learners; Revalidated, SyncDone, Ping of a leader.
	Upper []Upper
	// Config is set when the committed or the last seen configuration has changed. It has to be durable before what is in Disk.
	Config *Configs
	// Trace is what happened, in words, for the log and for transcripts.
	Trace []string
}

// Empty tells that there is nothing to do.
func (r *Ready) Empty() bool {
	return r.Role == nil && r.Dial == nil && r.Config == nil && len(r.Committed) == 0 && len(r.Disk) == 0 && len(r.Notify) == 0 &&
		len(r.Send) == 0 && len(r.Search) == 0 && len(r.Close) == 0 && len(r.Upper) == 0 && len(r.Trace) == 0
}

// Role is what a server is, and whether it serves clients.
type Role struct {
	State   State
	Leader  ensemble.SID // NoSID while looking
	Epoch   Epoch        // of the leader, once it is known
	Serving bool
}

// Configs are the configurations of a server. They differ between a reconfiguration's proposal and its commit.
type Configs struct {
	Committed *ensemble.Config
	LastSeen  *ensemble.Config
}

// Notify is a notification for a peer.
type Notify struct {
	To ensemble.SID
	Notification
}

// Send is a packet for a link.
type Send struct {
	Link    Link
	Packet  Packet
	Passage *Passage // what follows it on the link, of a Diff or a Trunc; nil is nothing
}

// Passage is a part of the log: behind After, up to To. Each of its proposals is sent as PROPOSAL and COMMIT. If the log turns out not to
// have it, the link is to be ended.
type Passage struct{ After, To zk.Zxid }

// Search asks where in the log a learner's Last is, and whether the log leads from there to To.
type Search struct {
	Link     Link
	Last, To zk.Zxid
}

// Upper is a packet for whoever keeps the sessions.
type Upper struct {
	Link   Link
	From   ensemble.SID // the learner, or the leader
	Packet Packet
}

// Dial asks for a link to a leader.
type Dial struct {
	Link   Link
	Leader ensemble.SID
	Budget int64 // ms in which it has to succeed
}

// Disk is one operation on the disk.
type Disk interface{ disk() }

type (
	// WriteAccepted writes acceptedEpoch.
	WriteAccepted struct{ Epoch Epoch }
	// WriteCurrent writes currentEpoch.
	WriteCurrent struct{ Epoch Epoch }
	// Append appends one proposal to the log.
	Append struct{ Proposal }
	// Truncate cuts the log back to Zxid, makes that durable, and takes the tree back to it.
	Truncate struct{ Zxid zk.Zxid }
	// Install makes the tree as it is now the server's, durably, and voids the log before it: one that was loaded from a leader, or that of an
	// observer that has logged nothing so far. A tree that was loaded and gets no Install is dropped: its link had ended.
	Install struct{ Zxid zk.Zxid }
)

func (*WriteAccepted) disk() {}
func (*WriteCurrent) disk()  {}
func (*Append) disk()        {}
func (*Truncate) disk()      {}
func (*Install) disk()       {}
