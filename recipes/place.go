package recipes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Layout is how contenders for a lock or an office name their znodes, so that programs of other libraries may stand in the same line.
type Layout int

// The layouts. Whoever is in the folder is honoured, whatever its layout; it is the others who must know ours: docs/other-libraries.md says
// who knows whom.
const (
	// Curator: "_c_" GUID "-lock-" number. Curator's InterProcessMutex, LeaderSelector and InterProcessReadWriteLock, go-zookeeper's Lock.
	Curator Layout = iota
	// Kazoo: GUID "__lock__" number. Kazoo's Lock, Election, ReadLock and WriteLock. Its folders stay when they are empty: a lock of
	// kazoo's makes its folder once, and fails if that is gone later.
	Kazoo
	// CuratorLatch: "_c_" GUID "-latch-" number. Curator's LeaderLatch, which does not see the line of a LeaderSelector.
	CuratorLatch
)

// folder makes the znodes' parent.
func (l Layout) folder(ctx context.Context, c *client.Client, path string) error {
	mode := zk.Container
	if l == Kazoo {
		mode = zk.Persistent
	}
	return MakeFolder(ctx, c, path, mode)
}

// kind is what a contender wants.
type kind int

const (
	exclusive kind = iota
	shared
	writing // exclusive, among readers: Curator names it otherwise
)

// name is that of the znode, without its number.
func (l Layout) name(guid string, k kind) string {
	switch l {
	case Kazoo:
		return guid + [...]string{"__lock__", "__rlock__", "__lock__"}[k]
	case CuratorLatch:
		return "_c_" + guid + "-latch-"
	}
	return "_c_" + guid + "-" + [...]string{"lock-", "__READ__", "__WRIT__"}[k]
}

// entrant is somebody in a line.
type entrant struct {
	name   string
	number int32
	shared bool
}

// number reads the sequence number at the end of a name. The server's counter has 32 bits with a sign, and is written with at least
// ten characters; after 2147483647 comes -2147483648. A minus is one only behind the dash or underscore that ends a prefix.
func number(name string) (n int32, ok bool) {
	if len(name) < 10 {
		return 0, false
	}
	at := len(name) - 10
	digits := name[at:]
	if at >= 2 && name[at-1] == '-' && (name[at-2] == '-' || name[at-2] == '_') {
		digits = name[at-1:]
	}
	v, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || digits[0] == '+' {
		return 0, false
	}
	return int32(v), true
}

// before orders numbers in spite of the counter's overflow: a line is shorter than 2^31.
func before(a, b int32) int {
	switch d := a - b; {
	case d < 0:
		return -1
	case d > 0:
		return 1
	}
	return 0
}

// lineUp orders those children of a folder that are contenders, of whatever library.
func lineUp(names []string) []entrant {
	line := make([]entrant, 0, len(names))
	for _, name := range names {
		if n, ok := number(name); ok {
			line = append(line, entrant{name, n, strings.Contains(name, "__READ__") || strings.Contains(name, "__rlock__")})
		}
	}
	slices.SortFunc(line, func(a, b entrant) int { return before(a.number, b.number) })
	return line
}

// A rule says for whom the one at me must wait: the index of one to watch, or -1 when it is its turn.
type rule func(line []entrant, me int) int

// alone waits for the one before, so that a release wakes one and not all.
func alone(_ []entrant, me int) int { return me - 1 }

// together waits for the last before that does not share.
func together(line []entrant, me int) int {
	for i := me - 1; i >= 0; i-- {
		if !line[i].shared {
			return i
		}
	}
	return -1
}

// place is somewhere in a line: an ephemeral sequential znode. Its GUID finds it again when the reply to its creation was lost.
type place struct {
	c      *client.Client
	folder string
	guid   string
	path   string
	stat   zk.Stat // at its creation
}

// folderMaker makes a folder that is missing. That somebody else has made it is fine.
type folderMaker func(ctx context.Context, c *client.Client, path string) error

// join goes to the end of the line in a folder that goes when it is empty. When it fails nothing is left behind, or will not be for long.
func join(ctx context.Context, c *client.Client, folder string, name func(guid string) string, data []byte) (*place, error) {
	return joinIn(ctx, c, folder, Curator.folder, name, data)
}

// joinIn is join for a folder that is made in another way.
func joinIn(ctx context.Context, c *client.Client, folder string, make folderMaker, name func(guid string) string, data []byte) (*place, error) {
	p := &place{c: c, folder: folder, guid: newGUID()}
	prefix := zk.JoinPath(folder, name(p.guid))
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		var err error
		p.path, p.stat, err = c.Create(ctx, prefix, data, zk.EphemeralSequential)
		switch {
		case err == nil:
			return p, nil
		case errors.Is(err, zk.NoNode):
			if err := make(ctx, c, folder); err != nil {
				return nil, err
			}
			continue
		case unsent(err) && broken(err):
			if !rest(ctx, pause) {
				return nil, gaveUp(ctx, err)
			}
			continue
		case !unsent(err) && broken(err):
			switch found, err := p.find(ctx); {
			case err != nil:
				go p.sweep()
				return nil, err
			case found:
				return p, nil
			}
			continue
		}
		if !unsent(err) && ctx.Err() != nil {
			go p.sweep()
		}
		return nil, err
	}
}

// names lists what this place has made. What was sent over a connection that is gone was carried out before the sync, or never will
// be: a server drops what it has not taken when the session comes back, and a leader refuses what comes by way of a server that
// the session has left.
func (p *place) names(ctx context.Context) (mine []string, err error) {
	var all []string
	err = Insist(ctx, func() (err error) {
		if err = p.c.Sync(ctx, p.folder); err == nil {
			all, _, err = p.c.Children(ctx, p.folder)
		}
		return err
	})
	if errors.Is(err, zk.NoNode) {
		return nil, nil
	}
	for _, name := range all {
		if strings.Contains(name, p.guid) {
			mine = append(mine, name)
		}
	}
	return mine, err
}

// find looks whether the znode was made after all.
func (p *place) find(ctx context.Context) (bool, error) {
	mine, err := p.names(ctx)
	if err != nil || len(mine) == 0 {
		return false, err
	}
	p.path = zk.JoinPath(p.folder, mine[0])
	var there bool
	err = Insist(ctx, func() (err error) { there, p.stat, err = p.c.Exists(ctx, p.path); return err })
	return there, err
}

// sweep removes whatever this place has made or may have made. It ends with that, or with the session, and so with the znode.
func (p *place) sweep() {
	ctx := context.Background()
	mine, err := p.names(ctx)
	if err != nil {
		return
	}
	for _, name := range mine {
		if remove(ctx, p.c, zk.JoinPath(p.folder, name)) != nil {
			return
		}
	}
}

// leave gives the place up. Where ctx ends first it is given up nevertheless, a little later.
func (p *place) leave(ctx context.Context) error {
	err := remove(ctx, p.c, p.path)
	if errors.Is(err, zk.SessionExpired) {
		return nil // and the znode with the session
	}
	if err != nil {
		go p.sweep()
	}
	return err
}

// look tells for whom this place must wait, "" for nobody.
func (p *place) look(ctx context.Context, r rule) (path string, err error) {
	var names []string
	err = Insist(ctx, func() (err error) { names, _, err = p.c.Children(ctx, p.folder); return err })
	if err != nil && !errors.Is(err, zk.NoNode) {
		return "", err
	}
	line := lineUp(names)
	me := slices.IndexFunc(line, func(e entrant) bool { return strings.HasSuffix(p.path, "/"+e.name) })
	if me < 0 {
		return "", fmt.Errorf("%w: somebody has deleted %s", ErrLost, p.path)
	}
	if i := r(line, me); i >= 0 {
		return zk.JoinPath(p.folder, line[i].name), nil
	}
	return "", nil
}

// wait waits for its turn.
func (p *place) wait(ctx context.Context, r rule) error {
	for {
		path, err := p.look(ctx, r)
		if err != nil || path == "" {
			return err
		}
		// Not ExistsW: on a znode that has just gone it would leave a watch behind.
		var changed <-chan zk.Event
		err = Insist(ctx, func() (err error) { _, _, changed, err = p.c.GetW(ctx, path); return err })
		if errors.Is(err, zk.NoNode) {
			continue
		}
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
