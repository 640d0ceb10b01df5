// Package secrets is AWS Secrets Manager as far as parameters need it: secrets made from
// them and read back.
//
// A value is bytes to it, and is in no error.
package secrets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// MaxBytes is the most that the value of a secret can have (API reference,
// CreateSecret).
const MaxBytes = 65536

// service is AWS Secrets Manager (public API model 2017-10-17).
var service = awsapi.JSONService{ID: "Secrets Manager", Signing: "secretsmanager", Target: "secretsmanager"}

// caller sends operations; *awsapi.JSONClient does.
type caller interface {
	Call(ctx context.Context, operation string, in, out any) error
}

// The parts of requests and answers that are needed, by their names in the API.
type (
	createIn struct {
		Name               string
		ClientRequestToken string
		Description        string `json:",omitempty"`
		KmsKeyID           string `json:"KmsKeyId,omitempty"`
		SecretString       string
		Tags               []tag `json:",omitempty"`
	}
	tag  struct{ Key, Value string }
	idIn struct {
		SecretID string `json:"SecretId"`
	}
	secretOut struct {
		ARN, Name    string
		VersionID    string `json:"VersionId"`
		SecretString *string
		DeletedDate  float64
	}
)

// Secret is a secret. The JSON names are part of the output contract.
type Secret struct {
	Name    string `json:"name"`
	ARN     string `json:"arn"`
	Version string `json:"version_id,omitempty"`
	// Deletes is when it will be gone, which somebody has asked for; zero: it stays.
	Deletes time.Time `json:"deletes,omitzero"`
}

// New is a secret to be made.
type New struct {
	Name, Value, Description string
	KeyID                    string // empty: the service's own key
	Tags                     map[string]string
	// Token makes the request one that can be sent again: see Token.
	Token string
}

var names = pattern.Lazy(`^[A-Za-z0-9/_+=.@!-]{1,512}$`)

// Check says everything that Secrets Manager would refuse about a new secret without
// being asked.
func (n New) Check() (faults []error) {
	if !names().MatchString(n.Name) {
		faults = append(faults, fault.Usagef("%q is not a name of a secret", n.Name).WithHint("use up to 512 letters, digits and / _ + = . @ ! -"))
	}
	if n.Value == "" || len(n.Value) > MaxBytes {
		faults = append(faults, fault.Usagef("a secret has between 1 and %d bytes, and this has %d", MaxBytes, len(n.Value)))
	}
	return faults
}

// Doubt says what is unwise about the name of a secret: "" is nothing (API reference,
// CreateSecret).
func Doubt(name string) string {
	if i := strings.LastIndexByte(name, '-'); i >= 0 && len(name)-i-1 == 6 {
		return "a name that ends in a hyphen and six characters looks like the end of an ARN, and Secrets Manager may look for the wrong secret"
	}
	return ""
}

// Token is a client token made of texts: the same for the same, so that a request that
// may have been carried out can be sent again. Values must not be among them.
func Token(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Service works in one account and Region. It keeps nothing.
type Service struct{ api caller }

// NewService returns a Service for the account of cfg.
func NewService(cfg aws.Config) *Service { return &Service{awsapi.NewJSON(cfg, service)} }

// Find describes a secret by its name or ARN; found is false when there is none.
func (s *Service) Find(ctx context.Context, id string) (secret Secret, found bool, err error) {
	var out secretOut
	if err := s.api.Call(ctx, "DescribeSecret", &idIn{id}, &out); err != nil {
		if err = awsapi.Explain("look for the secret "+id, err); fault.KindOf(err) == fault.NotFound {
			return secret, false, nil
		}
		return secret, false, err
	}
	secret = Secret{Name: out.Name, ARN: out.ARN}
	if out.DeletedDate > 0 {
		secret.Deletes = time.UnixMilli(int64(out.DeletedDate * 1000)).UTC()
	}
	return secret, true, nil
}

// Value reads the current value of a secret. text is nil when it is binary.
func (s *Service) Value(ctx context.Context, id string) (secret Secret, text *string, err error) {
	var out secretOut
	if err := s.api.Call(ctx, "GetSecretValue", &idIn{id}, &out); err != nil {
		return secret, nil, awsapi.Explain("read the secret "+id, err)
	}
	return Secret{Name: out.Name, ARN: out.ARN, Version: out.VersionID}, out.SecretString, nil
}

// Create makes a secret. One that was made with the same token and value is returned as
// it is.
func (s *Service) Create(ctx context.Context, n New) (Secret, error) {
	in := &createIn{Name: n.Name, ClientRequestToken: n.Token, Description: n.Description, KmsKeyID: n.KeyID, SecretString: n.Value}
	for _, k := range slices.Sorted(maps.Keys(n.Tags)) {
		in.Tags = append(in.Tags, tag{k, n.Tags[k]})
	}
	var out secretOut
	if err := s.api.Call(ctx, "CreateSecret", in, &out); err != nil {
		return Secret{}, awsapi.Explain("make the secret "+n.Name, err)
	}
	return Secret{Name: out.Name, ARN: out.ARN, Version: out.VersionID}, nil
}
