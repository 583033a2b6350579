package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// writeEvent prints an event as zkCli 3.9 does.
func (s *Shell) writeEvent(state, kind, path string, zxid int64) {
	s.mu.Lock()
	silent := s.silent
	s.mu.Unlock()
	if !silent {
		fmt.Fprintf(s.news, "\nWATCHER::\n\nWatchedEvent state:%s type:%s path:%s zxid: %d\n", state, kind, path, zxid)
	}
}

func (s *Shell) setSilent(on bool) {
	s.mu.Lock()
	s.silent = on
	s.mu.Unlock()
}

// sessionEvent prints a change of the session. Lapsed is a guess that zkCli does not make.
func (s *Shell) sessionEvent(st client.State) {
	if t := s.opt.Terminal; t != nil {
		t.refresh(stateWord(st))
	}
	name := ""
	switch st {
	case client.Connecting:
		name = "Disconnected"
	case client.Connected:
		name = "SyncConnected"
	case client.ConnectedReadOnly:
		name = "ConnectedReadOnly"
	case client.Expired:
		name = "Expired"
	case client.AuthFailed:
		name = "AuthFailed"
	case client.Closed:
		name = "Closed"
	default:
		return
	}
	s.writeEvent(name, "None", "null", -1)
}

var eventNames = map[zk.EventType]string{
	zk.EventNodeCreated:         "NodeCreated",
	zk.EventNodeDeleted:         "NodeDeleted",
	zk.EventNodeDataChanged:     "NodeDataChanged",
	zk.EventNodeChildrenChanged: "NodeChildrenChanged",
	zk.EventDataWatchRemoved:    "DataWatchRemoved",
	zk.EventChildWatchRemoved:   "ChildWatchRemoved",
	zk.EventPersistentRemoved:   "PersistentWatchRemoved",
}

func (s *Shell) watchEvent(e zk.Event) {
	state := "SyncConnected"
	if e.State == zk.StateDisconnected { // of a watch that was removed without a server
		state = "Disconnected"
	}
	if name, ok := eventNames[e.Type]; ok { // others are the session's, which is told of once
		s.writeEvent(state, name, e.Path, int64(e.Zxid))
	}
}

// announce prints the event of a watch when it comes.
func (s *Shell) announce(ch <-chan zk.Event) {
	if ch == nil {
		return
	}
	src := newSource()
	s.sources = append(s.sources, src)
	s.events.Go(func() { pump(src, ch, s.watchEvent) }) // ends with the watch, and that with the session at the latest
}

func runAddWatch(ctx context.Context, s *Shell, a *args) error {
	if a.n() < 1 {
		return usage{a.command()}
	}
	mode := zk.WatchPersistentRecursive
	if a.has("m") {
		switch strings.ToUpper(a.value("m")) {
		case "PERSISTENT":
			mode = zk.WatchPersistent
		case "PERSISTENT_RECURSIVE":
		default:
			return usage{a.command()}
		}
	}
	path := a.at(1)
	if err := checkPath(path); err != nil {
		return err
	}
	c, err := s.client(ctx, path)
	if err != nil {
		return err
	}
	w, err := c.AddWatch(ctx, path, mode)
	if err != nil {
		return err
	}
	src := newSource()
	s.sources = append(s.sources, src)
	s.events.Go(func() { // ends with the watch
		defer close(src.done)
		pumpUntilEnd(src, w.C(), func(n client.Notice) {
			if n.Missed != client.MissedNothing {
				fmt.Fprintf(s.err, "events of %s may be missing\n", path)
				return
			}
			s.watchEvent(n.Event)
		})
		if w.Err() == client.ErrWatchClosed {
			state := zk.StateSyncConnected
			if !c.State().IsConnected() {
				state = zk.StateDisconnected
			}
			s.watchEvent(zk.Event{Type: zk.EventPersistentRemoved, State: state, Path: path, Zxid: -1})
		}
	})
	return nil
}

func runRemoveWatches(ctx context.Context, s *Shell, a *args) error {
	if a.n() < 1 {
		return usage{a.command()}
	}
	which := zk.WatcherAny
	for _, w := range []struct {
		flag string
		is   zk.WatcherType
	}{{"c", zk.WatcherChildren}, {"d", zk.WatcherData}, {"a", zk.WatcherAny}, {"p", zk.WatcherPersistent}, {"r", zk.WatcherPersistentRecursive}} {
		if a.has(w.flag) {
			which = w.is
			break
		}
	}
	path := a.at(1)
	if err := checkPath(path); err != nil {
		return err
	}
	c, err := s.client(ctx, path)
	if err != nil {
		return err
	}
	// -l: here, where no server can be asked. Apache's client does it so, too.
	if a.has("l") && !c.State().IsConnected() {
		return c.ForgetWatches(path, which)
	}
	err = c.RemoveWatches(ctx, path, which)
	if a.has("l") && errors.Is(err, zk.ConnectionLoss) {
		return c.ForgetWatches(path, which)
	}
	return err
}

func runPrintWatches(_ context.Context, s *Shell, a *args) error {
	if a.n() >= 1 {
		s.setSilent(a.at(1) != "on")
		return nil
	}
	s.mu.Lock()
	silent := s.silent
	s.mu.Unlock()
	on := "on"
	if silent {
		on = "off"
	}
	fmt.Fprintln(s.out, "printwatches is "+on)
	return nil
}
