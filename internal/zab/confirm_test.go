package zab

import "testing"

// What is committed answers the questions before it, even if some of those that have acked are gone by then: else a session's write
// could be applied while its earlier sync still waits (invariant SessionFIFO).
func TestACommitAnswersEarlierQuestions(t *testing.T) {
	w := newWorld(t, 1, 5, 0)
	for _, n := range w.nodes {
		n.start()
	}
	if !w.calm(5000, w.all) {
		w.fail("no leader")
	}
	leader := w.leader()
	leader.ask()
	question := leader.asked[0].n
	leader.propose()
	leader.sync(len(leader.disk), true)
	follow := func(p *pipe) {
		f := p.ends[0]
		for len(p.ways[0]) > 0 {
			w.carry(p, 0)
		}
		f.sync(len(f.disk), true)
		for len(p.ways[1]) > 0 {
			w.carry(p, 1)
		}
	}
	first, second := w.pipes[0], w.pipes[1]
	follow(first)
	if len(w.history) != 0 {
		w.fail("two of five are no quorum")
	}
	w.cut(first)
	follow(second)
	if len(w.history) != 1 {
		w.fail("three of five have acked")
	}
	if got := leader.core.Confirmed(); got < question {
		w.fail("committed is what was proposed behind question %d, and %d is answered", question, got)
	}
}
