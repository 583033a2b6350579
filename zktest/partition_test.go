package zktest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
	"github.com/zooid-io/zooid/zktest"
)

// brisk is an ensemble that notices soon who is silent.
func brisk(o *zktest.Options) { o.Tick, o.SyncLimit = 50*time.Millisecond, 20 }

// at gives a client that is connected to a server and could go to the others.
func at(t *testing.T, e *zktest.Ensemble, server int, timeout time.Duration) *client.Client {
	t.Helper()
	for {
		c := e.Client(t, func(o *client.Options) { o.SessionTimeout = timeout })
		if c.Status().Server == e.Server(server).Addr() {
			return c
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// insist makes a call until its connection holds.
func insist(t *testing.T, call func() error) {
	t.Helper()
	for {
		err := call()
		if err == nil {
			return
		}
		if !errors.Is(err, zk.ConnectionLoss) && !errors.Is(err, zk.SessionMoved) {
			t.Fatal(err)
		}
	}
}

// leader is who leads, also where a machine that stood still has made the members elect anew.
func leader(e *zktest.Ensemble) int {
	for {
		if l := e.Leader(); l >= 0 {
			return l
		}
		e.Settle()
	}
}

// A leader that is cut off from the others and not from its clients never shows an old value behind a sync, whichever way the cut
// goes; the others elect another one; when all is mended there is one ensemble again.
func TestPartitionOfTheLeader(t *testing.T) {
	for _, tc := range []struct {
		name string
		cut  func(e *zktest.Ensemble, leader int)
	}{
		{"both ways", func(e *zktest.Ensemble, leader int) { e.Partition(leader) }},
		{"it is not heard", func(e *zktest.Ensemble, leader int) {
			for i := range e.Len() {
				if i != leader {
					e.CutWay(leader, i)
				}
			}
		}},
		{"it does not hear", func(e *zktest.Ensemble, leader int) {
			for i := range e.Len() {
				if i != leader {
					e.CutWay(i, leader)
				}
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			e := zktest.StartEnsemble(t, 3, brisk)
			ctx := patient(t)
			was := leader(e)
			reader := e.Server(was).Client(t)
			var others []*client.Client
			for i := range e.Len() {
				if i != was {
					others = append(others, e.Server(i).Client(t))
				}
			}
			writer := others[0]
			insist(t, func() error {
				_, _, err := writer.Create(ctx, "/x", []byte("old"), zk.Persistent)
				if errors.Is(err, zk.NodeExists) { // the reply was lost
					return nil
				}
				return err
			})
			read := func(ctx context.Context) (data []byte, err error) {
				if err = reader.Sync(ctx, "/x"); err == nil {
					data, _, err = reader.Get(ctx, "/x")
				}
				return data, err
			}
			var data []byte
			insist(t, func() (err error) { data, err = read(ctx); return err })
			if string(data) != "old" {
				t.Fatalf("%q", data)
			}
			tc.cut(e, was)
			for i := range e.Len() {
				if i != was {
					e.Server(i).Advance(time.Second) // for them it has been silent for too long; itself it still believes to lead
				}
			}
			set := make(chan struct{})
			go func() {
				defer close(set)
				insist(t, func() error { _, err := writer.Set(ctx, "/x", []byte("new"), -1); return err })
			}()
			synced := 0
			for changed := false; !changed; {
				select {
				case <-set:
					changed = true
				default:
				}
				if tc.name == "it does not hear" && !slices.Contains(e.Leaders(), was) {
					break // the others hear its vote, and may take it for their leader again and again as long as this lasts
				}
				short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
				data, err := read(short)
				cancel()
				if err == nil {
					synced++
				}
				if changed && err == nil && string(data) != "new" {
					t.Errorf("a cut-off leader said %q behind a sync", data)
				}
			}
			for tc.name == "both ways" { // until one of the others leads, again if need be
				if others := slices.DeleteFunc(e.Leaders(), func(i int) bool { return i == was }); len(others) == 1 {
					break
				}
				if ctx.Err() != nil {
					t.Fatalf("%v lead", e.Leaders())
				}
				time.Sleep(time.Millisecond)
			}
			e.Heal()
			e.Settle()
			<-set
			insist(t, func() (err error) { data, err = read(ctx); return err })
			if string(data) != "new" {
				t.Errorf("%q after the partition", data)
			}
			if synced > 0 {
				t.Errorf("%d times a sync was answered that no quorum can have heard of", synced)
			}
		})
	}
}

// The clients of a server that is isolated go to another one and keep their sessions and ephemerals.
func TestIsolate(t *testing.T) {
	t.Parallel()
	e := zktest.StartEnsemble(t, 3, brisk)
	ctx := patient(t)
	was := leader(e)
	c := at(t, e, was, 7500*time.Millisecond)
	id := c.Session().ID
	insist(t, func() error {
		_, _, err := c.Create(ctx, "/e", nil, zk.Ephemeral)
		if errors.Is(err, zk.NodeExists) { // the reply was lost
			return nil
		}
		return err
	})
	e.Isolate(was)
	for s := range c.States(ctx) {
		if s.State == client.Connected && s.Server != e.Server(was).Addr() {
			break
		}
	}
	insist(t, func() error { _, err := c.Set(ctx, "/e", []byte("x"), -1); return err })
	if c.Session().ID != id {
		t.Error("another session")
	}
	e.Heal()
	e.Settle()
	var data []byte
	back := e.Server(was).Client(t)
	insist(t, func() (err error) { data, _, err = back.Get(ctx, "/e"); return err })
	if string(data) != "x" {
		t.Errorf("%q", data)
	}
}
