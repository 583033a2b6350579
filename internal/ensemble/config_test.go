package ensemble

import "testing"

// Ensemble protocol, section 8.1: the same version, or the same members.
func TestSame(t *testing.T) {
	const base = "server.1=a:1:2;9\nserver.2=b:1:2:observer\nversion=1"
	const groups = "server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1\ngroup.2=2\nversion=1"
	for _, tt := range []struct {
		name, a, b  string
		agree, same bool
	}{
		{"itself", base, base, true, true},
		{"another version", base, "server.2=b:1:2:observer\nserver.1=a:1:2:participant;0.0.0.0:9\nversion=2", true, true},
		{"another address of that version", base, "server.1=x:1:2;9\nserver.2=b:1:2:observer\nversion=1", true, false},
		{"another quorum port", base, "server.1=a:3:2;9\nserver.2=b:1:2:observer\nversion=2", false, false},
		{"another election port", base, "server.1=a:1:3;9\nserver.2=b:1:2:observer\nversion=2", false, false},
		{"another client port", base, "server.1=a:1:2;8\nserver.2=b:1:2:observer\nversion=2", false, false},
		{"no client port", base, "server.1=a:1:2\nserver.2=b:1:2:observer\nversion=2", false, false},
		{"another role", base, "server.1=a:1:2;9\nserver.2=b:1:2\nversion=2", false, false},
		{"another id", base, "server.1=a:1:2;9\nserver.3=b:1:2:observer\nversion=2", false, false},
		{"one more", base, base + "0\nserver.3=c:1:2", false, false},
		{"addresses in another order", "server.1=a:1:2|b:3:4", "server.1=b:3:4|a:1:2\nversion=2", true, true},
		{"ports exchanged between addresses", "server.1=a:1:2|b:3:4", "server.1=b:1:2|a:3:4\nversion=2", false, false},
		{"groups", groups, groups + "0", true, true},
		{"another kind of quorum", groups, "server.1=a:1:2\nserver.2=b:1:2\nversion=1", false, false},
		{"other groups", groups, "server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2\nversion=2", false, false},
		{"groups renamed", groups, "server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1\ngroup.3=2\nversion=2", false, false},
		{"other weights", groups, "server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1\ngroup.2=2\nweight.1=2\nversion=2", false, false},
		{"a weight of nobody", groups, groups + "0\nweight.7=2", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := must(t, tt.a), must(t, tt.b)
			for range 2 {
				if a.Agrees(b) != tt.agree || a.SameMembers(b) != tt.same {
					t.Errorf("agree %v, same members %v; want %v, %v", a.Agrees(b), a.SameMembers(b), tt.agree, tt.same)
				}
				a, b = b, a
			}
		})
	}
}

// A client address from zoo.cfg is not in the text, so it makes no difference between what is here and what a peer sent.
func TestStaticClientAddr(t *testing.T) {
	here := must(t, "server.1=a:1:2;9")
	here.Members[0].FromStatic = true
	sent := must(t, here.String())
	if sent.Members[0].ClientAddr != "" || !here.SameMembers(sent) {
		t.Errorf("got\n%s", sent)
	}
}

func TestAt(t *testing.T) {
	c := must(t, "server.1=a:1:2\nversion=1")
	if d := c.At(0x1f); d.String() != "server.1=a:1:2:participant\nversion=1f" || c.Version != 1 {
		t.Errorf("got %s from %s", d, c)
	}
}

// Ensemble protocol, section 8.3, step 4: who may go on leading.
func TestSameVoter(t *testing.T) {
	old := must(t, "server.1=a:1:2;9\nserver.2=b:1:2|c:1:2\nserver.3=d:1:2:observer")
	for _, tt := range []struct {
		next string
		id   SID
		want bool
	}{
		{"server.1=a:1:2;9", 1, true},
		{"server.1=a:1:7;8", 1, true}, // only learners come to it
		{"server.1=a:7:2;9", 1, false},
		{"server.1=x:1:2;9", 1, false},
		{"server.1=a:1:2:observer;9", 1, false},
		{"server.2=b:1:2", 1, false},
		{"server.2=c:1:2|b:1:2", 2, true},
		{"server.2=b:1:2", 2, false},
		{"server.3=d:1:2", 3, false}, // it could not have led
		{"server.4=e:1:2", 4, false},
	} {
		if got := SameVoter(old, must(t, tt.next), tt.id); got != tt.want {
			t.Errorf("%d in %s: got %v", tt.id, tt.next, got)
		}
	}
}

func TestCheckCounts(t *testing.T) {
	const p, o = "server.1=a:1:2\n", "server.9=o:1:2:observer\n"
	for _, tt := range []struct {
		text       string
		standalone bool
		want       error
	}{
		{"", true, nil}, {"", false, ErrNobody},
		{o, true, ErrOnlyObservers}, {o, false, ErrNobody},
		{p, true, nil}, {p, false, nil},
		{p + o, true, ErrObserversOfOne}, {p + o, false, nil},
		{p + "server.2=b:1:2\n" + o, true, nil},
	} {
		if got := must(t, tt.text).CheckCounts(tt.standalone); got != tt.want {
			t.Errorf("%q, %v: got %v, want %v", tt.text, tt.standalone, got, tt.want)
		}
	}
}
