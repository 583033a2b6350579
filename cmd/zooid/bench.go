package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/zooid-io/zooid/internal/bench"
)

const benchIntro = `Puts load on ZooKeeper servers and compares them.

  zooid bench -servers 127.0.0.1:2181
  zooid bench -vs apache=127.0.0.1:2181,zooid=127.0.0.1:2182 -pids apache=17,zooid=18 -work get,set,get@1x1
  zooid bench -exec apache='java -cp zk.jar org.apache.zookeeper.server.quorum.QuorumPeerMain {dir}/zoo.cfg' \
              -exec zooid='zooid server {dir}/zoo.cfg' -profile full -html report.html

The first server named is the one the others are compared with. Everything happens below ` + bench.Root + `, which is
removed before and after. Flags may be written with one dash or two.
`

// newBenchCommand is zooid bench. It parses its own flags: those of ZooKeeper's tools begin with a single dash.
func newBenchCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "bench",
		Short:              "Put load on ZooKeeper servers and compare them",
		DisableFlagParsing: true,
		SilenceUsage:       true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runBench(cmd, args)
		},
	}
}

func runBench(cmd *cobra.Command, args []string) error {
	opt := bench.Default()
	fs := flag.NewFlagSet("zooid bench", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // cobra prints the error
	var pids, profile, jsonFile, htmlFile string
	var quiet bool
	fs.Func("servers", "`host:port[,...]` of one server, or of the servers of one ensemble", func(s string) error {
		t, err := bench.ParseServers(s)
		opt.Targets = append(opt.Targets, t)
		return err
	})
	fs.Func("vs", "`name=host:port,...` of servers to compare; an ensemble's are joined by +", func(s string) error {
		ts, err := bench.ParseVersus(s)
		opt.Targets = append(opt.Targets, ts...)
		return err
	})
	fs.Func("exec", "`name=command` of a server to start, with {dir}/zoo.cfg made for it, {dir} and {port} put in; may be repeated", func(s string) error {
		t, err := bench.ParseExec(s)
		opt.Targets = append(opt.Targets, t)
		return err
	})
	fs.StringVar(&pids, "pids", "", "`name=pid,...` of running servers, for their CPU and memory; several are joined by +")
	fs.Func("cfg", "`name=value` line for the zoo.cfg of servers that are started; may be repeated", func(s string) error {
		if !strings.Contains(s, "=") {
			return errors.New("not name=value")
		}
		opt.Config = append(opt.Config, s)
		return nil
	})
	fs.Func("work", "`list` of what to measure: kind[@connections x in flight][:ops per second],... (default get,set,mixed,get@1x1,set@1x1)", func(s string) error {
		ws, err := bench.ParseWork(strings.ReplaceAll(s, " ", ""))
		opt.Work = append(opt.Work, ws...)
		return err
	})
	fs.StringVar(&profile, "profile", "", "`name` of a list of work; full is everything")
	fs.IntVar(&opt.Conns, "conns", opt.Conns, "connections of a loop")
	fs.IntVar(&opt.InFlight, "inflight", opt.InFlight, "requests in flight on each connection")
	fs.IntVar(&opt.Size, "size", opt.Size, "`bytes` of a value")
	fs.IntVar(&opt.Keys, "keys", opt.Keys, "znodes that loops read and write")
	fs.Float64Var(&opt.Rate, "rate", opt.Rate, "operations per second (open loop: latency counts from when a request was due); 0 is as fast as possible")
	fs.DurationVar(&opt.Duration, "duration", opt.Duration, "of a round")
	fs.DurationVar(&opt.Warmup, "warmup", opt.Warmup, "of each server, before each work")
	fs.IntVar(&opt.Rounds, "rounds", opt.Rounds, "of each server, alternating; figures are medians")
	fs.IntVar(&opt.Members, "members", opt.Members, "servers that each -exec starts: an ensemble, with {dir}, {port} and zoo.cfg for each of them")
	fs.IntVar(&opt.Joined, "joined", opt.Joined, "znodes of the work join")
	fs.IntVar(&opt.Znodes, "znodes", opt.Znodes, "of the work znodes and snapshot")
	fs.IntVar(&opt.Connections, "connections", opt.Connections, "of the work connections")
	fs.IntVar(&opt.Watches, "watches", opt.Watches, "of the work watches")
	fs.IntVar(&opt.Watchers, "watchers", opt.Watchers, "of the work fanout")
	fs.IntVar(&opt.SnapCount, "snapcount", opt.SnapCount, "snapCount during the work snapshot")
	fs.Float64Var(&opt.WriteRate, "writerate", opt.WriteRate, "writes per second during the work snapshot")
	fs.StringVar(&opt.Dir, "dir", opt.Dir, "`folder` below which started servers get their data folders")
	fs.BoolVar(&opt.Keep, "keep", opt.Keep, "leave the subtree and the data folders")
	fs.BoolVar(&quiet, "quiet", false, "no progress lines")
	fs.StringVar(&jsonFile, "json", "", "`file` for the whole report as JSON; - is standard output, without the table")
	fs.StringVar(&htmlFile, "html", "", "`file` for a report with plots")

	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		benchUsage(cmd.OutOrStdout(), fs)
		return nil
	case err != nil:
		return err
	case fs.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err := bench.SetPIDs(opt.Targets, pids); err != nil {
		return err
	}
	switch profile {
	case "":
	case "full":
		opt.Work = append(opt.Work, bench.Full()...)
	default:
		return fmt.Errorf("no profile is called %q; there is full", profile)
	}
	if len(opt.Work) == 0 {
		opt.Work, _ = bench.ParseWork("get,set,mixed,get@1x1,set@1x1")
	}
	if !quiet {
		opt.Progress = cmd.ErrOrStderr()
	}

	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	report, err := bench.Run(ctx, opt)
	if report == nil {
		return err
	}
	return errors.Join(writeReport(cmd.OutOrStdout(), report, jsonFile, htmlFile), err)
}

func writeReport(out io.Writer, report *bench.Report, jsonFile, htmlFile string) error {
	toFile := func(name string, write func(io.Writer) error) error {
		if name == "" {
			return nil
		}
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	asJSON := func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(report)
	}
	var err error
	if jsonFile == "-" {
		err, jsonFile = asJSON(out), ""
	} else {
		err = report.WriteTable(out)
	}
	return errors.Join(err, toFile(jsonFile, asJSON), toFile(htmlFile, report.WriteHTML))
}

func benchUsage(w io.Writer, fs *flag.FlagSet) {
	fmt.Fprint(w, benchIntro)
	fmt.Fprintln(w, "\nWork:")
	names, meanings := bench.Kinds()
	for i, n := range names {
		fmt.Fprintf(w, "  %-12s %s\n", n, meanings[i])
	}
	fmt.Fprintln(w, "\nFlags:")
	fs.SetOutput(w)
	fs.PrintDefaults()
}
