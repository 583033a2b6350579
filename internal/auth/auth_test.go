package auth_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/zk"
)

// Identities and entries are written "scheme:id", entries with the permissions in front: "31 world:anyone".

func ids(words ...string) []zk.ID {
	var out []zk.ID
	for _, w := range words {
		scheme, id, _ := strings.Cut(w, ":")
		out = append(out, zk.ID{Scheme: scheme, ID: id})
	}
	return out
}

func list(words ...string) []zk.ACL {
	out := []zk.ACL{}
	for _, w := range words {
		var perms zk.Perm
		p, id, _ := strings.Cut(w, " ")
		fmt.Sscan(p, &perms)
		out = append(out, zk.ACL{Perms: perms, ID: ids(id)[0]})
	}
	return out
}

func rules(t *testing.T, c auth.Config) *auth.Rules {
	t.Helper()
	r, err := auth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	up    = "digest:u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ="
	upID  = "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ="
	pass  = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=" // super:test
	other = "digest:bob:WGAwC+XYxdw8bJ5K6KcPh8oL58U="
)

// Client protocol, Appendix B, and what Java's MessageDigest makes of u:p by each name.
func TestDigest(t *testing.T) {
	for credential, want := range map[string]string{
		"u:p": upID, "super:test": pass, "bob:bobsecret": other[len("digest:"):],
	} {
		if got, err := auth.Digest("SHA1", credential); got != want || err != nil {
			t.Errorf("%s: %s %v", credential, got, err)
		}
	}
	for alg, want := range map[string]string{
		"SHA": "26aef033", "SHA1": "26aef033", "sha-1": "26aef033", "SHA-224": "6ee63644", "SHA-256": "fd8f3144", "SHA256": "fd8f3144",
		"SHA-384": "8e85bd7c", "SHA-512": "26e3b05d", "SHA-512/256": "19a85cb8", "SHA3-256": "dfe53de0", "MD5": "c23f67b6",
	} {
		got, err := auth.Digest(alg, "u:p")
		raw, _ := hex.DecodeString(want)
		if err != nil || !strings.HasPrefix(got, "u:"+b64prefix(raw)) {
			t.Errorf("%s: %s %v, want %s...", alg, got, err, b64prefix(raw))
		}
	}
	if _, err := auth.Digest("ROT13", "u:p"); err == nil {
		t.Error("ROT13 is known")
	}
}

// b64prefix is the base64 of whole groups of three bytes: a prefix of any longer base64.
func b64prefix(b []byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return string([]byte{alphabet[b[0]>>2], alphabet[b[0]&3<<4|b[1]>>4], alphabet[b[1]&15<<2|b[2]>>6], alphabet[b[2]&63]})
}

func TestNew(t *testing.T) {
	for _, c := range []struct {
		config auth.Config
		ok     bool
	}{
		{auth.Config{}, true}, {auth.Config{DigestAlg: "SHA-256"}, true}, {auth.Config{DigestAlg: "x"}, false},
		{auth.Config{Enforce: []string{"digest", "ip"}}, true}, {auth.Config{Enforce: []string{"digest"}, NoDigest: true}, false},
		{auth.Config{Enforce: []string{"sasl"}}, false}, {auth.Config{Enforce: []string{"sasl"}, Sasl: true}, true},
		{auth.Config{Enforce: []string{"x509"}, X509: true}, true}, {auth.Config{Enforce: []string{"world"}}, false},
		{auth.Config{Enforce: []string{"super"}}, false}, {auth.Config{Enforce: []string{""}}, false},
	} {
		if _, err := auth.New(c.config); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.config, err)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	full := auth.Config{SuperDigest: pass, X509: true, Sasl: true, HasEnsemble: true, EnsembleName: "prod, test"}
	const addr = "ip:10.0.0.1"
	for _, c := range []struct {
		config        auth.Config
		scheme, token string
		have, want    []zk.ID
		err           error
	}{
		{auth.Config{}, "digest", "u:p", ids(addr), ids(addr, up), nil},
		{auth.Config{}, "digest", "u:p", ids(addr, up), ids(addr, up), nil}, // no duplicates
		{auth.Config{}, "digest", "bob:bobsecret", ids(addr, up), ids(addr, up, other), nil},
		{auth.Config{}, "digest", "nocolon", nil, ids("digest:nocolon:Ra+cHr2ZoHvBjtNArFGNGlVie4g="), nil},
		{auth.Config{}, "digest", "", nil, ids("digest::2jmj7l5rSw0yVb/vlWAYkK/YBwk="), nil},
		{auth.Config{}, "digest", "super:test", nil, ids("digest:" + pass), nil}, // without a superDigest super is a user
		{full, "digest", "super:test", ids(addr), ids(addr, "super:", "digest:"+pass), nil},
		{full, "digest", "super:wrong", nil, ids("digest:super:nXindoZMsrhmm0JDlDwACbCSBn0="), nil},
		{auth.Config{NoDigest: true}, "digest", "u:p", ids(addr), ids(addr), zk.AuthFailed},
		{auth.Config{}, "ip", "10.9.9.9", ids(addr), ids(addr), nil},
		{full, "world", "anyone", nil, nil, zk.AuthFailed},
		{full, "auth", "", nil, nil, zk.AuthFailed},
		{full, "super", "", nil, nil, zk.AuthFailed},
		{full, "sasl", "bob", nil, nil, zk.AuthFailed},
		{full, "", "", nil, nil, zk.AuthFailed},
		{full, "nosuch", "", nil, nil, zk.AuthFailed},
		{full, "x509", "", ids(addr), ids(addr), zk.AuthFailed},
		{full, "x509", "", ids("x509:CN=a"), ids("x509:CN=a"), nil},
		{auth.Config{}, "x509", "", ids("x509:CN=a"), ids("x509:CN=a"), zk.AuthFailed},
		{full, "ensemble", "prod", ids(addr), ids(addr), nil},
		{full, "ensemble", "test", ids(addr), ids(addr), nil},
		{full, "ensemble", "", ids(addr), ids(addr), nil},
		{full, "ensemble", "other", ids(addr), ids(addr), auth.ErrEnsemble},
		{auth.Config{HasEnsemble: true}, "ensemble", "other", ids(addr), ids(addr), nil},
		{auth.Config{}, "ensemble", "prod", nil, nil, zk.AuthFailed},
	} {
		got, err := rules(t, c.config).Authenticate(c.scheme, false, []byte(c.token), c.have)
		if !slices.Equal(got, c.want) || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s %q with %v: %v, %v; want %v, %v", c.scheme, c.token, c.have, got, err, c.want, c.err)
		}
	}
	r := rules(t, full)
	if _, err := r.Authenticate("digest", true, []byte("u:p"), nil); !errors.Is(err, zk.AuthFailed) {
		t.Errorf("null scheme: %v", err)
	}
	if _, err := r.Authenticate("digest", false, nil, nil); !errors.Is(err, zk.AuthFailed) {
		t.Errorf("null token: %v", err)
	}
}

// A password in another encoding: the pieces that Java reads as U+FFFD, as seen on OpenJDK 17.
func TestCredentialThatIsNotUTF8(t *testing.T) {
	r := rules(t, auth.Config{})
	for token, repaired := range map[string]string{
		"e4": "\ufffd", "e4fc": "\ufffd\ufffd", "e4b878": "\ufffdx", "eda080": "\ufffd", "e08080": "\ufffd\ufffd\ufffd", "c080": "\ufffd\ufffd",
		"f09f98": "\ufffd", "f0808080": "\ufffd\ufffd\ufffd\ufffd", "f580": "\ufffd\ufffd", "f4908080": "\ufffd\ufffd\ufffd\ufffd", "80": "\ufffd",
		"eda078": "\ufffdx", "c378": "\ufffdx", "f18078": "\ufffdx", "e4b8": "\ufffd", "efbfbd": "\ufffd",
	} {
		raw, _ := hex.DecodeString(token)
		got, err := r.Authenticate("digest", false, append([]byte("u:"), raw...), nil)
		want, _ := auth.Digest("SHA1", "u:"+repaired)
		if err != nil || !slices.Equal(got, ids("digest:"+want)) {
			t.Errorf("%s: %v %v, want %s", token, got, err, want)
		}
	}
}

// The caller's list is shared with requests in flight: two connections' worth of growth from it must not meet.
func TestListsAreNotWrittenTo(t *testing.T) {
	r := rules(t, auth.Config{Sasl: true, X509: true})
	base := make([]zk.ID, 1, 8)
	base[0] = ids("ip:1.2.3.4")[0]
	a := r.AddSasl("a", base)
	b := r.AddX509("CN=b", base)
	if !slices.Equal(a, ids("ip:1.2.3.4", "sasl:a")) || !slices.Equal(b, ids("ip:1.2.3.4", "x509:CN=b")) || base[:2][1] != (zk.ID{}) {
		t.Fatal(a, b, base[:2])
	}
}

func TestAddFromOutside(t *testing.T) {
	r := rules(t, auth.Config{X509: true, Sasl: true, X509SuperUser: "CN=root", SaslSuperUsers: []string{"admin", "", "root/h@R"}})
	for _, c := range []struct{ got, want []zk.ID }{
		{r.AddX509("CN=a,O=b", nil), ids("x509:CN=a,O=b")},
		{r.AddX509("CN=root", nil), ids("super:CN=root", "x509:CN=root")},
		{r.AddSasl("bob", ids("sasl:bob")), ids("sasl:bob")},
		{r.AddSasl("root/h@R", nil), ids("sasl:root/h@R", "super:")},
		{r.AddSasl("", nil), ids("sasl:")},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
}

func TestAllowed(t *testing.T) {
	plain := auth.Config{}
	all := auth.Config{X509: true, Sasl: true, X509SuperUser: "CN=root", LetAnySaslUserDoX: "any"}
	for _, c := range []struct {
		config auth.Config
		acl    []zk.ACL
		want   zk.Perm
		ids    []zk.ID
		ok     bool
	}{
		{plain, nil, zk.PermWrite, nil, true},
		{plain, list(), zk.PermWrite, nil, true},
		{plain, list("31 world:anyone"), zk.PermAdmin, nil, true},
		{plain, list("1 world:anyone"), zk.PermRead, nil, true},
		{plain, list("1 world:anyone"), zk.PermWrite, ids(up), false},
		{plain, list("1 world:anyone"), zk.PermRead | zk.PermAdmin, nil, true}, // any one of the bits
		{plain, list("0 world:anyone"), zk.PermRead, nil, false},
		{plain, list("-1 world:anyone"), zk.PermDelete, nil, true},
		{plain, list("31 world:nobody"), zk.PermRead, ids("world:nobody"), false},
		{plain, list("31 " + up), zk.PermRead, ids("ip:1.2.3.4", up), true},
		{plain, list("31 " + up), zk.PermRead, ids(other), false},
		{plain, list("31 " + up), zk.PermRead, ids("sasl:" + upID), false}, // same id, other scheme
		{auth.Config{NoDigest: true}, list("31 " + up), zk.PermRead, ids(up), false},
		{plain, list("31 "+other, "1 "+up), zk.PermWrite, ids(up), false},
		{plain, list("31 "+other, "2 "+up), zk.PermWrite, ids(up), true},
		{plain, list("31 " + other), zk.PermWrite, ids("super:"), true},
		{plain, list("0 " + other), zk.PermWrite, ids("super:CN=root"), true},
		{auth.Config{SkipACL: true}, list("0 " + other), zk.PermWrite, nil, true},
		{plain, list("31 ip:10.0.0.0/8"), zk.PermWrite, ids("ip:10.1.2.3"), true},
		{plain, list("31 ip:10.0.0.0/8"), zk.PermWrite, ids("ip:11.1.2.3"), false},
		{plain, list("31 auth:"), zk.PermRead, ids(up), false}, // never stored, but should it be there
		{plain, list("31 sasl:bob"), zk.PermRead, ids("sasl:bob"), false},
		{all, list("31 sasl:bob"), zk.PermRead, ids("sasl:bob"), true},
		{all, list("31 sasl:bob"), zk.PermRead, ids("sasl:eve"), false},
		{all, list("31 sasl:bob"), zk.PermRead, ids("sasl:super"), true},
		{all, list("31 sasl:any"), zk.PermRead, ids("sasl:eve"), true},
		{all, list("31 sasl:any"), zk.PermRead, ids(up), false},
		{all, list("31 x509:CN=a"), zk.PermRead, ids("x509:CN=a"), true},
		{all, list("31 x509:CN=a"), zk.PermRead, ids("x509:CN=b"), false},
		{all, list("31 x509:CN=a"), zk.PermRead, ids("x509:CN=root"), true},
		{all, list("31 ensemble:x"), zk.PermRead, ids("ensemble:x"), false},
		{all, list("31 nosuch:x"), zk.PermRead, ids("nosuch:x"), false},
	} {
		if got := rules(t, c.config).Allowed(c.acl, c.want, c.ids); got != c.ok {
			t.Errorf("%v wants %d of %v: %v", c.ids, c.want, c.acl, got)
		}
	}
}

func TestAllowedDoesNotAllocate(t *testing.T) {
	r := rules(t, auth.Config{})
	caller := ids("ip:1.2.3.4", "digest:x:y", up)
	for _, acl := range [][]zk.ACL{list("1 world:anyone"), list("31 "+other, "1 "+up), list("31 ip:1.2.0.0/16"), list("31 ip:2001:db8::/32", "1 ip:1.2.3.4")} {
		ok := true
		if n := testing.AllocsPerRun(100, func() { ok = ok && r.Allowed(acl, zk.PermRead, caller) }); n != 0 || !ok {
			t.Errorf("%v: %v allocations, allowed %v", acl, n, ok)
		}
	}
}

func TestFix(t *testing.T) {
	full := auth.Config{X509: true, Sasl: true, HasEnsemble: true}
	caller := ids("ip:1.2.3.4", up, "super:", "sasl:bob", "x509:CN=a")
	for _, c := range []struct {
		config auth.Config
		acl    []zk.ACL
		ids    []zk.ID
		want   []zk.ACL // nil is InvalidACL
	}{
		{full, nil, caller, nil},
		{full, list(), caller, nil},
		{full, list("31 world:anyone"), nil, list("31 world:anyone")},
		{full, list("0 world:anyone"), nil, list("0 world:anyone")},
		{full, list("-1 world:anyone"), nil, list("-1 world:anyone")},
		{full, list("31 world:other"), caller, nil},
		{full, list("31 super:"), caller, nil},
		{full, list("31 nosuch:x"), caller, nil},
		{full, list("31 :x"), caller, nil},
		{full, list("31 ensemble:x"), caller, nil},
		{full, list("31 world:anyone", "1 nosuch:x"), caller, nil},
		{full, list("1 "+up, "31 world:anyone", "1 "+up, "2 "+up, "31 world:anyone"), nil, list("1 "+up, "31 world:anyone", "2 "+up)},
		{full, list("31 auth:"), caller, list("31 "+up, "31 sasl:bob", "31 x509:CN=a")},
		{full, list("31 auth:whatever"), ids(up), list("31 " + up)},
		{auth.Config{}, list("31 auth:"), caller, list("31 " + up)}, // sasl and x509 without a provider
		{auth.Config{NoDigest: true}, list("31 auth:"), ids(up), nil},
		{full, list("31 auth:"), ids("ip:1.2.3.4", "super:"), nil},
		{full, list("31 auth:"), nil, nil},
		{full, list("1 world:anyone", "31 auth:", "2 "+other), ids(up), list("1 world:anyone", "31 "+up, "2 "+other)},
		{full, list("31 auth:", "31 "+up), ids(up), list("31 "+up, "31 "+up)}, // expansion may make duplicates
		{full, list("31 auth:a", "31 auth:b"), ids(up), list("31 "+up, "31 "+up)},
		{full, list("31 auth:", "1 super:"), ids(up), nil},
	} {
		before := slices.Clone(c.acl)
		got, code := rules(t, c.config).Fix(c.acl, c.ids)
		want := zk.OK
		if c.want == nil {
			want = zk.InvalidACL
		}
		if code != want || !slices.Equal(got, c.want) {
			t.Errorf("%v by %v: %v %v, want %v", c.acl, c.ids, got, code, c.want)
		}
		if !slices.Equal(before, c.acl) {
			t.Errorf("%v was written to", before)
		}
	}
}

// A long list takes another way to the same end.
func TestFixLongList(t *testing.T) {
	r := rules(t, auth.Config{})
	var acl, want []zk.ACL
	for i := range 1000 {
		a := list(fmt.Sprintf("%d ip:10.0.%d.%d", i%3, i%7, i%10))[0]
		if !slices.Contains(acl, a) {
			want = append(want, a)
		}
		acl = append(acl, a)
	}
	if got, code := r.Fix(acl, nil); code != zk.OK || !slices.Equal(got, want) || len(want) == len(acl) {
		t.Fatalf("%d of %d entries, want %d: %v", len(got), len(acl), len(want), code)
	}
	if got, _ := r.Fix(want, nil); &got[0] != &want[0] {
		t.Fatal("a list without duplicates was copied")
	}
}

// Which ids may stand in a list, by scheme. The x509 verdicts are those of X500Principal of OpenJDK 17.
func TestValidIDs(t *testing.T) {
	r := rules(t, auth.Config{X509: true, Sasl: true})
	for scheme, verdicts := range map[string]map[string]bool{
		"digest": {
			"a:b": true, ":b": true, "a:b:": true, "a:b::": true, "a:": false, "a": false, "": false, ":": false, "a:b:c": false, "a::b": false, "::": false,
		},
		"ip": {
			"1.2.3.4": true, "1.2.3.4/0": true, "1.2.3.4/32": true, "01.2.3.004": true, "+1.2.3.4": true, "1.2.3.4/+8": true, "0.0.0.0": true,
			"1.2.3.4/33": false, "1.2.3.4/-1": false, "1.2.3.4/": false, "1.2.3.4/8/8": false, "1.2.3.4/x": false, "1.2.3": false, "1.2.3.4.5": false,
			"1.2.3.256": false, "1.2.3.-1": false, "1.2.3.": false, "": false, "host": false, " 1.2.3.4": false, "1.2.3.99999999999": false,
			"::": true, "::1": true, "1::": true, "0:0:0:0:0:0:0:1": true, "2001:DB8::a0b/128": true, "::/0": true, "1:2:3:4:5:6:7::": true,
			"1:2:3:4:5:6:7:8": true, "1:2:3:4:5:6:7": false, "1:2:3:4:5:6:7:8:9": false, "1:2:3:4:5:6:7:8::": false, "1::2::3": false, ":::": false,
			":1": false, "1:": false, "::12345": false, "::g": false, "::1.2.3.4": false, "fe80::1%eth0": false, "::1/129": false, "1:2:3:4:5:6:7:8:": false,
			"1:2:3:4::5:6:7:8": false, "::1::": false,
		},
		"sasl": {
			"bob": true, "": true, "a/b": true, "a/b/c": true, "a@R": true, "a/h@R": true, "@": true, "a/@R": true, "/h@": true,
			"a/b/c@R": false, "a@R@S": false, "a@R/x": false, "@@": false,
		},
		"x509": {
			"": true, "CN=a": true, "CN=": true, "CN=a,": false, "CN=a,OU=b": true, "CN=a;OU=b": true, "CN=a+OU=b": true, "cn=a": true, "FOO=a": false,
			"1.2.3=a": true, "OID.1.2.3=a": true, "oid.1.2.3=a": true, "CN=\"a,b\"": true, "CN=\"a": false, "CN=\"a\"b": false, "CN=a\"b": false,
			"CN=a\\,b": true, "CN=a\\": false, "CN=a\\z": false, "CN=a\\41": true, "CN=#0401ff": true, "CN=#04": false, "CN=#xyz": false, "CN=# 04": false,
			"CN=a=b": true, "nothing": false, "=a": false, "CN =a": true, " CN= a , O=b": true, "CN=a,,O=b": false, "CN=a,O": false, "EMAIL=x": true,
			"EMAILADDRESS=x": true, "E=x": false, "DC=x": true, "UID=u": true, "SERIALNUMBER=1": true, "IP=1": true, "1=a": false, "1.=a": false,
			"3.2=a": false, "CN=<a>": false, "CN=a<b": false, "CN=a#b": true, "CN=é": true, "CN=a\nb": true, "CN=a+": false, "+CN=a": false, ",CN=a": false,
			"CN=a  ": true, "CN=\\ a": true, "CN=a\\\"b": true, "1.50.3=a": false, "2.999=a": true, " ": false, "01.2=a": true, "CN=#": false, "CN=\\#a": true,
			"CN=\"a\"  ,O=b": true, "CN=\"a\\\"b\"": true, "CN=\"a\\z\"": false,
		},
	} {
		for id, want := range verdicts {
			_, code := r.Fix([]zk.ACL{{Perms: 1, ID: zk.ID{Scheme: scheme, ID: id}}}, nil)
			if (code == zk.OK) != want {
				t.Errorf("%s:%q: %v, want valid=%v", scheme, id, code, want)
			}
		}
	}
}

func TestMatchIP(t *testing.T) {
	r := rules(t, auth.Config{})
	for _, c := range []struct {
		addr, pattern string
		ok            bool
	}{
		{"1.2.3.4", "1.2.3.4", true}, {"1.2.3.4", "1.2.3.5", false}, {"1.2.3.4", "1.2.3.5/31", true}, {"1.2.3.4", "1.2.3.6/31", false}, {"1.2.3.4", "1.2.3.5/30", true},
		{"1.2.3.4", "0.0.0.0/0", true}, {"1.2.3.4", "1.2.3.4/32", true}, {"1.2.3.4", "1.2.99.99/16", true}, {"1.3.3.4", "1.2.99.99/16", false},
		{"1.2.3.4", "1.2.3.4/x", false}, {"1.2.3.4", "::/0", false}, {"::1", "0.0.0.0/0", false}, {"::ffff:1.2.3.4", "1.2.3.4", true},
		{"::1", "::1", true}, {"::1", "0:0:0:0:0:0:0:1/128", true}, {"2001:db8::5", "2001:DB8::/32", true}, {"2001:db9::5", "2001:db8::/32", false},
		{"2001:db9::5", "2001:db8::/31", true}, {"2001:db8::5", "::/0", true}, {"fe80::1%eth0", "fe80::1", false},
	} {
		id := auth.IP(netip.MustParseAddr(c.addr))
		if got := r.Allowed(list("1 ip:"+c.pattern), zk.PermRead, []zk.ID{id}); got != c.ok {
			t.Errorf("%s within %s: %v", id.ID, c.pattern, got)
		}
	}
}

func TestIP(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1": "127.0.0.1", "::1": "0:0:0:0:0:0:0:1", "::ffff:1.2.3.4": "1.2.3.4", "2001:db8::0a0b": "2001:db8:0:0:0:0:0:a0b",
		"fe80::1%eth0": "fe80:0:0:0:0:0:0:1%eth0", "FFFF::": "ffff:0:0:0:0:0:0:0",
	} {
		if got := auth.IP(netip.MustParseAddr(addr)); got != (zk.ID{Scheme: "ip", ID: want}) {
			t.Errorf("%s: %v, want %s", addr, got, want)
		}
	}
}

func TestRedact(t *testing.T) {
	r := rules(t, auth.Config{Sasl: true})
	acl := list("1 world:anyone", "1 "+up, "31 "+other, "1 sasl:a:b", "1 ip:::1", "1 digest::h:", "1 digest:odd")
	hidden := list("1 world:anyone", "1 digest:u:x", "31 digest:bob:x", "1 sasl:a:b", "1 ip:::1", "1 digest::x", "1 digest:odd")
	for _, c := range []struct {
		ids  []zk.ID
		want []zk.ACL
	}{{nil, hidden}, {ids(up), hidden}, {ids(other), acl}, {ids("super:"), acl}} {
		if got := r.Redact(acl, c.ids); !slices.Equal(got, c.want) {
			t.Errorf("%v sees %v", c.ids, got)
		}
	}
	if acl[1].ID.ID != upID {
		t.Error("the list itself was written to")
	}
	if got := r.Redact(nil, nil); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}

func TestShown(t *testing.T) {
	r := rules(t, auth.Config{X509: true, Sasl: true})
	got := r.Shown(ids("ip:0:0:0:0:0:0:0:1", up, "digest::h", "super:CN=root", "sasl:bob/h@R", "x509:CN=a,O=b:c"))
	want := ids("ip:0:0:0:0:0:0:0:1", "digest:u", "digest:", "super:", "sasl:bob/h@R", "x509:CN=a,O=b:c")
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestAdmits(t *testing.T) {
	for _, c := range []struct {
		enforce []string
		ids     []zk.ID
		ok      bool
	}{
		{nil, nil, true}, {[]string{"digest"}, ids("ip:1.2.3.4"), false}, {[]string{"digest"}, ids("ip:1.2.3.4", up), true},
		{[]string{"sasl", "digest"}, ids(up), true}, {[]string{"sasl"}, ids(up), false}, {[]string{"ip"}, ids("ip:1.2.3.4"), true},
		{[]string{"sasl"}, ids("super:"), false},
	} {
		r := rules(t, auth.Config{Enforce: c.enforce, Sasl: true})
		if got := r.Admits(c.ids); got != c.ok {
			t.Errorf("%v with %v: %v", c.enforce, c.ids, got)
		}
		if got, want := r.EnforcesSasl(), slices.Contains(c.enforce, "sasl"); got != want {
			t.Errorf("%v: enforces sasl %v", c.enforce, got)
		}
	}
}

// Whatever a client sends as an entry or a token is judged, not crashed on; and what is stored once may be stored again.
func FuzzJudge(f *testing.F) {
	for _, s := range []string{"", "digest", "ip", "sasl", "x509", "auth", "world"} {
		for _, id := range []string{"", "a:b", "1.2.3.4/8", "::1/64", "1::2::3", "CN=\"a\\\"b\" , OID.1.2=#0401ff", "a/b@C", "\xe4\xb8x"} {
			f.Add(s, id)
		}
	}
	r, err := auth.New(auth.Config{X509: true, Sasl: true, HasEnsemble: true, EnsembleName: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, scheme, id string) {
		caller, err := r.Authenticate(scheme, false, []byte(id), ids("ip:1.2.3.4"))
		if err != nil && len(caller) != 1 {
			t.Fatalf("gained %v by %v", caller, err)
		}
		acl := []zk.ACL{{Perms: 1, ID: zk.ID{Scheme: scheme, ID: id}}}
		stored, code := r.Fix(acl, caller)
		if code != zk.OK {
			return
		}
		if again, code := r.Fix(stored, caller); code != zk.OK && scheme != "auth" || scheme != "auth" && !slices.Equal(again, stored) {
			t.Fatalf("%q was stored as %q, then %v", acl, stored, code)
		}
		if scheme != "ip" && !r.Allowed(stored, zk.PermRead, append(caller, stored[0].ID)) {
			t.Fatalf("%q does not match itself", stored)
		}
	})
}
