package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/zooid-io/zooid/internal/admin"
)

// newFourLetterCommand is Apache's FourLetterWordMain: bin/zkServer.sh status calls it.
func newFourLetterCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "4lw host port word",
		Short: "Ask a server a four-letter word",
		Args:  cobra.RangeArgs(3, 4),
		RunE: func(_ *cobra.Command, args []string) error {
			port, err := strconv.Atoi(args[1])
			if err != nil {
				return fmt.Errorf("port %q is not a number", args[1])
			}
			answer, err := admin.Run4lw(args[0], port, args[2], 5*time.Second)
			os.Stdout.Write(answer)
			return err
		},
	}
}
