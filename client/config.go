package client

import (
	"context"
	"strings"

	"github.com/zooid-io/zooid/internal/clientcore"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// configPath is the znode that holds the ensemble's members; no chroot applies to it.
const configPath = "/zookeeper/config"

// GetConfig reads the members of the ensemble, as text: a line "server.1=..." for each, then "version=" and a hexadecimal number.
// A standalone server's is empty. The chroot does not matter.
func (c *Client) GetConfig(ctx context.Context) ([]byte, zk.Stat, error) {
	var r wire.DataReply
	err := c.do(ctx, configPath, &wire.GetData{Path: configPath}, &r, nil)
	return r.Data, r.Stat, err
}

// GetConfigW is GetConfig, and watches as GetW does.
func (c *Client) GetConfigW(ctx context.Context) ([]byte, zk.Stat, <-chan zk.Event, error) {
	var r wire.DataReply
	w := newOneShot(clientcore.Data)
	w.absolute = true
	err := c.do(ctx, configPath, &wire.GetData{Path: configPath, Watch: true}, &r, w)
	return r.Data, r.Stat, w.unless(err), err
}

// Reconfig is a change of the ensemble's members: either Members, all of them anew, or Joining and Leaving.
type Reconfig struct {
	Joining []string // "server.4=host:2888:3888:participant;2181"
	Leaving []string // "3"
	Members []string // as Joining
	Version int64    // the config that is changed, by its number; -1 is whichever there is; note that 0 is not -1
}

// Reconfig changes the members of the ensemble and returns the new config, as GetConfig does. The server must allow it
// (reconfigEnabled), and the caller needs WRITE on /zookeeper/config.
//
// Errors: zk.ReconfigDisabled, zk.NoAuth, zk.BadVersion, zk.BadArguments, zk.NewConfigNoQuorum, zk.ReconfigInProgress,
// zk.Unimplemented (standalone).
func (c *Client) Reconfig(ctx context.Context, change Reconfig) ([]byte, zk.Stat, error) {
	op := &wire.Reconfig{CurConfigID: change.Version}
	op.Joining, op.JoiningNull = strings.Join(change.Joining, ","), len(change.Joining) == 0
	op.Leaving, op.LeavingNull = strings.Join(change.Leaving, ","), len(change.Leaving) == 0
	op.Members, op.MembersNull = strings.Join(change.Members, ","), len(change.Members) == 0
	var r wire.DataReply
	err := c.do(ctx, configPath, op, &r, nil)
	return r.Data, r.Stat, err
}
