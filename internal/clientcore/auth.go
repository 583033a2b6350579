package clientcore

import (
	"bytes"
	"fmt"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// remember keeps a credential for the next connection.
func (c *Core) remember(a *wire.Auth) {
	for _, have := range c.creds {
		if have.Scheme == a.Scheme && bytes.Equal(have.Auth, a.Auth) {
			return
		}
	}
	c.creds = append(c.creds, Credential{a.Scheme, a.Auth})
}

// authReplied takes the reply to the oldest auth packet: they may overtake those to other requests, but not each other
// (section 2.14). A refused credential ends the session for this client, as in Apache's.
func (c *Core) authReplied(h wire.ReplyHeader) error {
	if c.auths.len() == 0 {
		return fmt.Errorf("a reply to an auth packet, but none was sent")
	}
	k := c.auths.pop()
	if k != nil {
		c.finish(k, h.Err)
	}
	if h.Err == zk.AuthFailed {
		c.end(AuthFailed)
	}
	return nil
}

// LoginToken answers an effect Login: token is sent, and if last its reply ends the login. A nil token with last ends it now. An err
// says that the mechanism gave up.
func (c *Core) LoginToken(now int64, token []byte, last bool, err error) {
	switch {
	case c.phase != LoggingIn || c.state.Ended():
	case err != nil:
		c.end(AuthFailed)
	case token == nil && last:
		c.live(now)
	default:
		if token == nil {
			token = []byte{}
		}
		k := &Call{Op: &wire.Sasl{Token: token}, fate: abandoned}
		c.xid = c.nextXid()
		k.xid = c.xid
		c.out = wire.AppendRequestFrame(c.out, k.xid, k.Op)
		c.sentAt = now
		c.loginCall, c.loginLast = k, last
		c.calls.push(k)
	}
}

// loginReplied takes the reply to a SASL packet (section 6.7): on failure it has a code, and a body too.
func (c *Core) loginReplied(now int64, h wire.ReplyHeader, d *jute.Decoder) error {
	c.loginCall = nil
	if h.Err != zk.OK {
		c.end(AuthFailed)
		return nil
	}
	var r wire.SaslReply
	if r.Decode(d); d.Err() != nil {
		return fmt.Errorf("the reply to a SASL packet could not be read: %w", d.Err())
	}
	if c.loginLast && r.Token == nil {
		c.live(now)
		return nil
	}
	c.effects.Login = &Login{Challenge: r.Token}
	return nil
}
