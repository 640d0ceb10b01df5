package control

import (
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// secretsReadable is the error of a caller who may read parameters and not secrets, when
// one of the names stands for a secret: it comes before the secret is looked for, and
// also GetParameters fails as a whole.
func (c *call) secretsReadable(decrypt bool, names ...string) error {
	if decrypt && slices.ContainsFunc(names, world.IsSecretReference) && slices.Contains(c.world.Scenario().Denied, secretsService+":GetSecretValue") {
		return invalid("An error occurred while calling one AWS dependency service.")
	}
	return nil
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
	return secretParameterItem{p.Name, "SecureString", p.Value, 0, p.Selector, p.SourceResult, epoch{p.Modified}, p.ARN}, nil
}
