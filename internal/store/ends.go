package store

import (
	"fmt"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// foreignAdvice goes with a record that is as it was written and means nothing to us.
const foreignAdvice = "Another version or program wrote this. Use that, or, if other servers of the ensemble are well, move this " +
	"server's " + versionDir + " aside and let them send the data"

// lastEnd judges what follows the last good record of the last file.
func (r *restorer) lastEnd(f vfs.File, n named, l *logReader, e *LogError, t tail) error {
	if e == nil && t.used <= l.off {
		return r.s.settle(n.path(), l.off) // only padding follows
	}
	if e != nil && e.Kind == BadHeader {
		return r.refuse(e)
	}
	ok, err := t.torn(f, l.off, e)
	if err != nil {
		return &DiskError{"read", n.path(), err}
	}
	if !ok {
		if e == nil {
			e = l.damage(Zeros, "data up to offset %d", t.used)
		}
		return r.refuse(e)
	}
	if err := r.repair(n, l, e, t); err != nil || l.off <= logHeaderSize {
		return err
	}
	return r.s.settle(n.path(), l.off)
}

// middleEnd judges what follows the last good record of a file that has a successor. A torn end is harmless if the successor
// goes on where the good records end: upstream never appends to a file that an earlier run left, nor mends it.
func (r *restorer) middleEnd(n named, l *logReader, e *LogError, t tail, next zk.Zxid) error {
	switch {
	case e == nil && t.used <= l.off:
		return nil
	case follows(r.at, next) || next <= r.at:
		if e == nil || e.Kind == CutOff || e.Kind == NoEnd {
			return nil // everybody reads over it
		}
		return r.repair(n, l, e, t)
	case e == nil:
		e = l.damage(Zeros, "data up to offset %d", t.used)
	}
	return r.refuse(e)
}

// repair removes what a crash left at the end of a file.
func (r *restorer) repair(n named, l *logReader, e *LogError, t tail) error {
	what := Zeros
	if e != nil {
		what = e.Kind
	}
	if l.off <= logHeaderSize {
		if what == BadHeader && t.used > logHeaderSize {
			return r.refuse(e)
		}
		if err := r.s.drop(n.path()); err != nil {
			return err
		}
		r.note("Removed %s: its first transaction was not completely written (%v)", n.path(), what)
		return nil
	}
	if err := r.s.cut(n.path(), l.off); err != nil {
		return err
	}
	r.note("Cut %s back from %d to %d bytes, behind zxid %v: the next transaction was not completely written (%v)",
		n.path(), max(t.used, l.off), l.off, l.last, what)
	return nil
}

// refuse gives an error its advice.
func (r *restorer) refuse(e *LogError) error {
	e.Advice = fmt.Sprintf("Transactions that were acknowledged may stand here and behind it, so nothing was changed. If other servers "+
		"of the ensemble are well, move this server's %s aside and let them send the data. If not, work on a copy: the log can "+
		"be rewritten without the damaged record, which is lost with what depends on it (zkTxnLogToolkit.sh -r)", versionDir)
	return e
}
