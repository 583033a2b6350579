package ensemble

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The rules of ensemble protocol, section 3.5.
func TestQuorum(t *testing.T) {
	const (
		three = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n"
		nine  = three + "server.4=d:1:2\nserver.5=e:1:2\nserver.6=f:1:2\nserver.7=g:1:2\nserver.8=h:1:2\nserver.9=i:1:2\n"
		teams = nine + "group.1=1:2:3\ngroup.2=4:5:6\ngroup.3=7:8:9\n"
	)
	for _, tt := range []struct {
		name, text string
		quorums    [][]SID
		not        [][]SID
	}{
		{"nobody", "", nil, [][]SID{{}, {1}}},
		{"one", "server.1=a:1:2", [][]SID{{1}}, [][]SID{{}, {2}}},
		{"two need both", "server.1=a:1:2\nserver.2=b:1:2", [][]SID{{1, 2}}, [][]SID{{}, {1}, {2}}},
		{"three need two", three, [][]SID{{1, 2}, {2, 3}, {1, 2, 3}}, [][]SID{{}, {1}, {3}, {1, 4, 5}}},
		{"four need three", three + "server.4=d:1:2", [][]SID{{1, 2, 4}}, [][]SID{{1, 2}, {3, 4}}},
		{"observers do not count", three + "server.4=d:1:2:observer\nserver.5=e:1:2:observer", [][]SID{{1, 2}}, [][]SID{{1, 4, 5}}},
		{"groups: two of three, in two of three", teams, [][]SID{{1, 2, 4, 5}, {1, 3, 8, 9}}, [][]SID{{}, {1, 2, 3}, {1, 2, 3, 4, 7}, {1, 4, 7}}},
		{"weights decide within a group", teams + "weight.1=3", [][]SID{{1, 4, 5}}, [][]SID{{2, 3, 4}, {1, 4}}},
		{"half of a group's weight is not enough", teams + "weight.1=2", [][]SID{{1, 2, 4, 5}}, [][]SID{{1, 4, 5}, {2, 3, 4, 5}}},
		{"half of an odd weight is rounded down", teams + "weight.1=2\nweight.2=0", [][]SID{{1, 4, 5}}, [][]SID{{3, 4, 5}}},
		{"a group without weight is not counted", teams + "weight.7=0\nweight.8=0\nweight.9=0", [][]SID{{1, 2, 4, 5}},
			[][]SID{{1, 2, 7, 8}, {1, 2, 7, 8, 9}, {4, 5}}},
		{"no weight at all", three + "group.1=1:2:3\nweight.1=0\nweight.2=0\nweight.3=0", nil, [][]SID{{}, {1, 2, 3}}},
		{"two groups need both", three + "group.1=1:2\ngroup.2=3", [][]SID{{1, 2, 3}}, [][]SID{{1, 2}, {3}, {1, 3}}},
		{"an observer's weight is there and never cast", three + "server.4=d:1:2:observer\ngroup.1=1:2:3:4\nweight.4=2", [][]SID{{1, 2, 3}}, [][]SID{{1, 2, 4}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := must(t, tt.text)
			for _, s := range tt.quorums {
				if !c.Quorum(func(id SID) bool { return slices.Contains(s, id) }) {
					t.Errorf("%v is a quorum", s)
				}
			}
			for _, s := range tt.not {
				if c.Quorum(func(id SID) bool { return slices.Contains(s, id) }) {
					t.Errorf("%v is no quorum", s)
				}
			}
		})
	}
}

// Whatever the groups and weights, two quorums meet, and what holds a quorum is one.
func TestQuorumsMeet(t *testing.T) {
	five := "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nserver.4=d:1:2\nserver.5=e:1:2\n"
	for _, text := range []string{
		five, five + "group.1=1:2:3:4:5", five + "group.1=1:2:3\ngroup.2=4:5", five + "group.1=1\ngroup.2=2\ngroup.3=3:4:5",
		five + "group.1=1:2:3:4:5\nweight.1=4", five + "group.1=1:2:3\ngroup.2=4:5\nweight.4=0\nweight.5=0", five + "group.1=1:2:3:4:5:6\nweight.6=2",
	} {
		c := must(t, text)
		is := func(set int) bool { return c.Quorum(func(id SID) bool { return set&(1<<id) != 0 }) }
		var quorums []int
		for set := 0; set < 64; set += 2 {
			if is(set) {
				quorums = append(quorums, set)
			}
		}
		if len(quorums) == 0 {
			t.Errorf("no quorum at all:\n%s", text)
		}
		for _, a := range quorums {
			for _, b := range quorums {
				if a&b == 0 {
					t.Errorf("%b and %b do not meet:\n%s", a, b, text)
				}
			}
			for id := 1; id <= 5; id++ {
				if !is(a | 1<<id) {
					t.Errorf("%b is a quorum and more is not:\n%s", a, text)
				}
			}
		}
	}
}

func TestQuorumDoesNotAllocate(t *testing.T) {
	for _, text := range []string{"server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2", "server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2"} {
		c := must(t, text)
		in := func(id SID) bool { return id < 3 }
		if n := testing.AllocsPerRun(100, func() { c.Quorum(in) }); n != 0 {
			t.Errorf("%v allocations:\n%s", n, text)
		}
	}
}

func TestWeight(t *testing.T) {
	plain := must(t, "server.1=a:1:2")
	groups := must(t, "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2:observer\ngroup.1=1:2\nweight.2=0")
	for _, tt := range []struct {
		c    *Config
		id   SID
		want int64
	}{{plain, 1, 1}, {groups, 1, 1}, {groups, 2, 0}, {groups, 3, 0}} {
		if got := tt.c.Weight(tt.id); got != tt.want {
			t.Errorf("%d weighs %d, want %d:\n%s", tt.id, got, tt.want, tt.c)
		}
	}
}

func TestVotersAndObservers(t *testing.T) {
	c := must(t, "server.3=c:1:2\nserver.2=b:1:2:observer\nserver.1=a:1:2|[::1]:3:4")
	if diff := cmp.Diff([]SID{1, 3}, c.Voters()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]SID{2}, c.Observers()); diff != "" {
		t.Error(diff)
	}
	for id, want := range map[SID][2]bool{1: {true, false}, 2: {false, true}, 4: {false, false}, NoSID: {false, false}} {
		if c.Votes(id) != want[0] || c.Observes(id) != want[1] {
			t.Errorf("%d votes %v and observes %v", id, c.Votes(id), c.Observes(id))
		}
	}
	m, _ := c.Member(1)
	if diff := cmp.Diff([]string{"a:1", "[::1]:3"}, m.QuorumAddrs()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a:2", "[::1]:4"}, m.ElectionAddrs()); diff != "" {
		t.Error(diff)
	}
}
