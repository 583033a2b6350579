package zk

import (
	"errors"
	"strconv"
)

// Code is the number of an error on the wire (KeeperException.Code). Zero is success. A Code is itself an error, so that
// errors.Is(err, zk.NoNode) works on both sides of the wire.
type Code int32

// The codes, by their upstream numbers. This is the only table of them.
const (
	OK                           Code = 0
	SystemError                  Code = -1
	RuntimeInconsistency         Code = -2
	DataInconsistency            Code = -3
	ConnectionLoss               Code = -4
	MarshallingError             Code = -5
	Unimplemented                Code = -6
	OperationTimeout             Code = -7
	BadArguments                 Code = -8
	UnknownSession               Code = -12
	NewConfigNoQuorum            Code = -13
	ReconfigInProgress           Code = -14
	APIError                     Code = -100
	NoNode                       Code = -101
	NoAuth                       Code = -102
	BadVersion                   Code = -103
	NoChildrenForEphemerals      Code = -108
	NodeExists                   Code = -110
	NotEmpty                     Code = -111
	SessionExpired               Code = -112
	InvalidCallback              Code = -113
	InvalidACL                   Code = -114
	AuthFailed                   Code = -115
	SessionMoved                 Code = -118
	NotReadOnly                  Code = -119
	EphemeralOnLocalSession      Code = -120
	NoWatcher                    Code = -121
	RequestTimeout               Code = -122
	ReconfigDisabled             Code = -123
	SessionClosedRequireSaslAuth Code = -124
	QuotaExceeded                Code = -125
	ThrottledOp                  Code = -127
)

var codeText = map[Code]string{
	OK:                           "ok",
	SystemError:                  "system error",
	RuntimeInconsistency:         "runtime inconsistency",
	DataInconsistency:            "data inconsistency",
	ConnectionLoss:               "connection loss",
	MarshallingError:             "request could not be decoded",
	Unimplemented:                "unimplemented",
	OperationTimeout:             "operation timed out",
	BadArguments:                 "bad arguments",
	UnknownSession:               "unknown session",
	NewConfigNoQuorum:            "no quorum of the new config is connected",
	ReconfigInProgress:           "another reconfiguration is in progress",
	APIError:                     "api error",
	NoNode:                       "no node",
	NoAuth:                       "not authorized",
	BadVersion:                   "bad version",
	NoChildrenForEphemerals:      "ephemerals cannot have children",
	NodeExists:                   "node exists",
	NotEmpty:                     "node has children",
	SessionExpired:               "session expired",
	InvalidCallback:              "invalid callback",
	InvalidACL:                   "invalid acl",
	AuthFailed:                   "authentication failed",
	SessionMoved:                 "session moved to another server",
	NotReadOnly:                  "not a read-only call",
	EphemeralOnLocalSession:      "ephemeral node on a local session",
	NoWatcher:                    "no such watcher",
	RequestTimeout:               "request timed out",
	ReconfigDisabled:             "reconfig is disabled",
	SessionClosedRequireSaslAuth: "session closed: authentication required",
	QuotaExceeded:                "quota exceeded",
	ThrottledOp:                  "operation throttled",
}

// Error says the code in words; a code without words is given as its number.
func (c Code) Error() string {
	if s, ok := codeText[c]; ok {
		return s
	}
	return "zookeeper error " + strconv.Itoa(int(c))
}

// Error is a failed operation: what was tried, on which path, and why.
type Error struct {
	Op   string // the operation, as the API names it: "create", "getData"
	Path string // the znode, or "" where there is none
	Code Code   // the server's answer, or ConnectionLoss and its kin from the client
	Err  error  // a further cause, or nil
}

// Error reads "create /a: node exists".
func (e *Error) Error() string {
	s := e.Op
	if e.Path != "" {
		s += " " + e.Path
	}
	s += ": " + e.Code.Error()
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the code and the cause, so that errors.Is finds either.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.Err}
}

// CodeOf finds the Code within err: OK for nil, SystemError where err carries none.
func CodeOf(err error) Code {
	if err == nil {
		return OK
	}
	var c Code
	if errors.As(err, &c) {
		return c
	}
	return SystemError
}
