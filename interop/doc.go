// Package interop holds the tests with foreign peers: one conformance suite that runs against Zooid and against Debian's
// Apache ZooKeeper 3.8.0 alike, data folders carried between the two, crashes, and hostile clients.
//
//	peer.go      a server of either kind as a real process on a loopback port: start, kill, restart
//	raw.go       a connection that can send any bytes
//	runner.go    plays the steps of a case and writes down, line by line, what the server answered
//	testdata/    the cases: steps, and below each step what Apache answered. A line that begins with zooid[id] is what
//	             Zooid answers where it differs; id is an entry of docs/divergence.md. session/ is what is typed at several shells
//	             at once, and what Apache's print
//	clients/     a scenario for each real client (Java, Curator, C, kazoo, Node; Go's is clients_go_test.go), played on both
//	             servers and on three by clients_*_test.go, which take connections and servers away in the middle; and contenders
//	             for the same locks and offices (Curator, kazoo; Go's is contender_test.go), which line_test.go lets loose on each
//	             other
//	schedule_*   what leads to the defects of docs/defects.md: on one real server, of either kind, the test being the rest of its ensemble
//	siege_*      ensembles in network namespaces, and what happens to them
//
// The recordings are Apache's own answers: go test ./interop -run Conformance/apache -update rewrites them from a running Apache
// server, never from Zooid. Zooid is then compared with the recording, so that the suite also runs where no Apache is
// installed. A test that needs Apache skips without it, unless ZOOID_PEERS=required is set in the environment.
//
// Tests that wait more than they work run two at a time (t.Parallel).
//
// Invariants: a case works below its own znode and leaves no session behind; no test depends on a fixed port or on the
// speed of the machine.
//
// Where to start: testdata/conform/create.txt, then TestConformance.
package interop
