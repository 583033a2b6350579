// Package zktest gives a test a real ZooKeeper: a server, or an ensemble, inside the test's own process, on free ports of the
// loopback, with its disk in memory. A server is ready in a few milliseconds, an ensemble when it has found its leader. Everything
// ends with the test.
//
//	func TestGreeting(t *testing.T) {
//		srv := zktest.Start(t)
//		c := srv.Client(t)
//		...
//		srv.Drop()                  // every connection breaks; sessions go on
//		srv.Expire(c.Session().ID)  // this session is over
//		srv.Restart()               // the same disk, the same port
//	}
//
// The server is the one that ships: any client may be pointed at Addr. What tests of distributed programs need beyond it is mishaps
// at will: Drop, Expire, Advance, Stop and Restart of a Server, the same for each member of an Ensemble, Partition, Isolate and CutWay
// between its members and clients, and a Line, which loses the reply of a request that the server has carried out, or stands still as
// that of a client whose process was stopped.
//
// Sessions do not end by chance: clients made here ask for a timeout of a minute, which a slow machine does not reach, and a test that
// wants one to end says so.
//
// It does not simulate: time, sockets and goroutines are real.
//
// Where to start: Start, StartEnsemble.
package zktest
