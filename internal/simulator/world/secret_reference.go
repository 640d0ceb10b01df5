package world

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// SecretParameter is a secret as Parameter Store answers for it.
type SecretParameter struct {
	Name, ARN    string
	Selector     string  // with its colon, as it was given
	Value        *string // nil: the secret is binary
	Modified     time.Time
	SourceResult string // JSON
}

// secretReference is where names of secrets begin in Parameter Store.
const secretReference = "/aws/reference/secretsmanager/"

// IsSecretReference reports whether a name of Parameter Store stands for a secret.
func IsSecretReference(name string) bool {
	return strings.HasPrefix("/"+strings.TrimPrefix(name, "/"), secretReference)
}

// SecretOfReference is the name of the secret that such a name stands for.
func SecretOfReference(name string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix("/"+strings.TrimPrefix(name, "/"), secretReference), ":")
	return id
}

// SecretParameter finds the secret that a name of Parameter Store stands for, which
// IsSecretReference. The errors and their order are those of the service.
func (w *World) SecretParameter(name string, decrypt bool) (SecretParameter, error) {
	id := SecretOfReference(name)
	_, selector, ok := strings.Cut(name, ":")
	switch {
	case ok && (selector == "" || strings.Contains(selector, ":")):
		return SecretParameter{}, Errorf("ValidationException", "Invalid parameter name. Please use correct syntax for referencing a version/label  <name>:<version/label>")
	case !decrypt:
		return SecretParameter{}, Errorf("ValidationException", "WithDecryption flag must be True for retrieving a Secret Manager secret.")
	}
	if old, err := w.Secret(id); err == nil && !old.Deletes.IsZero() {
		return SecretParameter{}, Errorf("ValidationException", "Invalid Request to Secrets Manager")
	}
	version, stage := "", selector
	if len(selector) >= 32 { // as long as the token that made it
		version, stage = selector, ""
	}
	s, v, err := w.SecretValue(id, version, stage)
	if err != nil {
		shown := "null" // in the service's own words
		if selector != "" {
			shown = ":" + selector
		}
		return SecretParameter{}, Errorf("ParameterNotFound", "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret %s%s%s not found.", secretReference[1:], id, shown)
	}
	p := SecretParameter{Name: strings.TrimSuffix(name, ":"+selector), ARN: s.ARN, Value: v.Text, Modified: v.Created, SourceResult: sourceResult(s, v)}
	if selector != "" {
		p.Selector = ":" + selector
	}
	return p, nil
}

// sourceResult is a version as Secrets Manager answers, in the text that Parameter Store
// makes of it.
func sourceResult(s Secret, v SecretVersion) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		ARN           string   `json:"ARN"`
		Name          string   `json:"name"`
		VersionID     string   `json:"versionId"`
		Binary        []byte   `json:"secretBinary,omitempty"`
		Text          *string  `json:"secretString,omitempty"`
		VersionStages []string `json:"versionStages"`
		Created       string   `json:"createdDate"`
	}{s.ARN, s.Name, v.ID, v.Binary, v.Text, append([]string{}, v.Stages...), v.Created.UTC().Format("Jan 2, 2006, 3:04:05 PM")})
	if err != nil {
		panic(err) // texts always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}
