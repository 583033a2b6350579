package bench

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Target is what is measured: one server, or the servers of one ensemble. It runs already, or is started by the bench.
type Target struct {
	Name    string
	Addrs   []string // host:port; connections are spread over them
	PIDs    []int    // processes whose CPU and memory count; none is "unknown"
	Command string   // if set the bench starts the server itself, with {port} and {dir} put in; Addrs and PIDs are then empty

	settleStep time.Duration // tests: instead of the usual, and everything about settling in proportion
}

// ParseServers reads "host:port,host:port": one target of that many servers.
func ParseServers(s string) (Target, error) {
	t := Target{Name: "server", Addrs: strings.Split(s, ",")}
	return t, checkAddrs(t.Addrs)
}

// ParseVersus reads "name=host:port,name=host:port": as many targets. The servers of an ensemble are joined by "+".
func ParseVersus(s string) ([]Target, error) {
	var ts []Target
	for _, part := range strings.Split(s, ",") {
		name, addrs, ok := strings.Cut(part, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is not name=host:port", part)
		}
		t := Target{Name: name, Addrs: strings.Split(addrs, "+")}
		if err := checkAddrs(t.Addrs); err != nil {
			return nil, err
		}
		ts = append(ts, t)
	}
	return ts, nil
}

// ParseExec reads "name=command line".
func ParseExec(s string) (Target, error) {
	name, command, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return Target{}, fmt.Errorf("%q is not name=command", s)
	}
	args, err := splitCommand(command)
	if err == nil && len(args) == 0 {
		err = fmt.Errorf("%q has no command", s)
	}
	return Target{Name: name, Command: command}, err
}

// SetPIDs reads "name=pid,name=pid", or a lone "pid" where there is one target, into targets. Several pids of one target
// are joined by "+".
func SetPIDs(targets []Target, s string) error {
	if s == "" {
		return nil
	}
	for _, part := range strings.Split(s, ",") {
		name, list, ok := strings.Cut(part, "=")
		if !ok {
			if len(targets) != 1 {
				return fmt.Errorf("%q is not name=pid", part)
			}
			name, list = targets[0].Name, part
		}
		i := slices.IndexFunc(targets, func(t Target) bool { return t.Name == name })
		if i < 0 {
			return fmt.Errorf("a pid for %q, which is no target", name)
		}
		if targets[i].Command != "" {
			return fmt.Errorf("a pid for %q, which the bench starts itself", name)
		}
		for _, p := range strings.Split(list, "+") {
			pid, err := strconv.Atoi(p)
			if err != nil || pid <= 0 {
				return fmt.Errorf("%q is not a pid", p)
			}
			targets[i].PIDs = append(targets[i].PIDs, pid)
		}
	}
	return nil
}

func checkAddrs(addrs []string) error {
	for _, a := range addrs {
		if _, _, err := net.SplitHostPort(a); err != nil {
			return fmt.Errorf("%q is not host:port", a)
		}
	}
	return nil
}

// splitCommand cuts a command line at spaces, except within single or double quotes.
func splitCommand(s string) ([]string, error) {
	var args []string
	var arg []byte
	in, quote := false, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			arg = append(arg, c)
		case c == '\'' || c == '"':
			in, quote = true, c
		case c == ' ' || c == '\t' || c == '\n':
			if in {
				args, arg, in = append(args, string(arg)), nil, false
			}
		default:
			in, arg = true, append(arg, c)
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a %c in %q is not closed", quote, s)
	}
	if in {
		args = append(args, string(arg))
	}
	return args, nil
}
