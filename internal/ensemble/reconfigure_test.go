package ensemble

import (
	"testing"

	"github.com/zooid-io/zooid/zk"
)

const (
	// ours is an ensemble as the manual of dynamic reconfiguration has them.
	ours = "server.1=125.23.63.23:2780:2783:participant;2791\nserver.2=125.23.63.24:2781:2784:participant;2792\n" +
		"server.3=125.23.63.25:2782:2785:participant;2793\nversion=400000003"
	one, two, three = "server.1=125.23.63.23:2780:2783:participant;0.0.0.0:2791\n", "server.2=125.23.63.24:2781:2784:participant;0.0.0.0:2792\n",
		"server.3=125.23.63.25:2782:2785:participant;0.0.0.0:2793\n"
	version = "version=500000007"
)

// Client protocol, section 3.4.13, rows 5 to 10, and the manual's examples.
func TestReconfigure(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change Change
		want   string
	}{
		{"remove and add", Change{Leaving: "3", Joining: "server.5=125.23.63.23:1234:1235;1236", From: -1},
			one + two + "server.5=125.23.63.23:1234:1235:participant;0.0.0.0:1236\n" + version},
		{"from the right version", Change{Leaving: "3", From: 0x400000003}, one + two + version},
		{"the whole list", Change{Members: "server.1=125.23.63.23:2780:2783:participant;2791,server.2=125.23.63.24:2781:2784:participant;2792", Whole: true, From: -1},
			one + two + version},
		{"a file's text, with a version that does not count", Change{Members: one + two + three + "version=1\n", Whole: true, From: -1}, one + two + three + version},
		{"a role", Change{Joining: "server.3=125.23.63.25:2782:2785:observer;2793", From: -1},
			one + two + "server.3=125.23.63.25:2782:2785:observer;0.0.0.0:2793\n" + version},
		{"an address", Change{Joining: "server.3=125.23.63.29:2782:2785;2793", From: -1},
			one + two + "server.3=125.23.63.29:2782:2785:participant;0.0.0.0:2793\n" + version},
		{"two leave, two join", Change{Leaving: "2, 3,", Joining: "server.4=d:1:2;3 , server.5=e:1:2:observer;f:3,server.6=[2001:db8::1]:1:2;[2001:db8::1]:3", From: -1},
			one + "server.4=d:1:2:participant;0.0.0.0:3\nserver.5=e:1:2:observer;f:3\nserver.6=[2001:db8::1]:1:2:participant;[2001:db8::1]:3\n" + version},
		{"leaving makes room for the same address", Change{Leaving: "3", Joining: "server.4=125.23.63.25:2782:2785;2793", From: -1},
			one + two + "server.4=125.23.63.25:2782:2785:participant;0.0.0.0:2793\n" + version},
		{"who leaves and joins is there", Change{Leaving: "3", Joining: "server.3=c:1:2;3", From: -1}, one + two + "server.3=c:1:2:participant;0.0.0.0:3\n" + version},
		{"nobody leaves", Change{Leaving: "7", From: -1}, one + two + three + version},
		{"nothing at all", Change{From: -1}, one + two + three + version},
		{"loopback and wildcards may be shared", Change{Joining: "server.4=127.0.0.1:1:2;3,server.5=127.0.0.1:1:2;3,server.6=localhost:1:2;[::]:3,server.7=localhost:1:2;[::]:3", From: -1},
			one + two + three + "server.4=127.0.0.1:1:2:participant;0.0.0.0:3\nserver.5=127.0.0.1:1:2:participant;0.0.0.0:3\n" +
				"server.6=localhost:1:2:participant;[::]:3\nserver.7=localhost:1:2:participant;[::]:3\n" + version},
		{"groups, as a whole", Change{Members: one + two + "group.1=1,group.2=2,weight.1=3", Whole: true, From: -1},
			one + two + "group.1=1\ngroup.2=2\nweight.1=3\nweight.2=1\n" + version},
		{"a whole list wins over the others", Change{Members: one + two, Whole: true, Joining: "nonsense", Leaving: "x", From: -1}, one + two + version},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old := must(t, ours)
			next, err := old.Reconfigure(tt.change, 0x500000007, Rules{Standalone: true})
			if err != nil {
				t.Fatal(err)
			}
			if next.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", next, tt.want)
			}
			if old.String() != must(t, ours).String() {
				t.Errorf("the old one changed:\n%s", old)
			}
		})
	}
}

func TestReconfigureRefusals(t *testing.T) {
	groups := "server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2\nversion=1"
	with := Rules{Standalone: true}
	for _, tt := range []struct {
		name, old string
		change    Change
		rules     Rules
		want      zk.Code
	}{
		{"another version", ours, Change{Leaving: "3", From: 0x400000002}, with, zk.BadVersion},
		{"another version comes before nonsense", ours, Change{Leaving: "x", From: 0}, with, zk.BadVersion},
		{"a step on groups", groups, Change{Joining: "server.4=d:1:2;3", From: -1}, with, zk.BadArguments},
		{"no id to leave", ours, Change{Leaving: "server.3", From: -1}, with, zk.MarshallingError},
		{"no id to join", ours, Change{Joining: "server.x=d:1:2;3", From: -1}, with, zk.MarshallingError},
		{"no line to join", ours, Change{Joining: "server.4", From: -1}, with, zk.BadArguments},
		{"too many = in it", ours, Change{Joining: "server.4=d:1:2;3=5", From: -1}, with, zk.BadArguments},
		{"no client port", ours, Change{Joining: "server.4=d:1:2", From: -1}, with, zk.BadArguments},
		{"no election port", ours, Change{Joining: "server.4=d:1;3", From: -1}, with, zk.BadArguments},
		{"no such role", ours, Change{Joining: "server.4=d:1:2:leader;3", From: -1}, with, zk.BadArguments},
		{"several addresses", ours, Change{Joining: "server.4=d:1:2|e:1:2;3", From: -1}, with, zk.BadArguments},
		{"several addresses in a whole list", ours, Change{Members: one + two + "server.4=d:1:2|e:1:2;3", Whole: true, From: -1}, with, zk.BadArguments},
		{"a quorum address that is taken", ours, Change{Joining: "server.4=125.23.63.25:2782:9;3", From: -1}, with, zk.BadArguments},
		{"a quorum port on another's election port", ours, Change{Joining: "server.4=125.23.63.25:2785:9;3", From: -1}, with, zk.BadArguments},
		{"the address of another newcomer", ours, Change{Joining: "server.4=d:1:2;d:3,server.5=d:3:4;5", From: -1}, with, zk.BadArguments},
		{"an IPv6 client address that is taken", ours, Change{Joining: "server.4=d:1:2;[2001:db8::1]:3,server.5=e:1:2;[2001:db8::1]:3", From: -1}, with, zk.BadArguments},
		{"another key", ours, Change{Members: one + two + "tickTime=1", Whole: true, From: -1}, with, zk.BadArguments},
		{"a bad line", ours, Change{Members: one + "server.2=b", Whole: true, From: -1}, with, zk.BadArguments},
		{"one voter", ours, Change{Leaving: "2,3", From: -1}, with, zk.BadArguments},
		{"one voter and observers", ours, Change{Members: one + "server.2=b:1:2:observer;3", Whole: true, From: -1}, with, zk.BadArguments},
		{"nobody", ours, Change{Leaving: "1,2,3", From: -1}, Rules{}, zk.BadArguments},
		{"an empty list", ours, Change{Whole: true, From: -1}, Rules{}, zk.BadArguments},
		{"observers only", ours, Change{Members: "server.2=b:1:2:observer;3", Whole: true, From: -1}, Rules{}, zk.BadArguments},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next, err := must(t, tt.old).Reconfigure(tt.change, 0x500000007, tt.rules)
			if err == nil {
				t.Fatalf("got\n%s", next)
			}
			if zk.CodeOf(err) != tt.want || next != nil {
				t.Errorf("got %v, code %d; want %d", err, zk.CodeOf(err), tt.want)
			}
		})
	}
}

// What the rules forbid is allowed without them.
func TestReconfigureRules(t *testing.T) {
	if _, err := must(t, ours).Reconfigure(Change{Leaving: "2,3", From: -1}, 1, Rules{}); err != nil {
		t.Errorf("one voter without standaloneEnabled: %v", err)
	}
	if _, err := must(t, ours).Reconfigure(Change{Joining: "server.4=d:1:2|e:1:2;3", From: -1}, 1, Rules{MultiAddress: true}); err != nil {
		t.Errorf("several addresses with multiAddress.enabled: %v", err)
	}
}
