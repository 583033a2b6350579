package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

type writer = io.Writer

// command is a row of the table: how it is called, and what it does.
type command struct {
	name, usage string
	flags       flags
	own         bool   // not of zkCli
	says        string // in a few words, of our own commands
	run         func(ctx context.Context, s *Shell, a *args) error
}

// help is not a command of zkCli, but who does not try it?
const helpUsage = "[command]"

// commands is the table, sorted by name. It is a function because the rows' functions look into it.
func commands() []*command {
	table := []*command{
		{name: "addWatch", usage: "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE", flags: flags{"m:"}, run: runAddWatch},
		{name: "addauth", usage: "scheme auth", run: runAddAuth},
		{name: "close", run: runClose},
		{name: "config", usage: "[-c] [-w] [-s]", flags: flags{"c", "w", "s"}, run: runConfig},
		{name: "connect", usage: "host:port", run: runConnect},
		{name: "create", usage: "[-s] [-e] [-c] [-t ttl] path [data] [acl]", flags: flags{"s", "e", "c", "t:"}, run: runCreate},
		{name: "delete", usage: "[-v version] path", flags: flags{"v:", "dry-run"}, run: runDelete},
		{name: "deleteall", usage: "path [-b batch size]", flags: flags{"b:", "dry-run"}, run: runDeleteAll},
		{name: "delquota", usage: "[-n|-b|-N|-B] path", flags: flags{"n", "b", "N", "B"}, run: runDelQuota},
		{name: "get", usage: "[-s] [-w] [-b] [-x] path", flags: flags{"s", "w", "b", "x", "j"}, run: runGet},
		{name: "getAcl", usage: "[-s] path", flags: flags{"s"}, run: runGetACL},
		{name: "getAllChildrenNumber", usage: "path", run: runAllChildrenNumber},
		{name: "getEphemerals", usage: "path", run: runEphemerals},
		{name: "history", run: runHistory},
		{name: "listquota", usage: "path", run: runListQuota},
		{name: "ls", usage: "[-s] [-w] [-R] path", flags: flags{"s", "w", "R"}, run: runList},
		{name: "printwatches", usage: "on|off", run: runPrintWatches},
		{name: "quit", run: runQuit},
		{name: "reconfig", usage: "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
			flags: flags{"s", "v:", "file:", "members:", "add:", "remove:"}, run: runReconfig},
		{name: "redo", usage: "cmdno", run: runRedo},
		{name: "removewatches", usage: "path [-c|-d|-a] [-l]", flags: flags{"c", "d", "a", "l", "p", "r"}, run: runRemoveWatches},
		{name: "set", usage: "path data [-s] [-v version] [-b]", flags: flags{"s", "v:", "b"}, run: runSet},
		{name: "setAcl", usage: "[-s] [-v version] [-R] path acl", flags: flags{"s", "v:", "R"}, run: runSetACL},
		{name: "setquota", usage: "-n|-b|-N|-B val path", flags: flags{"n:", "b:", "N:", "B:"}, run: runSetQuota},
		{name: "stat", usage: "[-w] path", flags: flags{"w"}, run: runStat},
		{name: "sync", usage: "path", run: runSync},
		{name: "version", run: runVersion},
		{name: "whoami", run: runWhoAmI},

		{name: "exit", own: true, says: "quit", run: runQuit},
		{name: "help", usage: helpUsage, own: true, says: "this list, or one command's usage", run: runHelp},
		{name: "ls2", usage: "path", flags: flags{"w"}, own: true, says: "ls -s, as in 3.4", run: runList2},
		{name: "rmr", usage: "path [--dry-run]", flags: flags{"b:", "dry-run"}, own: true, says: "deleteall, as in 3.4", run: runRemoveRecursively},
	}
	return append(table, beyond()...)
}

// find is the row of a name that this shell has.
func (s *Shell) find(name string) *command {
	for _, c := range s.table() {
		if c.name == name {
			return c
		}
	}
	return nil
}

// table is commands, without those that need what this shell was not given.
func (s *Shell) table() []*command {
	return slices.DeleteFunc(commands(), func(c *command) bool {
		switch c.name {
		case "4lw":
			return s.opt.FourLetters == nil
		case "edit":
			return s.opt.Edit == nil
		case "lock":
			return s.opt.Exec == nil
		}
		return false
	})
}

// command finds, parses and runs.
func (s *Shell) command(ctx context.Context, ws []string) error {
	c := s.find(ws[0])
	if c == nil {
		return unknown(ws[0])
	}
	var a *args
	if c.name == "lock" || c.name == "txn" { // what follows is another command's
		a = &args{rest: ws}
	} else {
		var err error
		if a, err = c.flags.parse(ws); err != nil {
			return err
		}
	}
	a.of = c
	err := c.run(ctx, s, a)
	if errors.Is(err, errNotConnected) {
		fmt.Fprintln(s.out, errNotConnected)
		return nil
	}
	return err
}

// listing is zkCli's list of commands, and ours behind it.
func (s *Shell) listing() string {
	var b strings.Builder
	b.WriteString("ZooKeeper -server host:port -client-configuration properties-file cmd args\n")
	for _, c := range s.table() {
		if !c.own {
			fmt.Fprintf(&b, "\t%s %s\n", c.name, c.usage)
		}
	}
	b.WriteString("Beyond ZooKeeper's:\n")
	for _, c := range s.table() {
		if c.own {
			fmt.Fprintf(&b, "\t%s %s # %s\n", c.name, c.usage, c.says)
		}
	}
	return b.String()
}

func runHelp(_ context.Context, s *Shell, a *args) error {
	if a.n() == 0 {
		fmt.Fprint(s.out, s.listing())
		return nil
	}
	c := s.find(a.at(1))
	if c == nil {
		return unknown(a.at(1))
	}
	t := c.name + " " + c.usage
	if c.says != "" {
		t += " # " + c.says
	}
	fmt.Fprintln(s.out, t)
	return nil
}

func runVersion(_ context.Context, s *Shell, _ *args) error {
	fmt.Fprintln(s.out, "ZooKeeper CLI version: "+s.opt.Version)
	return nil
}

// runHistory prints the last eleven lines, this one included.
func runHistory(_ context.Context, s *Shell, _ *args) error {
	for i := max(0, len(s.history)-11); i < len(s.history); i++ {
		fmt.Fprintf(s.out, "%d - %s\n", i, s.history[i])
	}
	return nil
}

// runRedo runs a line of the history again, and puts it into the history in place of itself.
func runRedo(ctx context.Context, s *Shell, a *args) error {
	if a.n() < 1 {
		return nil
	}
	i, err := strconv.Atoi(a.at(1))
	if err != nil {
		return refusal(fmt.Sprintf("For input string: %q", a.at(1)))
	}
	if i < 0 || i >= len(s.history)-1 {
		return refusal("Command index out of range")
	}
	line := s.history[i]
	ws := words(line)
	if len(ws) == 0 {
		return nil
	}
	if ws[0] == "redo" {
		return refusal("No redoing redos")
	}
	s.history[len(s.history)-1] = line
	return s.command(ctx, ws)
}
