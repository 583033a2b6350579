package client

import (
	"strings"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// out is a path as the server knows it: below the chroot.
func (c *Client) out(path string) string {
	switch {
	case c.chroot == "":
		return path
	case path == "/":
		return c.chroot
	}
	return c.chroot + path
}

// in is a server's path as the caller knows it. One that is not below the chroot stays as it is.
func (c *Client) in(path string) string {
	rest, ok := strings.CutPrefix(path, c.chroot)
	switch {
	case c.chroot == "" || !ok:
		return path
	case rest == "":
		return "/"
	case rest[0] != '/':
		return path
	}
	return rest
}

// within are those of a server's paths that are below the chroot, as the caller knows them.
func (c *Client) within(paths []string) []string {
	if c.chroot == "" {
		return paths
	}
	kept := paths[:0]
	for _, p := range paths {
		if strings.HasPrefix(p, c.chroot+"/") {
			kept = append(kept, c.in(p))
		}
	}
	return kept
}

// checkPath refuses a call whose path no server would take, or which would lead out of the chroot. Servers look up the paths of
// reads literally (client protocol, section 3.12); here all paths are held to the same rule, as in Apache's client.
func checkPath(op wire.Op, path string) error {
	switch op := op.(type) {
	case *wire.WhoAmI, *wire.Auth, *wire.Multi, *wire.Reconfig, *wire.CloseSession:
		return nil
	case *wire.GetEphemerals:
		if strings.HasPrefix(path, "/") { // a prefix of letters, not a path
			return nil
		}
	case *wire.Create:
		if op.Mode.IsSequential() {
			path += "1" // "/queue/" is fine: the server appends the number
		}
	}
	if err := zk.ValidatePath(path); err != nil {
		return badArguments(opName(op), path, err)
	}
	return nil
}
