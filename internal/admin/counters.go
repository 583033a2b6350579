package admin

// Counter names a number that only grows until srst.
type Counter uint8

// The counters, in the order of their names at Apache (ServerMetrics). Those of its queues, processors and caches that have no
// counterpart here stay 0.
const (
	AddDeadWatcherStallTime Counter = iota
	BytesReceived
	ClosedWithoutServer
	Commits
	ConnectionsDropped
	ConnectionsRejected
	ConnectRequests
	ConnectionsRevalidated
	DeadWatchersCleared
	DeadWatchersQueued
	Diffs
	DigestMismatches
	EnsembleAuthFail
	EnsembleAuthSkip
	EnsembleAuthSuccess
	InsecureAdmin
	LargeRequestsRejected
	LearnerCommitsReceived
	LearnerProposalsReceived
	Looking
	OutstandingChangesQueued
	OutstandingChangesRemoved
	PrepQueued
	Proposals
	DisloyalVoter
	CommitsQueued
	ThrottleWaits
	NotForwarded
	ResponseBytes
	ResponseCacheHits
	ResponseCacheMisses
	ChildrenCacheHits
	ChildrenCacheMisses
	RestoreErrors
	RestoreRateLimited
	Revalidations
	SessionlessExpired
	SkippedLearnerRequests
	Snaps
	SnapshotErrors
	SnapshotRateLimited
	StaleReplies
	StaleRequests
	StaleRequestsDropped
	SessionsExpired
	SyncQueued
	ThrottledOps
	HandshakesExceeded
	UnrecoverableErrors
	HandshakesFailed
	WatchBytes

	numCounters = iota
)

var counters = [numCounters]name{
	AddDeadWatcherStallTime:   {"add_dead_watcher_stall_time", "ms that adding a dead watcher had to wait"},
	BytesReceived:             {"bytes_received_count", "bytes of frames and commands from clients"},
	ClosedWithoutServer:       {"cnxn_closed_without_zk_server_running", "connections closed because the server did not serve"},
	Commits:                   {"commit_count", "proposals committed, on a leader"},
	ConnectionsDropped:        {"connection_drop_count", "client connections that broke or were closed by the server"},
	ConnectionsRejected:       {"connection_rejected", "client connections refused at a limit"},
	ConnectRequests:           {"connection_request_count", "handshakes of clients"},
	ConnectionsRevalidated:    {"connection_revalidate_count", "sessions that clients brought back"},
	DeadWatchersCleared:       {"dead_watchers_cleared", "watches of closed connections removed"},
	DeadWatchersQueued:        {"dead_watchers_queued", "watches of closed connections to be removed"},
	Diffs:                     {"diff_count", "learners brought up to date by a DIFF"},
	DigestMismatches:          {"digest_mismatches_count", "txns after which the tree's digest differed from the leader's"},
	EnsembleAuthFail:          {"ensemble_auth_fail", "clients that named another ensemble"},
	EnsembleAuthSkip:          {"ensemble_auth_skip", "clients that named an ensemble where none is configured"},
	EnsembleAuthSuccess:       {"ensemble_auth_success", "clients that named this ensemble"},
	InsecureAdmin:             {"insecure_admin_count", "plain connections to the admin port"},
	LargeRequestsRejected:     {"large_requests_rejected", "requests refused because large ones were in flight"},
	LearnerCommitsReceived:    {"learner_commit_received_count", "commits received from the leader"},
	LearnerProposalsReceived:  {"learner_proposal_received_count", "proposals received from the leader"},
	Looking:                   {"looking_count", "times this server looked for a leader"},
	OutstandingChangesQueued:  {"outstanding_changes_queued", "znode changes prepared and not yet applied, added"},
	OutstandingChangesRemoved: {"outstanding_changes_removed", "znode changes prepared and not yet applied, removed"},
	PrepQueued:                {"prep_processor_request_queued", "requests queued to be prepared"},
	Proposals:                 {"proposal_count", "proposals made, on a leader"},
	DisloyalVoter:             {"quit_leading_due_to_disloyal_voter", "times a leader left because its voters followed another"},
	CommitsQueued:             {"request_commit_queued", "commits queued to be applied"},
	ThrottleWaits:             {"request_throttle_wait_count", "requests that waited in the throttle"},
	NotForwarded:              {"requests_not_forwarded_to_commit_processor", "requests that skipped the commit processor"},
	ResponseBytes:             {"response_bytes", "bytes of replies to clients"},
	ResponseCacheHits:         {"response_packet_cache_hits", "getData replies from the cache"},
	ResponseCacheMisses:       {"response_packet_cache_misses", "getData replies not in the cache"},
	ChildrenCacheHits:         {"response_packet_get_children_cache_hits", "getChildren2 replies from the cache"},
	ChildrenCacheMisses:       {"response_packet_get_children_cache_misses", "getChildren2 replies not in the cache"},
	RestoreErrors:             {"restore_error_count", "restores by the admin server that failed"},
	RestoreRateLimited:        {"restore_rate_limited_count", "restores by the admin server refused for their rate"},
	Revalidations:             {"revalidate_count", "sessions that learners asked the leader about"},
	SessionlessExpired:        {"sessionless_connections_expired", "connections closed because no handshake came"},
	SkippedLearnerRequests:    {"skip_learner_request_to_next_processor_count", "learners' requests not processed further"},
	Snaps:                     {"snap_count", "learners brought up to date by a SNAP"},
	SnapshotErrors:            {"snapshot_error_count", "snapshots by the admin server that failed"},
	SnapshotRateLimited:       {"snapshot_rate_limited_count", "snapshots by the admin server refused for their rate"},
	StaleReplies:              {"stale_replies", "replies to connections that were gone"},
	StaleRequests:             {"stale_requests", "requests that were late or whose connection was gone"},
	StaleRequestsDropped:      {"stale_requests_dropped", "the stale requests that were dropped"},
	SessionsExpired:           {"stale_sessions_expired", "sessions that expired"},
	SyncQueued:                {"sync_processor_request_queued", "txns queued for the log"},
	ThrottledOps:              {"throttled_ops", "requests answered with ThrottledOp"},
	HandshakesExceeded:        {"tls_handshake_exceeded", "connections refused because too many TLS handshakes were under way"},
	UnrecoverableErrors:       {"unrecoverable_error_count", "errors that ended the server"},
	HandshakesFailed:          {"unsuccessful_handshake", "TLS handshakes that failed"},
	WatchBytes:                {"watch_bytes", "bytes of notices to clients"},
}

// name is a metric's name at Apache, without zk_, and what it means.
type name struct{ name, help string }

// CounterSet names counters that differ by a key.
type CounterSet uint8

// The sets of counters.
const (
	QuotaExceeded CounterSet = iota // by namespace, the first name of the path

	numCounterSets = iota
)

var counterSets = [numCounterSets]name{
	QuotaExceeded: {"quota_exceeded_error_per_namespace", "writes beyond a quota, by top namespace"},
}
