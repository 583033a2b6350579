package sim

import (
	"bytes"

	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// Plant is the name of a bug that is built into the driver on purpose, to see that a checker catches it.
type Plant string

// The bugs.
const (
	WrongEpoch      Plant = "wrong-epoch"
	AlteredProposal Plant = "altered-proposal"
	EarlySynced     Plant = "early-synced"
	UnsyncedDisk    Plant = "unsynced-disk"
	ForgottenEpoch  Plant = "forgotten-epoch"
	LostPacket      Plant = "lost-packet"
	SwappedReplies  Plant = "swapped-replies"
	CachedRead      Plant = "cached-read"
	TamperedTree    Plant = "tampered-tree"
	LostNotice      Plant = "lost-notice"
	RepeatedNotice  Plant = "repeated-notice"
	LostSession     Plant = "lost-session"
	HastySync       Plant = "hasty-sync"
	HastyReply      Plant = "hasty-reply"
	DeafServer      Plant = "deaf-server"
	ForgottenConfig Plant = "forgotten-config"
	HastyConfig     Plant = "hasty-config"
	GlobalSession   Plant = "global-session"
	HastySweep      Plant = "hasty-sweep"
	ReadOnlyWrite   Plant = "read-only-write"
	ReadOnlyRead    Plant = "read-only-read"
	ReadOnlyTxn     Plant = "read-only-txn"
	ReadOnlySession Plant = "read-only-session"
	BrokenPromise   Plant = "broken-promise"
	HastyNewcomer   Plant = "hasty-newcomer"
	ShortPassage    Plant = "short-passage"
)

// Plants are all of them, with the checkers that have to catch each.
var Plants = []struct {
	Name     Plant
	Does     string
	Checkers []string
}{
	{WrongEpoch, "a leader begins under the epoch of the leader before", []string{"Leadership"}},
	{AlteredProposal, "a byte of a proposal to one server is another", []string{"PrefixConsistency", "Integrity", "Agreement"}},
	{EarlySynced, "Synced is said before the disk has done anything", []string{"CommitDurable", "AckTruth", "VoteTruth", "DurableAck"}},
	{UnsyncedDisk, "the store does not wait for the disk", []string{"LogContiguous", "PrimaryIntegrity"}},
	{ForgottenEpoch, "epochs are said to be written, and are not", []string{"EpochMonotone"}},
	{ForgottenConfig, "the files that name the members are not written", []string{"ConfigChain"}},
	{HastyConfig, "a start takes the configuration that was proposed for committed", []string{"ConfigChain"}},
	{LostPacket, "a link loses a proposal", []string{"ZxidGapless", "CommitFollowsProposal"}},
	{SwappedReplies, "a reply overtakes the one before", []string{"SessionFIFO"}},
	{CachedRead, "a server answers a read with what it has answered to another", []string{"SessionMonotone"}},
	{TamperedTree, "one server's tree is changed without a txn", []string{"DigestAgreement", "ReadTruth"}},
	{LostNotice, "a notice is lost", []string{"WatchBeforeData", "PersistentWatch"}},
	{RepeatedNotice, "a notice is sent twice", []string{"OneShot"}},
	{GlobalSession, "one server makes local sessions the ensemble's", []string{"LocalSession"}},
	{HastySweep, "a leader's clock is ahead when it looks for what is to go", []string{"Sweep"}},
	{LostSession, "one server forgets a session that owns something", []string{"EphemeralsEnd"}},
	{HastySync, "a server answers a sync by itself", []string{"Linearizability"}},
	{HastyReply, "a server answers a write by itself", []string{"NoLostWrite"}},
	{ReadOnlyWrite, "a read-only server answers a write by itself", []string{"ReadOnly"}},
	{ReadOnlyRead, "a read-only server answers a read with what it has answered to another", []string{"ReadOnly"}},
	{ReadOnlyTxn, "a session of a read-only server is a txn in its tree", []string{"ReadOnly"}},
	{ReadOnlySession, "the sessions of a read-only server go on when it serves again", []string{"ReadOnly"}},
	{ShortPassage, "a part of the log is sent without its end", []string{"ZxidGapless"}},
	{BrokenPromise, "acceptedEpoch is not written before currentEpoch is", []string{"PromiseOnce"}},
	{HastyNewcomer, "a server that a change makes a voter acks it before its disk has it", []string{"ConfigChain"}},
	{DeafServer, "one server hears no notifications", []string{"Liveness"}},
}

// packet may change a packet on its way.
func (p Plant) packet(w *world, to *server, x zab.Packet) zab.Packet {
	m, ok := x.(*zab.Propose)
	if !ok || p != AlteredProposal || w.proof {
		return x
	}
	t, err := txn.Decode(m.Payload)
	if err != nil {
		return x
	}
	set, ok := t.Body.(*txn.SetData)
	if !ok || len(set.Data) == 0 {
		return x
	}
	at := bytes.Index(m.Payload, set.Data)
	altered := *m
	altered.Payload, altered.Value = bytes.Clone(m.Payload), nil
	altered.Payload[at] ^= 1
	w.proof = true
	return &altered
}

// acks tells whether a server acks a proposal by itself.
func (p Plant) acks(s *server, x zab.Packet) (*zab.Ack, bool) {
	m, ok := x.(*zab.Propose)
	if !ok || p != HastyNewcomer || m.Config == nil || s.w.history.head().Votes(s.sid) || !m.Config.Votes(s.sid) {
		return nil, false
	}
	return &zab.Ack{Zxid: m.Zxid}, true
}

// loses tells whether a link loses a packet.
func (p Plant) loses(w *world, x zab.Packet) bool {
	if _, ok := x.(*zab.Propose); !ok || p != LostPacket || w.proof || !w.chance(20) {
		return false
	}
	w.proof = true
	return true
}

// disturb does something to a server behind one of its steps.
func (p Plant) disturb(s *server) {
	w := s.w
	if p == ReadOnlyTxn {
		p.begin(s)
	}
	if w.proof || !s.role.Serving || w.now < 1_000_000 {
		return
	}
	t := s.rep.Tree()
	switch p {
	case TamperedTree:
		n := t.Find("/k0")
		if n == 0 {
			return
		}
		t.Replay(&txn.Txn{Header: txn.Header{Zxid: t.LastZxid(), Type: txn.TypeSetData}, Body: &txn.SetData{Path: "/k0", Data: []byte("tampered"), Version: t.Stat(n).Version + 1}})
		w.proof = true
	case LostSession:
		for _, id := range t.EphemeralOwners() {
			s.rep.Sessions().Remove(id)
			w.proof = true
			return
		}
	}
}

// begin makes a txn of each session that a read-only server has begun, as Apache's servers did (ZOOKEEPER-3526).
func (p Plant) begin(s *server) {
	if s.spell == nil || !s.rep.ReadOnly() || len(s.spell.sessions) == 0 {
		return
	}
	t := s.rep.Tree()
	t.Replay(&txn.Txn{Header: txn.Header{Zxid: t.LastZxid() + 1, Type: txn.TypeCreateSession}, Body: &txn.CreateSession{TimeOut: 1000}})
}

// keep lets the sessions of a server's read-only mode go on.
func (p Plant) keep(s *server) {
	if p != ReadOnlySession || s.w.Local {
		return
	}
	for id, timeout := range s.spell.sessions {
		s.rep.Locals().Add(id, timeout, s.clock())
	}
}

// sends is what becomes of a frame to a client: how often it is sent.
func (p Plant) sends(w *world, e *replica.Send) int {
	if !e.Notice || e.Close {
		return 1
	}
	switch p {
	case LostNotice:
		return 0
	case RepeatedNotice:
		return 2
	}
	return 1
}

// hasty answers a request in the replica's place.
func (p Plant) hasty(s *server, k *conn, frame []byte) bool {
	if p == ReadOnlyWrite || p == ReadOnlyRead {
		if !s.rep.ReadOnly() {
			return false
		}
		p = map[Plant]Plant{ReadOnlyWrite: HastyReply, ReadOnlyRead: CachedRead}[p]
	}
	if p != HastySync && p != HastyReply && p != CachedRead || !k.rc.Ready() || k.rc.Pending() > 0 {
		return false
	}
	d := wire.Decoder{}
	h, body, err := d.Header(frame)
	if err != nil {
		return false
	}
	switch {
	case p == CachedRead && h.Type == wire.OpGetData:
		op, err := d.Body(h.Type, body)
		if err != nil {
			return false
		}
		if s.cached == nil {
			s.cached, _ = s.rep.Read(k.rc, h, op, nil)
			return false
		}
		k.answer(append(wire.Header{Xid: h.Xid}.Append(bytes.Clone(s.cached[:4]))[:8], s.cached[8:]...), false)
		return true
	case p == HastySync && h.Type == wire.OpSync:
		k.answer(wire.AppendReplyFrame(nil, h.Xid, s.rep.Tree().LastZxid(), &wire.PathReply{Path: "/"}), false)
		return true
	case p == HastyReply && h.Type == wire.OpSetData && s.rep.Tree().LastZxid() > 0:
		k.answer(wire.AppendReplyFrame(nil, h.Xid, s.rep.Tree().LastZxid()+1, &wire.StatReply{Stat: zk.Stat{}}), false)
		return true
	}
	return false
}
