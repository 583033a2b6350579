// Package shell is the command language of the command line: what stands behind zkCli.sh and zooid shell.
//
// Commands, options, texts, streams and exit codes are those of Apache's zkCli 3.9 (operations, section 5), its forms of the 3.4
// days included; behind them stand commands of our own (tree, export, diff, ...). It works on the public client alone, so with
// any ZooKeeper. It does not know four-letter words, the process's flags, or what a terminal is made of: these are given to it.
//
// A line goes through these hands:
//
//	terminal.go or a plain reader > words.go (quotes) > command.go (the table) > flags.go > a command's run > failure.go
//
// A Shell is one value with one connection at a time. It reads no line while a command runs. What comes unasked, events of
// watches and of the session, is printed by goroutines that end with the connection; Shell.Close waits for them.
//
// Nothing is done before the first byte is sent to the server: no files are read but the history, and that only at a terminal.
//
// Where to start: Shell.Run, then commands in command.go.
package shell
