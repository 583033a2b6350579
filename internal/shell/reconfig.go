package shell

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/client"
)

func runReconfig(ctx context.Context, s *Shell, a *args) error {
	change := client.Reconfig{Version: -1}
	if a.has("v") {
		v, err := strconv.ParseInt(a.value("v"), 10, 64) // zkCli takes hexadecimal neither
		if err != nil {
			return refusal("-v must be followed by a long (configuration version)")
		}
		change.Version = v
	}
	incremental := a.has("add") || a.has("remove")
	switch {
	case !incremental && !a.has("file") && !a.has("members"):
		return usage{a.command()}
	case incremental && (a.has("file") || a.has("members")):
		return refusal("Can't use -file or -members together with -add or -remove (mixing incremental and non-incremental modes is not allowed)")
	case a.has("file") && a.has("members"):
		return refusal("Can't use -file and -members together (conflicting non-incremental modes)")
	}
	for _, spec := range specs(a.value("add")) {
		change.Joining = append(change.Joining, serverKey(spec))
	}
	change.Leaving = specs(a.value("remove"))
	for _, spec := range specs(a.value("members")) {
		change.Members = append(change.Members, serverKey(spec))
	}
	if a.has("file") {
		text, err := os.ReadFile(a.value("file"))
		if err != nil {
			return refusal(fmt.Sprintf("Error processing %s%v", a.value("file"), err))
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "server.") {
				change.Members = append(change.Members, line)
			}
		}
	}
	c, err := s.client(ctx, "")
	if err != nil {
		return err
	}
	config, st, err := c.Reconfig(ctx, change)
	if err != nil {
		return withoutPath(err)
	}
	fmt.Fprintf(s.out, "Committed new configuration:\n%s\n", config)
	if a.has("s") {
		return s.printStat(st)
	}
	return nil
}

func specs(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// serverKey takes "5=..." and "server.5=...".
func serverKey(spec string) string {
	if strings.HasPrefix(spec, "server.") {
		return spec
	}
	return "server." + spec
}
