package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/zooid-io/zooid/internal/sim"
)

const simIntro = `Runs ensembles and their clients in virtual time, with faults, and checks what has to hold.

  zooid sim -seed 17                     one run, always the same
  zooid sim -seed 17 -trace              with everything that happens
  zooid sim -seeds 1000                  seeds 1 to 1000
  zooid sim -minutes 10 -from 5000       as many as there is time for, on all cores or -workers N
  zooid sim -faults crash,link-reset     only these; list tells them all

The exit code is 1 if something did not hold.
`

// newSimCommand is zooid sim. Its flags begin with one dash or two, as those of zooid bench.
func newSimCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "sim",
		Short:              "Simulate ensembles with faults, and check them",
		DisableFlagParsing: true,
		RunE:               func(cmd *cobra.Command, args []string) error { return runSim(cmd.OutOrStdout(), args) },
	}
}

func runSim(out io.Writer, args []string) error {
	fs := flag.NewFlagSet("zooid sim", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // cobra prints the error
	seed := fs.Uint64("seed", 0, "run this one")
	seeds := fs.Uint64("seeds", 0, "run so many")
	minutes := fs.Float64("minutes", 0, "stop after so long")
	from := fs.Uint64("from", 1, "the first of many seeds")
	faults := fs.String("faults", "all", "the faults that may happen: `names` with commas, all, none; list tells them")
	workers := fs.Int("workers", runtime.GOMAXPROCS(0), "how many of many seeds run at a time")
	trace := fs.Bool("trace", false, "print everything that happens, with -seed")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(out, simIntro, "\n")
		fs.SetOutput(out)
		fs.PrintDefaults()
		return nil
	case err != nil:
		return err
	case fs.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if *faults == "list" {
		for _, f := range sim.Faults {
			fmt.Fprintf(out, "%-18s %s\n", f.Name, f.Does)
		}
		return nil
	}
	allowed, err := sim.ParseFaults(*faults)
	if err != nil {
		return err
	}
	if *seeds == 0 && *minutes == 0 {
		return simOne(out, sim.Options{Seed: *seed, Faults: allowed}, *faults, *trace)
	}
	return simMany(out, sim.Options{Seed: *from, Faults: allowed}, *faults, *seeds, max(*workers, 1), *minutes)
}

// simOne runs one seed and tells all about it.
func simOne(out io.Writer, o sim.Options, faults string, trace bool) error {
	if trace {
		o.Trace = func(line string) { fmt.Fprintln(out, line) }
	}
	r := sim.Run(o)
	fmt.Fprintf(out, "seed %d\n%v\n", o.Seed, r.Params)
	if r.Failure != nil {
		return simFailed(out, &r, faults, !trace)
	}
	s := sim.Summary{}
	s.Add(&r)
	s.Write(out)
	fmt.Fprintf(out, "well, trace %016x\n", r.Hash)
	return nil
}

// simFailed shows a failure and how to see it again.
func simFailed(out io.Writer, r *sim.Result, faults string, lines bool) error {
	if lines {
		for _, l := range r.Trace[max(0, len(r.Trace)-100):] {
			fmt.Fprintln(out, l)
		}
	}
	fmt.Fprintf(out, "seed %d: %v\ntrace %016x; again: zooid sim -seed %d -faults %s -trace\n", r.Params.Seed, r.Failure, r.Hash, r.Params.Seed, faults)
	return fmt.Errorf("seed %d: %s does not hold", r.Params.Seed, r.Failure.Checker)
}

// simMany runs many seeds, shows how far it is, and sums up.
func simMany(out io.Writer, o sim.Options, faults string, n uint64, workers int, minutes float64) error {
	start := time.Now()
	if n == 0 {
		n = math.MaxUint64
	}
	var failed error
	shown := start
	s := sim.Campaign(o, n, workers, func() bool {
		return minutes == 0 || time.Since(start).Minutes() < minutes
	}, func(s *sim.Summary, r *sim.Result) {
		if r.Failure != nil {
			failed = errors.Join(failed, simFailed(out, r, faults, true))
		}
		if time.Since(shown) > 2*time.Second {
			shown = time.Now()
			fmt.Fprintf(os.Stderr, "%4.0f s: %d seeds, %d failed, %.2f virtual hours\n", time.Since(start).Seconds(), s.Seeds, len(s.Failed), float64(s.Virtual)/3_600_000)
		}
	})
	s.Write(out)
	fmt.Fprintf(out, "in %.0f s\n", time.Since(start).Seconds())
	return failed
}
