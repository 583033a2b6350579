package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/vfs"
)

const cleanupUsage = `Usage:
PurgeTxnLog dataLogDir [snapDir] -n count
	dataLogDir -- path to the txn log directory
	snapDir -- path to the snapshot directory
	count -- the number of old snaps/logs you want to keep, value should be greater than or equal to 3`

// newCleanupCommand is Apache's PurgeTxnLog: bin/zkCleanup.sh calls it.
func newCleanupCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "cleanup dataLogDir [snapDir] -n count",
		Short:              "Remove snapshots and logs that are not needed any more",
		DisableFlagParsing: true,
		RunE:               func(_ *cobra.Command, args []string) error { return runCleanup(args) },
	}
}

func runCleanup(args []string) error {
	var dirs []string
	count := ""
	for i := 0; i < len(args); i++ {
		if args[i] == "-n" && i+1 < len(args) {
			i++
			count = args[i]
		} else {
			dirs = append(dirs, args[i])
		}
	}
	if count == "" || len(dirs) < 1 || len(dirs) > 2 {
		fmt.Println(cleanupUsage)
		os.Exit(1)
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return fmt.Errorf("'%s' can not be parsed to integer", count)
	}
	if n < 3 {
		return errors.New("count should be greater than or equal to 3")
	}
	for _, d := range dirs {
		if _, err := os.Stat(d); err != nil {
			return fmt.Errorf("Path '%s' does not exist. ", d)
		}
	}
	logDir, snapDir := dirs[0], dirs[len(dirs)-1]
	s, err := store.Open(vfs.OS{}, snapDir, logDir, store.Options{Shared: true})
	if err != nil {
		return err
	}
	defer s.Close()
	gone, err := s.Purge(n)
	for _, path := range gone {
		fmt.Printf("Removing file: %s\t%s\n", time.Now().Format("Jan 2, 2006, 3:04:05 PM"), path)
	}
	return err
}
