package invariant

import "fmt"

// Name is the name of an invariant.
type Name string

// The invariants. docs/architecture.md tells what each means to a user.
const (
	DurableAck        Name = "DurableAck"        // no reply or ack of a write leaves before the write is on disk (on a quorum)
	TotalOrder        Name = "TotalOrder"        // zxids are appended and applied in rising order, without a gap
	PrefixConsistency Name = "PrefixConsistency" // the same txns give the same tree and the same digest on every server
	SessionFIFO       Name = "SessionFIFO"       // a session's requests are answered in the order they were sent
	WatchBeforeData   Name = "WatchBeforeData"   // a notice of a change leaves before any reply that shows the change
	OneShot           Name = "OneShot"           // a standard watch yields at most one notice
	EphemeralsEnd     Name = "EphemeralsEnd"     // an ephemeral does not outlive its session
	LogContiguous     Name = "LogContiguous"     // what is on disk has no hole below what was acknowledged
	TreeShape         Name = "TreeShape"         // parents and children, indexes, counts and digest agree
	EpochMonotone     Name = "EpochMonotone"     // acceptedEpoch and currentEpoch never fall, and the second is never above the first
	ZxidGapless       Name = "ZxidGapless"       // a leader's proposals have the zxids of its epoch one after the other
	CommitInOrder     Name = "CommitInOrder"     // proposals are delivered in the order of their zxids, each once
)

// Broken is what Check panics with.
type Broken struct {
	Name   Name
	Detail string
}

// Error reads "invariant TotalOrder broken: ...".
func (b Broken) Error() string { return fmt.Sprintf("invariant %s broken: %s", b.Name, b.Detail) }

// Check panics with a Broken unless ok.
func Check(ok bool, name Name, format string, args ...any) {
	if !ok {
		panic(Broken{name, fmt.Sprintf(format, args...)})
	}
}
