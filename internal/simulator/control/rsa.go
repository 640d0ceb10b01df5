package control

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// NodeOf is the hybrid node that a request says it is signed by with its own
// key, empty for any other request.
func NodeOf(r *http.Request) string {
	a, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil || !strings.HasPrefix(a.keyID, "mi-") {
		return ""
	}
	return a.keyID
}

// VerifyNode checks a request that the agent of a hybrid node has signed with
// the key it registered, and returns the node's id. The scheme calls itself that
// of Signature Version 4 and has its string to sign, but the access key is the
// node's id and the signature is base64 of RSA-PSS over SHA-256, with a salt of
// 32 bytes (agent/ssm/rsaauth of amazon-ssm-agent).
func (v *Verifier) VerifyNode(r *http.Request, body []byte, keyOf func(id string) (*rsa.PublicKey, error)) (string, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", &apiError{Code: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"}
	}
	a, err := parseAuthorization(header)
	if err != nil {
		return "", err
	}
	key, err := keyOf(a.keyID)
	if err != nil {
		return "", err
	}
	if v.mode == Ignore {
		return a.keyID, nil
	}
	date, err := v.checkScope(r, a, "ssm")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(a.stringToSign(date, canonicalRequest(r, body, a.headers, "ssm"))))
	sig, err := base64.StdEncoding.DecodeString(a.sig)
	if err == nil {
		err = rsa.VerifyPSS(key, crypto.SHA256, sum[:], sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	if err != nil {
		return "", badSignature("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return a.keyID, nil
}
