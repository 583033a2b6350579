package server

import (
	"log/slog"
	"time"

	"github.com/zooid-io/zooid/internal/sysmon"
	"github.com/zooid-io/zooid/internal/wire"
)

// Options are everything that a server can be told. The zero value serves nothing yet: call Default, or let package config
// make one from a zoo.cfg. Durations that ZooKeeper gives in ms are time.Duration here; a field that is a count or a size
// says so.
type Options struct {
	// Where to listen. Empty ClientAddr is "no plain client port".
	ClientAddr       string        // host:port; port 0 takes a free one
	ListenBacklog    int           // clientPortListenBacklog; -1 is the system's default
	MaxClientCnxns   int           // connections per source address, 0 is no limit
	MaxCnxns         int           // connections in all, 0 is no limit
	ClientKeepAlive  bool          // clientTcpKeepAlive
	HandshakeTimeout time.Duration // a connection without a session is closed after this

	// Where to keep data.
	DataDir    string // parent of version-2 with the snapshots
	DataLogDir string // parent of version-2 with the logs; empty is DataDir

	ServerID          int64 // the high byte of session ids; standalone uses 1
	TickTime          time.Duration
	MinSessionTimeout time.Duration // 0 is 2 ticks
	MaxSessionTimeout time.Duration // 0 is 20 ticks

	// The log and the snapshots. Sizes in bytes.
	ForceSync          bool // false acknowledges what only the operating system has; forceSync=no
	PreAllocSize       int64
	SnapCount          int           // txns between snapshots, about
	SnapSizeLimit      int64         // bytes of log between snapshots, about; <= 0 is off
	LogSizeLimit       int64         // bytes of one log file; <= 0 is off
	FlushDelay         time.Duration // from one fsync to the next, at most, while records keep coming; 0 waits for none
	FlushPoll          time.Duration // with a FlushDelay, the longest wait for one more record; negative is a third of FlushDelay
	MaxBatchSize       int           // txns for one fsync; <= 0 is no limit
	FsyncWarning       time.Duration
	SnapshotMethod     string // "", "gz" or "snappy"
	TrustEmptySnapshot bool
	AutoCreateDataDir  bool
	AutoCreateDB       bool
	Digest             bool
	SnapshotLastZxid   bool          // serializeLastProcessedZxid.enabled
	CloseSessionPaths  bool          // closeSessionTxn.enabled
	PurgeInterval      time.Duration // 0 is never
	PurgeRetain        int           // snapshots to keep, at least 3

	// Limits.
	MaxFrame               int // jute.maxbuffer: the longest request, bytes
	MaxExtra               int // jute.maxbuffer.extrasize
	GlobalOutstandingLimit int // requests in flight in all before reading stops
	LargeRequestThreshold  int // bytes; a longer frame counts as large; -1 is off
	LargeRequestMaxBytes   int // bytes of large frames in flight in all; one too many closes its connection; 100 MiB

	// The request throttle: a queue before the server takes a request (client protocol, section 2.16).
	RequestThrottleMax       int           // requests that may be in process at once; 0 is off
	RequestThrottleStall     time.Duration // how often a waiting request looks again; 100 ms
	RequestThrottleDropStale bool          // drop what a dead connection left behind, and all that follows from it; true
	StaleConnectionCheck     bool          // a request is stale when its connection is gone; true
	StaleLatencyCheck        bool          // a request is stale when it waited longer than its session's timeout; false
	ThrottledOpWait          time.Duration // a longer wait in that queue answers ThrottledOp instead; 0 is off

	ConnThrottle ConnThrottle // handshakes, by tokens

	// Trees and rights.
	ExtendedTypes     bool // TTL nodes
	Emulate353TTL     bool
	EnforceQuota      bool
	SkipACL           bool
	EagerACLCheck     bool
	SuperDigest       string // "super:base64"
	DigestAuth        bool
	DigestAlg         string   // SHA1 unless configured
	EnforceAuth       []string // schemes of which a connection must hold one; empty is no enforcement
	LetAnySaslUserDoX string
	EnsembleAuth      bool // scheme ensemble is known: authProvider.N names its class
	EnsembleAuthName  string
	X509SuperUser     string
	SaslSuperUsers    []string
	AllowFailedSasl   bool
	ReconfigEnabled   bool
	ReadOnlyMode      bool // readonlymode.enabled; a voter without a quorum answers reads; false

	ContainerCheckInterval time.Duration
	ContainerMaxPerMinute  int
	ContainerMaxNeverUsed  time.Duration // 0 is never

	Ensemble *EnsembleOptions // nil is a standalone server

	// What operators ask for.
	FourLetterWords []string // the whitelist; "*" is all; srvr is always in
	Version         string   // what srvr, mntr and the shell print
	Audit           bool
	Logger          *slog.Logger // nil is slog.Default()

	// Monitor is told when there is much to do; nil in a process that is not the server's alone.
	Monitor *sysmon.Keeper
}

// ConnThrottle is a token bucket on ConnectRequest, with random dropping (BLUE) on top. A refused handshake is closed without
// a reply. The defaults are those of Apache's BlueThrottle; client protocol, section 2.16, has the rule.
type ConnThrottle struct {
	Tokens        int           // size of the bucket; 0 is off, and the default
	FillTime      time.Duration // refill after this long; 1 ms
	FillCount     int           // tokens for one refill; 1
	FreezeTime    time.Duration // between two changes of the chance to drop; negative is no random dropping; -1 ms
	DropIncrease  float64       // added to the chance while the bucket is empty; 0.02
	DropDecrease  float64       // taken from the chance while the bucket is full enough; 0.002
	DecreaseRatio float64       // full enough: at most this part of the bucket is missing; 0
	Weighted      bool          // a handshake costs by its kind, and bucket and refill grow by GlobalWeight; false
	GlobalWeight  int           // cost of a new session; 3
	LocalWeight   int           // cost of a new local session; 1
	RenewWeight   int           // cost of resuming; 2
}

// Default is a standalone server with Apache's defaults: dataDir and address are still to be set.
func Default() Options {
	return Options{
		ListenBacklog: -1, MaxClientCnxns: 60, HandshakeTimeout: 10 * time.Second,
		ServerID: 1, TickTime: 3 * time.Second,
		ForceSync: true, PreAllocSize: 64 << 20, SnapCount: 100000, SnapSizeLimit: 4 << 30, LogSizeLimit: -1, FlushPoll: -1,
		MaxBatchSize: 1000, FsyncWarning: time.Second, AutoCreateDataDir: true, AutoCreateDB: true, Digest: true, SnapshotLastZxid: true,
		CloseSessionPaths: true, PurgeRetain: 3,
		MaxFrame: wire.DefaultMaxFrame, MaxExtra: wire.DefaultMaxFrame, GlobalOutstandingLimit: 1000,
		LargeRequestThreshold: -1, LargeRequestMaxBytes: 100 << 20,
		RequestThrottleStall: 100 * time.Millisecond, RequestThrottleDropStale: true, StaleConnectionCheck: true,
		ConnThrottle: ConnThrottle{
			FillTime: time.Millisecond, FillCount: 1, FreezeTime: -time.Millisecond,
			DropIncrease: 0.02, DropDecrease: 0.002, GlobalWeight: 3, LocalWeight: 1, RenewWeight: 2,
		},
		DigestAuth: true, DigestAlg: "SHA1",
		ContainerCheckInterval: time.Minute, ContainerMaxPerMinute: 10000,
		Version: "3.9.5-zooid", FourLetterWords: []string{"srvr"},
	}
}

// SessionLimits are the bounds of a negotiated timeout.
func (o *Options) SessionLimits() (least, most time.Duration) {
	least, most = o.MinSessionTimeout, o.MaxSessionTimeout
	if least <= 0 {
		least = 2 * o.TickTime
	}
	if most <= 0 {
		most = 20 * o.TickTime
	}
	return least, most
}
