package store

import (
	"cmp"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/zk"
)

// versionDir is the directory below dataDir and logDir that holds the files.
const versionDir = "version-2"

const (
	logPrefix      = "log"
	snapshotPrefix = "snapshot"

	// unfinished files have names that Apache does not take for logs or snapshots; Open removes them.
	unfinishedPrefix = "zooid-"
	unfinishedSuffix = ".tmp"
)

func logName(z zk.Zxid) string { return logPrefix + "." + strconv.FormatUint(uint64(z), 16) }

func snapshotName(z zk.Zxid, compression string) string {
	name := snapshotPrefix + "." + strconv.FormatUint(uint64(z), 16)
	if compression != "" {
		name += "." + compression
	}
	return name
}

func unfinished(name string) string { return unfinishedPrefix + name + unfinishedSuffix }

func isUnfinished(name string) bool {
	return strings.HasPrefix(name, unfinishedPrefix) && strings.HasSuffix(name, unfinishedSuffix)
}

// named is a file whose name tells a zxid.
type named struct {
	zxid        zk.Zxid
	dir, name   string
	compression string // of a snapshot
}

func (n named) path() string { return filepath.Join(n.dir, n.name) }

// parseName takes apart the name of a log or snapshot that is ours to read. Apache also takes log.1.bak for log 1 and
// snapshot.9.tmp for a snapshot: such are copies or remains, and reading both it and the real file cannot be right.
func parseName(prefix, name string) (n named, ok bool) {
	rest, ok := strings.CutPrefix(name, prefix+".")
	if !ok {
		return n, false
	}
	hex, suffix, dotted := strings.Cut(rest, ".")
	if dotted && (prefix != snapshotPrefix || suffix != "gz" && suffix != "snappy") {
		return n, false
	}
	z, err := strconv.ParseUint(hex, 16, 64)
	if err != nil || z > math.MaxInt64 {
		return n, false
	}
	return named{zxid: zk.Zxid(z), name: name, compression: suffix}, true
}

// looseZxid is what Apache's Util.getZxidFromName makes of a name: further parts are ignored, what does not parse is -1.
// Purging goes by it.
func looseZxid(prefix, name string) zk.Zxid {
	parts := strings.Split(name, ".")
	if len(parts) < 2 || parts[0] != prefix {
		return -1
	}
	z, err := strconv.ParseInt(parts[1], 16, 64)
	if err != nil {
		return -1
	}
	return zk.Zxid(z)
}

// list reads a directory for logs or snapshots, ascending. strange are the names that begin like them and are not.
func (s *Store) list(dir, prefix string) (files []named, strange []string, err error) {
	entries, err := s.fs.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if n, ok := parseName(prefix, e.Name()); ok {
			n.dir = dir
			files = append(files, n)
		} else if strings.HasPrefix(e.Name(), prefix+".") {
			strange = append(strange, e.Name())
		}
	}
	slices.SortFunc(files, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.zxid, b.zxid), cmp.Compare(a.name, b.name))
	})
	return files, strange, nil
}

func hasPrefix(entries []fs.DirEntry, prefix string) bool {
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), prefix+".") })
}
