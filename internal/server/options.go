package server

import (
	"log/slog"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
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
	SnapCount          int   // txns between snapshots, about
	SnapSizeLimit      int64 // bytes of log between snapshots, about; <= 0 is off
	LogSizeLimit       int64 // bytes of one log file; <= 0 is off
	FlushDelay         time.Duration
	MaxBatchSize       int // txns for one fsync
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
	EnsembleAuthName  string
	X509SuperUser     string
	SaslSuperUsers    []string
	AllowFailedSasl   bool
	ReconfigEnabled   bool

	ContainerCheckInterval time.Duration
	ContainerMaxPerMinute  int
	ContainerMaxNeverUsed  time.Duration // 0 is never

	// What operators ask for.
	FourLetterWords []string // the whitelist; "*" is all; srvr is always in
	Version         string   // what srvr, mntr and the shell print
	Audit           bool
	Logger          *slog.Logger // nil is slog.Default()
}

// Default is a standalone server with Apache's defaults: dataDir and address are still to be set.
func Default() Options {
	return Options{
		ListenBacklog: -1, MaxClientCnxns: 60, HandshakeTimeout: 10 * time.Second,
		ServerID: 1, TickTime: 3 * time.Second,
		ForceSync: true, PreAllocSize: 64 << 20, SnapCount: 100000, SnapSizeLimit: 4 << 30, LogSizeLimit: -1, MaxBatchSize: 1000,
		FsyncWarning: time.Second, AutoCreateDataDir: true, AutoCreateDB: true, Digest: true, SnapshotLastZxid: true,
		CloseSessionPaths: true, PurgeRetain: 3,
		MaxFrame: wire.DefaultMaxFrame, MaxExtra: wire.DefaultMaxFrame, GlobalOutstandingLimit: 1000,
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

// sessionIDServer is the part of a session id that names the server.
func (o *Options) sessionIDServer() zk.SessionID { return zk.SessionID(o.ServerID) << 56 }
