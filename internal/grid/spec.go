package grid

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// All stands for every Region that is enabled in an account; Organization for
// every active account of the caller's organization.
const (
	All          = "all"
	Organization = "org"
)

// DefaultParallel is how many scopes are asked at a time.
const DefaultParallel = 8

const maxParallel = 64

// Spec says which accounts and Regions are meant.
type Spec struct {
	Profiles   []string // of the shared AWS configuration; at most one: that of the settings
	Regions    []string // names, or All alone; none: the Region of the settings
	Accounts   []string // ids, Organization, ou:ID; none: the caller's own
	Role       string   // name or ARN, assumed in each of Accounts but the caller's own
	ExternalID string
	Parallel   int // 0 is DefaultParallel
}

var (
	regionForm  = pattern.Lazy(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)
	accountForm = pattern.Lazy(`^[0-9]{12}$`)
	unitForm    = pattern.Lazy(`^ou:(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$`)
	roleName    = pattern.Lazy(`^(?:[\w+=,.@-]+/)*[\w+=,.@-]{1,64}$`)
	roleARN     = pattern.Lazy(`^arn:[a-z0-9-]+:iam::([0-9]{12}):role/[\w+=,.@/-]{1,512}$`)
)

// Words cuts comma-separated words, each once, in their order.
func Words(values ...string) []string {
	var all []string
	for _, v := range values {
		for w := range strings.SplitSeq(v, ",") {
			if w = strings.TrimSpace(w); w != "" && !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	return all
}

// Several reports whether the spec can mean more than one scope.
func (s Spec) Several() bool {
	return len(s.Profiles) > 1 || len(s.Accounts) > 0 || len(s.Regions) > 1 || slices.Contains(s.Regions, All)
}

// Check returns a Usage error for a spec that cannot be followed. Nothing is
// sent.
func (s Spec) Check() error {
	for _, r := range s.Regions {
		switch {
		case r == All && len(s.Regions) > 1:
			return fault.Usagef("all Regions and %s are asked for at once", strings.Join(slices.DeleteFunc(slices.Clone(s.Regions), func(r string) bool { return r == All }), ", ")).
				WithHint("say either all, or their names")
		case r != All && !regionForm().MatchString(r):
			return fault.Usagef("%q is not a Region", r).WithHint("write names such as eu-central-1, or all")
		}
	}
	for _, a := range s.Accounts {
		if a != Organization && !accountForm().MatchString(a) && !unitForm().MatchString(a) {
			return fault.Usagef("%q is not an account", a).
				WithHint("write ids of 12 digits, ou:ou-ab12-cdefghij for an organizational unit, or org for the organization")
		}
	}
	if s.Parallel < 0 || s.Parallel > maxParallel {
		return fault.Usagef("--parallel %d is not from 1 to %d", s.Parallel, maxParallel)
	}
	return s.checkRole()
}

// checkRole refuses a role that could not be assumed in the accounts, or that
// would be in another one than was meant.
func (s Spec) checkRole() error {
	switch {
	case len(s.Accounts) == 0 && s.Role != "":
		return fault.Usagef("role %s has no accounts to be assumed in", s.Role).
			WithHint("name them with --accounts; one role for everything is role_arn of a context, or of the AWS profile")
	case len(s.Accounts) == 0 && s.ExternalID != "":
		return fault.Usagef("an external id is for the role of --accounts").WithHint("name the accounts and --role too")
	case len(s.Accounts) == 0:
		return nil
	case s.Role == "":
		return fault.Usagef("other accounts need a role that is assumed in each").
			WithHint("add --role NAME, or role: NAME to the context")
	case len(s.Profiles) > 1:
		return fault.Usagef("several profiles and several accounts exclude each other").
			WithHint("name one profile that may assume the role, or the profiles alone")
	}
	m := roleARN().FindStringSubmatch(s.Role)
	switch {
	case m != nil && (len(s.Accounts) > 1 || s.Accounts[0] != m[1]):
		return fault.Usagef("the role %s is in account %s alone, and %s is asked for", s.Role, m[1], strings.Join(s.Accounts, ", ")).
			WithHint("give the name of a role that each account has")
	case m == nil && !roleName().MatchString(s.Role):
		return fault.Usagef("%q is neither the name nor the ARN of a role", s.Role)
	}
	return nil
}

// roleIn is the ARN of the spec's role in an account.
func (s Spec) roleIn(account, region string) string {
	if roleARN().MatchString(s.Role) {
		return s.Role
	}
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", awsapi.Partition(region), account, s.Role)
}

func (s Spec) parallel() int {
	if s.Parallel == 0 {
		return DefaultParallel
	}
	return s.Parallel
}
