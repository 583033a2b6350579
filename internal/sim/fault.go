package sim

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is the name of something that goes wrong.
type Fault string

// The faults. Those of the network and the clock have an end; who crashed starts again.
const (
	MessageLoss     Fault = "message-loss"
	MessageRepeat   Fault = "message-repeat"
	Delay           Fault = "delay"
	Reorder         Fault = "reorder"
	Partition       Fault = "partition"
	OneWay          Fault = "one-way-partition"
	LinkReset       Fault = "link-reset"
	Crash           Fault = "crash"
	CrashInEffect   Fault = "crash-in-effect"
	TornWrite       Fault = "torn-write"
	SlowDisk        Fault = "slow-disk"
	FullDisk        Fault = "full-disk"
	FailingDisk     Fault = "failing-disk"
	ClockJump       Fault = "clock-jump"
	Pause           Fault = "pause"
	RollingRestart  Fault = "rolling-restart"
	ClientDrop      Fault = "client-drop"
	LeaderIsolation Fault = "leader-isolation"
	Blackout        Fault = "blackout"
	Reconfiguration Fault = "reconfiguration"
)

// Faults are all of them, each with what it does.
var Faults = []struct {
	Name Fault
	Does string
}{
	{MessageLoss, "for a while, a part of the notifications is lost"},
	{MessageRepeat, "for a while, notifications come again, late"},
	{Delay, "for a while, everything on the network takes up to half a second"},
	{Reorder, "links get paces of their own, so that what is sent on one overtakes what was sent on another"},
	{Partition, "for a while, two groups of servers do not reach each other"},
	{OneWay, "for a while, one server does not reach another, which reaches it"},
	{LeaderIsolation, "for a while, whoever leads is cut off from all others, but not from its clients"},
	{LinkReset, "a link between two servers ends in the middle; each finds out in its time"},
	{Crash, "a server loses power, and what was not synced; it starts again"},
	{CrashInEffect, "a server loses power at one of its next effects on the disk"},
	{TornWrite, "likewise, and a write that is under way is done up to some byte"},
	{SlowDisk, "for a while, a disk takes a hundred times as long"},
	{FullDisk, "for a while, a disk has little space, or none"},
	{FailingDisk, "a disk's next writes or fsyncs fail, and what was not synced is lost"},
	{ClockJump, "a server's wall clock jumps, forth or back"},
	{Pause, "a server stands still for a while, and then goes on"},
	{RollingRestart, "each server, one after the other, is stopped as an operator does it, and started again"},
	{ClientDrop, "a client's connection ends"},
	{Blackout, "all servers lose power at about the same time, and start again"},
	{Reconfiguration, "servers join, with an empty disk or their old one, leave, change their parts and ports, also whoever leads; often something else goes wrong meanwhile"},
}

// ParseFaults reads a list of names, "all" or "none".
func ParseFaults(s string) ([]Fault, error) {
	var all, out []Fault
	for _, f := range Faults {
		all = append(all, f.Name)
	}
	switch s {
	case "", "all":
		return all, nil
	case "none":
		return nil, nil
	}
	for _, name := range strings.Split(s, ",") {
		f := Fault(strings.TrimSpace(name))
		if !slices.Contains(all, f) {
			return nil, fmt.Errorf("no fault is called %q", name)
		}
		out = append(out, f)
	}
	return out, nil
}
