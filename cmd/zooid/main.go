// Command zooid is ZooKeeper in one binary: the server and what operators need beside it.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{
		Use:           "zooid",
		Short:         "A ZooKeeper server, and tools for any ZooKeeper",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newServerCommand(), newShellCommand(), newBenchCommand(), newSimCommand(), newCleanupCommand(), newFourLetterCommand(), &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run:   func(*cobra.Command, []string) { fmt.Println("Apache ZooKeeper, version " + versionString()) },
	})
	if err := root.Execute(); err != nil {
		exit(err)
	}
}

// exitCoder is an error that knows what the process must end with.
type exitCoder interface{ ExitCode() int }

// exit prints an error and ends the process with its code, 1 if it has none.
func exit(err error) {
	fmt.Fprintln(os.Stderr, "zooid:", err)
	code := 1
	for e := err; e != nil; {
		if c, ok := e.(exitCoder); ok {
			code = c.ExitCode()
			break
		}
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = u.Unwrap()
	}
	os.Exit(code)
}
