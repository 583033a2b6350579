package server

import (
	"os/user"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// The audit log tells each write with its result, in Apache's text (operations, section 7).
func TestAudit(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	var j journal
	s := start(t, vfs.NewMem(), j.into, func(o *Options) { o.Audit, o.ExtendedTypes = true, true })
	c := connect(t, s, lasting)
	c.must(create("/au", "secret"))
	c.must(ephemeral("/au/e"))
	c.must(sequential("/au/s-", 3))
	c.must(&wire.Create{Type: wire.OpCreateTTL, Path: "/au/ttl", ACL: zk.WorldACL(zk.PermAll), Mode: zk.PersistentTTL, TTL: 1000})
	c.call(create("/au", ""))
	c.must(set("/au", "x"))
	c.call(&wire.Delete{Path: "/none", Version: -1})
	c.must(&wire.Auth{Scheme: "digest", Auth: []byte("bob:hidden")})
	c.must(&wire.SetACL{Path: "/au", ACL: []zk.ACL{
		{Perms: zk.PermRead | zk.PermAdmin, ID: zk.ID{Scheme: "world", ID: "anyone"}}, {Perms: zk.PermAll, ID: zk.ID{Scheme: "ip", ID: "127.0.0.1"}},
	}, Version: -1})
	c.must(&wire.Multi{Ops: []wire.Op{create("/m", ""), &wire.Check{Path: "/m", Version: 0}, set("/m", ""), sequential("/m/", 0),
		&wire.Delete{Path: "/m/0000000000", Version: -1}}})
	c.call(&wire.Multi{Ops: []wire.Op{create("/n", ""), &wire.Delete{Path: "/none", Version: -1}}})
	c.call(create("/tab\tresult=forged", "")) // not a path that can be
	c.must(&wire.GetData{Path: "/m"})
	c.call(&wire.Reconfig{Members: "x"})
	c.must(&wire.CloseSession{})
	c.ended()
	s.Close()

	id := c.session.SessionID.String()
	ip := "session=" + id + "\tuser=127.0.0.1\tip=127.0.0.1\t"
	bob := "session=" + id + "\tuser=127.0.0.1,bob\tip=127.0.0.1\t"
	want := []string{
		"INFO user=" + me.Username + "\toperation=serverStart\tresult=success",
		"INFO " + ip + "operation=create\tznode=/au\tznode_type=persistent\tresult=success",
		"INFO " + ip + "operation=create\tznode=/au/e\tznode_type=ephemeral\tresult=success",
		"INFO " + ip + "operation=create\tznode=/au/s-0000000001\tznode_type=persistent_sequential\tresult=success",
		"INFO " + ip + "operation=create\tznode=/au/ttl\tznode_type=persistent_with_ttl\tresult=success",
		"ERROR " + ip + "operation=create\tznode=/au\tznode_type=persistent\tresult=failure",
		"INFO " + ip + "operation=setData\tznode=/au\tresult=success",
		"ERROR " + ip + "operation=delete\tznode=/none\tresult=failure",
		"INFO " + bob + "operation=setAcl\tznode=/au\tacl=world:anyone:raip:127.0.0.1:cdrwa\tresult=success",
		"INFO " + bob + "operation=create\tznode=/m\tznode_type=persistent\tresult=success",
		"INFO " + bob + "operation=setData\tznode=/m\tresult=success",
		"INFO " + bob + "operation=create\tznode=/m/0000000000\tznode_type=persistent_sequential\tresult=success",
		"INFO " + bob + "operation=delete\tznode=/m/0000000000\tresult=success",
		"ERROR " + bob + "operation=multiOperation\tresult=failure",
		"ERROR " + bob + "operation=create\tznode=/tabresult=forged\tznode_type=persistent\tresult=failure",
		"ERROR " + bob + "operation=reconfig\tresult=failure",
		"INFO session=" + id + "\tuser=" + me.Username + "\toperation=ephemeralZNodeDeletionOnSessionCloseOrExpire\tznode=/au/e\tresult=success",
		"INFO user=" + me.Username + "\toperation=serverStop\tresult=invoked",
	}
	var got []string
	for _, l := range j.all() {
		if strings.Contains(l, "operation=") {
			got = append(got, l)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A start that fails is told too; without the option there is nothing.
func TestAuditStart(t *testing.T) {
	for _, on := range []bool{true, false} {
		var j journal
		disk := vfs.NewFaulty(vfs.NewMem())
		disk.Add(vfs.Fault{Op: vfs.OpMkdir})
		if s, err := try(disk, j.into, func(o *Options) { o.Audit = on }); err == nil {
			s.Close()
			t.Fatal("it started on a disk without directories")
		}
		if got := j.with("ERROR", "operation=serverStart\tresult=failure") == 1; got != on {
			t.Errorf("audit %v: told %v", on, got)
		}
	}
}
