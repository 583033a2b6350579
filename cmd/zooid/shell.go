package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/shell"
)

const shellIntro = `Looks into a ZooKeeper server and changes it. Without a command it reads commands, from a terminal or a pipe.

  zooid shell -server 127.0.0.1:2181
  zooid shell -server a:2181,b:2181/app ls -R /
  echo 'create /a x' | zooid shell

  -server host:port[,host:port][/chroot]   localhost:2181 if not given
  -timeout ms                              of the session, 30000
  -r                                       servers without a quorum will do
  -waitforconnection                       wait for a server before the command
  -client-configuration file               zookeeper.* properties of Apache's client

and beyond Apache's:

  -o json|table     what ls, get, stat, getAcl and their kin print
  -exit-codes       tell failures apart by exit code; see docs/shell.md
  -classic          get and set print the Stat, as ZooKeeper 3.4 did

The command help lists the commands.
`

// newShellCommand is Apache's ZooKeeperMain: bin/zkCli.sh calls it.
func newShellCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "shell [-server host:port] [command]",
		Short:              "Look into a ZooKeeper server and change it",
		DisableFlagParsing: true, // Apache's begin with one dash, and the command's own options must stay
		RunE:               func(cmd *cobra.Command, args []string) error { return runShell(cmd, args) },
	}
}

// shellArgs sorts the arguments: what is before the command is ours, and of that what we do not know is ignored, as Apache does.
func shellArgs(args []string, opt *shell.Options) (command []string, configuration string, err error) {
	for i := 0; i < len(args); i++ {
		name := args[i]
		if !strings.HasPrefix(name, "-") {
			return args[i:], configuration, nil
		}
		value := ""
		switch name {
		case "-server", "-timeout", "-client-configuration", "-o":
			if i++; i == len(args) {
				return nil, "", fmt.Errorf("Error: no argument found for option %s", name)
			}
			value = args[i]
		}
		switch name {
		case "-server":
			opt.Server = value
		case "-timeout":
			ms, err := strconv.Atoi(value)
			if err != nil || ms <= 0 {
				return nil, "", fmt.Errorf("-timeout %q is not a number of milliseconds", value)
			}
			opt.Timeout = time.Duration(ms) * time.Millisecond
		case "-client-configuration":
			configuration = value
		case "-r":
			opt.ReadOnly = true
		case "-waitforconnection":
			opt.WaitForConnection = true
		case "-classic":
			opt.Classic = true
		case "-exit-codes":
			opt.ExitCodes = true
		case "-o":
			opt.JSON, opt.Table = value == "json", value == "table"
			if !opt.JSON && !opt.Table {
				return nil, "", fmt.Errorf("-o is json or table, not %q", value)
			}
		}
	}
	return nil, configuration, nil
}

func runShell(cmd *cobra.Command, args []string) error {
	for _, a := range args {
		if a == "-h" || a == "-help" || a == "--help" {
			fmt.Fprint(cmd.OutOrStdout(), shellIntro)
			return nil
		}
		if !strings.HasPrefix(a, "-") {
			break
		}
	}
	opt := shell.Options{
		Server: "localhost:2181",
		In:     os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Version:     versionString(),
		FourLetters: askFourLetters,
		Edit:        edit,
		Exec:        execute,
		Interrupts: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return signal.NotifyContext(ctx, os.Interrupt)
		},
	}
	command, configuration, err := shellArgs(args, &opt)
	if err != nil {
		return err
	}
	if configuration != "" {
		if opt.Client.TLSConfig, err = clientConfiguration(configuration); err != nil {
			return exitError{err, 2}
		}
	}
	os.Exit(shellSession(opt, command))
	return nil
}

// shellSession runs a command, or all that come, and returns the exit code.
func shellSession(opt shell.Options, command []string) int {
	if len(command) > 0 {
		s := shell.New(opt)
		defer s.Close()
		return s.RunOne(context.Background(), command)
	}
	if stdin, stdout := int(os.Stdin.Fd()), int(os.Stdout.Fd()); term.IsTerminal(stdin) && term.IsTerminal(stdout) {
		opt.Terminal = terminal(stdin, stdout)
	}
	s := shell.New(opt)
	defer s.Close()
	return s.Run(context.Background())
}

// askFourLetters sends a word to the first server of a list.
func askFourLetters(servers, word string) ([]byte, error) {
	first, _, _ := strings.Cut(servers, ",")
	first, _, _ = strings.Cut(first, "/")
	host, port, err := net.SplitHostPort(first)
	if err != nil {
		host, port = first, "2181"
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("port %q is not a number", port)
	}
	return admin.Run4lw(host, n, word, 5*time.Second)
}
