package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{Use: "zooid", SilenceErrors: false}
	root.AddCommand(newBenchCommand())
	if root.ExecuteContext(context.Background()) != nil {
		os.Exit(1)
	}
}
