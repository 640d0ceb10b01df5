package control

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// rsaVectors are what the real agent's own code has signed.
type rsaVectors struct {
	Cases []struct {
		Name, Message, PublicKeyBase64DerPKIX, SignatureBase64, Body, SHA256Hex string

		AuthorizationLength int
		Headers             map[string]string
	}
}

func readRSAVectors(t *testing.T) (v rsaVectors, key *rsa.PublicKey) {
	t.Helper()
	raw, err := os.ReadFile("testdata/rsa_registration.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Cases) != 3 {
		t.Fatalf("%d cases, want 3", len(v.Cases))
	}
	if key, err = publicKey("publicKey", v.Cases[0].PublicKeyBase64DerPKIX); err != nil {
		t.Fatalf("the key of an agent is refused: %v", err)
	}
	return v, key
}

func TestNodeSignatureAgainstVectors(t *testing.T) {
	v, key := readRSAVectors(t)
	plain, signed, hash := v.Cases[0], v.Cases[1], v.Cases[2]
	sum := sha256.Sum256([]byte(plain.Message))
	sig, err := base64.StdEncoding.DecodeString(plain.SignatureBase64)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPSS(key, crypto.SHA256, sum[:], sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}); err != nil {
		t.Errorf("a signature of the agent: %v", err)
	}
	if got := hashHex([]byte(signed.Body)); got != hash.SHA256Hex || got != signed.Headers["X-Amz-Content-Sha256"] {
		t.Errorf("hash of the body is %s, want %s", got, hash.SHA256Hex)
	}
	if n := len(signed.Headers["Authorization"]); n != signed.AuthorizationLength {
		t.Errorf("the header has %d characters, want %d", n, signed.AuthorizationLength)
	}
	at, err := time.Parse(dateFormat, signed.Headers["X-Amz-Date"])
	if err != nil {
		t.Fatal(err)
	}
	verifier := NewVerifier(Require, "us-east-1", func() time.Time { return at }, Credentials{})
	keyOf := func(id string) (*rsa.PublicKey, error) {
		if id != "mi-0123456789abcdef0" {
			t.Errorf("asked for the key of %s", id)
		}
		return key, nil
	}
	verify := func(body string, change func(*http.Request)) error {
		r := httptest.NewRequest(http.MethodPost, "https://ssm.us-east-1.amazonaws.com/", strings.NewReader(body))
		for k, val := range signed.Headers {
			r.Header.Set(k, val)
		}
		if change != nil {
			change(r)
		}
		_, err := verifier.VerifyNode(r, []byte(body), keyOf)
		return err
	}
	if err := verify(signed.Body, nil); err != nil {
		t.Errorf("the agent's own request: %v", err)
	}
	for name, err := range map[string]error{
		"another body":   verify(signed.Body+" ", nil),
		"another target": verify(signed.Body, func(r *http.Request) { r.Header.Set("X-Amz-Target", "AmazonSSM.UpdateManagedInstancePublicKey") }),
		"another host":   verify(signed.Body, func(r *http.Request) { r.Host = "ssm.eu-west-1.amazonaws.com" }),
		"no base64": verify(signed.Body, func(r *http.Request) {
			r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), "uTia", "%%%%"))
		}),
		"an access key's signature": verify(signed.Body, func(r *http.Request) {
			before, _, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", before+"Signature="+strings.Repeat("0", 64))
		}),
	} {
		if errorCode2(err) != "InvalidSignatureException" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := verify(signed.Body, func(r *http.Request) { r.Header.Del("Authorization") }); errorCode2(err) != "MissingAuthenticationTokenException" {
		t.Errorf("unsigned: %v", err)
	}
	old := NewVerifier(Require, "us-east-1", func() time.Time { return at.Add(time.Hour) }, Credentials{})
	r := httptest.NewRequest(http.MethodPost, "https://ssm.us-east-1.amazonaws.com/", nil)
	for k, val := range signed.Headers {
		r.Header.Set(k, val)
	}
	if _, err := old.VerifyNode(r, []byte(signed.Body), keyOf); errorCode2(err) != "InvalidSignatureException" || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an hour old: %v", err)
	}
}

func TestPublicKeysOfAgents(t *testing.T) {
	small, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: newModulus(1024), E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no base64":   "***",
		"no key":      base64.StdEncoding.EncodeToString([]byte("hello")),
		"a short one": base64.StdEncoding.EncodeToString(small),
		"empty":       "",
	} {
		if _, err := publicKey("publicKey", text); errorCode2(err) != "ValidationException" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
