package simulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// validity is how long the certificate of a start is good.
const validity = 30 * 24 * time.Hour

// withTLS wraps l with a certificate made now and writes its CA, as PEM, to a
// temporary file. The keys never leave memory.
func withTLS(l net.Listener, now time.Time) (net.Listener, string, error) {
	ca, caKey, err := makeCertificate(now, nil, nil)
	if err != nil {
		return l, "", err
	}
	leaf, key, err := makeCertificate(now, ca, caKey)
	if err != nil {
		return l, "", err
	}
	dir, err := os.MkdirTemp("", "ssmdeck-simulator-")
	if err != nil {
		return l, "", err
	}
	path := filepath.Join(dir, "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		_ = os.RemoveAll(dir)
		return l, "", err
	}
	cfg := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, ca.Raw}, PrivateKey: key}},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	}
	return tls.NewListener(l, cfg), path, nil
}

// removeCA removes what withTLS wrote.
func removeCA(path string) error { return os.RemoveAll(filepath.Dir(path)) }

// makeCertificate makes a certificate for loopback signed by parent, or a CA
// when there is none.
func makeCertificate(now time.Time, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "ssmdeck simulator"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(validity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if parent == nil {
		cert.Subject.CommonName = "ssmdeck simulator CA"
		cert.IsCA, cert.BasicConstraintsValid = true, true
		cert.KeyUsage = x509.KeyUsageCertSign
		cert.ExtKeyUsage, cert.DNSNames, cert.IPAddresses = nil, nil, nil
		parent, parentKey = cert, key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, nil, err
	}
	made, err := x509.ParseCertificate(der)
	return made, key, err
}
