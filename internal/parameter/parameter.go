// Package parameter is Parameter Store in one account and Region: parameters read,
// many at once and under the limits of the service, written, labelled and removed.
//
// A value is bytes to it: nothing is trimmed, added or fetched. It never puts one into
// an error.
package parameter

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// The types of parameters (API reference, PutParameter).
const (
	String       = "String"
	StringList   = "StringList"
	SecureString = "SecureString"
)

// The tiers. Intelligent is one only for who writes: the service chooses one of the
// others for each parameter.
const (
	Standard    = "Standard"
	Advanced    = "Advanced"
	Intelligent = "Intelligent-Tiering"
)

// Parameter is one version of a parameter, the latest unless something else was asked
// for. What was not read is empty: lists of names have no values, reads by name alone
// have no description. The JSON names are part of the output contract.
type Parameter struct {
	Name string `json:"name"`
	Type string `json:"type"` // String, StringList, SecureString
	// Value is the plain value; empty when it was not read, and of a SecureString that
	// was not decrypted. The service has no empty values.
	Value          string            `json:"value,omitempty"`
	Version        int64             `json:"version,omitempty"`
	Selector       string            `json:"selector,omitempty"` // :VERSION or :LABEL, as asked for
	Tier           string            `json:"tier,omitempty"`     // Standard, Advanced
	DataType       string            `json:"data_type,omitempty"`
	KeyID          string            `json:"key_id,omitempty"` // SecureString: as it was given, or the key's ARN
	Description    string            `json:"description,omitempty"`
	AllowedPattern string            `json:"allowed_pattern,omitempty"`
	Policies       []Policy          `json:"policies,omitempty"`
	Labels         []string          `json:"labels,omitempty"` // of history only
	Tags           map[string]string `json:"tags,omitempty"`   // only where they were asked for
	Modified       time.Time         `json:"modified,omitzero"`
	ModifiedBy     string            `json:"modified_by,omitempty"` // ARN
	ARN            string            `json:"arn,omitempty"`
}

// Secure reports whether the value is a secret by its type.
func (p Parameter) Secure() bool { return p.Type == SecureString }

// Policy is one policy of an advanced parameter. The JSON names are part of the output
// contract.
type Policy struct {
	Type   string `json:"type"` // Expiration, ExpirationNotification, NoChangeNotification
	Text   string `json:"text"` // a JSON object, as it was written
	Status string `json:"status,omitempty"`
}

func policiesOf(list []types.ParameterInlinePolicy) (out []Policy) {
	for _, p := range list {
		out = append(out, Policy{aws.ToString(p.PolicyType), aws.ToString(p.PolicyText), aws.ToString(p.PolicyStatus)})
	}
	return out
}

// Service reads and writes the parameters of one account and Region. It keeps nothing,
// and is safe for concurrent use.
type Service struct{ api api }

// New returns a Service that calls client; *ssm.Client fits.
func New(client api) *Service { return &Service{client} }
