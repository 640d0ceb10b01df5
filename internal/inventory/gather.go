package inventory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Document is what makes agents gather inventory, as an association.
const Document = "AWS-GatherSoftwareInventory"

// How often inventory can be gathered (User Guide, "Configuring inventory
// collection"; an association's rate is less than 31 days).
const (
	MinEvery = 30 * time.Minute
	MaxEvery = 30 * 24 * time.Hour
)

// gathered are the parameters of Document that are switched on and off, and which
// are on when nothing is said.
var gathered = []struct {
	name string
	on   bool
}{
	{"applications", true},
	{"awsComponents", true},
	{"networkConfig", true},
	{"services", true},
	{"windowsUpdates", true},
	{"windowsRoles", true},
	{"instanceDetailedInformation", true},
	{"customInventory", true},
	{"billingInfo", true},
}

// Parts lists what can be gathered.
func Parts() []string {
	var names []string
	for _, g := range gathered {
		names = append(names, g.name)
	}
	return names
}

// Gathering is an association that makes agents gather inventory.
type Gathering struct {
	ID       string            `json:"association,omitempty"` // empty: not made yet
	Name     string            `json:"name,omitempty"`
	Schedule string            `json:"schedule"`
	Targets  []fleet.APITarget `json:"targets"`
	Parts    []string          `json:"parts,omitempty"` // of one that is to be made
}

// namePattern is that of names of associations (API reference, CreateAssociation).
var namePattern = pattern.Lazy(`^[a-zA-Z0-9_\-.]{3,128}$`)

// NewGathering describes the association to make. every is rounded to whole
// minutes, hours or days. No targets are all nodes; without are parts not to gather.
func NewGathering(name string, every time.Duration, targets []fleet.APITarget, without []string) (Gathering, error) {
	g := Gathering{Name: name, Targets: targets, Schedule: rate(every)}
	if every < MinEvery || every > MaxEvery {
		return g, fault.Usagef("inventory cannot be gathered every %g minutes: from every 30 minutes to every 30 days are possible", every.Minutes())
	}
	if name != "" && !namePattern().MatchString(name) {
		return g, fault.Usagef("--name %q cannot be the name of an association", name).WithHint("it has 3 to 128 letters, digits, and _ - . characters")
	}
	if len(g.Targets) == 0 {
		g.Targets = []fleet.APITarget{{Key: "InstanceIds", Values: []string{"*"}}}
	}
	for _, w := range without {
		if !slices.Contains(Parts(), w) {
			e := fault.Usagef("%q is nothing that is gathered", w)
			if near := fault.Closest(w, Parts(), 1); len(near) > 0 {
				return g, e.WithHint("did you mean %s", near[0])
			}
			return g, e.WithHint("there are %s", strings.Join(Parts(), ", "))
		}
	}
	for _, part := range gathered {
		if part.on && !slices.Contains(without, part.name) {
			g.Parts = append(g.Parts, part.name)
		}
	}
	return g, nil
}

// rate writes a schedule (User Guide, "Rate expressions": singular exactly for 1).
func rate(every time.Duration) string {
	n, unit := int(every/time.Minute), "minute"
	switch {
	case every%(24*time.Hour) == 0 && every > 0:
		n, unit = int(every/(24*time.Hour)), "day"
	case every%time.Hour == 0:
		n, unit = int(every/time.Hour), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("rate(%d %s)", n, unit)
}

// Gatherings lists the associations that make agents gather inventory.
func (s *Service) Gatherings(ctx context.Context) ([]Gathering, error) {
	return awsapi.Collect(awsapi.Pages("list the associations that gather inventory", func(token *string) ([]types.Association, *string, error) {
		out, err := s.api.ListAssociations(ctx, &ssm.ListAssociationsInput{
			AssociationFilterList: []types.AssociationFilter{{Key: types.AssociationFilterKeyName, Value: aws.String(Document)}},
			MaxResults:            aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Associations, out.NextToken, nil
	}, func(a types.Association) Gathering {
		g := Gathering{ID: aws.ToString(a.AssociationId), Name: aws.ToString(a.AssociationName), Schedule: aws.ToString(a.ScheduleExpression)}
		for _, t := range a.Targets {
			g.Targets = append(g.Targets, fleet.APITarget{Key: aws.ToString(t.Key), Values: t.Values})
		}
		return g
	}))
}

// Enable makes the association. It runs on its nodes at once, and then as scheduled.
func (s *Service) Enable(ctx context.Context, g Gathering) (Gathering, error) {
	in := &ssm.CreateAssociationInput{
		Name: aws.String(Document), ScheduleExpression: aws.String(g.Schedule), Parameters: map[string][]string{},
		MaxConcurrency: aws.String("10%"), MaxErrors: aws.String("100%"), // the API text and the guide disagree about what is meant when nothing is said
	}
	if g.Name != "" {
		in.AssociationName = aws.String(g.Name)
	}
	for _, part := range gathered {
		word := "Disabled"
		if slices.Contains(g.Parts, part.name) {
			word = "Enabled"
		}
		in.Parameters[part.name] = []string{word}
	}
	for _, t := range g.Targets {
		in.Targets = append(in.Targets, types.Target{Key: aws.String(t.Key), Values: t.Values})
	}
	out, err := s.api.CreateAssociation(ctx, in)
	if err != nil {
		return g, awsapi.Explain("create the association that gathers inventory", err)
	}
	if out.AssociationDescription != nil {
		g.ID = aws.ToString(out.AssociationDescription.AssociationId)
	}
	return g, nil
}
