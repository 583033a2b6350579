package interop

import (
	"bytes"
	"errors"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Apache's own shell needs its client and the library that parses its commands' options.
var apacheShell = append([]string{"/usr/share/java/commons-cli.jar"}, javaClient...)

// shellScripts are what both shells read from a pipe. They run one after the other against one server; each cleans up.
var shellScripts = []struct{ name, script string }{
	{"znodes", `
create /a
create /a x
create /a/b "hello world"
create /a/c 'it is'
create -s /a/s- data
create -e /a/e x
create -s -e /a/es
create -c -e /q
create -c /cont
create -t 1000000 /ttl x
create -t abc /ttl2 x
create -e -t 1000 /ttl3 x
create -c -t 1000 /ttl3 x
create -t 99999999999999999 /t
create
create a
create /a/
create /a//b
create /a/./b
create /a/../b
create /nope/x
create /a/e/x
create /bad x nonsense
get /a
get -s /a/b
get /nope
get /a/c
get -q /a
get -v
set -v
set /a y
set -s /a z
set -v 7 /a z
set -v 2 /a w
set /nope x
stat /a
stat /nope
ls /a
ls -s /a
ls -R /a
ls -sR /a
ls -w /nope
ls /a/
ls a
ls -x /a
ls
ls / true
get /a true
stat /a watch
delete /a
delete /nope
delete /
delete -v 9 /cont
delete /nope 5
deleteall -b x /a
deleteall
getAllChildrenNumber /a
getAllChildrenNumber /nope
getEphemerals
getEphemerals /a
getEphemerals /nope
sync /a
sync
deleteall -b 2 /a
deleteall /nope
delete /cont
delete /ttl
ls /
stat
getAllChildrenNumber
`},
	{"acls", `
create /a x
getAcl /a
getAcl -s /a
setAcl /a ip:127.0.0.1:rwa,world:anyone:cd
getAcl /a
setAcl -s /a world:anyone:cdrwa
setAcl /a bad
setAcl /a world:anyone:cdrwax
setAcl -v 99 /a world:anyone:cdrwa
setAcl /nope world:anyone:r
setAcl /a
setAcl /a nosuchscheme:x:r
create /a/b y world:anyone:ra
getAcl /a/b
set /a/b z
setAcl -R /a world:anyone:cdrwa
getAcl /a/b
addauth digest u:p
addauth
whoami
create /m x auth::cdrwa
getAcl /m
getAcl /nope
getAcl
delete /m
deleteall /a
`},
	{"quotas", `
create /a
create /a/b abc
listquota /a
setquota -n 5 /a
setquota -b 1000 /a
listquota /a
setquota -N 20 /a
setquota -B 2000 /a
listquota /a
setquota -n 1 /a
setquota -b 1 /a
setquota -n 5 /a/b
setquota -n 1 -b 4 /a
setquota /a
setquota -n x /a
setquota -n 0 /a
setquota -n 5 /nope
setquota -n 5 /zookeeper/quota
setquota -n 5
setquota
delquota -n /a
listquota /a
delquota -b /a
delquota /a
delquota /a
delquota
listquota /a
listquota /nope
listquota
deleteall /a
`},
	{"session", `
printwatches
printwatches bla
printwatches
history
redo 1
redo 99
redo
redo 4
redo 6
history
config
config -c
config -s
reconfig
reconfig -add 5=h:1:2;3
reconfig -file /x -members a
reconfig -add a -members b
removewatches /a
removewatches
addWatch -m sideways /a
addWatch
foo
close
ls /
close
`},
	{"failing", `
ls /nope
`},
	{"unknown", `
ls /
nosuch
`},
}

// What differs on purpose: docs/divergence.md names the reasons.
var shellDifferences = []struct {
	what *regexp.Regexp
	with string
}{
	// Times are those of the run; zxids go on from one script to the next.
	{regexp.MustCompile(`(?m)^([cm]time) = .*$`), "$1 = TIME"},
	{regexp.MustCompile(`(?m)^([cmp]Zxid) = 0x.*$`), "$1 = ZXID"},
	{regexp.MustCompile(`0x[0-9a-f]{10,}`), "SESSION"},
	// Events: 3.9 prints the zxid; Debian's shell is 3.8. When the first comes, and whether before printwatches, is chance in Apache's.
	// They come from a thread of their own: between the two prints, and between the pieces of a list, another thread may print.
	{regexp.MustCompile(`\nWATCHER::\n|\nWatchedEvent .*\n`), ""},
	{regexp.MustCompile(`\n{2,}`), "\n"},
	// 3.9's usage lines; and our list of commands is longer.
	{regexp.MustCompile(`get \[-s\] \[-w\] \[-b\] \[-x\] path`), "get [-s] [-w] path"},
	{regexp.MustCompile(`set path data \[-s\] \[-v version\] \[-b\]`), "set [-s] [-v version] path data"},
	{regexp.MustCompile(`(?s)Beyond ZooKeeper's:\n.*?\nCommand not found`), "Command not found"},
	// Java logs to standard error.
	{regexp.MustCompile(`(?m)^\[[^\n]*\] (ERROR|WARN|INFO) .*\n`), ""},
}

func likened(text string) string {
	for _, d := range shellDifferences {
		text = d.what.ReplaceAllString(text, d.with)
	}
	// A server lists ephemerals in any order.
	return regexp.MustCompile(`(?m)^\[/.*\]$`).ReplaceAllStringFunc(text, func(list string) string {
		paths := strings.Split(strings.Trim(list, "[]"), ", ")
		slices.Sort(paths)
		return "[" + strings.Join(paths, ", ") + "]"
	})
}

// said is what a shell printed, and its exit code.
type said struct {
	Out, Err string
	Code     int
}

func runApacheShell(t *testing.T, addr, script string, args ...string) said {
	t.Helper()
	return runAShell(t, script, apacheShellCommand(addr, args...))
}

func apacheShellCommand(addr string, args ...string) *exec.Cmd {
	return exec.Command("java", append([]string{"-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", strings.Join(apacheShell, ":"), "org.apache.zookeeper.ZooKeeperMain",
		"-server", addr}, args...)...)
}

func runOurShell(t *testing.T, addr, script string, args ...string) said {
	t.Helper()
	return runAShell(t, script, exec.Command(zooidBinary(t), append([]string{"shell", "-server", addr}, args...)...))
}

func runAShell(t *testing.T, script string, c *exec.Cmd) said {
	t.Helper()
	var out, err bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(script), &out, &err
	var exit *exec.ExitError
	if e := c.Run(); e != nil && !errors.As(e, &exit) {
		t.Fatal(e)
	}
	return said{likened(out.String()), likened(err.String()), c.ProcessState.ExitCode()}
}

// TestShellAsApache plays the same lines in Apache's shell and in ours, against one server of each kind, and compares all that they say.
func TestShellAsApache(t *testing.T) {
	t.Parallel()
	need(t, onPath("java") && exists(apacheShell...), "Apache's shell", "apt-get install libzookeeper-java libcommons-cli-java default-jre-headless")
	setup := Setup{Conf: []string{"extendedTypesEnabled=true"}}
	t.Run(Apache.String(), func(t *testing.T) { playShells(t, Start(t, Apache, setup)) })
	s := Start(t, Zooid, setup)
	t.Run(Zooid.String(), func(t *testing.T) { playShells(t, s) })
	for _, args := range [][]string{{"ls", "/"}, {"ls", "/nope"}, {"nosuch"}, {"history"}, {"get"}, {"create", "/x y", "a  b"}, {"get", "/x y"}, {"delete", "/x y"}, {"delete", "/x y"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			theirs, ours := runApacheShell(t, s.Addr(), "", args...), said{}
			if args[0] == "create" {
				runOurShell(t, s.Addr(), "", "delete", args[1])
			}
			if args[0] == "delete" && theirs.Code == 0 {
				runOurShell(t, s.Addr(), "", "create", args[1])
			}
			ours = runOurShell(t, s.Addr(), "", args...)
			if d := cmp.Diff(theirs, ours); d != "" {
				t.Errorf("- Apache's, + ours:\n%s", d)
			}
		})
	}
}

func playShells(t *testing.T, s *Server) {
	for _, c := range shellScripts {
		t.Run(c.name, func(t *testing.T) {
			// Without quit, Apache's leaves its session behind, and with it its ephemerals for the next script.
			script := strings.TrimPrefix(c.script, "\n")
			if c.name != "failing" && c.name != "unknown" {
				script += "quit\n"
			}
			theirs := runApacheShell(t, s.Addr(), script)
			ours := runOurShell(t, s.Addr(), script)
			if d := cmp.Diff(theirs, ours); d != "" {
				t.Errorf("- Apache's, + ours:\n%s", d)
			}
		})
	}
}
