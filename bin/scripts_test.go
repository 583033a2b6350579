// Package bin holds the shell scripts. Its tests run them against a zooid that only notes what it was asked.
package bin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is the zooid of the scripts when stubLog names a file: it appends its arguments and environment there.
const stubLog = "ZOOID_STUB_LOG"

func TestMain(m *testing.M) {
	if log := os.Getenv(stubLog); log != "" {
		os.Exit(stub(log, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// call is one start of the stub.
type call struct {
	Args  []string
	Flags string // JVMFLAGS
	Pid   int
	Event string // "begin", or "term" when a server was told to end
}

func stub(log string, args []string) int {
	note := func(event string) {
		line, _ := json.Marshal(call{args, os.Getenv("JVMFLAGS"), os.Getpid(), event})
		f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			panic(err)
		}
		defer f.Close()
		f.Write(append(line, '\n'))
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	note("begin")
	switch args[0] {
	case "server":
		fmt.Println("serving")
		if os.Getenv("STUB_SERVER") == "fails" {
			return 2
		}
		if os.Getenv("STUB_SERVER") == "ends" {
			return 7
		}
		<-term
		note("term")
		return 143
	case "4lw":
		if os.Getenv("STUB_4LW") == "fails" {
			return 1
		}
		fmt.Print("Zookeeper version: 3.9.5\nLatency min/avg/max: 0/0.0/0\nMode: standalone\nNode count: 5\n")
	case "shell":
		code, _ := strconv.Atoi(os.Getenv("STUB_SHELL"))
		return code
	case "version":
		fmt.Println("Apache ZooKeeper, version 3.9.5-zooid")
	}
	return 0
}

// world is an installation: bin with the scripts and the stub, conf, and room for data.
type world struct {
	t     *testing.T
	shell string
	dir   string
	env   []string
}

// each runs the test with every shell that is here: the scripts must not depend on one.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	for _, name := range []string{"sh", "bash", "busybox"} {
		shell, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, shell))
		})
	}
}

func newWorld(t *testing.T, shell string) *world {
	w := &world{t: t, shell: shell, dir: t.TempDir()}
	for _, script := range []string{"zkServer.sh", "zkEnv.sh", "zkCleanup.sh", "zkCli.sh"} {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		w.write("bin/"+script, string(text))
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w.write("bin/zooid", "#!/bin/sh\nexec '"+self+"' \"$@\"\n")
	w.write("conf/zoo.cfg", "tickTime=2000\nclientPort=2181\ndataDir="+w.path("data")+"\n")
	w.env = []string{
		"PATH=" + os.Getenv("PATH"), "USER=tester", "HOSTNAME=here", stubLog + "=" + w.path("calls"),
	}
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		w.t.Fatal(err)
	}
	syscall.ForkLock.RLock() // a child that another test starts meanwhile would have the file open: a busy text cannot be run
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(w.path(name), []byte(text), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// result is what a script said.
type result struct {
	out, err string
	code     int
}

func (w *world) run(script string, args ...string) result {
	w.t.Helper()
	line := append([]string{w.path("bin/" + script)}, args...)
	if filepath.Base(w.shell) == "busybox" {
		line = append([]string{"sh"}, line...)
	}
	c := exec.Command(w.shell, line...)
	c.Env, c.Dir = w.env, w.dir
	var out, err bytes.Buffer
	c.Stdout, c.Stderr = &out, &err
	if e := c.Run(); e != nil {
		if _, ok := e.(*exec.ExitError); !ok {
			w.t.Fatal(e)
		}
	}
	return result{out.String(), err.String(), c.ProcessState.ExitCode()}
}

// noted waits until the stub has noted so much, and gives it.
func (w *world) noted(n int) []call {
	w.t.Helper()
	for end := time.Now().Add(2 * time.Minute); len(w.calls()) < n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("noted only %v", w.calls())
		}
	}
	return w.calls()
}

func (w *world) calls() []call {
	w.t.Helper()
	var all []call
	text, _ := os.ReadFile(w.path("calls"))
	for line := range strings.Lines(string(text)) {
		var c call
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// want compares a script's stdout and exit code; DIR stands for the installation in out.
func (w *world) want(got result, out string, code int) {
	w.t.Helper()
	if said := strings.ReplaceAll(got.out, w.dir, "DIR"); said != out || got.code != code {
		w.t.Errorf("exit %d, want %d\nstdout %q\nwant   %q\nstderr %s", got.code, code, said, out, got.err)
	}
}

// begun are the argument lists of the stub so far, DIR again for the installation.
func (w *world) begun() [][]string {
	var all [][]string
	for _, c := range w.calls() {
		if c.Event != "begin" {
			continue
		}
		args := slices.Clone(c.Args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], w.dir, "DIR")
		}
		all = append(all, args)
	}
	return all
}

func TestStartAndStop(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got := w.run("zkServer.sh", "start")
		w.want(got, "Starting zookeeper ... STARTED\n", 0)
		if want := "ZooKeeper JMX enabled by default\nUsing config: DIR/bin/../conf/zoo.cfg\n"; strings.ReplaceAll(got.err, w.dir, "DIR") != want {
			t.Errorf("stderr %q, want %q", got.err, want)
		}
		server := w.noted(1)[0]
		if pid := w.read("data/zookeeper_server.pid"); pid != strconv.Itoa(server.Pid) {
			t.Errorf("pid file %q, the server is %d", pid, server.Pid)
		}
		wantArgs := []string{"server", "-Dzookeeper.log.dir=DIR/bin/../logs", "-Dzookeeper.log.file=zookeeper-tester-server-here.log", "DIR/bin/../conf/zoo.cfg"}
		if !slices.Equal(w.begun()[0], wantArgs) {
			t.Errorf("arguments %q, want %q", w.begun()[0], wantArgs)
		}
		if log := w.read("logs/zookeeper-tester-server-here.out"); log != "serving\n" {
			t.Errorf("output file %q", log)
		}

		w.want(w.run("zkServer.sh", "start"), fmt.Sprintf("Starting zookeeper ... already running as process %d.\n", server.Pid), 1)

		w.want(w.run("zkServer.sh", "restart"), "Stopping zookeeper ... STOPPED\nStarting zookeeper ... STARTED\n", 0)
		events := w.noted(3)
		if len(events) != 3 || events[1].Event != "term" || events[1].Pid != server.Pid || events[2].Event != "begin" {
			t.Errorf("restart did not end the first server before the second: %v", events)
		}

		w.want(w.run("zkServer.sh", "stop"), "Stopping zookeeper ... STOPPED\n", 0)
		if events := w.calls(); len(events) != 4 || events[3].Event != "term" {
			t.Errorf("stop did not end the server: %v", events)
		}
		w.want(w.run("zkServer.sh", "stop"), "Stopping zookeeper ... no zookeeper to stop (could not find file DIR/data/zookeeper_server.pid)\n", 0)
	})
}

func TestStartFails(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		// The script looks after a second. Here that lasts until the server has ended, however slow the machine.
		w.write("slow/sleep", "#!/bin/sh\npid=$(cat '"+w.path("data/zookeeper_server.pid")+"')\n"+
			"while kill -0 $pid && ! grep -q ') Z ' /proc/$pid/stat; do :; done 2>/dev/null\n")
		w.env = append(w.env, "STUB_SERVER=fails", "PATH="+w.path("slow")+":"+os.Getenv("PATH"))
		w.want(w.run("zkServer.sh", "start"), "Starting zookeeper ... FAILED TO START\n", 1)
	})
}

func TestPidFileCannotBeWritten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.write("pids/zk.pid/in-the-way", "")
		w.write("bin/zooid", "#!/bin/sh\nexec sleep 60\n") // one that leaves nothing behind in the folder, however late it is ended
		w.env = append(w.env, "ZOOPIDFILE="+w.path("pids/zk.pid"))
		w.want(w.run("zkServer.sh", "start"), "Starting zookeeper ... FAILED TO WRITE PID\n", 1)
	})
}

// A pid file that a killed machine left behind is no reason not to start, nor not to stop.
func TestStalePidFile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const nobody = "2000000000" // no system counts so far
		w.write("data/zookeeper_server.pid", nobody)
		w.want(w.run("zkServer.sh", "stop"), "Stopping zookeeper ... STOPPED\n", 0)
		w.write("data/zookeeper_server.pid", nobody)
		w.want(w.run("zkServer.sh", "start"), "Starting zookeeper ... STARTED\n", 0)
		w.want(w.run("zkServer.sh", "stop"), "Stopping zookeeper ... STOPPED\n", 0)
	})
}

func TestForeground(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.env = append(w.env, "STUB_SERVER=ends")
		w.want(w.run("zkServer.sh", "start-foreground"), "serving\n", 7)
		w.env = append(w.env, "ZOO_NOEXEC=1")
		w.want(w.run("zkServer.sh", "start-foreground"), "serving\n", 7)
		if _, err := os.Stat(w.path("data")); err == nil {
			t.Error("data directory made by the script: it is the server's")
		}
	})
}

func TestConfigChoice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.env = append(w.env, "STUB_SERVER=ends")
		w.write("etc/zoo.cfg", "dataDir=d\n")
		w.write("etc/other.cfg", "dataDir=d\n")
		for _, tt := range []struct {
			args []string
			env  string
			want string
		}{
			{[]string{"start-foreground"}, "", "DIR/bin/../conf/zoo.cfg"},
			{[]string{"--config", w.path("etc"), "start-foreground"}, "", "DIR/etc/zoo.cfg"},
			{[]string{"--config", w.path("etc"), "start-foreground", "other.cfg"}, "", "DIR/etc/other.cfg"},
			{[]string{"start-foreground", w.path("etc/other.cfg")}, "", "DIR/etc/other.cfg"},
			{[]string{"start-foreground", "./etc/other.cfg"}, "", "./etc/other.cfg"},
			{[]string{"start-foreground"}, "ZOOCFGDIR=" + w.path("etc"), "DIR/etc/zoo.cfg"},
			{[]string{"--config", w.path("etc"), "start-foreground"}, "ZOOCFG=other.cfg", "DIR/etc/other.cfg"},
		} {
			before := w.env
			w.env = append(slices.Clone(before), tt.env)
			got := w.run("zkServer.sh", tt.args...)
			w.env = before
			last := w.begun()[len(w.begun())-1]
			if used := last[len(last)-1]; used != tt.want || !strings.HasSuffix(strings.ReplaceAll(got.err, w.dir, "DIR"), "Using config: "+tt.want+"\n") {
				t.Errorf("%q %s: used %s, want %s; stderr %q", tt.args, tt.env, used, tt.want, got.err)
			}
		}
	})
}

func TestEnvironmentFiles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.write("conf/zookeeper-env.sh", "ZOO_LOG_DIR="+w.path("elsewhere")+"\nZOOPIDFILE="+w.path("run/deep/zk.pid")+"\n")
		w.write("conf/java.env", "JVMFLAGS=\"-Xmx1g -Dzookeeper.snapCount=7\"\n")
		w.want(w.run("zkServer.sh", "start"), "Starting zookeeper ... STARTED\n", 0)
		if c := w.noted(1)[0]; c.Flags != "-Xmx1g -Dzookeeper.snapCount=7" || !slices.Contains(c.Args, "-Dzookeeper.log.dir="+w.path("elsewhere")) {
			t.Errorf("got %+v", c)
		}
		w.read("run/deep/zk.pid")
		w.read("elsewhere/zookeeper-tester-server-here.out")
		w.want(w.run("zkServer.sh", "stop"), "Stopping zookeeper ... STOPPED\n", 0)
	})
}

func TestAutocreateDisabled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.env = append(w.env, "ZOO_DATADIR_AUTOCREATE_DISABLE=1", "STUB_SERVER=ends")
		w.write("conf/zoo.cfg", "dataDir = "+w.path("data")+" \r\ndataLogDir="+w.path("log")+"\r\n")
		w.want(w.run("zkServer.sh", "start"), "ZooKeeper data directory is missing at DIR/data fix the path or run initialize\n", 1)
		w.write("data/version-2/x", "")
		w.want(w.run("zkServer.sh", "start"), "ZooKeeper txnlog directory is missing at DIR/log fix the path or run initialize\n", 1)
		w.write("log/version-2/x", "")
		w.want(w.run("zkServer.sh", "start-foreground"), "serving\n", 7)
		if args := w.begun()[0]; args[1] != "-Dzookeeper.datadir.autocreate=false" {
			t.Errorf("got %q", args)
		}
	})
}

func TestStatus(t *testing.T) {
	const down = "Error contacting service. It is probably not running.\n"
	found := func(port, host string) string {
		return fmt.Sprintf("Client port found: %s. Client address: %s. Client SSL: false.\n", port, host)
	}
	const noMyID = "myid could not be determined, will not able to locate clientPort in the server configs.\n"
	const lookDynamic = "Client port not found in static config file. Looking in dynamic config file.\n"
	const lookSecure = "Client port not found. Looking for secureClientPort in the static config.\n"
	const terminating = "Unable to find either secure or unsecure client port in any configs. Terminating.\n"
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			name, cfg, myid, dynamic string
			out                      string
			code                     int
			asked                    []string // of zooid 4lw; nil is not at all
		}{
			{"port", "clientPort=2182", "", "", found("2182", "localhost") + "Mode: standalone\n", 0, []string{"localhost", "2182", "srvr"}},
			{"port and address", " clientPort = 2182 \r\nclientPortAddress:127.0.0.1", "", "", found("2182", "127.0.0.1") + "Mode: standalone\n", 0, []string{"127.0.0.1", "2182", "srvr"}},
			{"last duplicate", "clientPort=1\nclientPort=2182", "", "", found("2182", "localhost") + "Mode: standalone\n", 0, []string{"localhost", "2182", "srvr"}},
			{"server line", "server.1=h:2:3;2183\nserver.11=h:2:3;9", "1", "", found("2183", "localhost") + "Mode: standalone\n", 0, []string{"localhost", "2183", "srvr"}},
			{"server line with address", "server.1=h:2:3:participant;127.0.0.1:2183", "1", "", found("2183", "127.0.0.1") + "Mode: standalone\n", 0, []string{"127.0.0.1", "2183", "srvr"}},
			{"server line with an IPv6 address", "server.1=[::1]:2:3;[::1]:2183", "1", "", found("2183", "::1") + "Mode: standalone\n", 0, []string{"::1", "2183", "srvr"}},
			{"dynamic file", "dynamicConfigFile=" + w.path("dyn"), "1", "server.1=h:2:3;2184", lookDynamic + found("2184", "localhost") + "Mode: standalone\n", 0, []string{"localhost", "2184", "srvr"}},
			{"no myid", "server.1=h:2:3;2183", "", "", noMyID + lookSecure + terminating, 1, nil},
			{"nothing", "", "1", "", lookDynamic + "Client port not found in the server configs\n" + lookSecure + terminating, 1, nil},
			{"TLS", "secureClientPort=2281", "", "", noMyID + lookSecure + "Client port found: 2281. Client address: localhost. Client SSL: true.\nMode: standalone\n", 0, []string{"localhost", "2281", "srvr", "true"}},
		} {
			os.RemoveAll(w.path("data"))
			os.Remove(w.path("calls"))
			w.write("conf/zoo.cfg", "dataDir="+w.path("data")+"\n"+tt.cfg+"\n")
			if tt.myid != "" {
				w.write("data/myid", tt.myid+"\n")
			}
			w.write("dyn", tt.dynamic)
			got := w.run("zkServer.sh", "status")
			if got.out != tt.out || got.code != tt.code {
				t.Errorf("%s: exit %d, want %d\nstdout %q\nwant   %q\nstderr %s", tt.name, got.code, tt.code, got.out, tt.out, got.err)
			}
			var want [][]string
			if tt.asked != nil {
				want = [][]string{append([]string{"4lw"}, tt.asked...)}
			}
			if asked := w.begun(); !slices.EqualFunc(asked, want, slices.Equal) {
				t.Errorf("%s: asked %q, want %q", tt.name, asked, want)
			}
		}
		w.env = append(w.env, "STUB_4LW=fails")
		w.write("conf/zoo.cfg", "clientPort=2181\ndataDir=./data\n")
		w.want(w.run("zkServer.sh", "status"), found("2181", "localhost")+down, 1)
	})
}

func TestOtherVerbs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.want(w.run("zkServer.sh", "version"), "Apache ZooKeeper, version 3.9.5-zooid\n", 0)
		w.want(w.run("zkServer.sh", "print-cmd"), `"DIR/bin/../bin/zooid" server  -Dzookeeper.log.dir="DIR/bin/../logs" -Dzookeeper.log.file="zookeeper-tester-server-here.log"`+
			` "DIR/bin/../conf/zoo.cfg" > "DIR/bin/../logs/zookeeper-tester-server-here.out" 2>&1 < /dev/null`+"\n", 0)
		for _, args := range [][]string{nil, {"nosuch"}} {
			got := w.run("zkServer.sh", args...)
			w.want(got, "", 0)
			if want := "Usage: " + w.path("bin/zkServer.sh") + " [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd}\n"; !strings.HasSuffix(got.err, want) {
				t.Errorf("stderr %q", got.err)
			}
		}
		w.env = append(w.env, "JMXDISABLE=true")
		if got := w.run("zkServer.sh"); !strings.HasPrefix(got.err, "JMX disabled by user request\n") {
			t.Errorf("stderr %q", got.err)
		}
	})
}

func TestCleanup(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.write("etc/zoo.cfg", "dataDir=/d\ndataLogDir=/l\n")
		w.want(w.run("zkCleanup.sh", "-n", "5"), "", 0)
		w.want(w.run("zkCleanup.sh", "--config", w.path("etc"), "-n", "5"), "", 0)
		want := [][]string{{"cleanup", "DIR/data", "-n", "5"}, {"cleanup", "/l", "/d", "-n", "5"}}
		if got := w.begun(); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// zkCli.sh gives its arguments on as they are, and the shell's exit code back.
func TestCli(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.env = append(w.env, "STUB_SHELL=127")
		w.want(w.run("zkCli.sh", "--config", w.path("etc"), "-server", "h:1/c", "create", "/a", "two words", ""), "", 127)
		w.want(w.run("zkCli.sh"), "", 127)
		want := [][]string{{"shell", "-server", "h:1/c", "create", "/a", "two words", ""}, {"shell"}}
		if got := w.begun(); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestNoZooid(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := os.Remove(w.path("bin/zooid")); err != nil {
			t.Fatal(err)
		}
		got := w.run("zkServer.sh", "start")
		w.want(got, "", 1)
		if !strings.Contains(got.err, "zooid could not be found") {
			t.Errorf("stderr %q", got.err)
		}
		w.write("opt/my-zooid", "#!/bin/sh\necho mine $1\n")
		w.env = append(w.env, "ZOOID="+w.path("opt/my-zooid"))
		w.want(w.run("zkServer.sh", "version"), "mine version\n", 0)
	})
}

// A link to a script finds the rest of the installation.
func TestLink(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.write("sbin/here", "")
		if err := os.Symlink(w.path("bin/zkServer.sh"), w.path("sbin/zkServer.sh")); err != nil {
			t.Fatal(err)
		}
		w.want(w.run("../sbin/zkServer.sh", "version"), "Apache ZooKeeper, version 3.9.5-zooid\n", 0)
	})
}
