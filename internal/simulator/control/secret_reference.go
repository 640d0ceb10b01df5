package control

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// secretsReadable is the error of a caller who may read parameters and not secrets, when
// one of the names stands for a secret: it comes before the secret is looked for, and
// also GetParameters fails as a whole.
func (c *call) secretsReadable(decrypt bool, names ...string) error {
	for _, name := range names {
		if decrypt && world.IsSecretReference(name) && c.mayOnSecret("GetSecretValue", world.SecretOfReference(name)) != nil {
			return errDependency()
		}
	}
	return nil
}

func errDependency() error {
	return invalid("An error occurred while calling one AWS dependency service.")
}

// mayOnSecret asks whether the caller may do something with a secret.
func (c *call) mayOnSecret(action, id string) error {
	name := secretsService + ":" + action
	arn := id
	if s, err := c.world.Secret(id); err == nil {
		arn = s.ARN
	} else if !strings.HasPrefix(id, "arn:") {
		arn = c.world.ARN("secretsmanager", "secret:"+id)
	}
	return c.world.MayOn(c.caller.ARN, name, arn)
}

// secretKey asks whether the caller may use the key of a secret. AWS's own is used by the
// service for everybody of the account.
func (c *call) secretKey(id, action, code string) error {
	if id == "" || strings.HasSuffix(id, world.SecretKey) {
		return nil
	}
	k, err := c.world.Key(id)
	if err != nil {
		return world.Errorf(code, "The KMS key of the secret can't be used: %s", errorCode(err))
	}
	switch err := c.world.UseKey(c.caller.ARN, k, action); {
	case err == nil:
		return nil
	case errorCode(err) == "AccessDeniedException":
		return world.Errorf("AccessDeniedException", "Access to KMS is not allowed")
	default:
		return world.Errorf(code, "The KMS key of the secret can't be used: %s", errorCode(err))
	}
}

// secretParameterItem is a parameter that stands for a secret. It has no data type, and
// no value when the secret is binary.
type secretParameterItem struct {
	Name             string
	Type             string
	Value            *string `json:"Value,omitempty"`
	Version          int64
	Selector         string `json:"Selector,omitempty"`
	SourceResult     string
	LastModifiedDate epoch
	ARN              string
}

// secretParameter answers for a name that stands for a secret.
func (c *call) secretParameter(name string, decrypt bool) (secretParameterItem, error) {
	p, err := c.world.SecretParameter(name, decrypt)
	if err != nil {
		return secretParameterItem{}, err
	}
	if s, err := c.world.Secret(p.ARN); err == nil && c.secretKey(s.KeyID, "kms:Decrypt", "") != nil {
		return secretParameterItem{}, errDependency()
	}
	return secretParameterItem{p.Name, "SecureString", p.Value, 0, p.Selector, p.SourceResult, epoch{p.Modified}, p.ARN}, nil
}

// readAny is read for names of which some stand for secrets.
func (c *call) readAny(action, name string, decrypt bool) (any, error) {
	if !world.IsSecretReference(name) {
		return c.read(action, name, decrypt)
	}
	if err := c.mayOn(action, name); err != nil {
		return nil, err
	}
	return c.secretParameter(name, decrypt)
}
