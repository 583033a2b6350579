package recipes

import (
	"context"
	"errors"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Report is how far something has come.
type Report struct {
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
	Note  string `json:"note,omitempty"`
}

// Progress is the report of one process on one piece of work, for others to follow with a Config of JSON[Report]. In the tree it is an
// ephemeral znode: it goes with the process, and whether the work is done must be said elsewhere.
type Progress struct {
	*Hold
	c    *client.Client
	path string
}

// StartProgress begins to report at path. Error: ErrBusy, where somebody else does.
func StartProgress(ctx context.Context, c *client.Client, path string, first Report) (*Progress, error) {
	data, err := JSON[Report]().Encode(first)
	if err != nil {
		return nil, err
	}
	t, err := NewSeat(c, path, data).TryTake(ctx)
	return &Progress{t.Hold, c, path}, err
}

// Tell replaces the report. Error: ErrLost, when somebody has removed it.
func (p *Progress) Tell(ctx context.Context, r Report) error {
	data, err := JSON[Report]().Encode(r)
	if err != nil {
		return err
	}
	err = Insist(ctx, func() error { _, err := p.c.Set(ctx, p.path, data, -1); return err })
	if errors.Is(err, zk.NoNode) {
		err = ErrLost
	}
	return err
}

// FollowProgress follows the report at path, which need not have begun: Version is -1 while there is none.
func FollowProgress(ctx context.Context, c *client.Client, path string) (*Config[Report], error) {
	return NewConfig(ctx, c, path, JSON[Report]())
}
