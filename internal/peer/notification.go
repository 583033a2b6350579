package peer

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// maxNotification bounds the frames of the election port (ensemble protocol, section 2.3).
const maxNotification = 512 << 10

// The lengths of bodies that mean a format of their own, and what stands before the configuration in all others (section 3.1).
const (
	oldestNotification = 28 // without the candidate's epoch
	olderNotification  = 40 // with it; what stands where the version is now means nothing
	fixedNotification  = 44
)

// FrameError says that a frame of the election port has an impossible length. What follows it cannot be found.
type FrameError struct{ Length int32 }

func (e *FrameError) Error() string {
	return fmt.Sprintf("peer: notification of %d bytes, not 1 to %d", e.Length, maxNotification)
}

// ConfigError says that a configuration could not be understood. Of a notification the rest is good.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return fmt.Sprintf("peer: configuration: %v", e.Err) }

func (e *ConfigError) Unwrap() error { return e.Err }

// AppendNotification appends a frame: 4 bytes of length and the notification in format 2, whatever n.Version says. Without a
// Config its text is empty.
func AppendNotification(b []byte, n zab.Notification) []byte {
	at := len(b)
	b = jute.AppendInt(b, 0)
	b = jute.AppendInt(b, int32(n.State))
	b = jute.AppendLong(b, int64(n.Vote.Leader))
	b = jute.AppendLong(b, int64(n.Vote.Zxid))
	b = jute.AppendLong(b, n.Vote.Round)
	b = jute.AppendLong(b, int64(n.Vote.Epoch))
	b = jute.AppendInt(b, 2)
	text := ""
	if n.Config != nil {
		text = n.Config.String()
	}
	b = jute.AppendInt(b, int32(len(text)))
	b = append(b, text...)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// DecodeNotification reads the body of a frame, in any of the formats of section 3.1. After a *ConfigError the notification is
// good, without its Config; after any other error it is to be dropped, and the connection may go on.
func DecodeNotification(body []byte) (zab.Notification, error) {
	var n zab.Notification
	if len(body) < oldestNotification {
		return n, fmt.Errorf("peer: notification of %d bytes is too short", len(body))
	}
	d := jute.NewDecoder(body)
	n.State = zab.State(d.Int())
	n.Vote.Leader = ensemble.SID(d.Long())
	n.Vote.Zxid = zk.Zxid(d.Long())
	n.Vote.Round = d.Long()
	if n.State < zab.Looking || n.State > zab.Observing {
		return n, fmt.Errorf("peer: notification with state %d", n.State)
	}
	if len(body) == oldestNotification {
		n.Vote.Epoch = zab.Epoch(n.Vote.Zxid.Epoch())
		return n, nil
	}
	n.Vote.Epoch = zab.Epoch(d.Long())
	if len(body) == olderNotification {
		return n, nil
	}
	if n.Version = d.Int(); n.Version <= 1 {
		return n, notificationError(d.Err())
	}
	text := d.Buffer() // its length is compared with what is left
	if err := d.Err(); err != nil {
		return n, notificationError(err)
	}
	if len(text) == 0 { // also null, which Apache calls an error: it never comes
		return n, nil
	}
	var err error
	if n.Config, err = ensemble.Parse(string(text)); err != nil {
		n.Config = nil
		return n, &ConfigError{err}
	}
	return n, nil
}

func notificationError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("peer: notification: %w", err)
}

// readFrame reads a frame's body. The error is a *FrameError or the reader's.
func readFrame(r *bufio.Reader) ([]byte, error) {
	b, err := r.Peek(4)
	if err != nil {
		return nil, unexpected(err, len(b) > 0)
	}
	n := int32(binary.BigEndian.Uint32(b))
	if n < 1 || n > maxNotification {
		return nil, &FrameError{n}
	}
	_, _ = r.Discard(4) // they are there
	return readBytes(r, int(n))
}

// readBytes reads n bytes. Memory is taken as they come: a length alone is cheap to send.
func readBytes(r io.Reader, n int) ([]byte, error) {
	const chunk = 64 << 10
	b := make([]byte, min(n, chunk))
	for at := 0; ; {
		if _, err := io.ReadFull(r, b[at:]); err != nil {
			return nil, unexpected(err, true)
		}
		if len(b) == n {
			return b, nil
		}
		at = len(b)
		grown := make([]byte, min(n, 4*at))
		copy(grown, b)
		b = grown
	}
}

// unexpected makes an end of the input in the middle of something what it is.
func unexpected(err error, within bool) error {
	if err == io.EOF && within {
		return io.ErrUnexpectedEOF
	}
	return err
}
