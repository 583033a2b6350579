package admin

// Kind is how a metric is told.
type Kind uint8

// The kinds. A Basic summary has avg, min, max, cnt and sum, an Advanced one quantiles too.
const (
	KindGauge Kind = iota
	KindCounter
	KindBasic
	KindAdvanced
)

// Timing names a summary of durations, sizes or counts.
type Timing uint8

// The summaries, in the order of their names at Apache (ServerMetrics). A standalone server feeds few of them; the others stay
// 0, as they do at Apache.
const (
	CloseSessionPrepTime Timing = iota
	CommitCommitsQueued
	CommitProcessTime
	CommitPropagation
	CommitConcurrency
	TokenDeficit
	DBInitTime
	DeadWatchersCleanTime
	ElectionTime
	FollowerSyncTime
	FsyncTime
	InflightDiffs
	InflightSnaps
	PauseTime
	LeaderUnavailableTime
	LearnerQueueSize
	LocalWriteCommitted
	NettyBuffer
	ChangedWatches
	ChildrenWatches
	CreatedWatches
	DeletedWatches
	ObserverSyncTime
	OMCommitTime
	OMProposalTime
	PendingSessionQueue
	PrepTime
	PrepQueueSize
	PrepQueueTime
	PropagationLatency
	ProposalAckCreation
	ProposalLatency
	ProposalProcessTime
	QuorumAckLatency
	ReadsIssued
	ReadsQueued
	ReadCommitTime
	ReadFinalTime
	ReadLatency
	ReadsAfterWrite
	ReadsFromSessionQueue
	ThrottleQueueTime
	SessionQueueRequests
	RestoreTime
	ServerWriteCommitted
	SessionQueuesDrained
	SnapshotTime
	SocketClosingTime
	StartupSnapLoadTime
	StartupTxnsLoadTime
	StartupTxnsLoaded
	SyncTime
	SyncBatchSize
	SyncQueueFlushTime
	SyncFlushTime
	SyncQueueSize
	SyncQueueTime
	CommitPoolWait
	UnavailableTime
	UpdateLatency
	WriteBatchTime
	WritesIssued
	WritesQueued
	WriteCommitTime
	WriteFinalTime

	numTimings = iota
)

type summaryName struct {
	kind Kind
	name
}

var timings = [numTimings]summaryName{
	CloseSessionPrepTime:  {KindAdvanced, name{"close_session_prep_time", "ms to prepare the end of a session"}},
	CommitCommitsQueued:   {KindBasic, name{"commit_commit_proc_req_queued", "commits queued in the commit processor"}},
	CommitProcessTime:     {KindBasic, name{"commit_process_time", "ms to process a commit"}},
	CommitPropagation:     {KindAdvanced, name{"commit_propagation_latency", "ms from the leader's commit to the learner's"}},
	CommitConcurrency:     {KindBasic, name{"concurrent_request_processing_in_commit_processor", "requests processed at once"}},
	TokenDeficit:          {KindBasic, name{"connection_token_deficit", "tokens short in the connection throttle"}},
	DBInitTime:            {KindBasic, name{"dbinittime", "ms to load the data at start"}},
	DeadWatchersCleanTime: {KindAdvanced, name{"dead_watchers_cleaner_latency", "ms to remove a batch of dead watches"}},
	ElectionTime:          {KindBasic, name{"election_time", "ms from looking to a leader"}},
	FollowerSyncTime:      {KindBasic, name{"follower_sync_time", "ms to bring a follower up to date"}},
	FsyncTime:             {KindBasic, name{"fsynctime", "ms of an fsync of the log"}},
	InflightDiffs:         {KindBasic, name{"inflight_diff_count", "DIFFs under way at once"}},
	InflightSnaps:         {KindBasic, name{"inflight_snap_count", "SNAPs under way at once"}},
	PauseTime:             {KindAdvanced, name{"jvm_pause_time_ms", "ms for which the whole process stood still"}},
	LeaderUnavailableTime: {KindBasic, name{"leader_unavailable_time", "ms from winning an election to leading"}},
	LearnerQueueSize:      {KindBasic, name{"learner_request_processor_queue_size", "requests in the learner's queue"}},
	LocalWriteCommitted:   {KindAdvanced, name{"local_write_committed_time_ms", "ms that a committed write of this server waited to be applied"}},
	NettyBuffer:           {KindBasic, name{"netty_queued_buffer_capacity", "bytes of the buffers of input that had to wait"}},
	ChangedWatches:        {KindBasic, name{"node_changed_watch_count", "watches fired by a change of data"}},
	ChildrenWatches:       {KindBasic, name{"node_children_watch_count", "watches fired by a change of children"}},
	CreatedWatches:        {KindBasic, name{"node_created_watch_count", "watches fired by a creation"}},
	DeletedWatches:        {KindBasic, name{"node_deleted_watch_count", "watches fired by a deletion"}},
	ObserverSyncTime:      {KindBasic, name{"observer_sync_time", "ms to bring an observer up to date"}},
	OMCommitTime:          {KindAdvanced, name{"om_commit_process_time_ms", "ms to process a commit in the observer master"}},
	OMProposalTime:        {KindAdvanced, name{"om_proposal_process_time_ms", "ms to process a proposal in the observer master"}},
	PendingSessionQueue:   {KindBasic, name{"pending_session_queue_size", "sessions that wait for a commit"}},
	PrepTime:              {KindBasic, name{"prep_process_time", "ms to prepare a request"}},
	PrepQueueSize:         {KindBasic, name{"prep_processor_queue_size", "requests waiting to be prepared"}},
	PrepQueueTime:         {KindAdvanced, name{"prep_processor_queue_time_ms", "ms that a request waited to be prepared"}},
	PropagationLatency:    {KindAdvanced, name{"propagation_latency", "ms from the arrival of a write at the leader to its application here"}},
	ProposalAckCreation:   {KindAdvanced, name{"proposal_ack_creation_latency", "ms from the proposal to the ack of it"}},
	ProposalLatency:       {KindAdvanced, name{"proposal_latency", "ms from the proposal at the leader to its receipt here"}},
	ProposalProcessTime:   {KindBasic, name{"proposal_process_time", "ms to process a proposal"}},
	QuorumAckLatency:      {KindAdvanced, name{"quorum_ack_latency", "ms from the proposal to its quorum of acks"}},
	ReadsIssued:           {KindBasic, name{"read_commit_proc_issued", "reads passed on by the commit processor"}},
	ReadsQueued:           {KindBasic, name{"read_commit_proc_req_queued", "reads queued in the commit processor"}},
	ReadCommitTime:        {KindAdvanced, name{"read_commitproc_time_ms", "ms that a read spent in the commit processor"}},
	ReadFinalTime:         {KindAdvanced, name{"read_final_proc_time_ms", "ms to answer a read"}},
	ReadLatency:           {KindAdvanced, name{"readlatency", "ms from the arrival of a read to its reply"}},
	ReadsAfterWrite:       {KindBasic, name{"reads_after_write_in_session_queue", "reads of a session right behind its write"}},
	ReadsFromSessionQueue: {KindBasic, name{"reads_issued_from_session_queue", "reads of a session passed on at once"}},
	ThrottleQueueTime:     {KindAdvanced, name{"request_throttle_queue_time_ms", "ms that a request spent in the throttle"}},
	SessionQueueRequests:  {KindBasic, name{"requests_in_session_queue", "requests in a session's queue"}},
	RestoreTime:           {KindBasic, name{"restore_time", "ms of a restore by the admin server"}},
	ServerWriteCommitted:  {KindAdvanced, name{"server_write_committed_time_ms", "ms that a committed write of another server waited to be applied"}},
	SessionQueuesDrained:  {KindBasic, name{"session_queues_drained", "sessions' queues drained at once"}},
	SnapshotTime:          {KindBasic, name{"snapshottime", "ms to write a snapshot"}},
	SocketClosingTime:     {KindBasic, name{"socket_closing_time", "ms to close the socket to a learner"}},
	StartupSnapLoadTime:   {KindBasic, name{"startup_snap_load_time", "ms to load the snapshot at start"}},
	StartupTxnsLoadTime:   {KindBasic, name{"startup_txns_load_time", "ms to replay the log at start"}},
	StartupTxnsLoaded:     {KindBasic, name{"startup_txns_loaded", "txns replayed at start"}},
	SyncTime:              {KindBasic, name{"sync_process_time", "ms to flush a batch to the log and pass it on"}},
	SyncBatchSize:         {KindBasic, name{"sync_processor_batch_size", "txns in one flush of the log"}},
	SyncQueueFlushTime:    {KindAdvanced, name{"sync_processor_queue_and_flush_time_ms", "ms from the log's queue to the end of the flush"}},
	SyncFlushTime:         {KindAdvanced, name{"sync_processor_queue_flush_time_ms", "ms that a txn waited for the flush of its batch"}},
	SyncQueueSize:         {KindBasic, name{"sync_processor_queue_size", "txns waiting for the log"}},
	SyncQueueTime:         {KindAdvanced, name{"sync_processor_queue_time_ms", "ms that a txn waited for the log"}},
	CommitPoolWait:        {KindBasic, name{"time_waiting_empty_pool_in_commit_processor_read_ms", "ms that the commit processor waited for its workers"}},
	UnavailableTime:       {KindBasic, name{"unavailable_time", "ms without service between two terms of one"}},
	UpdateLatency:         {KindAdvanced, name{"updatelatency", "ms from the arrival of a write to its reply"}},
	WriteBatchTime:        {KindBasic, name{"write_batch_time_in_commit_processor", "ms to pass on a batch of writes"}},
	WritesIssued:          {KindBasic, name{"write_commit_proc_issued", "writes passed on by the commit processor"}},
	WritesQueued:          {KindBasic, name{"write_commit_proc_req_queued", "writes queued in the commit processor"}},
	WriteCommitTime:       {KindAdvanced, name{"write_commitproc_time_ms", "ms that a write spent in the commit processor"}},
	WriteFinalTime:        {KindAdvanced, name{"write_final_proc_time_ms", "ms to apply and answer a write"}},
}

// TimingSet names summaries that differ by a key.
type TimingSet uint8

// The sets of summaries.
const (
	AckLatency        TimingSet = iota // by server id
	LearnerPacketSize                  // by server id
	LearnerPacketTime                  // by server id
	ReadBytes                          // by namespace, the first name of the path
	WriteBytes                         // by namespace

	numTimingSets = iota
)

var timingSets = [numTimingSets]summaryName{
	AckLatency:        {KindAdvanced, name{"ack_latency", "ms from the proposal to a server's ack, by server"}},
	LearnerPacketSize: {KindBasic, name{"learner_handler_qp_size", "packets queued for a learner, by server"}},
	LearnerPacketTime: {KindAdvanced, name{"learner_handler_qp_time_ms", "ms that a packet waited for a learner, by server"}},
	ReadBytes:         {KindBasic, name{"read_per_namespace", "bytes of path, data and stat read, by top namespace"}},
	WriteBytes:        {KindBasic, name{"write_per_namespace", "bytes of path and data written, by top namespace"}},
}
