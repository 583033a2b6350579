package admin

import (
	"net/netip"
	"time"

	"github.com/zooid-io/zooid/zk"
)

// Status is the state of a server as srvr, stat and mntr tell it. All of it is cheap to give.
type Status struct {
	Version     string // as in "3.9.5-zooid, built on 2026-11-22 10:00 UTC"
	State       string // standalone, leader, follower, observer or read-only
	PeerState   string // of an ensemble member, as in "leading - broadcast"; else empty
	ReadOnly    bool   // serves only read-only clients
	Zxid        zk.Zxid
	Nodes       int // as Apache counts them, the root twice: an empty tree has 5
	Connections int // alive, those without a session too
	Outstanding int // requests in flight
	Traffic     Traffic
	Proposals   *Sizes // of a leader, else nil
}

// Traffic is what srst sets back to nothing. Metrics.Traffic gives it.
type Traffic struct {
	Latency   Summary // ms from the arrival of a request to its reply
	Received  int64   // packets
	Sent      int64   // packets
	Responses Sizes   // bytes of replies
}

// Sizes are the last, smallest and largest of some buffers, in bytes; all are -1 before the first.
type Sizes struct{ Last, Min, Max int64 }

// Monitor is what only mntr tells: some of it costs a walk.
type Monitor struct {
	Uptime              time.Duration
	Watches             int
	Ephemerals          int
	DataSize            int64 // characters of all paths and bytes of all data
	GlobalSessions      int
	LocalSessions       int
	OpenFiles, MaxFiles int64 // -1 where the system does not tell; see Descriptors
	DropProbability     float64
	PendingHandshakes   int // TLS
	AuthFailed          int64
	PlainRemote         int64 // connections without a client certificate, from elsewhere
	PlainLocal          int64 // the same, from this machine
	Quotas              []Quota
	QuorumSize          int    // voters; 0 in a standalone server, which does not tell it
	ObserverMaster      *int64 // of an observer: whom it observes
	Observers           *int   // of a follower that has a port for them: those that are up to date
	Leader              *LeaderMonitor
}

// LeaderMonitor is what only a leader has to tell.
type LeaderMonitor struct {
	Learners, SyncedFollowers, SyncedNonVoting, SyncedObservers, PendingSyncs int
	Uptime                                                                    time.Duration
}

// Quota is the sum of the quotas below one child of the root; -1 is unset.
type Quota struct {
	Namespace              string // the child's name, without a slash
	CountLimit, CountUsage int64
	BytesLimit, BytesUsage int64
}

// Connection is one client connection, as cons tells it. Times are in ms.
type Connection struct {
	Remote      netip.AddrPort
	InterestOps int   // 1 reads, 4 writes, 5 both, 0 neither: what Java's selector waits for
	Queued      int64 // requests that await their reply
	Received    int64
	Sent        int64

	// The rest is told only of a connection with a session.
	Session      zk.SessionID
	LastOp       string // LastOp of the last reply; NoOp before one and after crst
	Established  int64  // wall clock
	Timeout      int
	LastXid      int64   // of the client's own requests; negative is none yet
	LastZxid     zk.Zxid // in the last reply; -1 after crst
	LastResponse int64   // on the clock that never steps
	LastLatency  int64
	MinLatency   int64
	AvgLatency   int64
	MaxLatency   int64
}

// Config is what conf tells of the configuration. Times are in ms.
type Config struct {
	ClientPort, SecureClientPort         int // -1 is none
	DataDir, DataLogDir                  string
	TickTime                             int
	MaxClientCnxns                       int
	MinSessionTimeout, MaxSessionTimeout int
	ListenBacklog                        int
	ServerID                             int64
	Quorum                               *QuorumConfig // nil in a standalone server
}

// QuorumConfig is the part of conf that an ensemble member adds.
type QuorumConfig struct {
	InitLimit, SyncLimit     int // ticks
	ElectionAlg              int
	ElectionPort, QuorumPort string // several are joined by |
	Observer                 bool
	Membership               string // the lines of the dynamic configuration, without a last newline; empty in read-only mode
}

// Dirs are the sizes of the snapshots' and the logs' directory in bytes; see DirSize.
type Dirs struct{ Data, Log int64 }

// Dump is what dump tells: who expires when, and who owns which ephemerals.
type Dump struct {
	Sessions    []SessionBucket     // of a server that tracks them: standalone or leader
	Local       []SessionBucket     // local sessions; nil where they are not enabled
	Learner     bool                // a follower or observer: Global instead of Sessions
	Global      []SessionTimeout    // by id
	Ephemerals  []SessionEphemerals // sessions that own some
	Connections []ConnectionBucket
}

// SessionBucket holds the sessions that expire together. Its time's location is the one that is printed.
type SessionBucket struct {
	Expires  time.Time
	Sessions []zk.SessionID
}

// SessionTimeout is a session that another server tracks.
type SessionTimeout struct {
	Session zk.SessionID
	Timeout int // ms
}

// SessionEphemerals are the ephemerals of one session.
type SessionEphemerals struct {
	Session zk.SessionID
	Paths   []string
}

// ConnectionBucket holds the connections that are closed together unless their clients speak.
type ConnectionBucket struct {
	Expires     time.Time
	Connections []ConnectionName
}

// ConnectionName is a connection by its address and its session, 0 before the handshake.
type ConnectionName struct {
	Remote  netip.AddrPort
	Session zk.SessionID
}

// WatchSummary is what wchs tells.
type WatchSummary struct {
	Sessions int // that hold at least one watch
	Paths    int // that are watched
	Watches  int // pairs of both
}

// SessionWatches are the paths that a session watches.
type SessionWatches struct {
	Session zk.SessionID
	Paths   []string
}

// PathWatches are the sessions that watch a path.
type PathWatches struct {
	Path     string
	Sessions []zk.SessionID
}

// Digest is the digest of the tree just after a zxid.
type Digest struct {
	Zxid   zk.Zxid
	Digest int64
}

// Property is one line of envi.
type Property struct{ Key, Value string }
