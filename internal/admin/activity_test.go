package admin

import "testing"

func TestActivity(t *testing.T) {
	var a Activity
	check := func(when string, want Connection) {
		t.Helper()
		var got Connection
		if a.Fill(&got); got != want {
			t.Errorf("%s:\nwant %+v\n got %+v", when, want, got)
		}
	}
	check("new", Connection{LastOp: "NA", LastXid: -1})

	a.Receive(1)
	a.Reply(0, 1, "SESS", 100, 107)
	a.Send()
	check("after the handshake", Connection{
		Received: 1, Sent: 1, LastOp: "SESS", LastXid: 0, LastZxid: 1, LastResponse: 107, LastLatency: 7, MinLatency: 7, AvgLatency: 7,
		MaxLatency: 7,
	})

	a.Receive(1)
	a.Reply(5, 9, "GETD", 200, 202)
	a.Send()
	a.Send() // a notice
	a.Receive(1)
	a.Reply(-2, 9, "PING", 300, 301)
	a.Send()
	check("after a ping", Connection{
		Received: 3, Sent: 4, LastOp: "PING", LastXid: 5, LastZxid: 9, LastResponse: 301, LastLatency: 1, MinLatency: 1,
		AvgLatency: 3, MaxLatency: 7, // 10 / 3, cut off
	})

	a.Reset()
	check("after crst", Connection{LastOp: "NA", LastXid: -1, LastZxid: -1})
	a.Reply(6, 10, LastOp(99), 400, 404)
	check("after a refused request", Connection{
		LastOp: "NA", LastXid: 6, LastZxid: 10, LastResponse: 404, LastLatency: 4, MinLatency: 4, AvgLatency: 4, MaxLatency: 4,
	})
}
