package config

import (
	"fmt"
	"strings"
)

// later is how every refusal and many warnings begin that a later release will take back.
const later = "not in this release"

func listenKeys() []Key {
	return []Key{
		parserKey("clientPort", Int, "(none)", Honoured, "the port for clients; 0 takes a free one; without it there is no plain port").
			put(func(l *loader, v Value) { l.clientPort = &v.Int }),
		parserKey("clientPortAddress", Text, "(all)", Honoured, "the address to listen on; a name is resolved once").
			put(func(l *loader, v Value) { l.clientPortAddress = &v.Text }),
		parserKey("clientPortListenBacklog", Int, "-1", Honoured, "connections that wait to be accepted; -1 leaves it to the system").
			put(func(l *loader, v Value) { l.Options.ListenBacklog = int(v.Int) }),
		parserKey("secureClientPort", Int, "(none)", Refused, later+": TLS").
			put(func(l *loader, v Value) { l.securePort = &v.Int }),
		parserKey("secureClientPortAddress", Text, "(all)", Refused, later+": TLS").
			put(func(l *loader, v Value) { l.securePortAddress = true }),
		property("client.portUnification", Flag, "false", Refused, later+": TLS; refused when true").unless(whenTrue(later + ": TLS")),
		property("clientTcpKeepAlive", Flag, "false", Honoured, "TCP keep-alive on clients' connections").
			put(func(l *loader, v Value) { l.Options.ClientKeepAlive = v.Bool }),
		property("nio.sessionlessCnxnTimeout", GetInt, "10000", Honoured, "ms; a connection without a session is closed after this").
			put(func(l *loader, v Value) { l.Options.HandshakeTimeout = millis(v.Int) }),
	}
}

func dataKeys() []Key {
	return []Key{
		parserKey("dataDir", Dir, "(required)", Honoured, "snapshots, myid").
			put(func(l *loader, v Value) { l.Options.DataDir = v.Text }),
		parserKey("dataLogDir", Dir, "(dataDir)", Honoured, "transaction logs").
			put(func(l *loader, v Value) { l.Options.DataLogDir = v.Text }),
		parserKey("tickTime", Int, "3000", Honoured, "ms; the unit of the timeouts below").
			put(func(l *loader, v Value) { l.Options.TickTime = millis(v.Int) }),
		parserKey("minSessionTimeout", Int, "-1", Honoured, "ms; -1 is 2 ticks").
			put(func(l *loader, v Value) { l.minTimeout = v.Int }),
		parserKey("maxSessionTimeout", Int, "-1", Honoured, "ms; -1 is 20 ticks").
			put(func(l *loader, v Value) { l.maxTimeout = v.Int }),
		property("datadir.autocreate", Flag, "true", Honoured, "make missing directories").
			put(func(l *loader, v Value) { l.Options.AutoCreateDataDir = v.Bool }),
		property("db.autocreate", Flag, "true", Honoured, "begin with an empty tree where there is none, without the file initialize").
			put(func(l *loader, v Value) { l.Options.AutoCreateDB = v.Bool }),
	}
}

func storageKeys() []Key {
	return []Key{
		property("forceSync", YesNo, "yes", Honoured, "no, exactly, acknowledges writes before they are on disk").
			put(func(l *loader, v Value) { l.Options.ForceSync = v.Text != "no" }),
		property("preAllocSize", LaxLng, "65536", Honoured, "KiB; log files grow in steps of this").
			put(func(l *loader, v Value) { l.Options.PreAllocSize = kib(v.Int) }),
		property("snapCount", GetInt, "100000", Honoured, "transactions between snapshots, about; below 2 is 2").
			put(func(l *loader, v Value) {
				if v.Int < 2 {
					l.warn("SnapCount should be 2 or more. Now, snapCount is reset to 2")
				}
				l.Options.SnapCount = int(max(v.Int, 2))
			}),
		property("snapSizeLimitInKb", GetLng, "4194304", Honoured, "KiB of log between snapshots, about; 0 or less is off").
			put(func(l *loader, v Value) { l.Options.SnapSizeLimit = kib(v.Int) }),
		property("txnLogSizeLimitInKb", GetLng, "-1", Honoured, "KiB of one log file; 0 or less is off").
			put(func(l *loader, v Value) {
				l.Options.LogSizeLimit = -1
				if v.Int > 0 {
					l.Options.LogSizeLimit = kib(v.Int)
				}
			}),
		property("flushDelay", GetLng, "0", Honoured, "ms; while writes keep coming, one fsync for those of so long a time").
			put(func(l *loader, v Value) { l.Options.FlushDelay = millis(v.Int) }),
		property("maxWriteQueuePollTime", GetLng, "(flushDelay/3)", Honoured, "ms; with a flushDelay: when no write comes for so long, the fsync does not wait").
			put(func(l *loader, v Value) { l.Options.FlushPoll = millis(v.Int) }),
		property("maxBatchSize", GetInt, "1000", Honoured, "transactions for one fsync; 0 or less is no limit").
			put(func(l *loader, v Value) { l.Options.MaxBatchSize = int(v.Int) }),
		property("fsync.warningthresholdms", GetLng, "1000", Honoured, "ms; a slower fsync is worth a warning").
			orProperty("fsync.warningthresholdms").
			put(func(l *loader, v Value) { l.Options.FsyncWarning = millis(v.Int) }),
		property("snapshot.trust.empty", Flag, "false", Honoured, "begin with logs but no snapshot").
			put(func(l *loader, v Value) { l.Options.TrustEmptySnapshot = v.Bool }),
		property("snapshot.compression.method", Text, "", Honoured, "gz or snappy, in any case; anything else is none").
			put(func(l *loader, v Value) {
				l.Options.SnapshotMethod = ""
				switch m := strings.ToLower(v.Text); m {
				case "gz", "snappy":
					l.Options.SnapshotMethod = m
				case "":
				default:
					l.warn("no such method: snapshots are not compressed")
				}
			}),
		property("digest.enabled", Flag, "true", Honoured, "digests of the tree in logs and snapshots").
			put(func(l *loader, v Value) { l.Options.Digest = v.Bool }),
		property("serializeLastProcessedZxid.enabled", Flag, "true", Honoured, "the last zxid at the end of snapshots").
			put(func(l *loader, v Value) { l.Options.SnapshotLastZxid = v.Bool }),
		property("closeSessionTxn.enabled", Flag, "true", Honoured, "a session's end lists its ephemerals in the log").
			put(func(l *loader, v Value) { l.Options.CloseSessionPaths = v.Bool }),
		parserKey("autopurge.snapRetainCount", Int, "3", Honoured, "snapshots to keep; below 3 is 3").
			put(func(l *loader, v Value) {
				if v.Int < 3 {
					l.warn(fmt.Sprintf("Invalid autopurge.snapRetainCount: %d. Defaulting to 3", v.Int))
				}
				l.Options.PurgeRetain = int(max(v.Int, 3))
			}),
		parserKey("autopurge.purgeInterval", Int, "0", Honoured, "hours between purges; 0 or less is never").
			put(func(l *loader, v Value) { l.Options.PurgeInterval = hours(max(v.Int, 0)) }),
	}
}

func limitKeys() []Key {
	return []Key{
		parserKey("maxClientCnxns", Int, "60", Honoured, "connections from one address; 0 is no limit").
			put(func(l *loader, v Value) { l.Options.MaxClientCnxns = int(v.Int) }),
		property("maxCnxns", GetInt, "0", Honoured, "connections in all; 0 is no limit").
			put(func(l *loader, v Value) { l.Options.MaxCnxns = int(v.Int) }),
		property("globalOutstandingLimit", GetInt, "1000", Honoured, "requests in flight in all before reading stops").
			put(func(l *loader, v Value) { l.Options.GlobalOutstandingLimit = int(v.Int) }),
		dProperty("jute.maxbuffer", GetInt, "1048575", Honoured, "bytes; the longest request").
			put(func(l *loader, v Value) { l.Options.MaxFrame = int(v.Int); l.maxBufferSet = true }),
		property("jute.maxbuffer.extrasize", GetInt, "(jute.maxbuffer)", Honoured, "bytes that a stored record may be longer; below 1024 is 1024").
			put(func(l *loader, v Value) { l.Options.MaxExtra = int(max(v.Int, 1024)); l.maxExtraSet = true }),
		property("largeRequestMaxBytes", GetInt, "104857600", Honoured, "bytes of large requests in flight in all; 0 or less is the default").
			put(func(l *loader, v Value) {
				if v.Int <= 0 {
					l.warn(fmt.Sprintf("Invalid max bytes for all large requests %d. It should be a positive number.", v.Int))
					return
				}
				l.Options.LargeRequestMaxBytes = int(v.Int)
			}),
		property("largeRequestThreshold", GetInt, "-1", Honoured, "bytes; a longer request is large; -1 is off").
			put(func(l *loader, v Value) {
				if v.Int == 0 || v.Int < -1 {
					l.warn(fmt.Sprintf("Invalid large request threshold %d. It should be -1 or positive. Setting to -1", v.Int))
					v.Int = -1
				}
				l.Options.LargeRequestThreshold = int(v.Int)
			}),
		property("request_throttle_max_requests", GetInt, "0", Honoured, "requests in process at once; others wait; 0 is off").
			or("requestThrottleLimit").
			put(func(l *loader, v Value) { l.Options.RequestThrottleMax = int(v.Int) }),
		property("request_throttle_stall_time", GetInt, "100", Honoured, "ms between two looks of a waiting request").
			or("requestThrottleStallTime").
			put(func(l *loader, v Value) { l.Options.RequestThrottleStall = millis(v.Int) }),
		property("request_throttle_drop_stale", Flag, "true", Honoured, "drop the requests of dead connections").
			or("requestThrottleDropStale").
			put(func(l *loader, v Value) { l.Options.RequestThrottleDropStale = v.Bool }),
		property("request_stale_connection_check", Flag, "true", Honoured, "a request is stale when its connection is gone").
			or("requestStaleConnectionCheck").
			put(func(l *loader, v Value) { l.Options.StaleConnectionCheck = v.Bool }),
		property("request_stale_latency_check", Flag, "false", Honoured, "a request is stale when it waited longer than its session's timeout").
			or("requestStaleLatencyCheck").
			put(func(l *loader, v Value) { l.Options.StaleLatencyCheck = v.Bool }),
		property("request_throttler.shutdownTimeout", GetInt, "10000", Ignored, "the server ends at once and loses nothing that it acknowledged").
			or("requestThrottlerShutdownTimeout"),
		property("throttled_op_wait_time", GetInt, "0", Honoured, "ms in the throttle's queue after which a request fails; 0 is off").
			or("throttledOpWaitTime").
			put(func(l *loader, v Value) { l.Options.ThrottledOpWait = millis(v.Int) }),
		property("connection_throttle_tokens", GetInt, "0", Honoured, "handshakes at once, a bucket of tokens; 0 is off").
			or("connectionMaxTokens").
			put(func(l *loader, v Value) { l.Options.ConnThrottle.Tokens = int(v.Int) }),
		property("connection_throttle_fill_time", GetInt, "1", Honoured, "ms between two refills").
			or("connectionTokenFillTime").
			put(func(l *loader, v Value) { l.Options.ConnThrottle.FillTime = millis(v.Int) }),
		property("connection_throttle_fill_count", GetInt, "1", Honoured, "tokens of one refill").
			or("connectionTokenFillCount").
			put(func(l *loader, v Value) { l.Options.ConnThrottle.FillCount = int(v.Int) }),
		property("connection_throttle_freeze_time", GetInt, "-1", Honoured, "ms between two changes of the chance to drop; -1 is off").
			or("connectionFreezeTime").
			put(func(l *loader, v Value) { l.Options.ConnThrottle.FreezeTime = millis(v.Int) }),
		property("connection_throttle_drop_increase", Float, "0.02", Honoured, "step up of that chance").
			or("connectionDropIncrease").
			put(func(l *loader, v Value) { l.Options.ConnThrottle.DropIncrease = v.Float }),
		property("connection_throttle_drop_decrease", Float, "0.002", Honoured, "step down of that chance").
			or("connectionDropDecrease").
			put(func(l *loader, v Value) { l.Options.ConnThrottle.DropDecrease = v.Float }),
		property("connection_throttle_decrease_ratio", Float, "0", Honoured, "the part of the bucket that may be missing for a step down").
			or("connectionDecreaseRatio").
			put(func(l *loader, v Value) { l.Options.ConnThrottle.DecreaseRatio = v.Float }),
		property("connection_throttle_weight_enabled", Flag, "false", Honoured, "kinds of handshakes cost differently").
			put(func(l *loader, v Value) { l.Options.ConnThrottle.Weighted = v.Bool }),
		property("connection_throttle_global_session_weight", GetInt, "3", Honoured, "tokens for a new session; 0 or less is the default").
			put(func(l *loader, v Value) { l.weight(&l.Options.ConnThrottle.GlobalWeight, "global", v.Int) }),
		property("connection_throttle_local_session_weight", GetInt, "1", Honoured, "tokens for a new local session; 0 or less is the default").
			put(func(l *loader, v Value) { l.weight(&l.Options.ConnThrottle.LocalWeight, "local", v.Int) }),
		property("connection_throttle_renew_session_weight", GetInt, "2", Honoured, "tokens for resuming; 0 or less is the default").
			put(func(l *loader, v Value) { l.weight(&l.Options.ConnThrottle.RenewWeight, "renew", v.Int) }),
	}
}

// weight is one of the connection throttle's weights: what is not positive leaves the default.
func (l *loader) weight(to *int, name string, n int64) {
	if n <= 0 {
		l.warn(fmt.Sprintf("Invalid %s session weight %d. It should be larger than 0", name, n))
		return
	}
	*to = int(n)
}

// whenTrue finds something lacking when a Flag or a Switch is on.
func whenTrue(reason string) func(Value) string {
	return func(v Value) string {
		if v.Bool {
			return reason
		}
		return ""
	}
}

func whenFalse(reason string) func(Value) string {
	return func(v Value) string {
		if v.Bool {
			return ""
		}
		return reason
	}
}
