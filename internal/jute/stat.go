package jute

import "github.com/zooid-io/zooid/zk"

// StatSize is the length of an encoded Stat.
const StatSize = 68

// Stat reads 68 bytes.
func (d *Decoder) Stat() zk.Stat {
	return zk.Stat{
		Czxid: zk.Zxid(d.Long()), Mzxid: zk.Zxid(d.Long()), Ctime: d.Long(), Mtime: d.Long(),
		Version: d.Int(), CVersion: d.Int(), AVersion: d.Int(), EphemeralOwner: zk.SessionID(d.Long()),
		DataLength: d.Int(), NumChildren: d.Int(), Pzxid: zk.Zxid(d.Long()),
	}
}

// AppendStat appends 68 bytes.
func AppendStat(b []byte, s *zk.Stat) []byte {
	b = AppendLong(b, int64(s.Czxid))
	b = AppendLong(b, int64(s.Mzxid))
	b = AppendLong(b, s.Ctime)
	b = AppendLong(b, s.Mtime)
	b = AppendInt(b, s.Version)
	b = AppendInt(b, s.CVersion)
	b = AppendInt(b, s.AVersion)
	b = AppendLong(b, int64(s.EphemeralOwner))
	b = AppendInt(b, s.DataLength)
	b = AppendInt(b, s.NumChildren)
	return AppendLong(b, int64(s.Pzxid))
}
