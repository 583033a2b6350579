package config

import (
	"errors"
	"fmt"
	"strings"
)

func ensembleKeys() []Key {
	const tuning = later + ": ensembles, which this tunes"
	return []Key{
		parserKey("server.*", Server, "(none)", Honoured, "a member of the ensemble; one alone is a standalone server, more are refused: "+later),
		parserKey("group*", Server, "(none)", Honoured, "a group of a hierarchical quorum"),
		parserKey("weight*", Server, "1", Honoured, "a member's weight in one"),
		parserKey("version", Server, "0", Honoured, "the configuration's version, hexadecimal"),
		parserKey("dynamicConfigFile", Text, "(none)", Honoured, "the file with the four keys above").
			put(func(l *loader, v Value) { l.dynamicFile = v.Text }),
		parserKey("standaloneEnabled", Switch, "true", Honoured, "false makes one member an ensemble, which is refused: "+later).
			put(func(l *loader, v Value) { l.distributedOnly = !v.Bool }),
		parserKey("initLimit", Int, "(required)", Ensembles, "ticks to connect and to sync").
			put(func(l *loader, v Value) { l.initLimit = v.Int }),
		parserKey("syncLimit", Int, "(required)", Ensembles, "ticks to lag behind").
			put(func(l *loader, v Value) { l.syncLimit = v.Int }),
		parserKey("connectToLearnerMasterLimit", Int, "(initLimit)", Ensembles, "ticks to connect to the leader"),
		parserKey("electionAlg", Int, "3", Ensembles, "only 3 is taken").
			do(func(l *loader, v Value) error {
				if v.Int != 3 {
					return errors.New("Invalid electionAlg value. Only 3 is supported.")
				}
				return nil
			}),
		parserKey("peerType", Text, "participant", Ensembles, "observer or participant; the list of servers overrides it").
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
		parserKey("syncEnabled", Switch, "true", Ensembles, "observers keep logs and snapshots"),
		parserKey("localSessionsEnabled", Switch, "false", Ensembles, "sessions that only one server knows"),
		parserKey("localSessionsUpgradingEnabled", Switch, "false", Ensembles, "they become global when they must"),
		parserKey("quorumListenOnAllIPs", Switch, "false", Ensembles, "listen for peers on all addresses"),
		parserKey("observerMasterPort", Int, "0", Ensembles, "followers serve observers here"),
		parserKey("oraclePath", Text, "(none)", Refused, "a quorum of two with an oracle is not supported"),
		parserKey("quorum.cnxn.threads.size", Int, "20", Ignored, "goroutines need no number"),
		parserKey("sslQuorum", Switch, "false", Ignored, later+": ensembles, and TLS between their members").unless(whenTrue(later)),
		parserKey("portUnification", Switch, "false", Ignored, later+": ensembles, and TLS between their members").unless(whenTrue(later)),
		parserKey("sslQuorumReloadCertFiles", Switch, "false", Ignored, later+": ensembles, and TLS between their members").unless(whenTrue(later)),
		parserKey("quorum.auth.enableSasl", Switch, "false", Refused, later+": SASL between members; refused when true").unless(whenTrue("SASL is " + later)).
			put(func(l *loader, v Value) { l.quorumSASL = v.Bool }),
		parserKey("quorum.auth.learnerRequireSasl", Switch, "false", Refused, "the same").unless(whenTrue("SASL is " + later)).
			put(func(l *loader, v Value) { l.learnerSASL = v.Bool }),
		parserKey("quorum.auth.serverRequireSasl", Switch, "false", Refused, "the same").unless(whenTrue("SASL is " + later)).
			put(func(l *loader, v Value) { l.serverSASL = v.Bool }),
		parserKey("quorum.auth.learner.saslLoginContext", Text, "QuorumLearner", Ignored, later+": SASL between members"),
		parserKey("quorum.auth.server.saslLoginContext", Text, "QuorumServer", Ignored, later+": SASL between members"),
		parserKey("quorum.auth.kerberos.servicePrincipal", Text, "zkquorum/localhost", Ignored, later+": SASL between members"),
		property("multiAddress.enabled", Switch, "false", Honoured, "several addresses for one member, with | between; Apache heeds only the -D here").
			put(func(l *loader, v Value) { l.multiAddress = v.Bool }),
		property("multiAddress.reachabilityCheckEnabled", Switch, "true", Ensembles, "try which address answers"),
		property("multiAddress.reachabilityCheckTimeoutMs", Int, "1000", Ensembles, "ms for that"),
		property("commitLogCount", LaxLng, "500", Ensembles, "transactions kept in memory for members that lag"),
		property("snapshotSizeFactor", Text, "0.33", Ensembles, "the part of a snapshot's size up to which logs are sent instead"),
		property("leaderServes", YesNo, "yes", Ensembles, "no keeps clients off the leader"),
		property("electionPortBindRetry", GetInt, "3", Ensembles, "attempts to listen for elections; 0 is for ever"),
		property("tcpKeepAlive", Flag, "false", Ensembles, "TCP keep-alive between members"),
		property("cnxTimeout", GetInt, "5000", Ensembles, "ms to connect for elections"),
		property("observer.syncEnabled", Flag, "(syncEnabled)", Ensembles, "overrides syncEnabled"),
		property("leader.maxConcurrentSnapSyncs", GetInt, "10", Ensembles, "snapshots sent at once").or("maxConcurrentSnapSyncs"),
		property("leader.maxConcurrentDiffSyncs", GetInt, "100", Ensembles, "differences sent at once").or("maxConcurrentDiffSyncs"),
		property("forceSnapshotSync", Flag, "false", Ensembles, "always send a snapshot"),
		property("quorumCnxnTimeoutMs", GetInt, "-1", Ignored, tuning),
		property("fastleader.minNotificationInterval", GetInt, "200", Ignored, tuning),
		property("fastleader.maxNotificationInterval", GetInt, "60000", Ignored, tuning),
		property("leader.maxTimeToWaitForEpoch", GetInt, "-1", Ignored, tuning),
		property("leaderConnectDelayDuringRetryMs", GetInt, "100", Ignored, tuning),
		property("observer.reconnectDelayMs", GetLng, "0", Ignored, tuning),
		property("observer.election.DelayMs", GetLng, "200", Ignored, tuning),
		property("observerMaster.sizeLimit", GetInt, "33554432", Ignored, tuning),
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
