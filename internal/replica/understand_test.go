package replica_test

import (
	"testing"

	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// What a log says of configurations is said to the agreement.
func TestUnderstand(t *testing.T) {
	const text = "server.1=h1:2888:3888:participant\nversion=100000002"
	set := func(kind txn.Type, data string) []byte {
		return (&txn.Txn{Header: txn.Header{Zxid: 1<<32 + 2, Type: kind}, Body: &txn.SetData{Path: "/zookeeper/config", Data: []byte(data), Version: -1}}).Append(nil)
	}
	log := []zab.Proposal{
		{Payload: set(txn.TypeReconfig, text)}, {Payload: set(txn.TypeSetData, text)}, {Payload: set(txn.TypeReconfig, "server.1")}, {Payload: []byte("none")},
	}
	replica.Understand(log)
	g := log[0].Config
	if g == nil || g.Version != zk.Zxid(1<<32+2) || !g.Votes(1) {
		t.Errorf("it is %v", g)
	}
	for i := range log[1:] {
		if g := log[i+1].Config; g != nil {
			t.Errorf("entry %d: %v", i+1, g)
		}
	}
}
