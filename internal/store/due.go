package store

import "sync"

// due counts what was logged since the last roll and knows when that is enough for a snapshot. The thresholds lie between
// half of what is configured and all of it, drawn anew each time, so that the servers of an ensemble do not take their
// snapshots at the same moment.
type due struct {
	mu        sync.Mutex
	txns      int64
	bytes     int64 // of whole files and the present one, padding included
	current   int64 // the part of bytes that is the present file
	maxTxns   int64 // a snapshot is due above it
	maxBytes  int64 // likewise; 0 is no limit
	forceRoll bool  // Roll was called and no new file begun yet
}

// draw sets new thresholds. The caller holds d.mu or has the only reference.
func (d *due) draw(o *Options) {
	half := int64(max(o.SnapCount, 2) / 2)
	d.maxTxns = half + int64(o.Rand(int(half)))
	d.maxBytes = 0
	if half := o.SnapSizeLimit / 2; half > 0 {
		d.maxBytes = half + int64(o.Rand(int(half)))
	}
}

// add counts txns in the present file, which is now so many bytes long.
func (d *due) add(txns int, size int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.txns += int64(txns)
	d.bytes += size - d.current
	d.current = size
}

// Roll makes the next Commit begin a new file and the count towards the next snapshot start from zero. A snapshot is written
// after it, of a state that holds everything before it.
func (s *Store) Roll() {
	s.due.mu.Lock()
	defer s.due.mu.Unlock()
	s.due.forceRoll = true
	s.due.txns, s.due.bytes, s.due.current = 0, 0, 0
	s.due.draw(&s.o)
}

// SnapshotDue tells whether enough was logged since the last Roll.
func (s *Store) SnapshotDue() bool {
	d := &s.due
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.txns > d.maxTxns || d.maxBytes > 0 && d.bytes > d.maxBytes
}

// takeRoll tells whether Roll was called since a file was begun.
func (d *due) takeRoll() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.forceRoll
	d.forceRoll = false
	return r
}

// begin says that a new file has replaced the present one.
func (d *due) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.current = 0
}
