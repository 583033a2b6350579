package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/zooid-io/zooid/internal/config"
	"github.com/zooid-io/zooid/internal/java"
)

// clientProperties are those of Apache's client: of -client-configuration, where a file is given, and over them the -D of
// CLIENT_JVMFLAGS and JVMFLAGS, which Apache's script puts on Java's command line.
func clientProperties(file string, getenv func(string) string) (config.Properties, error) {
	props := config.Properties{}
	if file != "" {
		if err := readProperties(file, props); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"CLIENT_JVMFLAGS", "JVMFLAGS"} {
		maps.Copy(props, config.ScanFlags(getenv(name)))
	}
	return props, nil
}

func readProperties(file string, props config.Properties) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	entries, err := java.Properties(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, e := range entries {
		props[e.Key] = e.Value
	}
	return nil
}

// clientTLS is what properties (zookeeper.client.secure, zookeeper.ssl.*) say of TLS, nil for none.
func clientTLS(props config.Properties) (*tls.Config, error) {
	if !strings.EqualFold(props["zookeeper.client.secure"], "true") {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	trust, err := readStore(props, "zookeeper.ssl.trustStore")
	if err == nil && trust != nil {
		c.RootCAs, err = trust.pool()
	}
	if err != nil {
		return nil, err
	}
	key, err := readStore(props, "zookeeper.ssl.keyStore")
	if err == nil && key != nil {
		c.Certificates, err = key.own()
	}
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(props["zookeeper.ssl.hostnameVerification"], "false") {
		// The chain still counts, only the name does not: Go has no switch for that alone.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error {
			opt := x509.VerifyOptions{Roots: c.RootCAs, Intermediates: x509.NewCertPool()}
			for _, cert := range s.PeerCertificates[1:] {
				opt.Intermediates.AddCert(cert)
			}
			_, err := s.PeerCertificates[0].Verify(opt)
			return err
		}
	}
	return c, nil
}
