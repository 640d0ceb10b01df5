package parameter

import (
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// SecretPath is where secrets of Secrets Manager are read as parameters, with decryption
// only.
const SecretPath = "/aws/reference/secretsmanager/"

// Ref is a parameter that is read: its name or full ARN, and the version or label that
// is meant.
type Ref struct {
	Name    string // or the ARN of one that another account shares
	Version int64  // 0: the latest, or that of Label
	Label   string
}

// ParseRef reads NAME, NAME:VERSION or NAME:LABEL; NAME may be a full ARN. What the
// service would refuse is a Usage error.
func ParseRef(text string) (r Ref, err error) {
	r.Name = text
	arn := strings.HasPrefix(text, "arn:")
	from := 0
	if arn {
		if from = strings.Index(text, ":parameter/"); from < 0 {
			return r, fault.Usagef("%s is no ARN of a parameter", quoted(text)).WithHint("it looks like arn:aws:ssm:eu-west-1:111122223333:parameter/app/db-url")
		}
		from += len(":parameter/")
	}
	secret := strings.HasPrefix(text, SecretPath) // its name and version are Secrets Manager's own
	if i := strings.LastIndex(text, ":"); i > from && !secret {
		selector := text[i+1:]
		r.Name = text[:i]
		if n, err := strconv.ParseInt(selector, 10, 64); err == nil && n > 0 {
			r.Version = n
		} else if err := CheckLabel(selector); err != nil {
			return r, err
		} else {
			r.Label = selector
		}
	}
	switch {
	case arn || secret:
		return r, nil
	case strings.HasPrefix(r.Name, "/aws/"):
		return r, CheckPath(r.Name)
	}
	return r, CheckName(r.Name)
}

// Selector is what stands behind the name: :VERSION, :LABEL, or nothing.
func (r Ref) Selector() string {
	switch {
	case r.Version > 0:
		return ":" + strconv.FormatInt(r.Version, 10)
	case r.Label != "":
		return ":" + r.Label
	}
	return ""
}

// String is what ParseRef reads.
func (r Ref) String() string { return r.Name + r.Selector() }

// Shared reports whether it is named by its ARN, as what other accounts share is.
func (r Ref) Shared() bool { return strings.HasPrefix(r.Name, "arn:") }
