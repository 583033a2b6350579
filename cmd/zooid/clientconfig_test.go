package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/config"
)

// pemFile makes a certificate for itself, with its key, in one file as Apache's PEM key stores have it.
func pemFile(t *testing.T, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "store.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestClientTLS(t *testing.T) {
	ours, other := pemFile(t, "zk.test"), pemFile(t, "zk.test")
	cert, err := tls.LoadX509KeyPair(ours, ours)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, trust, host string
		lenient           bool
		err               string
	}{
		{"trusted", ours, "zk.test", false, ""},
		{"another name", ours, "elsewhere.test", false, "not elsewhere.test"},
		{"another name that does not count", ours, "elsewhere.test", true, ""},
		{"not trusted", other, "zk.test", false, "unknown authority"},
		{"not trusted, whatever the name", other, "zk.test", true, "unknown authority"},
	} {
		props := config.Properties{"zookeeper.client.secure": "true", "zookeeper.ssl.trustStore.location": c.trust, "zookeeper.ssl.keyStore.location": ours}
		if c.lenient {
			props["zookeeper.ssl.hostnameVerification"] = "false"
		}
		conf, err := clientTLS(props)
		if err != nil {
			t.Fatal(err)
		}
		conf.ServerName = c.host
		l, err := net.Listen("tcp", "127.0.0.1:0") // a net.Pipe has no room for an alert that nobody reads yet
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			there, err := l.Accept()
			if err != nil {
				return
			}
			tls.Server(there, &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert}).Handshake()
			there.Close()
		}()
		here, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		err = tls.Client(here, conf).Handshake()
		here.Close()
		<-done
		l.Close()
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %q", c.name, err, c.err)
		}
	}
}

func TestClientProperties(t *testing.T) {
	file := filepath.Join(t.TempDir(), "client.properties")
	if err := os.WriteFile(file, []byte("zookeeper.client.secure=true\nzookeeper.ssl.trustStore.location = /nowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	none := func(string) string { return "" }
	props, err := clientProperties(file, none)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clientTLS(props); err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("a trust store that is not there: %v", err)
	}
	props, err = clientProperties(file, func(name string) string {
		return map[string]string{"CLIENT_JVMFLAGS": "-Xmx1g -Dzookeeper.client.secure=false"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := clientTLS(props); c != nil || err != nil {
		t.Errorf("CLIENT_JVMFLAGS does not win over the file: %v %v", c, err)
	}
	if _, err := clientProperties(file+".not", none); err == nil {
		t.Error("a file that is not there")
	}
}
