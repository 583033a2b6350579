package peer

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// The text of a configuration (ensemble protocol, section 8.1). A stand-in until the ensemble's own.
var parseConfig = func(text string) (*ensemble.Config, error) {
	c := &ensemble.Config{}
	for line := range strings.Lines(text) {
		key, val, _ := strings.Cut(strings.TrimSpace(line), "=")
		if key == "version" {
			v, err := strconv.ParseInt(val, 16, 64)
			if err != nil {
				return nil, err
			}
			c.Version = zk.Zxid(v)
			continue
		}
		sid, ok := strings.CutPrefix(key, "server.")
		id, err := strconv.ParseInt(sid, 10, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("key %q", key)
		}
		peers, client, _ := strings.Cut(val, ";")
		f := strings.Split(peers, ":")
		if len(f) != 4 {
			return nil, fmt.Errorf("value %q", val)
		}
		q, err1 := strconv.Atoi(f[1])
		e, err2 := strconv.Atoi(f[2])
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("value %q", val)
		}
		c.Members = append(c.Members, ensemble.Member{ID: ensemble.SID(id), ClientAddr: client, Observer: f[3] == "observer",
			Peers: []ensemble.Addr{{Host: f[0], QuorumPort: q, ElectionPort: e}}})
	}
	return c, nil
}

func configText(c *ensemble.Config) string {
	if c == nil {
		return ""
	}
	var b strings.Builder
	for _, m := range c.Members {
		role := "participant"
		if m.Observer {
			role = "observer"
		}
		fmt.Fprintf(&b, "server.%d=%s:%d:%d:%s", m.ID, m.Peers[0].Host, m.Peers[0].QuorumPort, m.Peers[0].ElectionPort, role)
		if m.ClientAddr != "" {
			b.WriteString(";" + m.ClientAddr)
		}
		b.WriteByte('\n')
	}
	return b.String() + "version=" + strconv.FormatUint(uint64(c.Version), 16)
}

// hostPort joins a configured host, bracketed or not, and a port.
func hostPort(host string, port int) string {
	return net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(port))
}
