package admin

import "iter"

// mntr tells the version and the state, the gauges, then all that Metrics holds; each kind sorted by name, where Apache leaves
// the order to a hash table.
func mntr(_ *Words, t *text, src Source) {
	st, mo := src.Status(), src.Monitor()
	t.value("", "version", "", st.Version)
	t.value("", "server_state", "", st.State)
	if st.PeerState != "" {
		t.value("", "peer_state", "", st.PeerState)
	}
	for x := range Gauges(&st, &mo) {
		t.metric(&x)
	}
	for x := range src.Metrics().All() {
		t.metric(&x)
	}
}

func (t *text) value(prefix, name, key, value string) {
	if key != "" {
		key += "_"
	}
	t.line("zk_", prefix, key, name, "\t", value)
}

func (t *text) metric(x *Metric) {
	if x.Kind == KindGauge || x.Kind == KindCounter {
		v := dec(x.Value)
		if x.Real {
			v = double(x.Double)
		}
		t.value("", x.Name, x.Key, v)
		return
	}
	t.value("avg_", x.Name, x.Key, double(x.Summary.Avg()))
	t.value("min_", x.Name, x.Key, dec(x.Summary.Min))
	t.value("max_", x.Name, x.Key, dec(x.Summary.Max))
	t.value("cnt_", x.Name, x.Key, dec(x.Summary.Count))
	t.value("sum_", x.Name, x.Key, dec(x.Summary.Sum))
	if x.Kind == KindAdvanced {
		for i, q := range quantiles {
			t.value(q.prefix, x.Name, x.Key, dec(x.Quantiles[i]))
		}
	}
}

// gauges are read off a Status and a Monitor, in the order of their names.
var gauges = []struct {
	name
	value  func(*Status, *Monitor) int64
	double func(*Status, *Monitor) float64 // instead, where the value is one to Apache
}{
	{name: name{"approximate_data_size", "characters of all paths and bytes of all data"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.DataSize) }},
	{name: name{"auth_failed_count", "client certificates that were refused"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.AuthFailed) }},
	{name: name{"avg_latency", "mean ms from the arrival of a request to its reply"}, double: func(s *Status, _ *Monitor) float64 { return s.Traffic.Latency.Avg() }},
	{name: name{"connection_drop_probability", "chance of the connection throttle to refuse"}, double: func(_ *Status, m *Monitor) float64 { return m.DropProbability }},
	{name: name{"ephemerals_count", "ephemeral znodes"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.Ephemerals) }},
	{name: name{"global_sessions", "sessions known to the whole ensemble"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.GlobalSessions) }},
	{name: name{"last_client_response_size", "bytes of the last reply"}, value: func(s *Status, _ *Monitor) int64 { return int64(s.Traffic.Responses.Last) }},
	{name: name{"last_proposal_size", "bytes of the last proposal"}, value: leading(func(s *Status, _ *LeaderMonitor) int64 { return int64(s.proposals().Last) })},
	{name: name{"leader_uptime", "ms since this server began to lead"}, value: leading(func(_ *Status, l *LeaderMonitor) int64 { return int64(l.Uptime.Milliseconds()) })},
	{name: name{"learners", "followers and observers connected"}, value: leading(func(_ *Status, l *LeaderMonitor) int64 { return int64(l.Learners) })},
	{name: name{"local_sessions", "sessions known to this server alone"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.LocalSessions) }},
	{name: name{"max_client_response_size", "bytes of the largest reply"}, value: func(s *Status, _ *Monitor) int64 { return int64(s.Traffic.Responses.Max) }},
	{name: name{"max_file_descriptor_count", "file descriptors the process may have"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.MaxFiles) }},
	{name: name{"max_latency", "longest ms from the arrival of a request to its reply"}, value: func(s *Status, _ *Monitor) int64 { return int64(s.Traffic.Latency.Max) }},
	{name: name{"max_proposal_size", "bytes of the largest proposal"}, value: leading(func(s *Status, _ *LeaderMonitor) int64 { return int64(s.proposals().Max) })},
	{name: name{"min_client_response_size", "bytes of the smallest reply"}, value: func(s *Status, _ *Monitor) int64 { return int64(s.Traffic.Responses.Min) }},
	{name: name{"min_latency", "shortest ms from the arrival of a request to its reply"}, value: func(s *Status, _ *Monitor) int64 { return int64(s.Traffic.Latency.Min) }},
	{name: name{"min_proposal_size", "bytes of the smallest proposal"}, value: leading(func(s *Status, _ *LeaderMonitor) int64 { return int64(s.proposals().Min) })},
	{name: name{"non_mtls_local_conn_count", "connections without a client certificate from this machine"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.PlainLocal) }},
	{name: name{"non_mtls_remote_conn_count", "connections without a client certificate from elsewhere"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.PlainRemote) }},
	{name: name{"num_alive_connections", "client connections"}, value: func(s *Status, _ *Monitor) int64 { return int64(s.Connections) }},
	{name: name{"observer_master_id", "server that this observer follows"}, value: func(_ *Status, m *Monitor) int64 {
		if m.ObserverMaster == nil {
			return absent
		}
		return *m.ObserverMaster
	}},
	{name: name{"open_file_descriptor_count", "file descriptors the process has open"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.OpenFiles) }},
	{name: name{"outstanding_requests", "requests in flight"}, value: func(s *Status, _ *Monitor) int64 { return int64(s.Outstanding) }},
	{name: name{"outstanding_tls_handshake", "TLS handshakes under way"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.PendingHandshakes) }},
	{name: name{"packets_received", "packets from clients"}, value: func(s *Status, _ *Monitor) int64 { return int64(s.Traffic.Received) }},
	{name: name{"packets_sent", "packets to clients"}, value: func(s *Status, _ *Monitor) int64 { return int64(s.Traffic.Sent) }},
	{name: name{"pending_syncs", "syncs that wait for a commit"}, value: leading(func(_ *Status, l *LeaderMonitor) int64 { return int64(l.PendingSyncs) })},
	{name: name{"quorum_size", "voters"}, value: func(_ *Status, m *Monitor) int64 {
		if m.QuorumSize == 0 {
			return absent
		}
		return int64(m.QuorumSize)
	}},
	{name: name{"synced_followers", "followers that are up to date"}, value: leading(func(_ *Status, l *LeaderMonitor) int64 { return int64(l.SyncedFollowers) })},
	{name: name{"synced_non_voting_followers", "followers that are up to date and do not vote"}, value: leading(func(_ *Status, l *LeaderMonitor) int64 { return int64(l.SyncedNonVoting) })},
	{name: name{"synced_observers", "observers that are up to date"}, value: func(_ *Status, m *Monitor) int64 {
		switch {
		case m.Leader != nil:
			return int64(m.Leader.SyncedObservers)
		case m.Observers != nil:
			return int64(*m.Observers)
		}
		return absent
	}},
	{name: name{"uptime", "ms since the start"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.Uptime.Milliseconds()) }},
	{name: name{"watch_count", "watches"}, value: func(_ *Status, m *Monitor) int64 { return int64(m.Watches) }},
	{name: name{"znode_count", "znodes as Apache counts them, the root twice"}, value: func(s *Status, _ *Monitor) int64 { return int64(s.Nodes) }},
}

// absent is what a gauge gives that this server does not have.
const absent = -1 << 62

// leading is a gauge of a leader.
func leading(f func(*Status, *LeaderMonitor) int64) func(*Status, *Monitor) int64 {
	return func(s *Status, m *Monitor) int64 {
		if m.Leader == nil {
			return absent
		}
		return f(s, m.Leader)
	}
}

func (s *Status) proposals() Sizes {
	if s.Proposals == nil {
		return Sizes{-1, -1, -1}
	}
	return *s.Proposals
}

// quotaGauges are the sets of gauges, one value for each namespace with a quota.
var quotaGauges = []struct {
	name
	value func(*Quota) int64
}{
	{name{"quota_bytes_limit_per_namespace", "bytes allowed, by top namespace"}, func(q *Quota) int64 { return q.BytesLimit }},
	{name{"quota_bytes_usage_per_namespace", "bytes used below quotas, by top namespace"}, func(q *Quota) int64 { return q.BytesUsage }},
	{name{"quota_count_limit_per_namespace", "znodes allowed, by top namespace"}, func(q *Quota) int64 { return q.CountLimit }},
	{name{"quota_count_usage_per_namespace", "znodes below quotas, by top namespace"}, func(q *Quota) int64 { return q.CountUsage }},
}

// Gauges gives every gauge of a server as it is now, those in sets after the others, each in the order of the names.
func Gauges(s *Status, m *Monitor) iter.Seq[Metric] {
	return func(yield func(Metric) bool) {
		for _, g := range gauges {
			x := Metric{Kind: KindGauge, Name: g.name.name, Help: g.help}
			if g.double != nil {
				x.Real, x.Double = true, g.double(s, m)
			} else if x.Value = g.value(s, m); x.Value == absent {
				continue
			}
			if !yield(x) {
				return
			}
		}
		for _, g := range quotaGauges {
			for i := range m.Quotas {
				q := &m.Quotas[i]
				if !yield(Metric{Kind: KindGauge, Name: g.name.name, Help: g.help, Key: q.Namespace, Value: g.value(q)}) {
					return
				}
			}
		}
	}
}
