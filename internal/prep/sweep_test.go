package prep_test

import (
	"testing"

	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Who looks for znodes whose time is over sees what is applied. What is decided since then counts: data that was set has its whole time
// before it, and another znode of the same name is another.
func TestSweepSeesWhatIsDecided(t *testing.T) {
	l := newLeader(t)
	all := zk.WorldACL(zk.PermAll)
	at := func(now int64, op wire.Op) zk.Code {
		x := l.p.Prepare(&prep.Request{Session: 1, Op: op, Now: now})
		l.pending = append(l.pending, x)
		return code(x)
	}
	brief := func(path string) wire.Op {
		return &wire.Create{Type: wire.OpCreateTTL, Path: path, ACL: all, Mode: zk.PersistentTTL, TTL: 500}
	}
	box := &wire.Create{Type: wire.OpCreateContainer, Path: "/c", ACL: all, Mode: zk.Container}
	for i, step := range []struct {
		now  int64
		op   wire.Op
		want zk.Code
	}{
		{1000, &prep.CreateSession{TimeOut: 5000}, zk.OK},
		{1000, brief("/t"), zk.OK},
		{1000, brief("/u"), zk.OK},
		{1500, &prep.DeleteContainer{Path: "/t"}, zk.BadVersion},
		{1600, &wire.SetData{Path: "/t", Version: -1}, zk.OK},
		{1700, &prep.DeleteContainer{Path: "/t"}, zk.BadVersion},
		{1700, &prep.DeleteContainer{Path: "/u"}, zk.OK},
		{1700, &wire.Create{Path: "/u", ACL: all}, zk.OK},
		{9000, &prep.DeleteContainer{Path: "/u"}, zk.BadVersion},
		{2101, &prep.DeleteContainer{Path: "/t"}, zk.OK},
		{3000, box, zk.OK},
		{9000, &prep.DeleteContainer{Path: "/c"}, zk.BadVersion},
		{3500, &prep.DeleteContainer{Path: "/c", NeverUsed: 500}, zk.BadVersion},
		{3501, &prep.DeleteContainer{Path: "/c", NeverUsed: 500}, zk.OK},
		{4000, box, zk.OK},
		{4000, &wire.Create{Path: "/c/x", ACL: all}, zk.OK},
		{4000, &prep.DeleteContainer{Path: "/c"}, zk.NotEmpty},
		{4000, &wire.Delete{Path: "/c/x", Version: -1}, zk.OK},
		{4000, &prep.DeleteContainer{Path: "/c"}, zk.OK},
	} {
		if got := at(step.now, step.op); got != step.want {
			t.Errorf("step %d: %+v at %d gave %v, not %v", i, step.op, step.now, got, step.want)
		}
	}
	l.apply(len(l.pending))
}
