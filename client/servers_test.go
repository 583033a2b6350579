package client

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/clientcore"
)

func TestParseServers(t *testing.T) {
	for _, x := range []struct {
		list   []string
		want   string
		chroot string
	}{
		{[]string{"a"}, "[a:2181]", ""},
		{[]string{"a:1", "b"}, "[a:1 b:2181]", ""},
		{[]string{"a:1, b:2,c/app"}, "[a:1 b:2 c:2181]", "/app"},
		{[]string{"a/app", "b/app/"}, "[a:2181 b:2181]", "/app"},
		{[]string{"a/"}, "[a:2181]", ""},
		{[]string{"[::1]:2182", "[::1]", "::1", "10.0.0.1"}, "[[::1]:2182 [::1]:2181 [::1]:2181 10.0.0.1:2181]", ""},
		{[]string{"a/x/y"}, "[a:2181]", "/x/y"},
		{nil, "", ""},
		{[]string{""}, "", ""},
		{[]string{"a,,b"}, "", ""},
		{[]string{"/app"}, "", ""},
		{[]string{"a:"}, "", ""},
		{[]string{":1"}, "", ""},
		{[]string{"a:1:2"}, "", ""},
		{[]string{"a/x", "b/y"}, "", ""},
		{[]string{"a//x"}, "", ""},
		{[]string{"a/x/../y"}, "", ""},
	} {
		got, chroot, err := parseServers(x.list)
		if x.want == "" {
			if err == nil {
				t.Errorf("%q is taken as %v %q", x.list, got, chroot)
			}
		} else if err != nil || fmt.Sprint(got) != x.want || chroot != x.chroot {
			t.Errorf("%q: %v %q %v", x.list, got, chroot, err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for i, o := range []Options{
		{SessionTimeout: -1}, {SessionTimeout: time.Microsecond}, {SessionTimeout: 1 << 62}, {ConnectTimeout: -1}, {MaxBackoff: -1}, {MaxRequest: -1},
		{MaxReply: -1}, {Session: Session{ID: 1}},
	} {
		if _, err := o.settle(1); err == nil {
			t.Errorf("%d: %+v", i, o)
		}
	}
	o, err := (*Options)(nil).settle(4)
	if err != nil || o.SessionTimeout != DefaultSessionTimeout || o.ConnectTimeout != DefaultSessionTimeout/4 || o.Dialer == nil || o.Logger == nil {
		t.Errorf("%+v %v", o, err)
	}
	if o, err := (&Options{SessionTimeout: time.Second}).settle(4); err != nil || o.ConnectTimeout != time.Second {
		t.Errorf("%+v %v", o, err)
	}
}

// No pause while a server of the round is untried; then one that grows, is never longer than allowed, and is of chance.
func TestRounds(t *testing.T) {
	servers, _, err := parseServers([]string{"a,b,c"})
	if err != nil {
		t.Fatal(err)
	}
	r := newRound(servers, rand.NewPCG(1, 2))
	const longest = time.Second
	allowed := firstPause
	for n := range 100 {
		var seen []string
		for i := range servers {
			s, pause := r.next(longest)
			switch {
			case i > 0 || n == 0:
				if pause != 0 {
					t.Fatalf("round %d, server %d: a pause of %v", n, i, pause)
				}
			case pause < allowed/2 || pause > allowed:
				t.Fatalf("round %d: a pause of %v, want %v to %v", n, pause, allowed/2, allowed)
			default:
				allowed = min(2*allowed, longest)
			}
			seen = append(seen, s.host)
		}
		if slices.Sort(seen); !slices.Equal(seen, []string{"a", "b", "c"}) {
			t.Fatalf("round %d: %v", n, seen)
		}
	}
	last, _ := r.next(longest)
	r.served()
	for i := range servers {
		s, pause := r.next(longest)
		if pause != 0 {
			t.Errorf("a pause of %v after a good connection", pause)
		}
		if (s == last) != (i == len(servers)-1) {
			t.Errorf("server %d is %v after %v", i, s, last)
		}
	}
	r.prefer("b:2181")
	if s, pause := r.next(longest); s.host != "b" || pause != 0 {
		t.Errorf("%v %v", s, pause)
	}
	orders := map[string]bool{}
	for i := range uint64(50) {
		orders[fmt.Sprint(newRound(servers, rand.NewPCG(i, 0)).servers)] = true
	}
	if len(orders) != 6 {
		t.Errorf("%d orders of three servers", len(orders))
	}
}

func TestChrootPaths(t *testing.T) {
	c := &Client{chroot: "/app"}
	for out, in := range map[string]string{"/": "/app", "/a": "/app/a", "/app": "/app/app"} {
		if c.out(out) != in || c.in(in) != out {
			t.Errorf("%s: %s; %s: %s", out, c.out(out), in, c.in(in))
		}
	}
	for _, p := range []string{"/apple", "/zookeeper/config", "/"} {
		if c.in(p) != p {
			t.Errorf("%s: %s", p, c.in(p))
		}
	}
}

// The states of the core are those that programs see, in the same order.
func TestStatesAreThoseOfTheCore(t *testing.T) {
	for s, core := range map[State]clientcore.State{Connecting: clientcore.Connecting, Connected: clientcore.Connected,
		ConnectedReadOnly: clientcore.ConnectedReadOnly, Lapsed: clientcore.Lapsed, Expired: clientcore.Expired,
		AuthFailed: clientcore.AuthFailed, Closed: clientcore.Closed} {
		if State(core) != s || s.Ended() != core.Ended() || s.String() == "State?" {
			t.Errorf("%v is %d", s, core)
		}
	}
}

// A slow reader of states loses the oldest, never the newest.
func TestSubscriptionsKeepTheNewest(t *testing.T) {
	s := &subscription{ch: make(chan Status, 3)}
	for i := range 10 {
		s.put(Status{Timeout: time.Duration(i)})
	}
	close(s.ch)
	var got []time.Duration
	for x := range s.ch {
		got = append(got, x.Timeout)
	}
	if !slices.Equal(got, []time.Duration{7, 8, 9}) {
		t.Error(got)
	}
}
