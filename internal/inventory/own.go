package inventory

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Limits of what can be put (API reference, PutInventory, InventoryItem).
const (
	maxEntries    = 10_000
	maxAttributes = 50
	maxAttribute  = 64   // characters of a key
	maxValue      = 4096 // characters of a value
)

// Put is what is written of one type of the account's own on one node. It takes
// the place of what is there.
type Put struct {
	Type    string
	Schema  string // version of the type, such as 1.0
	Entries []Entry
}

var schemaPattern = pattern.Lazy(`^[0-9]{1,6}\.[0-9]{1,6}$`)

// Check returns a Usage error for what the service would refuse.
func (p Put) Check() error {
	if err := CheckType(p.Type, true); err != nil {
		return err
	}
	switch {
	case !schemaPattern().MatchString(p.Schema):
		return fault.Usagef("the schema version %q is not one", p.Schema).WithHint("write two numbers, such as 1.0")
	case len(p.Entries) > maxEntries:
		return fault.Usagef("%d entries are given, and a node can have %d of a type", len(p.Entries), maxEntries)
	}
	for i, e := range p.Entries {
		if len(e) == 0 {
			return fault.Usagef("entry %d has no attribute", i+1)
		}
		if len(e) > maxAttributes {
			return fault.Usagef("entry %d has %d attributes, and %d are possible", i+1, len(e), maxAttributes)
		}
		for k, v := range e {
			if k == "" || len([]rune(k)) > maxAttribute {
				return fault.Usagef("entry %d: the attribute %q must have 1 to %d characters", i+1, k, maxAttribute)
			}
			if len([]rune(v)) > maxValue {
				return fault.Usagef("entry %d: the value of %s has %d characters, and %d are possible", i+1, k, len([]rune(v)), maxValue)
			}
		}
	}
	return nil
}

// Put writes inventory of the account's own for a node, captured now.
func (s *Service) Put(ctx context.Context, node string, p Put, now time.Time) error {
	if err := p.Check(); err != nil {
		return err
	}
	item := types.InventoryItem{
		TypeName: aws.String(p.Type), SchemaVersion: aws.String(p.Schema), CaptureTime: aws.String(now.UTC().Format("2006-01-02T15:04:05Z")),
		Content: []map[string]string{},
	}
	for _, e := range p.Entries {
		item.Content = append(item.Content, e)
	}
	op := "write " + p.Type + " of " + node
	out, err := s.api.PutInventory(ctx, &ssm.PutInventoryInput{InstanceId: aws.String(node), Items: []types.InventoryItem{item}})
	if err != nil {
		return awsapi.Explain(op, err)
	}
	// Success is an empty message; everything else is what went wrong.
	if m := strings.TrimSpace(aws.ToString(out.Message)); m != "" {
		return fault.New(fault.Failed, op, "%s", m)
	}
	return nil
}

// Deletion is the removal of a type of the account's own from all nodes.
type Deletion struct {
	ID      string    `json:"id,omitempty"` // empty when it was only looked at
	Type    string    `json:"type"`
	Status  string    `json:"status,omitempty"` // InProgress, Complete
	Message string    `json:"message,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Updated time.Time `json:"updated,omitzero"`
	Total   int       `json:"total"`     // nodes that have it
	Left    int       `json:"remaining"` // of them, not done yet
}

// Schema says what becomes of a type when its data is deleted.
type Schema string

// Only its data goes; the type is not taken any more in this version; it goes, too.
const (
	KeepSchema    Schema = ""
	DisableSchema Schema = "DisableSchema"
	DeleteSchema  Schema = "DeleteSchema"
)

// Delete deletes what all nodes reported of a type of the account's own. With dry
// it is the service's own dry run: what would be deleted, and nothing is.
func (s *Service) Delete(ctx context.Context, name string, schema Schema, dry bool) (Deletion, error) {
	if err := CheckType(name, true); err != nil {
		return Deletion{}, err
	}
	out, err := s.api.DeleteInventory(ctx, &ssm.DeleteInventoryInput{
		TypeName: aws.String(name), SchemaDeleteOption: types.InventorySchemaDeleteOption(schema), DryRun: dry,
	})
	if err != nil {
		return Deletion{}, awsapi.Explain("delete the inventory of "+name, err)
	}
	d := Deletion{ID: aws.ToString(out.DeletionId), Type: name}
	d.count(out.DeletionSummary)
	if dry {
		d.ID = ""
	}
	return d, nil
}

func (d *Deletion) count(s *types.InventoryDeletionSummary) {
	if s != nil {
		d.Total, d.Left = int(s.TotalCount), int(s.RemainingCount)
	}
}

var deletionPattern = pattern.Lazy(`^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$`)

// CheckDeletion returns a Usage error for what is no id of a deletion; no id is none.
func CheckDeletion(id string) error {
	if id != "" && !deletionPattern().MatchString(id) {
		return fault.Usagef("%q is not the id of a deletion", id).WithHint("`ssmdeck inventory deletions` lists them")
	}
	return nil
}

// Deletions lists deletions, the last first; only that one when id is not empty.
func (s *Service) Deletions(ctx context.Context, id string) iter.Seq2[Deletion, error] {
	var which *string
	if id != "" {
		which = aws.String(id)
	}
	return awsapi.Pages("list the deletions of inventory", func(token *string) ([]types.InventoryDeletionStatusItem, *string, error) {
		out, err := s.api.DescribeInventoryDeletions(ctx, &ssm.DescribeInventoryDeletionsInput{DeletionId: which, MaxResults: aws.Int32(pageSize), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.InventoryDeletions, out.NextToken, nil
	}, func(i types.InventoryDeletionStatusItem) Deletion {
		d := Deletion{
			ID: aws.ToString(i.DeletionId), Type: aws.ToString(i.TypeName), Status: string(i.LastStatus), Message: aws.ToString(i.LastStatusMessage),
			Started: aws.ToTime(i.DeletionStartTime), Updated: aws.ToTime(i.LastStatusUpdateTime),
		}
		d.count(i.DeletionSummary)
		return d
	})
}
