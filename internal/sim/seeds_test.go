package sim

import "testing"

// Seeds that have failed, each with the bug that it found. What a seed does changes with the simulator; the bug has a test of its own
// beside the code that had it.
var found = []struct {
	seed   uint64
	faults []Fault
	bug    string
}{
	{1055, []Fault{LinkReset, SlowDisk}, "CommitDurable: ACKs that a follower had sent before TRUNC counted (zab.TestAcksBeforeTruncDoNotCount)"},
	{5180, []Fault{LinkReset, SlowDisk, Delay, Crash}, "SessionFIFO: a write was applied before a sync that was asked earlier (zab.TestACommitAnswersEarlierQuestions)"},
	{59, []Fault{Reconfiguration, ClientDrop}, "ConfigChain: a configuration that was under way was told in NEWLEADER and taken for committed (zab, comes-meanwhile)"},
	{29, []Fault{Reconfiguration, ClientDrop}, "ConfigChain: a configuration whose proposal was never logged came into force (zab, never-logged)"},
	{32, []Fault{Reconfiguration, ClientDrop}, "Liveness: a voter to be was in a later round (zab, two-quorums-two-rounds)"},
	{11, []Fault{Reconfiguration, ClientDrop}, "Liveness: the only voter's quorum port moved (server.TestTheQuorumPortOfTheOnlyVoterMoves)"},
	{10, allFaults(), "Liveness: what was proposed during a change waited for who had left (zab, who-has-left-is-not-waited-for)"},
	{140, allFaults(), "Sweep: a znode was deleted whose data had just been set (prep.TestSweepSeesWhatIsDecided)"},
	{90, allFaults(), "PrimaryIntegrity: of the checker, a leader established late"},
	{258, allFaults(), "Liveness: a configuration that nobody else had seen kept a server out (zab, seen-by-nobody-else)"},
	{904, allFaults(), "Liveness: who had no weight kept the vote that a change on its way needed (zab, weight-0-and-needed)"},
	{1151, allFaults(), "DurableAck: of the checker, a change of the configuration in the same step"},
	{1868, allFaults(), "Liveness: a voter to be did not ask again while the leader waited for it (zab, election.propose)"},
	{2592, allFaults(), "LogContiguous: of the checker, a snapshot of a txn that others have logged"},
	{180055, []Fault{Reconfiguration, Blackout, Crash, LinkReset, Delay}, "CommitDurable: who was removed and came back led in an old configuration (zab.TestALogRecallsItsChanges)"},
	{170406, allFaults(), "VoteTruth: of the checker, what a peer said of a server"},
	{200553, allFaults(), "Liveness: a voter to be had logged more than the only candidate (zab, longer-log-and-no-candidate)"},
	{230041, []Fault{Reconfiguration, Blackout, Crash, Pause, OneWay, ClientDrop}, "ConfigChain: a follower told its observer what was not committed (zab.TestAFollowerTellsWhatIsCommitted)"},
	{315703, allFaults(), "Agreement: of the checker, an observer shows what its own disk does not have yet"},
	{505856, allFaults(), "Liveness: a leader that was gone was elected for ever (zab, a-stranger-and-the-leader-that-was)"},
	{509364, allFaults(), "Liveness: the same"},
	{502084, allFaults(), "Liveness: of the simulator, a change that reached a leader when the quorum was drawn already"},
	{507448, allFaults(), "Liveness: of the simulator, a member that knew none of those who were left"},
	{700961, allFaults(), "Liveness: of the simulator, a change that was proposed when all were healed gave a vote to a server that was kept down"},
	{1067, []Fault{LinkReset, SlowDisk}, "CommitDurable: the same"},
}

func TestFoundSeeds(t *testing.T) {
	for _, f := range found {
		run(t, Options{Seed: f.seed, Faults: f.faults})
	}
}

func allFaults() []Fault {
	all, _ := ParseFaults("all")
	return all
}
