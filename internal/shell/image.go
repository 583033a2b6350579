package shell

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// image is a subtree as a file: what export writes and import reads. The znodes stand parents first; the paths are below the root,
// whose own is "". Ephemerals are left out: they belong to a session. Containers and znodes with a time to live come back as plain
// ones: a server does not tell them apart to a client.
//
// It is read znode by znode, so it shows several moments where others write meanwhile.
type image struct {
	Format string       `json:"format"`
	From   string       `json:"from"`
	SHA256 string       `json:"sha256"` // of the znodes' JSON, without white space
	Nodes  []imageZnode `json:"znodes"`
}

type imageZnode struct {
	Path string `json:"path"`
	datum
	ACL []string `json:"acl"` // scheme:id:perms

	version int32 // of the data, as it was read
}

const imageFormat = "zooid subtree 1"

func (m *image) sum() string {
	b, err := json.Marshal(m.Nodes)
	if err != nil {
		panic(err) // strings and bytes always can
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// take reads a subtree. left are the paths of ephemerals.
func take(ctx context.Context, c *client.Client, root string) (m *image, left []string, err error) {
	all, err := walk(ctx, c, root)
	if err != nil {
		return nil, nil, err
	}
	if all[0].stat.EphemeralOwner != 0 {
		return nil, nil, refusal(root + " is ephemeral: it belongs to a session")
	}
	all = slices.DeleteFunc(all, func(n node) bool {
		if n.stat.EphemeralOwner != 0 {
			left = append(left, n.path)
		}
		return n.stat.EphemeralOwner != 0 || root == "/" && isReserved(n.path)
	})
	m = &image{Format: imageFormat, From: root}
	for part := range slices.Chunk(all, 500) {
		b := c.Batch()
		var ds []*client.GetResult
		var as []*client.ACLResult
		for _, n := range part {
			ds, as = append(ds, b.Get(n.path)), append(as, b.GetACL(n.path))
		}
		b.Flush(ctx) // each result has its error
		for i, n := range part {
			err := cmp.Or(ds[i].Err, as[i].Err)
			if errors.Is(err, zk.NoNode) && n.depth > 0 {
				continue
			}
			if err != nil {
				return nil, nil, err // a copy that silently lacks something is worse than none
			}
			z := imageZnode{Path: strings.TrimPrefix(n.path, strings.TrimSuffix(root, "/")), datum: datumOf(ds[i].Data), version: ds[i].Stat.Version}
			if n.path == root {
				z.Path = ""
			}
			for _, e := range as[i].ACL {
				z.ACL = append(z.ACL, aclText(e))
			}
			m.Nodes = append(m.Nodes, z)
		}
	}
	return m, left, nil
}

func readImage(text []byte) (*image, error) {
	var m image
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("this is not a subtree that export wrote: %w", err)
	}
	switch {
	case m.Format != imageFormat:
		return nil, fmt.Errorf("format %q is not %q", m.Format, imageFormat)
	case len(m.Nodes) == 0 || m.Nodes[0].Path != "":
		return nil, errors.New("the first znode is not the root")
	case m.SHA256 != "" && m.SHA256 != m.sum():
		return nil, errors.New("the file was changed or cut since export wrote it; without its sha256 it is taken as it is")
	}
	for _, z := range m.Nodes[1:] {
		if err := checkPath(z.Path); err != nil {
			return nil, err
		}
	}
	return &m, nil
}

// place is where a znode of an image goes.
func (z *imageZnode) place(root string) string {
	switch {
	case z.Path == "":
		return root
	case root == "/":
		return z.Path
	}
	return root + z.Path
}

// acl is a znode's list.
func (z *imageZnode) acl() ([]zk.ACL, error) {
	s := &Shell{err: &bytes.Buffer{}}
	acl := s.parseACL(strings.Join(z.ACL, ","))
	if text := s.err.(*bytes.Buffer).String(); text != "" || len(acl) == 0 {
		return nil, fmt.Errorf("znode %q: acl: %s", z.Path, strings.TrimSpace(text))
	}
	return acl, nil
}

// Bounds of a transaction: operations, and bytes, of the million that servers take.
const (
	txnOps   = 1000
	txnBytes = 512 << 10
)

// put makes the subtree below root, which must not exist, in as few transactions as there must be. If one fails, what the earlier
// ones made is removed again.
func (m *image) put(ctx context.Context, c *client.Client, root string) error {
	var made []node
	tx, size := c.Multi(), 0
	var part []node
	commit := func() error {
		if tx.Len() == 0 {
			return nil
		}
		err := tx.Commit(ctx)
		if err == nil {
			made = append(made, part...)
		} else if len(made) > 0 {
			slices.Reverse(made)
			if again := deleteNodes(context.WithoutCancel(ctx), c, made, deleteBatch); again != nil {
				err = errors.Join(err, fmt.Errorf("and what was made before could not be removed: %s", text(again)))
			}
		}
		tx, size, part = c.Multi(), 0, nil
		return err
	}
	for i := range m.Nodes {
		z := &m.Nodes[i]
		acl, err := z.acl()
		if err != nil {
			return err
		}
		path := z.place(root)
		if path == "/" {
			continue // it is there
		}
		data := z.bytes()
		cost := len(path) + len(data) + 64*(1+len(acl))
		if tx.Len() == txnOps || tx.Len() > 0 && size+cost > txnBytes {
			if err := commit(); err != nil {
				return err
			}
		}
		tx.Create(path, data, zk.Persistent, acl...)
		size += cost
		part = append(part, node{path: path, depth: i})
	}
	return commit()
}

// same tells the first difference of two images, or "". The roots' places do not count.
func (m *image) same(other *image) string {
	a, b := m.byPath(), other.byPath()
	for _, z := range m.Nodes {
		o, ok := b[z.Path]
		switch {
		case !ok:
			return z.place(other.From) + " is missing"
		case !bytes.Equal(z.bytes(), o.bytes()):
			return z.place(other.From) + " has other data"
		case !slices.Equal(z.ACL, o.ACL):
			return z.place(other.From) + " has another ACL"
		}
	}
	for _, z := range other.Nodes {
		if _, ok := a[z.Path]; !ok {
			return z.place(other.From) + " should not be there"
		}
	}
	return ""
}

func (m *image) byPath() map[string]*imageZnode {
	all := map[string]*imageZnode{}
	for i := range m.Nodes {
		all[m.Nodes[i].Path] = &m.Nodes[i]
	}
	return all
}
