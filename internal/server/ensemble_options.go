package server

import (
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/peer"
)

// EnsembleOptions are what a member of an ensemble is told beside the rest of Options: ensemble protocol, sections 1.4 and 8.2.
// Limits are ticks, Options.TickTime each. Call DefaultEnsemble, or let package config make one.
type EnsembleOptions struct {
	SID    ensemble.SID     // from myid; Config lists it
	Config *ensemble.Config // the members when the server starts: committed, or a joiner's first
	Next   *ensemble.Config // what was proposed and not decided when it stopped, of a higher version; nil without

	// StaticFile is zoo.cfg as it was given, beside which dynamic files are written; empty is nowhere to write. DynamicFile is
	// where Config was read; empty if it stood in StaticFile. ensemble.File and its neighbours make the texts.
	StaticFile, DynamicFile string

	ReconfigEnabled   bool // reconfigEnabled, the same as in Options; false
	StandaloneEnabled bool // standaloneEnabled: no reconfiguration may leave fewer than two voters; true

	InitLimit    int // to connect to a leader and to be in sync
	SyncLimit    int // to lag behind
	ConnectLimit int // connectToLearnerMasterLimit: to connect to a leader; never 0, if not set InitLimit

	// Election.
	MinNotification time.Duration // fastleader.minNotificationInterval: until a notification is sent again; 200 ms
	MaxNotification time.Duration // fastleader.maxNotificationInterval: it doubles up to this; 60 s
	CnxTimeout      time.Duration // cnxTimeout: to connect to a peer; 5 s
	BindRetry       int           // electionPortBindRetry: attempts to listen, 1 s apart; 0 is for ever; 3
	ListenOnAllIPs  bool          // quorumListenOnAllIPs: listen on the wildcard instead of the own line's host; false

	// Synchronization of learners.
	CommitLogCount int  // txns kept in memory for learners that lag; at least 500, the default
	ForceSnapshot  bool // forceSnapshotSync: send a snapshot whatever a learner lacks; false
	// SnapshotSizeFactor is the part of a snapshot's size up to which the log is sent in its place: snapshotSizeFactor; 0 is whatever the
	// size, negative is never; 0.33.
	SnapshotSizeFactor float64
	MaxSnapSyncs       int // leader.maxConcurrentSnapSyncs: learners that are sent snapshots at once, beyond which observers wait; 0 is no limit; 10
	MaxDiffSyncs       int // leader.maxConcurrentDiffSyncs: the same, differences; 100

	// Sessions that only one member knows; the same on all members.
	LocalSessions          bool // localSessionsEnabled: new sessions are local; false
	LocalSessionsUpgrading bool // localSessionsUpgradingEnabled: they become the ensemble's with their first ephemeral; false

	// Members with several addresses: ensemble protocol, section 2.5.
	MultiAddress bool // multiAddress.enabled: a reconfiguration may have them, and peers are told all of this server's own; false
	// AnswerTimeout is until votes that a member with several addresses leaves unanswered are sent to another of them:
	// multiAddress.reachabilityCheckTimeoutMs, and 0, never, without multiAddress.reachabilityCheckEnabled; 1 s.
	AnswerTimeout time.Duration

	Dial peer.Dialer // connects to the ports of other members; nil is net.Dialer's; package zktest cuts here

	SyncEnabled  bool // syncEnabled: an observer logs what it is told, and so writes snapshots; true
	LeaderServes bool // leaderServes: the leader has clients too; true
	// ObserverMasterPort is where followers serve observers, and where observers look for them: observerMasterPort; 0 is nowhere.
	ObserverMasterPort int
	// ObserverMasterLimit is how many bytes of commits may wait for an observer of a follower; beyond it is sent away, and comes again:
	// observerMaster.sizeLimit; 32 MiB.
	ObserverMasterLimit int
}

// DefaultEnsemble has Apache's defaults; who the members are, and the limits, for which there is none, are still to be set.
func DefaultEnsemble() EnsembleOptions {
	return EnsembleOptions{
		StandaloneEnabled: true,
		MinNotification:   200 * time.Millisecond, MaxNotification: time.Minute, CnxTimeout: 5 * time.Second, BindRetry: 3,
		CommitLogCount: 500, SnapshotSizeFactor: 0.33, MaxSnapSyncs: 10, MaxDiffSyncs: 100, SyncEnabled: true,
		LeaderServes: true, AnswerTimeout: time.Second, ObserverMasterLimit: 32 << 20,
	}
}

// localSessions tells whether new sessions are local ones: a server alone has none.
func (o *Options) localSessions() bool { return o.Ensemble != nil && o.Ensemble.LocalSessions }
