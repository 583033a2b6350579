package peer

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// start is the zxid that stands for an epoch: its counter is 0.
func start(e zab.Epoch) int64 { return int64(e) << 32 }

func epochOf(zxid int64) zab.Epoch { return zab.Epoch(zxid >> 32) }

func appendLearnerInfo(b []byte, p *zab.LearnerInfo) []byte {
	k := kindFollowerInfo
	if p.Observer {
		k = kindObserverInfo
	}
	b, at := begin(b, k, start(p.Accepted))
	b = jute.AppendLong(b, int64(p.SID))
	b = jute.AppendInt(b, p.Version)
	b = jute.AppendLong(b, int64(p.ConfigVersion))
	return end(b, at)
}

// learnerInfo reads what a learner says first. Ones of before 1.0 say less, and get a Version that nobody accepts.
func (f *fields) learnerInfo() (zab.Packet, error) {
	p := &zab.LearnerInfo{SID: ensemble.NoSID, Observer: f.kind == kindObserverInfo, Accepted: epochOf(f.zxid), Version: 1}
	if f.data == nil {
		return p, nil
	}
	d := jute.NewDecoder(f.data)
	p.SID = ensemble.SID(d.Long())
	if len(f.data) >= 12 {
		p.Version = d.Int()
	}
	if len(f.data) >= 20 {
		p.ConfigVersion = zk.Zxid(d.Long())
	}
	return p, d.Err()
}

func appendLeaderInfo(b []byte, p *zab.LeaderInfo) []byte {
	b, at := begin(b, kindLeaderInfo, start(p.Epoch))
	return end(jute.AppendInt(b, p.Version), at)
}

func (f *fields) leaderInfo() (zab.Packet, error) {
	d := jute.NewDecoder(f.data)
	return &zab.LeaderInfo{Epoch: epochOf(f.zxid), Version: d.Int()}, d.Err()
}

func appendAckEpoch(b []byte, p *zab.AckEpoch) []byte {
	b, at := begin(b, kindAckEpoch, int64(p.Last))
	return end(jute.AppendInt(b, int32(p.Current)), at)
}

func (f *fields) ackEpoch() (zab.Packet, error) {
	d := jute.NewDecoder(f.data)
	return &zab.AckEpoch{Last: zk.Zxid(f.zxid), Current: zab.Epoch(d.Int())}, d.Err()
}

func appendNewLeader(b []byte, p *zab.NewLeader) []byte {
	if p.Config == nil {
		return bare(b, kindNewLeader, start(p.Epoch))
	}
	b, at := begin(b, kindNewLeader, start(p.Epoch))
	return end(append(b, p.Config.String()...), at)
}

// newLeader reads NEWLEADER. Data of at most one byte is no configuration, as in Apache's Learner.
func (f *fields) newLeader() (zab.Packet, error) {
	p := &zab.NewLeader{Epoch: epochOf(f.zxid)}
	if len(f.data) <= 1 {
		return p, nil
	}
	var err error
	if p.Config, err = ensemble.Parse(string(f.data)); err != nil {
		return nil, &ConfigError{err}
	}
	return p, nil
}
