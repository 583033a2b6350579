package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/zooid-io/zooid/internal/config"
)

// keyStore is what a key or trust store holds: Java's old format (JKS), PKCS#12, or PEM. Which one it is, its first bytes tell, whatever it
// is called: keytool writes PKCS#12 into files called .jks, and Java reads either under either name.
type keyStore struct {
	file    string
	keys    []tls.Certificate
	trusted []*x509.Certificate
}

// readStore reads the store that properties name: prefix + ".location", ".password", ".passwordPath", ".type". It is nil where none is
// named.
func readStore(props config.Properties, prefix string) (*keyStore, error) {
	file := props[prefix+".location"]
	if file == "" {
		return nil, nil
	}
	password := props[prefix+".password"]
	if path := props[prefix+".passwordPath"]; path != "" { // it wins, as in Apache's client
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		password = strings.TrimSpace(string(text))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &keyStore{file: file}
	switch {
	case strings.EqualFold(props[prefix+".type"], "BCFKS"):
		err = errors.New("stores of the type BCFKS are not read")
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}):
		err = s.readJKS(data, password)
	case bytes.Contains(data, []byte("-----BEGIN ")):
		err = s.readPEM(data, password)
	default:
		err = s.readPKCS12(data, password)
	}
	if err != nil {
		return nil, fmt.Errorf("%s.location: %s: %w", prefix, file, err)
	}
	return s, nil
}

func (s *keyStore) readPEM(data []byte, password string) error {
	if bytes.Contains(data, []byte(" PRIVATE KEY-----")) {
		if password != "" {
			return errors.New("of PEM files only those without a password are read")
		}
		cert, err := tls.X509KeyPair(data, data)
		if err != nil {
			return err
		}
		s.keys = append(s.keys, cert)
	}
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil
		}
		if block.Type == "CERTIFICATE" {
			if err := s.trust(block.Bytes); err != nil {
				return err
			}
		}
	}
}

func (s *keyStore) trust(der []byte) error {
	cert, err := x509.ParseCertificate(der)
	if err == nil {
		s.trusted = append(s.trusted, cert)
	}
	return err
}

func (s *keyStore) readJKS(data []byte, password string) error {
	ks := keystore.New(keystore.WithOrderedAliases())
	if err := ks.Load(bytes.NewReader(data), []byte(password)); err != nil {
		return err
	}
	for _, alias := range ks.Aliases() {
		if ks.IsTrustedCertificateEntry(alias) {
			e, err := ks.GetTrustedCertificateEntry(alias)
			if err == nil {
				err = s.trust(e.Certificate.Content)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", alias, err)
			}
			continue
		}
		e, err := ks.GetPrivateKeyEntry(alias, []byte(password))
		if err != nil {
			return fmt.Errorf("%s: %w", alias, err)
		}
		key, err := x509.ParsePKCS8PrivateKey(e.PrivateKey)
		if err != nil {
			return fmt.Errorf("%s: %w", alias, err)
		}
		cert := tls.Certificate{PrivateKey: key}
		for _, c := range e.CertificateChain {
			cert.Certificate = append(cert.Certificate, c.Content)
		}
		s.keys = append(s.keys, cert)
	}
	return nil
}

func (s *keyStore) readPKCS12(data []byte, password string) error {
	trusted, err := pkcs12.DecodeTrustStore(data, password)
	if err == nil {
		s.trusted = trusted
		return nil
	}
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return err
	}
	key, cert, others, keyErr := pkcs12.DecodeChain(data, password) // a store with a key is none of trusted certificates to the library
	if keyErr != nil {
		return fmt.Errorf("neither a key (%w) nor trusted certificates (%w)", keyErr, err)
	}
	chain := tls.Certificate{PrivateKey: key, Certificate: [][]byte{cert.Raw}}
	for _, c := range others {
		chain.Certificate = append(chain.Certificate, c.Raw)
	}
	s.keys, s.trusted = append(s.keys, chain), others
	return nil
}

// pool is who is trusted.
func (s *keyStore) pool() (*x509.CertPool, error) {
	if len(s.trusted) == 0 {
		return nil, fmt.Errorf("%s: there is no trusted certificate in it", s.file)
	}
	pool := x509.NewCertPool()
	for _, c := range s.trusted {
		pool.AddCert(c)
	}
	return pool, nil
}

// own are the keys to show to servers.
func (s *keyStore) own() ([]tls.Certificate, error) {
	if len(s.keys) == 0 {
		return nil, fmt.Errorf("%s: there is no key in it", s.file)
	}
	return slices.Clone(s.keys), nil
}
