package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/zooid-io/zooid/zk"
)

// refusal is a command that was not even tried: its text is printed as it is.
type refusal string

func (r refusal) Error() string { return string(r) }

// usage is a refusal for want of arguments: the command's usage line.
type usage struct{ c *command }

func (u usage) Error() string { return u.c.name + " " + u.c.usage }

// unknown is a command that there is not.
type unknown string

func (u unknown) Error() string { return "Command not found: Command not found " + string(u) }

// unequal is the end of a diff that found differences, or of a check that did not hold: there is nothing to say.
type unequal struct{}

func (unequal) Error() string { return "" }

// The exit codes. Apache's knows 0, 1 and 127; the others are told apart with Options.ExitCodes.
const (
	ExitOK         = 0
	ExitFailed     = 1   // any failure without a code of its own; of diff: there are differences
	ExitUsage      = 2   // wrong arguments or options
	ExitNoNode     = 3   // the znode is missing
	ExitNodeExists = 4   // it is there
	ExitNotEmpty   = 5   // it has children
	ExitBadVersion = 6   // its version is another
	ExitNoAuth     = 7   // not permitted, or a login that failed
	ExitConnection = 8   // no server, connection lost, or session expired
	ExitTimeout    = 9   // waited in vain
	ExitQuota      = 10  // a quota
	ExitUnknown    = 127 // no such command

	exitInterrupted = 130 // as shells have it: 128 and the number of the signal
)

// exitCode is the exit code of a command that ended with err.
func exitCode(err error, fine bool) int {
	var no unknown
	var differs unequal
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &no):
		return ExitUnknown
	case !fine || errors.As(err, &differs):
		return ExitFailed
	}
	var r refusal
	var u usage
	switch {
	case errors.As(err, &r), errors.As(err, &u):
		return ExitUsage
	case errors.Is(err, context.DeadlineExceeded):
		return ExitTimeout
	}
	switch zk.CodeOf(err) {
	case zk.NoNode:
		return ExitNoNode
	case zk.NodeExists:
		return ExitNodeExists
	case zk.NotEmpty:
		return ExitNotEmpty
	case zk.BadVersion:
		return ExitBadVersion
	case zk.NoAuth, zk.AuthFailed, zk.SessionClosedRequireSaslAuth:
		return ExitNoAuth
	case zk.ConnectionLoss, zk.SessionExpired, zk.SessionMoved:
		return ExitConnection
	case zk.OperationTimeout, zk.RequestTimeout:
		return ExitTimeout
	case zk.QuotaExceeded:
		return ExitQuota
	case zk.BadArguments, zk.InvalidACL:
		return ExitUsage
	}
	return ExitFailed
}

// text is what is printed of an error: zkCli's words (operations, section 5.1).
func text(err error) string {
	var e *zk.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case !errors.As(err, &e):
		return err.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "waited in vain: " + e.Path
	}
	if before, ok := codeWords[e.Code]; ok {
		return before + e.Path
	}
	switch e.Code {
	case zk.ReconfigInProgress:
		return "Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)"
	case zk.NewConfigNoQuorum:
		return "No quorum of new config is connected and up-to-date with the leader of last commmitted config - try invoking reconfiguration after new servers are connected and synced"
	case zk.EphemeralOnLocalSession:
		return "Unable to create ephemeral node on a local session"
	}
	s := "KeeperErrorCode = " + keeperCode(e.Code)
	if e.Path != "" {
		s += " for " + e.Path
	}
	return s
}

// codeWords are the errors that zkCli has words for; the path follows.
var codeWords = map[zk.Code]string{
	zk.NoNode:                  "Node does not exist: ",
	zk.NodeExists:              "Node already exists: ",
	zk.NotEmpty:                "Node not empty: ",
	zk.NoChildrenForEphemerals: "Ephemerals cannot have children: ",
	zk.BadVersion:              "version No is not valid : ",
	zk.NoAuth:                  "Insufficient permission : ",
	zk.InvalidACL:              "Acl is not valid : ",
	zk.BadArguments:            "Arguments are not valid : ",
	zk.NotReadOnly:             "Not a read-only call: ",
	zk.QuotaExceeded:           "Quota has exceeded : ",
}

// keeperCode is Java's name of a code that zkCli has no words for.
func keeperCode(c zk.Code) string {
	switch c {
	case zk.ConnectionLoss:
		return "ConnectionLoss"
	case zk.Unimplemented:
		return "Unimplemented"
	case zk.SessionExpired:
		return "Session expired"
	case zk.SessionMoved:
		return "Session moved"
	case zk.AuthFailed:
		return "AuthFailed"
	case zk.NoWatcher:
		return "No such watcher"
	case zk.ReconfigDisabled:
		return "Reconfig is disabled"
	case zk.SessionClosedRequireSaslAuth:
		return "Session closed because client failed to authenticate"
	case zk.SystemError:
		return "SystemError"
	case zk.RuntimeInconsistency:
		return "RuntimeInconsistency"
	case zk.DataInconsistency:
		return "DataInconsistency"
	case zk.MarshallingError:
		return "MarshallingError"
	case zk.OperationTimeout:
		return "OperationTimeout"
	case zk.RequestTimeout:
		return "RequestTimeout"
	case zk.ThrottledOp:
		return "Op throttled due to high load"
	case zk.APIError:
		return "APIError"
	}
	return fmt.Sprintf("Unknown error %d", int32(c))
}

// checkPath refuses a path in zkCli's words (operations, section 5.1; client protocol, section 3.12).
func checkPath(path string) error {
	err := zk.ValidatePath(path)
	switch {
	case err == nil:
		return nil
	case path == "":
		return refusal("Path length must be > 0")
	case path[0] != '/':
		return refusal("Path must start with / character")
	case path[len(path)-1] == '/':
		return refusal("Path must not end with / character")
	}
	for i := 1; i < len(path); i++ {
		if path[i] == '/' && path[i-1] == '/' {
			return refusal(fmt.Sprintf("Invalid path string %q caused by empty node name specified @%d", path, i))
		}
		end := len(path)
		if j := strings.IndexByte(path[i:], '/'); j >= 0 {
			end = i + j
		}
		if name := path[i:end]; path[i-1] == '/' && (name == "." || name == "..") {
			return refusal(fmt.Sprintf("Invalid path string %q caused by relative paths not allowed @%d", path, end-1))
		}
	}
	return refusal(fmt.Sprintf("Invalid path string %q: %v", path, err))
}

// withoutPath is err for a command without a path: zkCli then prints none.
func withoutPath(err error) error {
	var e *zk.Error
	if !errors.As(err, &e) {
		return err
	}
	return &zk.Error{Op: e.Op, Code: e.Code, Err: e.Err}
}

// exited is the exit code of a program that a command ran.
type exited int

func (e exited) Error() string { return fmt.Sprintf("exit %d", int(e)) }
