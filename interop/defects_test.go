package interop

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Tests of docs/defects.md that need a process, or Apache's server.

// plantSnapshot writes a snapshot of a new tree as of z into a folder. change may change the tree first.
func plantSnapshot(t testing.TB, dir string, z zk.Zxid, change func(*tree.Tree)) {
	t.Helper()
	s, err := store.Open(vfs.OS{}, dir, "", store.Options{ForceSync: true, AutoCreateDir: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tr := tree.New(tree.Options{Seed: 1})
	if change != nil {
		change(tr)
	}
	view := tr.Freeze()
	defer view.Close()
	if _, _, err := s.WriteSnapshot(store.Snapshot{Zxid: z, ACLs: view.ACLs(), Next: view.Next}); err != nil {
		t.Fatal(err)
	}
}

// demand makes a call that must succeed.
func demand(t testing.TB, c *Conn, op wire.Op, body wire.Reply) wire.ReplyHeader {
	t.Helper()
	h, err := c.Call(op, body)
	if err != nil || h.Err != zk.OK {
		t.Fatalf("%v: %v, %v", op.OpCode(), h.Err, err)
	}
	return h
}

// ZOOKEEPER-1277, 4883: the zxid of a standalone server goes on across the end of its counter, on Apache's server as on ours: clients
// see numbers that rise, and whichever of the two finds the folder afterwards has all of it.
func TestCounterOverflow(t *testing.T) {
	Need(t, Apache)
	Need(t, Zooid)
	const border = zk.Zxid(1) << 32
	for _, legs := range [][]Kind{{Zooid, Apache, Zooid}, {Apache, Zooid, Zooid}} {
		t.Run(fmt.Sprint(legs), func(t *testing.T) {
			dir := t.TempDir()
			plantSnapshot(t, dir, border-5, nil)
			last := border - 5
			var made []string
			for leg, kind := range legs {
				srv := Start(t, kind, Setup{Dir: dir})
				c, err := Connect(srv.Addr(), sessionTimeout)
				if err != nil {
					t.Fatal(err)
				}
				for _, path := range made {
					demand(t, c, &wire.Exists{Path: path}, nil)
				}
				for i := range 6 {
					path := fmt.Sprintf("/leg%d-%d", leg, i)
					var r wire.Create2Reply
					h := demand(t, c, &wire.Create{Type: wire.OpCreate2, Path: path, ACL: zk.WorldACL(zk.PermAll), Mode: zk.Persistent}, &r)
					if h.Zxid <= last || h.Zxid > last+3 || r.Stat.Czxid != h.Zxid { // a session is made or ended in between
						t.Fatalf("%s: %s has zxid %v after %v, czxid %v", kind, path, h.Zxid, last, r.Stat.Czxid)
					}
					last = h.Zxid
					made = append(made, path)
				}
				demand(t, c, &wire.CloseSession{}, nil)
				last++
				c.Close()
				if leg == 0 && last < border+2 {
					t.Fatalf("the counter did not overflow, it is at %v", last)
				}
				if out, err := srv.FourLetters("srvr"); err != nil || !strings.Contains(out, fmt.Sprintf("Zxid: %v\n", last)) {
					t.Errorf("%s says %s, want %v", kind, out, last)
				}
				srv.Kill()
			}
		})
	}
}

// CVE-2026-24308: what a server prints, at its start and later, has no secret in it: not the passwords of its configuration, right or
// misspelt, from the file or from a property; not what clients send as credentials, in vain or not; no session's password and no
// data. Neither do the words that show the configuration.
func TestSecretsAreNotShown(t *testing.T) {
	playSchedules(t, []schedule{{id: "CVE-2026-24308", play: secretsShown}})
}

func secretsShown(t *testing.T, k Kind) string {
	secret := func(what string) string { return "hidden-" + what }
	srv := Start(t, k, Setup{
		Conf: []string{
			"4lw.commands.whitelist=*",
			"ssl.keyStore.password=" + secret("conf-keystore"),
			"ssl.trustStore.password=" + secret("conf-truststore"),
			"ssl.quorum.keyStore.password=" + secret("conf-quorum"),
			"ssl.keyStore.pasword=" + secret("conf-misspelt"),
			"my.own.secret=" + secret("conf-unknown"),
			"DigestAuthenticationProvider.superDigest=super:" + secret("conf-super"),
		},
		Props: []string{
			"zookeeper.DigestAuthenticationProvider.superDigest=super:" + secret("prop-super"),
			"zookeeper.ssl.keyStore.password=" + secret("prop-keystore"),
			"zookeeper.SASLAuthenticationProvider.superPassword=" + secret("prop-sasl"),
			"zookeeper.no.such.password=" + secret("prop-unknown"),
		},
	})
	c, err := Connect(srv.Addr(), sessionTimeout)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	demand(t, c, &wire.Auth{Scheme: "digest", Auth: []byte("me:" + secret("password"))}, nil)
	acl := []zk.ACL{{Perms: zk.PermAll, ID: zk.ID{Scheme: "auth"}}}
	demand(t, c, &wire.Create{Path: "/mine", Data: []byte(secret("data")), ACL: acl}, nil)
	demand(t, c, &wire.GetData{Path: "/mine", Watch: true}, nil)
	// In vain: a scheme that is not there, a super user that is not, an operation that is not, a session that is another's.
	for _, a := range []*wire.Auth{
		{Scheme: "sesame", Auth: []byte(secret("scheme"))}, {Scheme: "digest", Auth: []byte("super:" + secret("guess"))}, {Scheme: "digest", Auth: []byte(secret("no-colon"))},
	} {
		d, err := Connect(srv.Addr(), sessionTimeout)
		if err != nil {
			t.Fatal(err)
		}
		d.Call(a, nil)
		d.Write(Frame(append(wire.Header{Xid: 1, Type: 99}.Append(nil), secret("operation")...)))
		io.Copy(io.Discard, d)
		d.Close()
	}
	d, err := Dial(srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	stolen := c.Resume(sessionTimeout)
	stolen.Password = []byte("hidden-password.")
	d.Handshake(stolen)
	d.Close()
	shown := ""
	for _, word := range []string{"conf", "envi", "stat", "cons", "dump", "mntr", "wchc", "srvr"} {
		out, err := srv.FourLetters(word)
		if err != nil || out == "" || strings.Contains(out, "whitelist") {
			t.Fatalf("%s: %q, %v", word, out, err)
		}
		shown += out
	}
	srv.Stop()
	var seen []string
	for _, line := range slices.Concat(strings.Split(srv.Log(), "\n"), strings.Split(shown, "\n")) {
		if strings.Contains(line, "hidden-") || strings.Contains(line, string(c.Password[:])) || strings.Contains(line, fmt.Sprintf("%x", c.Password)) {
			seen = append(seen, line)
		}
	}
	if k == Zooid && !strings.Contains(srv.Log(), "pasword") {
		t.Error("the misspelt key was not told: the test would not see a server that prints its value")
	}
	return strings.Join(seen, "\n")
}
