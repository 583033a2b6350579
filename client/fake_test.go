package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// fake is a server that says what a test wants to hear: it takes handshakes and answers every request with what answer gives.
type fake struct {
	addr     string
	readOnly atomic.Bool
	refuse   atomic.Bool // the session is not known
	hellos   chan wire.ConnectRequest
	answer   func(h wire.Header, op wire.Op) []byte // a whole frame; nil hangs up

	mu    sync.Mutex
	conns []net.Conn
}

func newFake(t testing.TB, answer func(wire.Header, wire.Op) []byte) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{addr: l.Addr().String(), hellos: make(chan wire.ConnectRequest, 100), answer: answer}
	if answer == nil {
		f.answer = func(h wire.Header, _ wire.Op) []byte { return wire.AppendErrorFrame(nil, h.Xid, 1, zk.OK) }
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns = append(f.conns, c)
			f.mu.Unlock()
			all.Go(func() {
				defer c.Close()
				f.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		f.drop()
		all.Wait()
	})
	return f
}

func (f *fake) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		c.Close()
	}
	f.conns = nil
}

func (f *fake) serve(c net.Conn) {
	var first [4]byte
	if _, err := io.ReadFull(c, first[:]); err != nil {
		return
	}
	if string(first[:]) == "isro" {
		c.Write([]byte(map[bool]string{true: "ro", false: "rw"}[f.readOnly.Load()]))
		return
	}
	hello := make([]byte, binary.BigEndian.Uint32(first[:]))
	if _, err := io.ReadFull(c, hello); err != nil {
		return
	}
	var r wire.ConnectRequest
	if r.Decode(hello) != nil {
		return
	}
	f.hellos <- r
	w := wire.ConnectResponse{TimeOut: r.TimeOut, SessionID: 0x77, HasReadOnly: true, ReadOnly: f.readOnly.Load()}
	if f.refuse.Load() {
		w = wire.ConnectResponse{HasReadOnly: true}
	}
	b, mark := wire.BeginFrame(nil)
	c.Write(wire.EndFrame(w.Append(b), mark))
	for !f.refuse.Load() {
		if _, err := io.ReadFull(c, first[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(first[:]))
		if _, err := io.ReadFull(c, frame); err != nil {
			return
		}
		var d wire.Decoder
		h, body, err := d.Header(frame)
		if err != nil {
			return
		}
		op, err := d.Body(h.Type, body)
		if err != nil {
			return
		}
		answer := f.answer(h, op)
		if answer == nil {
			return
		}
		c.Write(answer)
	}
}

// A lapse is not an expiry: if the servers were only out of reach, and ended no session themselves, it goes on.
func TestALapseCanBeUndone(t *testing.T) {
	t.Parallel() // it is mostly waiting
	f := newFake(t, nil)
	p := newProxy(t, f.addr)
	c := dial(t, p.addr, &client.Options{SessionTimeout: 2 * time.Second, MaxBackoff: 20 * time.Millisecond})
	states := c.States(patient(t))
	p.cut()
	until(t, states, client.Lapsed)
	p.mend()
	until(t, states, client.Connected)
	err := c.Delete(patient(t), "/a", -1)
	for errors.Is(err, zk.ConnectionLoss) { // a machine that stood still may have lost that connection, too
		err = c.Delete(patient(t), "/a", -1)
	}
	if err != nil {
		t.Error(err)
	}
}

// On a read-only server the client reads, and goes on looking; when it finds a read-write one it goes there.
func TestReadOnly(t *testing.T) {
	f := newFake(t, func(h wire.Header, op wire.Op) []byte {
		if op.OpCode() == wire.OpCloseSession {
			return wire.AppendErrorFrame(nil, h.Xid, 1, zk.OK)
		}
		return wire.AppendErrorFrame(nil, h.Xid, 1, zk.NotReadOnly)
	})
	f.readOnly.Store(true)
	c := dial(t, f.addr, &client.Options{ReadOnly: true})
	if hello := <-f.hellos; !hello.ReadOnly {
		t.Errorf("%+v", hello)
	}
	states := c.States(patient(t))
	if until(t, states, client.ConnectedReadOnly); !c.State().IsConnected() {
		t.Error("a read-only server answers")
	}
	fails(t, c.Delete(patient(t), "/a", -1), zk.NotReadOnly, "delete", "/a")
	f.readOnly.Store(false)
	until(t, states, client.Connected)
	if hello := <-f.hellos; hello.SessionID != 0 { // of the session that only a read-only server knew
		t.Errorf("%+v", hello)
	}
}

// What the client has seen goes into the next handshake, so that a server that has seen less can hang up.
func TestTheHandshakeTellsWhatWasSeen(t *testing.T) {
	f := newFake(t, func(h wire.Header, _ wire.Op) []byte { return wire.AppendErrorFrame(nil, h.Xid, 0x500000007, zk.OK) })
	c := dial(t, f.addr, nil)
	if hello := <-f.hellos; hello.LastZxidSeen != 0 || hello.SessionID != 0 {
		t.Errorf("%+v", hello)
	}
	if err := c.Delete(patient(t), "/a", -1); err != nil {
		t.Fatal(err)
	}
	if seen := c.Status().Seen; seen != 0x500000007 {
		t.Error(seen)
	}
	f.drop()
	if hello := <-f.hellos; hello.LastZxidSeen != 0x500000007 || hello.SessionID != 0x77 {
		t.Errorf("%+v", hello)
	}
	next := dial(t, f.addr, &client.Options{Session: c.Detach()}) // it is one session: it goes on with what it has seen
	if hello := <-f.hellos; hello.LastZxidSeen != 0x500000007 || hello.SessionID != 0x77 {
		t.Errorf("resumed: %+v", hello)
	}
	if seen := next.Session().Seen; seen != 0x500000007 {
		t.Error(seen)
	}
}

// A server whose replies are out of order is not believed.
func TestRepliesOutOfOrder(t *testing.T) {
	f := newFake(t, func(h wire.Header, op wire.Op) []byte {
		if op.OpCode() == wire.OpDelete {
			return wire.AppendErrorFrame(nil, h.Xid+1, 1, zk.OK)
		}
		return wire.AppendErrorFrame(nil, h.Xid, 1, zk.OK)
	})
	c := dial(t, f.addr, nil)
	fails(t, c.Delete(patient(t), "/a", -1), zk.ConnectionLoss, "delete", "/a")
}

// echo is a mechanism of two steps: a name, then the answer to a challenge.
type echo struct{ steps []string }

func (e *echo) Begin(host string) (client.SASLExchange, error) {
	e.steps = append(e.steps, "begin "+host)
	return e, nil
}

func (e *echo) Step(challenge []byte) ([]byte, bool, error) {
	e.steps = append(e.steps, "challenge "+string(challenge))
	if challenge == nil {
		return []byte("name"), false, nil
	}
	return append([]byte("answer to "), challenge...), true, nil
}

func TestSASL(t *testing.T) {
	var seen []string
	f := newFake(t, func(h wire.Header, op wire.Op) []byte {
		s, ok := op.(*wire.Sasl)
		if op.OpCode() == wire.OpPing { // one that is slow pings, too
			return wire.AppendErrorFrame(nil, h.Xid, 1, zk.OK)
		} else if !ok {
			seen = append(seen, op.OpCode().String())
			return wire.AppendErrorFrame(nil, h.Xid, 1, zk.OK)
		}
		seen = append(seen, string(s.Token))
		r := &wire.SaslReply{}
		if string(s.Token) == "name" {
			r.Token = []byte("riddle")
		}
		return wire.AppendReplyFrame(nil, h.Xid, 0, r)
	})
	mechanism := &echo{}
	c := dial(t, f.addr, &client.Options{SASL: mechanism})
	if err := c.Delete(patient(t), "/a", -1); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if got := fmt.Sprint(mechanism.steps, seen); got != "[begin 127.0.0.1 challenge  challenge riddle] [name answer to riddle delete closeSession]" {
		t.Error(got)
	}
}

func TestSASLRefused(t *testing.T) {
	f := newFake(t, func(h wire.Header, _ wire.Op) []byte { return wire.AppendErrorFrame(nil, h.Xid, 0, zk.AuthFailed) })
	_, err := client.Dial(patient(t), []string{f.addr}, &client.Options{SASL: &echo{}})
	fails(t, err, zk.AuthFailed, "dial", "")
}

// All addresses of a name are tried, and a name that does not resolve is passed over; names are resolved anew each time.
func TestNamesAreResolvedAnew(t *testing.T) {
	f := newFake(t, nil)
	_, port, err := net.SplitHostPort(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	var dialed sync.Map
	c, err := client.Dial(patient(t), []string{"nowhere.example:" + port, "several.example:" + port}, &client.Options{
		Resolve: func(_ context.Context, host string) ([]string, error) {
			if host == "nowhere.example" {
				return nil, errors.New("no such host")
			}
			asked.Add(1)
			return []string{"192.0.2.1", "192.0.2.2", "127.0.0.1"}, nil
		},
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialed.Store(addr, true)
			if addr != f.addr {
				return nil, errors.New("no route to host")
			}
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	<-f.hellos
	before := asked.Load()
	f.drop()
	<-f.hellos
	if asked.Load() == before {
		t.Error("the name was not resolved again")
	}
}

// TLS, with the name of the list of servers.
func TestTLS(t *testing.T) {
	f := newFake(t, nil)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "zk"}, DNSNames: []string{"zk.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				f.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	opt := &client.Options{TLSConfig: &tls.Config{RootCAs: roots}, Resolve: func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }}
	c, err := client.Dial(patient(t), []string{"zk.example:" + port}, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(patient(t), "/a", -1); err != nil {
		t.Error(err)
	}
	c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := client.Dial(ctx, []string{"another.example:" + port}, opt); err == nil {
		t.Error("a server with another's certificate was believed")
	}
}
