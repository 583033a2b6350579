package peer

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

func appendTxn(b []byte, k kind, p *zab.Proposal) []byte {
	b, at := begin(b, k, int64(p.Zxid))
	return end(append(b, p.Payload...), at)
}

// txn reads a proposal. Whether its txn installs a configuration is for the caller to look.
func (f *fields) txn() (zab.Proposal, error) {
	if len(f.data) == 0 {
		return zab.Proposal{}, errNoTxn
	}
	return zab.Proposal{Zxid: zk.Zxid(f.zxid), Payload: f.data}, nil
}

func appendCommitActivate(b []byte, p *zab.CommitActivate) []byte {
	b, at := begin(b, kindCommitActivate, int64(p.Zxid))
	return end(jute.AppendLong(b, int64(p.Leader)), at)
}

func (f *fields) commitActivate() (zab.Packet, error) {
	d := jute.NewDecoder(f.data)
	return &zab.CommitActivate{Zxid: zk.Zxid(f.zxid), Leader: ensemble.SID(d.Long())}, d.Err()
}

func appendInformActivate(b []byte, p *zab.InformActivate) []byte {
	b, at := begin(b, kindInformActivate, int64(p.Zxid))
	b = jute.AppendLong(b, int64(p.Leader))
	return end(append(b, p.Payload...), at)
}

func (f *fields) informActivate() (zab.Packet, error) {
	d := jute.NewDecoder(f.data)
	leader := ensemble.SID(d.Long())
	if err := d.Err(); err != nil {
		return nil, err
	}
	f.data = d.Rest()
	p, err := f.txn()
	return &zab.InformActivate{Proposal: p, Leader: leader}, err
}
