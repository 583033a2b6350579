package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/zooid-io/zooid/internal/config"
	"github.com/zooid-io/zooid/internal/server"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/sysmon"
)

const serverIntro = `Serves a ZooKeeper tree.

  zooid server                                  127.0.0.1:2181, data in ./zooid-data
  zooid server zoo.cfg                          as Apache's server with this file
  zooid server 2181 /var/lib/zookeeper [tickTime [maxClientCnxns]]

Java's system properties are taken as arguments (-Dname=value) and from SERVER_JVMFLAGS and JVMFLAGS.
`

func newServerCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "server [zoo.cfg]",
		Short:              "Serve",
		Long:               serverIntro,
		DisableFlagParsing: true, // -Dname=value and -D name=value are Java's
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, a := range args {
				if a == "-h" || a == "--help" {
					return cmd.Help()
				}
			}
			return runServer(args)
		},
	}
}

func runServer(args []string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	slog.SetDefault(log)
	sys := config.Environ(os.Getenv)
	rest, own := config.SplitArgs(args)
	maps.Copy(sys, own)
	friendly := len(rest) == 0
	var c *config.Config
	var err error
	if friendly {
		c, err = config.DefaultWith(sys)
	} else {
		c, err = config.FromArgs(rest, sys)
	}
	if err != nil {
		log.Error("Invalid config, exiting abnormally", "err", err)
		return err
	}
	for _, w := range c.Warnings {
		log.Warn(w.String())
	}
	opt := c.Options
	opt.Logger = log
	opt.Version = versionString()
	opt.Monitor = sysmon.Start()
	s, err := server.Start(opt, nil)
	if err != nil {
		var dir *store.DirError
		if errors.As(err, &dir) {
			fmt.Fprintln(os.Stderr, "Unable to access datadir, exiting abnormally")
			return exitError{err, 3}
		}
		return err
	}
	if friendly {
		fmt.Printf("Zooid serves on %s and keeps its data in %s. Connect with any ZooKeeper client, e.g.: zkCli.sh -server %s\n",
			s.Addr(), opt.DataDir, s.Addr())
	} else if s.Addr() != nil {
		log.Info("binding to port " + s.Addr().String())
	}

	stopProfile := profile(os.Getenv("ZOOID_CPUPROFILE"))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt, syscall.SIGHUP)
	select {
	case err := <-s.Fatal():
		log.Error("Unexpected exception, exiting abnormally", "err", err)
		return err
	case sig := <-signals:
		go func() { // a second signal does not wait
			<-signals
			os.Exit(1)
		}()
		stopProfile()
		if err := s.Close(); err != nil {
			log.Error("closing", "err", err)
		}
		// As Java's: 128 and the signal's number. Service files for Apache expect 143 (SuccessExitStatus).
		code := 143
		if n, ok := sig.(syscall.Signal); ok {
			code = 128 + int(n)
		}
		os.Exit(code)
	}
	return nil
}

// profile writes a CPU profile of the whole run to a file, for docs/performance.md; nothing without a name.
func profile(file string) (stop func()) {
	if file == "" {
		return func() {}
	}
	f, err := os.Create(file)
	if err != nil {
		slog.Error("no profile", "err", err)
		return func() {}
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		slog.Error("no profile", "err", err)
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}
}

// exitError is an error with the process's exit code.
type exitError struct {
	error
	code int
}

func (e exitError) Unwrap() error { return e.error }

func (e exitError) ExitCode() int { return e.code }
