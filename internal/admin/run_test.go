package admin

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// serve answers one connection, after its client has said all it has to say.
func serve(t *testing.T, answer func(net.Conn, string)) (port int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		word, _ := io.ReadAll(c)
		answer(c, string(word))
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func TestRun4lw(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	port := serve(t, func(c net.Conn, word string) { io.WriteString(c, word+"!"+long) })
	got, err := Run4lw("127.0.0.1", port, "wchp", time.Minute)
	if err != nil || string(got) != "wchp!"+long {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestRun4lwGivesUp(t *testing.T) {
	done := make(chan struct{})
	defer close(done)
	port := serve(t, func(c net.Conn, _ string) {
		io.WriteString(c, "half an ans")
		<-done
	})
	got, err := Run4lw("127.0.0.1", port, "stat", 50*time.Millisecond)
	if late, ok := errors.AsType[net.Error](err); !ok || !late.Timeout() { // of the dial, the word or the answer
		t.Errorf("%q, %v", got, err)
	}
}

func TestRun4lwFindsNobody(t *testing.T) {
	host := "127.98.46.12" // nobody else takes the port here as soon as it is free
	l, err := net.Listen("tcp", host+":0")
	if err != nil { // a system with one such address alone
		host = "127.0.0.1"
		if l, err = net.Listen("tcp", host+":0"); err != nil {
			t.Fatal(err)
		}
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	if got, err := Run4lw(host, port, "ruok", time.Minute); err == nil {
		t.Errorf("nobody listens and %q was answered", got)
	}
}
