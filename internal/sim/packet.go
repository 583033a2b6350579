package sim

import (
	"fmt"

	"github.com/zooid-io/zooid/internal/zab"
)

// say tells a packet in words, for the trace.
func say(p zab.Packet) string {
	switch p := p.(type) {
	case *zab.LearnerInfo:
		return fmt.Sprintf("LEARNERINFO accepted %d", p.Accepted)
	case *zab.LeaderInfo:
		return fmt.Sprintf("LEADERINFO %d", p.Epoch)
	case *zab.AckEpoch:
		return fmt.Sprintf("ACKEPOCH %v %d", p.Last, p.Current)
	case *zab.Diff:
		return fmt.Sprintf("DIFF %v", p.Zxid)
	case *zab.Trunc:
		return fmt.Sprintf("TRUNC %v", p.Zxid)
	case *zab.Snap:
		return fmt.Sprintf("SNAP %v", p.Zxid)
	case *zab.NewLeader:
		if p.Config != nil && p.Config.Version > 0 {
			return fmt.Sprintf("NEWLEADER %d, version %x", p.Epoch, int64(p.Config.Version))
		}
		return fmt.Sprintf("NEWLEADER %d", p.Epoch)
	case *zab.UpToDate:
		return "UPTODATE"
	case *zab.Propose:
		return fmt.Sprintf("PROPOSAL %v", p.Zxid)
	case *zab.Ack:
		return fmt.Sprintf("ACK %v", p.Zxid)
	case *zab.Commit:
		return fmt.Sprintf("COMMIT %v", p.Zxid)
	case *zab.CommitActivate:
		return fmt.Sprintf("COMMITANDACTIVATE %v %d", p.Zxid, p.Leader)
	case *zab.InformActivate:
		return fmt.Sprintf("INFORMANDACTIVATE %v %d", p.Zxid, p.Leader)
	case *zab.Inform:
		return fmt.Sprintf("INFORM %v", p.Zxid)
	case *zab.Ping:
		return fmt.Sprintf("PING %v %d", p.Zxid, len(p.Touched))
	case *zab.Request:
		return fmt.Sprintf("REQUEST %v %d %d", p.Session, p.Xid, p.Op)
	case *zab.Revalidate:
		return fmt.Sprintf("REVALIDATE %v", p.Session)
	case *zab.Revalidated:
		return fmt.Sprintf("REVALIDATE %v %v", p.Session, p.Valid)
	case *zab.SyncDone:
		return "SYNC"
	}
	return fmt.Sprintf("%T", p)
}
