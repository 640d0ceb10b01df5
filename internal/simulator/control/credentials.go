package control

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"sync"
	"time"
)

// Caller is who signed a request.
type Caller struct {
	ARN    string
	UserID string
	Name   string // user or role session name: the beginning of session ids
	// Nodes, for the credentials of an access request, are all that sessions can
	// be opened to; AccessRequest is its id.
	Nodes         []string
	AccessRequest string
	// Node, for the credentials of a hybrid node's role, is its id.
	Node string
}

// account is the account of the caller's ARN.
func (c Caller) account() string {
	parts := strings.SplitN(c.ARN, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

// Credentials are what a caller signs with.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string    // temporary credentials only
	Expires         time.Time // temporary credentials only
	Caller          Caller
}

// credentialStore holds the credentials issued by one server.
type credentialStore struct {
	mu   sync.Mutex
	byID map[string]Credentials
}

func (s *credentialStore) add(c Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]Credentials{}
	}
	s.byID[c.AccessKeyID] = c
}

func (s *credentialStore) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, id)
}

func (s *credentialStore) find(id string) (Credentials, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.byID[id]
	return c, ok
}

const idAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// randomID returns n random characters of base 32 after a prefix.
func randomID(prefix string, n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	for i, c := range b {
		b[i] = idAlphabet[c%32]
	}
	return prefix + string(b)
}

func randomSecret(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

// NewCredentials makes random long-term credentials for a user of the account.
func NewCredentials(account, user string) Credentials {
	return Credentials{
		AccessKeyID:     randomID("AKIA", 16),
		SecretAccessKey: randomSecret(30),
		Caller:          Caller{ARN: "arn:aws:iam::" + account + ":user/" + user, UserID: randomID("AIDA", 16), Name: user},
	}
}

// temporary makes credentials of a role session that end at expires.
func temporary(account, role, session string, expires time.Time) Credentials {
	return Credentials{
		AccessKeyID:     randomID("ASIA", 16),
		SecretAccessKey: randomSecret(30),
		SessionToken:    NewSessionToken(),
		Expires:         expires,
		Caller: Caller{
			ARN:    "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + session,
			UserID: randomID("AROA", 16) + ":" + session,
			Name:   session,
		},
	}
}

// NewSessionToken makes the token of temporary credentials.
func NewSessionToken() string { return "IQoJb3JpZ2luX2Vj" + randomSecret(120) }
