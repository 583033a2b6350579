package config

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

func ensembleKeys() []Key {
	const tuning = later + ": this tunes ensembles"
	const sasl = later + ": SASL between members"
	const tls = later + ": TLS between members"
	return []Key{
		parserKey("server.*", Server, "(none)", Honoured, "a member of the ensemble; one alone is a standalone server"),
		parserKey("group*", Server, "(none)", Honoured, "a group of a hierarchical quorum"),
		parserKey("weight*", Server, "1", Honoured, "a member's weight in one"),
		parserKey("version", Server, "0", Honoured, "the configuration's version, hexadecimal"),
		parserKey("dynamicConfigFile", Text, "(none)", Honoured, "the file with the four keys above").
			put(func(l *loader, v Value) { l.dynamicFile = v.Text }),
		parserKey("standaloneEnabled", Switch, "true", Honoured, "false makes one member an ensemble").
			put(func(l *loader, v Value) { l.distributedOnly = !v.Bool }),
		parserKey("initLimit", Int, "(required)", Honoured, "ticks to connect and to sync").
			put(func(l *loader, v Value) { l.quorum.InitLimit = int(v.Int) }),
		parserKey("syncLimit", Int, "(required)", Honoured, "ticks to lag behind").
			put(func(l *loader, v Value) { l.quorum.SyncLimit = int(v.Int) }),
		parserKey("connectToLearnerMasterLimit", Int, "(initLimit)", Honoured, "ticks to connect to the leader; 0 or less is initLimit").
			put(func(l *loader, v Value) { l.quorum.ConnectLimit = int(v.Int) }),
		parserKey("electionAlg", Int, "3", Accepted, "there is one; others are refused").
			do(func(l *loader, v Value) error {
				if v.Int != 3 {
					return errors.New("Invalid electionAlg value. Only 3 is supported.")
				}
				return nil
			}),
		parserKey("peerType", Text, "participant", Accepted, "observer or participant; the list of servers decides, and a warning says if they differ").
			do(func(l *loader, v Value) error {
				switch strings.ToLower(v.Text) {
				case "observer":
					l.peerObserver = true
				case "participant":
					l.peerObserver = false
				default:
					return errors.New("Unrecognised peertype: " + v.Text)
				}
				return nil
			}),
		parserKey("syncEnabled", Switch, "true", Honoured, "an observer logs what it is told; false: it has on disk what it was sent as a snapshot, and nothing newer").
			put(func(l *loader, v Value) { l.quorum.SyncEnabled = v.Bool }),
		property("observer.syncEnabled", Flag, "(syncEnabled)", Honoured, "the same, before syncEnabled").
			put(func(l *loader, v Value) { l.observerSync = &v.Bool }),
		parserKey("localSessionsEnabled", Switch, "false", Honoured, "new sessions are known to one server only, and cost no transaction; the same on all members").
			put(func(l *loader, v Value) { l.quorum.LocalSessions = v.Bool }),
		parserKey("localSessionsUpgradingEnabled", Switch, "false", Honoured, "a local session that creates an ephemeral becomes one of the ensemble; false refuses the ephemeral with -120").
			put(func(l *loader, v Value) { l.quorum.LocalSessionsUpgrading = v.Bool }),
		parserKey("quorumListenOnAllIPs", Switch, "false", Honoured, "listen for peers on all addresses").
			put(func(l *loader, v Value) { l.quorum.ListenOnAllIPs = v.Bool }),
		parserKey("observerMasterPort", Int, "0", Honoured, "where a follower has observers of its own, and where observers look for one on the voters' hosts; 0 or less is nowhere").
			put(func(l *loader, v Value) { l.quorum.ObserverMasterPort = int(v.Int) }),
		parserKey("oraclePath", Text, "(none)", Refused, "a quorum of two with an oracle is not supported"),
		parserKey("quorum.cnxn.threads.size", Int, "20", Ignored, "goroutines need no number"),
		parserKey("sslQuorum", Switch, "false", Refused, tls+"; refused when true, in an ensemble").unless(whenTrue(tls)).inEnsembles(),
		parserKey("portUnification", Switch, "false", Refused, "the same").unless(whenTrue(tls)).inEnsembles(),
		parserKey("sslQuorumReloadCertFiles", Switch, "false", Ignored, tls).unless(whenTrue(tls)).inEnsembles(),
		parserKey("quorum.auth.enableSasl", Switch, "false", Refused, sasl+"; refused when true").unless(whenTrue("SASL is " + later)).
			put(func(l *loader, v Value) { l.quorumSASL = v.Bool }),
		parserKey("quorum.auth.learnerRequireSasl", Switch, "false", Refused, "the same").unless(whenTrue("SASL is " + later)).
			put(func(l *loader, v Value) { l.learnerSASL = v.Bool }),
		parserKey("quorum.auth.serverRequireSasl", Switch, "false", Refused, "the same").unless(whenTrue("SASL is " + later)).
			put(func(l *loader, v Value) { l.serverSASL = v.Bool }),
		parserKey("quorum.auth.learner.saslLoginContext", Text, "QuorumLearner", Ignored, sasl),
		parserKey("quorum.auth.server.saslLoginContext", Text, "QuorumServer", Ignored, sasl),
		parserKey("quorum.auth.kerberos.servicePrincipal", Text, "zkquorum/localhost", Ignored, sasl),
		property("multiAddress.enabled", Switch, "false", Honoured, "several addresses for one member, with | between, and peers are told all of them; Apache heeds "+
			"only the -D for the first. All members have to be 3.6 or later").
			put(func(l *loader, v Value) { l.multiAddress = v.Bool }),
		property("multiAddress.reachabilityCheckEnabled", Switch, "true", Honoured, "a member that leaves votes unanswered is tried at its other addresses; "+
			"whatever it says, a connection is to the first address that answers").
			put(func(l *loader, v Value) { l.unchecked = !v.Bool }),
		property("multiAddress.reachabilityCheckTimeoutMs", Int, "1000", Honoured, "ms that it may leave them so; 0 or less is the default").
			put(func(l *loader, v Value) { l.positive(&l.quorum.AnswerTimeout, v.Int) }),
		property("commitLogCount", LaxLng, "500", Honoured, "transactions kept in memory for members that lag; below 500 is 500").
			put(func(l *loader, v Value) {
				if v.Int < 500 {
					l.warn(fmt.Sprintf("Configured commitLogCount %d is less than the recommended value 500, going to use the recommended value", v.Int))
				}
				l.quorum.CommitLogCount = int(min(max(v.Int, 500), math.MaxInt32))
			}),
		property("snapshotSizeFactor", Text, "0.33", Honoured, "the part of a snapshot's size up to which the log is sent instead, to members that lag further behind "+
			"than commitLogCount; negative is never, 0 is whatever the size").
			put(func(l *loader, v Value) {
				f, err := parseFloat(v.Text)
				if err != nil || !(f <= 1) {
					l.warn(fmt.Sprintf("%q is not a factor up to 1; the default 0.33 counts", v.Text))
					f = 0.33
				}
				l.quorum.SnapshotSizeFactor = f
			}),
		property("leaderServes", YesNo, "yes", Honoured, "no: while it leads, a member has no clients").
			put(func(l *loader, v Value) { l.quorum.LeaderServes = v.Text == "yes" }),
		property("electionPortBindRetry", GetInt, "3", Honoured, "attempts to listen for elections; 0 is for ever; below 0 is the default").
			put(func(l *loader, v Value) { l.atLeast(&l.quorum.BindRetry, v.Int, 0) }),
		property("tcpKeepAlive", Flag, "false", Accepted, "TCP keep-alive between members is always on"),
		property("cnxTimeout", GetInt, "5000", Honoured, "ms to connect for elections; 0 or less is the default").
			put(func(l *loader, v Value) { l.positive(&l.quorum.CnxTimeout, v.Int) }),
		property("leader.maxConcurrentSnapSyncs", GetInt, "10", Honoured, "members that are sent snapshots at once; beyond it observers are sent away, and come again").
			or("maxConcurrentSnapSyncs").
			put(func(l *loader, v Value) { l.atLeast(&l.quorum.MaxSnapSyncs, v.Int, 1) }),
		property("leader.maxConcurrentDiffSyncs", GetInt, "100", Honoured, "the same, differences").
			or("maxConcurrentDiffSyncs").
			put(func(l *loader, v Value) { l.atLeast(&l.quorum.MaxDiffSyncs, v.Int, 1) }),
		property("forceSnapshotSync", Flag, "false", Honoured, "always send a snapshot").
			put(func(l *loader, v Value) { l.quorum.ForceSnapshot = v.Bool }),
		property("fastleader.minNotificationInterval", GetInt, "200", Honoured, "ms until a vote is sent again, doubling; 0 or less is the default").
			put(func(l *loader, v Value) { l.positive(&l.quorum.MinNotification, v.Int) }),
		property("fastleader.maxNotificationInterval", GetInt, "60000", Honoured, "ms that it doubles up to; 0 or less is the default").
			put(func(l *loader, v Value) { l.positive(&l.quorum.MaxNotification, v.Int) }),
		property("quorumCnxnTimeoutMs", GetInt, "-1", Ignored, tuning),
		property("leader.maxTimeToWaitForEpoch", GetInt, "-1", Ignored, tuning),
		property("leaderConnectDelayDuringRetryMs", GetInt, "100", Ignored, tuning),
		property("observer.reconnectDelayMs", GetLng, "0", Ignored, tuning),
		property("observer.election.DelayMs", GetLng, "200", Ignored, tuning),
		property("observerMaster.sizeLimit", GetInt, "33554432", Honoured, "bytes of commits that may wait for an observer of a follower, which is sent away then, and comes "+
			"again; what it is sent to be in sync does not count; below 1 is the default").
			put(func(l *loader, v Value) { l.atLeast(&l.quorum.ObserverMasterLimit, v.Int, 1) }),
		property("leader.ackLoggingFrequency", GetInt, "1000", Ignored, tuning),
		property("learner.asyncSending", Flag, "false", Ignored, tuning).orProperty("learner.asyncSending"),
		property("learner.closeSocketAsync", Flag, "false", Ignored, tuning).orProperty("learner.closeSocketAsync"),
		property("leader.closeSocketAsync", Flag, "false", Ignored, tuning).orProperty("leader.closeSocketAsync"),
		property("forward_learner_requests_to_commit_processor_disabled", Flag, "false", Ignored, tuning),
		property("follower.skipLearnerRequestToNextProcessor", Flag, "false", Ignored, tuning),
		property("testingonly.initialZxid", Text, "(none)", Ignored, "a hook of Apache's tests"),
		property("test.allowDiscontinuousProposals", Flag, "false", Ignored, "a hook of Apache's tests"),
		dProperty("leader.nodelay", Flag, "true", Ignored, tuning),
		dProperty("follower.nodelay", Flag, "true", Ignored, tuning),
	}
}

// atLeast stores a number unless it is below least: then what is there, the default, stays, with a warning.
func (l *loader) atLeast(to *int, n, least int64) {
	if n < least {
		l.warn(fmt.Sprintf("%d is below %d; the default %d counts", n, least, *to))
		return
	}
	*to = int(n)
}

// positive stores so many ms in the same way.
func (l *loader) positive(to *time.Duration, ms int64) {
	if ms < 1 {
		l.warn(fmt.Sprintf("%d is below 1; the default %d counts", ms, to.Milliseconds()))
		return
	}
	*to = millis(ms)
}

// checkQuorumSASL is the order in which the three switches must be set.
func (l *loader) checkQuorumSASL() error {
	const enable, server, learner = "quorum.auth.enableSasl", "quorum.auth.serverRequireSasl", "quorum.auth.learnerRequireSasl"
	needs := func(key, missing string) error {
		return l.fault(key, fmt.Sprintf("%s is disabled, so cannot enable %s", missing, key))
	}
	switch {
	case l.serverSASL && !l.quorumSASL:
		return needs(server, enable)
	case l.learnerSASL && !l.quorumSASL:
		return needs(learner, enable)
	case l.serverSASL && !l.learnerSASL:
		return needs(server, learner)
	}
	return nil
}
