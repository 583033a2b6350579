package server

import (
	"strings"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/wire"
)

// namespaceTally gathers bytes read or written by namespace, the first name of a path. Neighbours mostly share theirs, so the
// shared metrics are touched once for a run of the same.
type namespaceTally struct {
	set admin.TimingSet
	key string
	sum admin.Summary
}

// note counts n bytes for a path; the root has no namespace.
func (t *namespaceTally) note(m *admin.Metrics, path string, n int) {
	if len(path) < 2 || path[0] != '/' {
		return
	}
	key := path[1:]
	if i := strings.IndexByte(key, '/'); i >= 0 {
		key = key[:i]
	}
	if key == "" {
		return
	}
	if key != t.key {
		t.settle(m)
		t.key = strings.Clone(key)
	}
	t.sum.Add(int64(n))
}

// settle gives what was gathered to the metrics.
func (t *namespaceTally) settle(m *admin.Metrics) {
	if t.sum.Count > 0 {
		m.MergeKey(t.set, t.key, t.sum)
		t.sum = admin.Summary{}
	}
}

// replyHeader is a reply's length word and header, and statBytes a Stat: what a reply has besides data or names.
const (
	replyHeader = 4 + 16
	statBytes   = 68
)

// readOf gives the path of a read and, of the reply's length in all, the bytes that upstream counts: of data, or of names.
func readOf(op wire.Op, reply int) (path string, n int) {
	switch op := op.(type) {
	case *wire.GetData:
		return op.Path, max(reply-replyHeader-4-statBytes, 0)
	case *wire.Exists:
		return op.Path, 0
	case *wire.GetChildren:
		n = reply - replyHeader - 4
		if op.WithStat {
			n -= statBytes
		}
		return op.Path, max(n, 0)
	}
	return "", 0
}
