package sim

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// Checkers are the names of what is looked at, each with the file that does it and what it says.
var Checkers = []struct{ Name, Says string }{
	{"Leadership", "of each epoch at most one server becomes the established leader"},
	{"PrefixConsistency", "of any two servers' committed histories one is a prefix of the other"},
	{"Integrity", "what is committed was broadcast by the leader of its epoch, and by nobody else"},
	{"Agreement", "no two servers have each delivered what the other lacks; what one delivers first, all do (TotalOrder)"},
	{"LocalPrimaryOrder", "within an epoch, what is committed has its zxids one after the other"},
	{"GlobalPrimaryOrder", "what a lower epoch committed is before what a higher one did"},
	{"PrimaryIntegrity", "who begins to lead has delivered all that was committed before"},
	{"EpochMonotone", "acceptedEpoch and currentEpoch never fall, also not in a crash, and the second is never above the first"},
	{"PromiseOnce", "a server promises an epoch to one leader"},
	{"CommitDurable", "what is committed is on the disks of a quorum"},
	{"AckTruth", "what a server tells another that it has, or has promised, is on its disk"},
	{"VoteTruth", "who votes for itself says what is on its disk"},
	{"ZxidGapless", "the proposals on a link have zxids one after the other"},
	{"CommitFollowsProposal", "a COMMIT is of the oldest proposal of its link that is not committed"},
	{"LogContiguous", "after a crash the disk holds all that was synced, and nothing that was never written"},
	{"DurableAck", "a write is answered when it is on the disks of a quorum"},
	{"ConfigChain", "configurations come one after the other in the history; under one version there is one; a change has quorums of both"},
	{"NoLostWrite", "what was answered is in the history, as it was asked for"},
	{"SessionFIFO", "a session's requests are answered in their order"},
	{"SessionMonotone", "a session never sees an older zxid than it has seen, on whichever server"},
	{"ReadTruth", "a read shows what the znode was at the zxid that the answer says"},
	{"WatchBeforeData", "who sees a change has had the notices for it"},
	{"OneShot", "a watch yields one notice"},
	{"PersistentWatch", "a persistent watch tells all that happens while its connection lasts, in order, and once"},
	{"Sweep", "a leader deletes containers that had children, and znodes whose time is over, and only without children"},
	{"LocalSession", "no txn makes or ends a local session, unless it has become the ensemble's for its ephemerals"},
	{"EphemeralsEnd", "a znode of a session does not outlive it"},
	{"DigestAgreement", "at one zxid every server has the same tree"},
	{"ReadOnly", "a read-only server takes no write, shows what is on its disk, which stays as it is, and its sessions end with the mode"},
	{"Linearizability", "writes and synced reads of a znode are those of one register"},
	{"Liveness", "a healed quorum serves within a bounded time, and comes to one state"},
}

// said tells whether a name is a checker's. Other objections are never silent.
func said(name string) bool {
	for _, c := range Checkers {
		if c.Name == name {
			return true
		}
	}
	return false
}

// checks is what the checkers remember.
type checks struct {
	w        *world
	reigns   map[zab.Epoch]ensemble.SID
	born     map[zk.Zxid]entry        // by whom it was broadcast is checked when it comes to be
	promised map[promise]ensemble.SID // to whom
	times    map[zk.Zxid]int64        // when it was proposed, by the clock of the leader
	replies  []zk.Zxid                // of the present step
	loners   map[zk.SessionID]bool    // that a read-only server has begun
	gossip   map[rumour]bool
	chain
}

func (k *checks) init(w *world) {
	k.chain.init()
	k.gossip = map[rumour]bool{}
	k.loners = map[zk.SessionID]bool{}
	k.promised, k.times = map[promise]ensemble.SID{}, map[zk.Zxid]int64{}
	k.w, k.reigns, k.born = w, map[zab.Epoch]ensemble.SID{}, map[zk.Zxid]entry{}
}

// state looks at a server after each of its steps.
func (k *checks) state(s *server) {
	k.shows(s)
	k.configs(s) // behind what the history gets
	k.mode(s)
}

// shows looks at what a server shows that serves.
func (k *checks) shows(s *server) {
	if !s.role.Serving {
		return
	}
	z := s.rep.Tree().LastZxid()
	if z == s.shown && !s.begins {
		return
	}
	s.shown = z
	k.prefix(s, z)
	k.digest(s, z)
	k.owners(s)
	if s.begins && s.role.State == zab.Leading {
		k.leads(s)
		k.integrity(s)
	}
	s.begins = false
}

// logs looks at what a server writes into its log.
func (k *checks) logs(s *server, e entry) { k.broadcast(s, e) }

// send looks at a packet that leaves.
func (k *checks) send(s *server, o *replica.LinkOrder) {
	k.truth(s, o.Packet)
	k.promiseOnce(s, o.Packet)
}

// carried looks at what a link carries to a side.
func (k *checks) carried(p *pipe, side int, packet zab.Packet) {
	if side == 0 {
		p.said.take(k.w, p, packet)
	}
}

// restored looks at what a server finds on its disk.
func (k *checks) restored(s *server, res *store.Restored, accepted, current zab.Epoch) {
	k.found(s, res)
	k.promises(s, accepted, current)
}

// answered looks at an answer that a client gets.
func (k *checks) answered(c *client, conn *conn, a *call) {
	if conn.spell != nil {
		k.alone(c, conn, a)
		k.monotone(c, a)
		c.arm(a)
		c.last(a)
		return
	}
	k.fifo(c, conn, a)
	k.monotone(c, a)
	k.told(c, a)
	k.reads(c, a)
	k.configRead(c, a)
	k.misses(c, a)
	c.arm(a)
	c.last(a)
}

// judge looks at the whole, at the end. It gives how many histories porcupine has judged, and how many synced reads were in them.
func (w *world) judge() (histories, synced int) {
	k := &w.check
	k.agreement()
	k.order()
	k.lost()
	k.ephemerals()
	return k.linearizable()
}
