package main

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/config"
)

// Stores as keytool writes them; testdata/stores was made by
//
//	keytool -genkeypair -keyalg EC -alias zk -dname CN=zk.test -ext san=dns:zk.test -ext bc:c -validity 36500 -storetype JKS -keystore key.jks
//	keytool -importkeystore -srckeystore key.jks -deststoretype PKCS12 -destkeystore key.p12
//	keytool -importcert -alias zk -file zk.der -storetype JKS -keystore trust.jks       and so for trust.p12
//
// with the password changeit. One key is in all of them: whoever has the one trusts the other.
func TestKeyStores(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("changeit\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key, trust string
		err        string
	}{
		{"key.jks", "trust.p12", ""},
		{"key.p12", "trust.jks", ""},
		{"trust.jks", "trust.jks", "there is no key in it"},
		{"trust.p12", "trust.p12", "there is no key in it"},
		{"key.jks", "key.jks", "there is no trusted certificate in it"},
		{"key.jks", "key.p12", "there is no trusted certificate in it"},
	} {
		props := config.Properties{
			"zookeeper.client.secure":               "true",
			"zookeeper.ssl.keyStore.location":       filepath.Join("testdata", "stores", c.key),
			"zookeeper.ssl.keyStore.password":       "changeit",
			"zookeeper.ssl.trustStore.location":     filepath.Join("testdata", "stores", c.trust),
			"zookeeper.ssl.trustStore.password":     "wrong", // the file wins
			"zookeeper.ssl.trustStore.passwordPath": password,
		}
		conf, err := clientTLS(props)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s, %s: %v, want %q", c.key, c.trust, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s, %s: %v", c.key, c.trust, err)
		}
		conf.ServerName = "zk.test"
		if err := shakeHands(t, conf, &tls.Config{Certificates: conf.Certificates, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: conf.RootCAs}); err != nil {
			t.Errorf("%s, %s: %v", c.key, c.trust, err)
		}
		props["zookeeper.ssl.keyStore.password"] = "guessed"
		if _, err := clientTLS(props); err == nil || !strings.Contains(err.Error(), c.key) {
			t.Errorf("%s with a wrong password: %v", c.key, err)
		}
		props["zookeeper.ssl.keyStore.type"] = "BCFKS"
		if _, err := clientTLS(props); err == nil || !strings.Contains(err.Error(), "BCFKS") {
			t.Errorf("a type that is not read: %v", err)
		}
	}
}

// shakeHands is what the client, and the server, say of a handshake.
func shakeHands(t *testing.T, client, server *tls.Config) error {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	there := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			err = tls.Server(c, server).Handshake()
			c.Close()
		}
		there <- err
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := tls.Client(c, client).Handshake(); err != nil {
		c.Close()
		<-there
		return err
	}
	return <-there
}
