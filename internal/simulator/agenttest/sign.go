package agenttest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// canonical returns the two texts that both schemes begin with: the string to
// sign and the scope. Paths and queries of agents need no escaping and are in
// order.
func canonical(r *http.Request, body []byte, region, service string, headers []string) (toSign, scope string, signed []string) {
	date := time.Now().UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", date)
	var lines strings.Builder
	for _, h := range headers {
		value := r.Header.Get(h)
		switch h {
		case "host":
			value = r.URL.Host
		case "content-length":
			value = strconv.Itoa(len(body))
		}
		if value == "" {
			continue
		}
		signed = append(signed, h)
		lines.WriteString(h + ":" + value + "\n")
	}
	text := strings.Join([]string{
		r.Method, r.URL.Path, r.URL.RawQuery, lines.String(), strings.Join(signed, ";"), fmt.Sprintf("%x", sha256.Sum256(body)),
	}, "\n")
	scope = date[:8] + "/" + region + "/" + service + "/aws4_request"
	return fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%x", date, scope, sha256.Sum256([]byte(text))), scope, signed
}

func authorize(r *http.Request, key, scope string, signed []string, signature string) {
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/"+scope+", SignedHeaders="+strings.Join(signed, ";")+", Signature="+signature)
}

// signV4 signs with the role's credentials.
func (a *Agent) signV4(r *http.Request, body []byte, service string, headers ...string) {
	a.mu.Lock()
	c := a.creds
	a.mu.Unlock()
	if c.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", c.SessionToken)
	}
	toSign, scope, signed := canonical(r, body, a.cfg.Region, service, headers)
	key := []byte("AWS4" + c.SecretAccessKey)
	for _, part := range append(strings.Split(scope, "/"), toSign) {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	authorize(r, c.AccessKeyID, scope, signed, fmt.Sprintf("%x", key))
}

// signRSA signs with the machine's own key, for those calls that ask for
// credentials.
func (a *Agent) signRSA(r *http.Request, body []byte, service string, _ ...string) {
	r.Header.Set("X-Amz-Content-Sha256", fmt.Sprintf("%x", sha256.Sum256(body))) // present, and not signed
	toSign, scope, signed := canonical(r, body, a.cfg.Region, service, []string{"content-type", "host", "x-amz-date", "x-amz-target"})
	sum := sha256.Sum256([]byte(toSign))
	sig, err := rsa.SignPSS(rand.Reader, a.key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: 32})
	if err != nil {
		panic(err) // the key is large enough
	}
	authorize(r, a.ID, scope, signed, base64.StdEncoding.EncodeToString(sig))
}
