package bench

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// stub is a server just good enough to be measured: a map of znodes, one-shot data watches, no sessions to speak of. Its
// faults are what the bench must notice.
type stub struct {
	ln    net.Listener
	fault stubFault

	mu      sync.Mutex
	nodes   map[string]*stubNode
	watches map[string][]*stubConn
	zxid    int64
	ops     int
	log     *os.File // of a stub with a folder: one JSON line per created znode
	dir     string
	mode    string
	every   int // txns between the files that stand for snapshots; 0 is never
}

type stubNode struct {
	Path     string
	Data     []byte
	version  int32
	children map[string]bool
}

// stubFault is one thing that a stub does wrong.
type stubFault struct {
	wrongKey   bool          // getData answers with another key's value
	lostSet    bool          // setData is answered and forgotten
	lostDelete bool          // delete is answered and forgotten
	wrongXid   bool          // replies carry the next request's xid
	fewNames   bool          // getChildren leaves one out
	noNode     bool          // every tenth getData finds nothing, once the keys are there
	hangUp     bool          // the connection ends after a thousand operations
	stall      time.Duration // one operation in the middle takes this long, and everybody waits
}

// stubConn is a connection of a stub; two goroutines may write to it.
type stubConn struct {
	mu sync.Mutex
	w  *bufio.Writer
}

func newStub(t testing.TB, f stubFault) *stub {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stub{ln: ln, fault: f, nodes: map[string]*stubNode{}, watches: map[string][]*stubConn{}, mode: "standalone"}
	s.put("/", nil)
	go s.serve()
	t.Cleanup(func() { ln.Close() })
	return s
}

func (s *stub) addr() string { return s.ln.Addr().String() }

// paths lists the znodes, for a test to see what is left.
func (s *stub) paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ps []string
	for p := range s.nodes {
		ps = append(ps, p)
	}
	slices.Sort(ps)
	return ps
}

func (s *stub) put(path string, data []byte) {
	s.nodes[path] = &stubNode{Path: path, Data: slices.Clone(data), children: map[string]bool{}}
	if parent, name, _ := zk.SplitPath(path); path != "/" {
		s.nodes[parent].children[name] = true
	}
}

func (s *stub) serve() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		go s.session(c)
	}
}

func (s *stub) session(c net.Conn) {
	defer c.Close()
	r, me := bufio.NewReader(c), &stubConn{w: bufio.NewWriter(c)}
	var dec wire.Decoder
	for first := true; ; first = false {
		var head [4]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		if string(head[:]) == "srvr" {
			io.WriteString(c, "Zookeeper version: stub\nMode: "+s.mode+"\n")
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(head[:]))
		if _, err := io.ReadFull(r, frame); err != nil {
			return
		}
		var out []byte
		done := false
		if first {
			b, mark := wire.BeginFrame(nil)
			res := wire.ConnectResponse{TimeOut: 40000, SessionID: 1, HasReadOnly: true}
			out = wire.EndFrame(res.Append(b), mark)
		} else {
			h, body, err := dec.Header(frame)
			if err != nil {
				return
			}
			op, err := dec.Body(h.Type, body)
			if err != nil {
				return
			}
			if s.fault.wrongXid && h.Xid > 1000 {
				h.Xid++
			}
			out = s.answer(me, h.Xid, op)
			if out == nil {
				return
			}
			done = h.Type == wire.OpCloseSession
		}
		me.mu.Lock()
		me.w.Write(out)
		if r.Buffered() == 0 || done {
			me.w.Flush()
		}
		me.mu.Unlock()
		if done {
			return
		}
	}
}

// answer carries out one operation and makes its reply; nil is "hang up".
func (s *stub) answer(me *stubConn, xid int32, op wire.Op) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ops++; s.ops == 3000 && s.fault.stall > 0 {
		time.Sleep(s.fault.stall)
	}
	if s.fault.hangUp && s.ops > 1000 {
		return nil
	}
	if op.OpCode().IsWrite() {
		if s.zxid++; s.every > 0 && s.zxid%int64(s.every) == 0 {
			os.WriteFile(filepath.Join(s.dir, "data", "version-2", fmt.Sprintf("snapshot.%x", s.zxid)), []byte("all"), 0o644)
		}
	}
	zxid := zk.Zxid(s.zxid)
	body, code := s.apply(me, op)
	if code != zk.OK {
		return wire.AppendErrorFrame(nil, xid, zxid, code)
	}
	return wire.AppendReplyFrame(nil, xid, zxid, body)
}

func (s *stub) apply(me *stubConn, op wire.Op) (wire.Reply, zk.Code) {
	switch op := op.(type) {
	case *wire.Create:
		parent, _, _ := zk.SplitPath(op.Path)
		if s.nodes[op.Path] != nil {
			return nil, zk.NodeExists
		}
		if s.nodes[parent] == nil {
			return nil, zk.NoNode
		}
		path := strings.Clone(op.Path)
		s.put(path, op.Data)
		if s.log != nil {
			json.NewEncoder(s.log).Encode(s.nodes[path])
		}
		s.tell(path, zk.EventNodeCreated)
		return &wire.PathReply{Path: path}, zk.OK
	case *wire.Delete:
		n := s.nodes[op.Path]
		if n == nil {
			return nil, zk.NoNode
		}
		if len(n.children) > 0 {
			return nil, zk.NotEmpty
		}
		if s.fault.lostDelete && strings.HasPrefix(op.Path, churnRoot) {
			return nil, zk.OK
		}
		parent, name, _ := zk.SplitPath(op.Path)
		delete(s.nodes[parent].children, name)
		delete(s.nodes, n.Path)
		return nil, zk.OK
	case *wire.Exists:
		if op.Watch {
			s.watches[op.Path] = append(s.watches[strings.Clone(op.Path)], me)
		}
		if s.nodes[op.Path] == nil {
			return nil, zk.NoNode
		}
		return &wire.StatReply{Stat: s.nodes[op.Path].stat()}, zk.OK
	case *wire.GetData:
		n := s.nodes[op.Path]
		if n == nil || s.fault.noNode && s.ops%10 == 0 && s.ops > 400 {
			return nil, zk.NoNode
		}
		if op.Watch {
			s.watches[n.Path] = append(s.watches[n.Path], me)
		}
		data := n.Data
		if s.fault.wrongKey && strings.HasSuffix(op.Path, "7") {
			data = s.nodes[keyPath(dataRoot, 0)].Data
		}
		return &wire.DataReply{Data: data, Stat: n.stat()}, zk.OK
	case *wire.SetData:
		n := s.nodes[op.Path]
		if n == nil {
			return nil, zk.NoNode
		}
		if !s.fault.lostSet {
			n.Data = slices.Clone(op.Data)
		}
		n.version++
		s.tell(n.Path, zk.EventNodeDataChanged)
		return &wire.StatReply{Stat: n.stat()}, zk.OK
	case *wire.GetChildren:
		n := s.nodes[op.Path]
		if n == nil {
			return nil, zk.NoNode
		}
		names := []string{}
		for name := range n.children {
			names = append(names, name)
		}
		if s.fault.fewNames && len(names) == bucketSize {
			names = names[1:]
		}
		return &wire.ChildrenReply{Children: names}, zk.OK
	case *wire.Sync:
		return &wire.PathReply{Path: op.Path}, zk.OK
	case *wire.Ping, *wire.CloseSession:
		return nil, zk.OK
	}
	return nil, zk.Unimplemented
}

func (n *stubNode) stat() zk.Stat {
	return zk.Stat{Czxid: 1, Mzxid: 1, Version: n.version, DataLength: int32(len(n.Data)), NumChildren: int32(len(n.children))}
}

// tell sends notices to whoever watches path.
func (s *stub) tell(path string, typ zk.EventType) {
	for _, c := range s.watches[path] {
		c.mu.Lock()
		c.w.Write(wire.AppendNoticeFrame(nil, zk.Zxid(s.zxid), typ, path))
		c.w.Flush()
		c.mu.Unlock()
	}
	delete(s.watches, path)
}

// stubCommand makes this test's own binary a server that Options can start: TestMain sees the word and serves.
const stubCommand = "stub-server"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == stubCommand {
		if err := serveStub(os.Args[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveStub serves the folder dir, with what its log remembers, as its zoo.cfg says.
func serveStub(dir string) error {
	cfg, err := os.ReadFile(filepath.Join(dir, "zoo.cfg"))
	if err != nil {
		return err
	}
	s := &stub{nodes: map[string]*stubNode{}, watches: map[string][]*stubConn{}, dir: dir, mode: "standalone"}
	s.put("/", nil)
	port, lead := "", ""
	for line := range strings.Lines(string(cfg)) {
		name, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "clientPort":
			port = v
		case "server.1":
			lead = v[:strings.LastIndexByte(v, ':')]
		case "snapCount":
			if s.every, err = strconv.Atoi(v); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "data", "version-2"), 0o755); err != nil {
		return err
	}
	client := "127.0.0.1:" + port
	if lead != "" {
		return s.serveEnsemble(client, lead)
	}
	if err := s.remember(filepath.Join(dir, "data", "version-2", "log.1")); err != nil {
		return err
	}
	if s.ln, err = net.Listen("tcp", client); err != nil {
		return err
	}
	s.serve()
	return nil
}

// remember reads a log and goes on with it.
func (s *stub) remember(name string) (err error) {
	if s.log, err = os.OpenFile(name, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644); err != nil {
		return err
	}
	for d := json.NewDecoder(s.log); ; {
		var n stubNode
		if err := d.Decode(&n); err != nil {
			return nil
		}
		s.put(n.Path, n.Data)
	}
}

// serveEnsemble is a member of an ensemble of stubs: whoever gets the address lead leads, with a log that all of them have; the others
// pass what their clients say on to it, and drop them when it goes.
func (s *stub) serveEnsemble(client, lead string) error {
	own, err := net.Listen("tcp", client)
	if err != nil {
		return err
	}
	led := make(chan struct{})
	go func() {
		for s.ln, err = net.Listen("tcp", lead); err != nil; s.ln, err = net.Listen("tcp", lead) {
			time.Sleep(5 * time.Millisecond)
		}
		s.mode = "leader"
		if err := s.remember(filepath.Join(s.dir, "..", "log")); err != nil {
			panic(err)
		}
		close(led)
		s.serve()
	}()
	for {
		c, err := own.Accept()
		if err != nil {
			return err
		}
		go func() {
			select {
			case <-led:
				s.session(c)
				return
			default:
			}
			defer c.Close()
			r := bufio.NewReader(c)
			if head, _ := r.Peek(4); string(head) == "srvr" {
				io.WriteString(c, "Mode: follower\n")
				return
			}
			to, err := net.Dial("tcp", lead)
			if err != nil {
				return
			}
			defer to.Close()
			go func() {
				io.Copy(to, r)
				to.(*net.TCPConn).CloseWrite()
			}()
			io.Copy(c, to)
		}()
	}
}
