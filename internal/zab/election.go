package zab

import "github.com/zooid-io/zooid/internal/ensemble"

// election is fast leader election (section 3): it keeps answering peers in every state, and between begin and its decision looks
// for a leader. It gives hints only; safety is discovery's and synchronization's.
type election struct {
	o       *Options
	view    Configs
	state   State // what peers are told
	vote    Vote  // the current vote: of the last decision, or as replaced since
	notify  []Notify
	decided *Vote            // set once by a decision; the Core takes it
	adopt   *ensemble.Config // a newer committed configuration that a peer told of while looking; the Core takes it
}

// begin starts to look. own is this server's vote for itself: its last logged zxid and currentEpoch, with Leader NoSID if it does
// not vote. The round is the election's.
func (e *election) begin(own Vote, now int64) {}

// heard takes a notification, in every state.
func (e *election) heard(from ensemble.SID, n *Notification, now int64) {}

// connected says whether a peer can be reached. An election need not wait for the better vote of one that cannot.
func (e *election) connected(sid ensemble.SID, up bool, now int64) {}

// timer is called when the deadline has passed, or earlier.
func (e *election) timer(now int64) {}

// deadline is when timer is due: far away while not looking.
func (e *election) deadline() int64 { return 1<<63 - 1 }

// become says what the server has become, for the answers to peers: state and the vote with the new epoch.
func (e *election) become(s State, v Vote) {}

// reconfigured says that the configurations have changed. Whoever looks begins anew.
func (e *election) reconfigured(view Configs, now int64) {}
