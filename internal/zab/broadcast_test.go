package zab

import "testing"

// A leader's work for a proposal with two followers: propose, its own fsync, two ACKs, commit.
func BenchmarkBroadcast(b *testing.B) {
	x := &solo{}
	x.core = New(Options{SID: 1, Tick: 1 << 40, InitLimit: 10, SyncLimit: 5}, Durable{Configs: three(), Accepted: 0}, 0)
	x.show(x.core.Ready())
	x.step("lead 2 3")
	c := x.core
	acks := [2]*Ack{{}, {}}
	events := [2]*Received{{Link: 2, Packet: acks[0]}, {Link: 4, Packet: acks[1]}}
	synced, payload, committed := &Synced{N: x.issued}, make([]byte, 100), 0
	b.ReportAllocs()
	for b.Loop() {
		z, ok := c.Next()
		if !ok {
			b.Fatal("it does not lead")
		}
		c.Propose(Proposal{Zxid: z, Payload: payload}, 0)
		c.Ready()
		synced.N++
		c.Step(synced, 0)
		for i, ev := range events {
			acks[i].Zxid = z
			c.Step(ev, 0)
			committed += len(c.Ready().Committed)
		}
	}
	if committed == 0 {
		b.Fatal("nothing is committed")
	}
}

func three() Configs {
	g := members(nil, "1,2,3", 0)
	return Configs{g, g}
}
