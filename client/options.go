package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"github.com/zooid-io/zooid/zk"
)

// Options are what a client can be told. The zero value, and nil, are useful: every field has a default.
type Options struct {
	// SessionTimeout is how long the servers keep the session without hearing from this client. The server may choose another
	// within its limits: Status.Timeout says which. At least 1 ms; 0 is DefaultSessionTimeout.
	SessionTimeout time.Duration

	// ConnectTimeout bounds one attempt to reach one address: dialing and the answer to the handshake. 0 is SessionTimeout
	// divided by the number of servers, but at least a second.
	ConnectTimeout time.Duration

	// MaxBackoff bounds the pause between two rounds through the servers; within a round there is no pause. The first pause is
	// about 50 ms, each further one about twice as long, and each is shortened by chance so that clients that lost the same
	// server do not return at the same moment. 0 is 5 s.
	MaxBackoff time.Duration

	// CloseTimeout bounds how long Close looks for a server while there is no connection, to tell it that the session is over: if it
	// finds none, the session and its ephemeral znodes stay for the session's timeout. A third of that timeout is the most. 0 is 2 s;
	// negative is not to look.
	CloseTimeout time.Duration

	// Chroot is put before every path that goes to the server and taken off every path that comes back. "" and "/" are none.
	// It may also stand at the end of the list of servers, "a:2181,b:2181/app"; given twice it must be the same.
	Chroot string

	// ReadOnly allows servers that are cut off from their ensemble and can only answer reads; writes end with zk.NotReadOnly
	// there. The client keeps looking for a better one. Servers offer this only if configured so.
	ReadOnly bool

	// Auth are credentials, given to every server that the client connects to, in this order, before anything else is sent.
	// AddAuth appends to them.
	Auth []Auth

	// Session resumes a session that another client has left (Client.Detach). The zero value begins a new one; one that has only Seen
	// begins a new one at a server that has seen as much.
	Session Session

	// Dialer opens a connection to an address with a resolved host, "tcp" and "192.0.2.1:2181"; it should heed ctx. nil is a
	// net.Dialer. Its connections are wrapped in TLS if TLSConfig is set.
	Dialer func(ctx context.Context, network, addr string) (net.Conn, error)

	// Resolve gives the addresses (IPs) of a host name. It is asked anew for every attempt. nil is net.DefaultResolver.LookupHost.
	Resolve func(ctx context.Context, host string) ([]string, error)

	// TLSConfig turns TLS on. Where its ServerName is empty, the host of the list of servers is used.
	TLSConfig *tls.Config

	// SASL logs in at every server before calls are sent. nil is no SASL.
	SASL SASL

	// MaxRequest is the longest request that is sent, in bytes with its header: a server closes the connection on one that is
	// longer than its jute.maxbuffer, and with it everybody else's calls are lost. A longer one ends with zk.BadArguments.
	// 0 is 0xfffff, which is the servers' default.
	MaxRequest int

	// MaxReply is the longest frame that is read, in bytes; a longer one breaks the connection. 0 is 128 MiB.
	MaxReply int

	// Logger is told of connections that come and go, and of sessions. nil is no log.
	Logger *slog.Logger

	// Rand shuffles the servers and the pauses; for tests. nil is a seed by chance.
	Rand rand.Source
}

// DefaultSessionTimeout is the session timeout that is asked for unless told otherwise.
const DefaultSessionTimeout = 10 * time.Second

// Auth is a credential: for scheme "digest" the text "user:password".
type Auth struct {
	Scheme string
	Auth   []byte
}

// Session is what another client needs to go on with a session.
type Session struct {
	ID       zk.SessionID
	Password []byte  // 16 bytes
	Seen     zk.Zxid // the newest that the session has seen: no server that has seen less will do
}

// SASL is a mechanism to log in with (client protocol, section 6.7).
type SASL interface {
	// Begin starts a login at a server, given by the host of the list of servers.
	Begin(host string) (SASLExchange, error)
}

// SASLExchange is one login. It is used by one goroutine.
type SASLExchange interface {
	// Step takes what the server sent, nil at first, and gives what to send next. done says that the login is over once the
	// server has answered this token, or, where token is nil, that it is over now.
	Step(challenge []byte) (token []byte, done bool, err error)
}

// settle gives o with its defaults, or says what is wrong.
func (o *Options) settle(servers int) (Options, error) {
	s := Options{}
	if o != nil {
		s = *o
	}
	switch {
	case s.SessionTimeout < 0 || s.SessionTimeout > 0 && s.SessionTimeout < time.Millisecond || s.SessionTimeout > 1<<31*time.Millisecond-1:
		return s, fmt.Errorf("client: SessionTimeout %v is not between 1 ms and 2^31-1 ms", s.SessionTimeout)
	case s.ConnectTimeout < 0:
		return s, fmt.Errorf("client: ConnectTimeout %v is negative", s.ConnectTimeout)
	case s.MaxBackoff < 0:
		return s, fmt.Errorf("client: MaxBackoff %v is negative", s.MaxBackoff)
	case s.MaxRequest < 0 || s.MaxReply < 0:
		return s, errors.New("client: MaxRequest and MaxReply must not be negative")
	case s.Session.ID != 0 && len(s.Session.Password) != 16:
		return s, fmt.Errorf("client: the password of a session has 16 bytes, not %d", len(s.Session.Password))
	}
	if s.SessionTimeout == 0 {
		s.SessionTimeout = DefaultSessionTimeout
	}
	if s.ConnectTimeout == 0 {
		s.ConnectTimeout = max(s.SessionTimeout/time.Duration(servers), time.Second)
	}
	if s.MaxBackoff == 0 {
		s.MaxBackoff = 5 * time.Second
	}
	if s.CloseTimeout == 0 {
		s.CloseTimeout = 2 * time.Second
	}
	if s.MaxRequest == 0 {
		s.MaxRequest = 0xfffff
	}
	if s.MaxReply == 0 {
		s.MaxReply = 128 << 20
	}
	if s.Dialer == nil {
		s.Dialer = (&net.Dialer{}).DialContext
	}
	if s.Resolve == nil {
		s.Resolve = net.DefaultResolver.LookupHost
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Rand == nil {
		s.Rand = rand.NewPCG(rand.Uint64(), rand.Uint64())
	}
	return s, nil
}
