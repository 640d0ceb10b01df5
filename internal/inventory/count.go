package inventory

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Count is how often values of attributes occur together.
type Count struct {
	Values []string // in the order of the expressions
	Count  int
}

// MaxExpressions is by how many attributes Counts counts at once.
const MaxExpressions = 4

// CheckExpression returns a Usage error for what is no TYPE.ATTRIBUTE.
func CheckExpression(text string) error {
	kind, attribute, ok := strings.Cut(text, ".")
	if err := CheckType(kind, false); err != nil {
		return err
	}
	if !ok || attribute == "" {
		return fault.Usagef("%q names no attribute to count by", text).
			WithHint("write TYPE.ATTRIBUTE, such as AWS:InstanceInformation.PlatformName; `ssmdeck inventory types %s` lists them", kind)
	}
	return nil
}

// Counts has the service count by expressions, TYPE.ATTRIBUTE each, the most first.
// Conditions are TYPE.ATTRIBUTE=VALUE with = != < > or a * at the end, and narrow.
func (s *Service) Counts(ctx context.Context, expressions, conditions []string) ([]Count, error) {
	a, filters, err := counting(expressions, conditions)
	if err != nil {
		return nil, err
	}
	rows, err := s.aggregate(ctx, a, filters)
	if err != nil {
		return nil, err
	}
	var counts []Count
	for _, r := range rows {
		c := Count{}
		for _, e := range expressions {
			_, attribute, _ := strings.Cut(e, ".")
			c.Values = append(c.Values, r[attribute])
		}
		if c.Count, err = number(r["Count"]); err != nil {
			return nil, err
		}
		counts = append(counts, c)
	}
	slices.SortFunc(counts, func(a, b Count) int { return cmp.Or(b.Count-a.Count, slices.Compare(a.Values, b.Values)) })
	return counts, nil
}

// CheckCounting returns the Usage errors that Counts would have before any call.
func CheckCounting(expressions, conditions []string) error {
	_, _, err := counting(expressions, conditions)
	return err
}

func counting(expressions, conditions []string) (a types.InventoryAggregator, filters []types.InventoryFilter, err error) {
	if len(expressions) == 0 || len(expressions) > MaxExpressions {
		return a, nil, fault.Usagef("counting is by 1 to %d attributes, not %d", MaxExpressions, len(expressions)).WithHint("for instance AWS:InstanceInformation.PlatformName")
	}
	last := &a
	for i, e := range expressions {
		if err := CheckExpression(e); err != nil {
			return a, nil, err
		}
		if i > 0 {
			last.Aggregators = []types.InventoryAggregator{{}}
			last = &last.Aggregators[0]
		}
		last.Expression = aws.String(e)
	}
	for _, c := range conditions {
		f, err := condition(c)
		if err != nil {
			return a, nil, err
		}
		filters = append(filters, f)
	}
	if len(filters) > 5 {
		return a, nil, fault.Usagef("%d conditions are given, and the service takes 5", len(filters))
	}
	return a, filters, nil
}

// condition reads TYPE.ATTRIBUTE=VALUE for the service to hold.
func condition(text string) (f types.InventoryFilter, err error) {
	path, value, op := splitOperator(text)
	if value == "" {
		return f, fault.Usagef("the condition %q compares with nothing", text).WithHint("write TYPE.ATTRIBUTE=VALUE, such as AWS:InstanceInformation.PlatformType=Linux")
	}
	if err := CheckExpression(path); err != nil {
		return f, err
	}
	values := strings.Split(value, ",")
	f = types.InventoryFilter{Key: aws.String(path), Values: values}
	start, prefix := strings.CutSuffix(value, "*")
	switch {
	case op == "<=", op == ">=":
		return f, fault.Usagef("the condition %q: the service knows < and >, not %s", text, op)
	case strings.Contains(start, "*"), prefix && (op != "=" || len(values) > 1):
		return f, fault.Usagef("the condition %q: a * can only stand at the end of one value after =", text)
	case prefix:
		f.Type, f.Values = types.InventoryQueryOperatorTypeBeginWith, []string{start}
	case op == "=":
		f.Type = types.InventoryQueryOperatorTypeEqual
	case op == "!=":
		f.Type = types.InventoryQueryOperatorTypeNotEqual
	case op == "<":
		f.Type = types.InventoryQueryOperatorTypeLessThan
	default:
		f.Type = types.InventoryQueryOperatorTypeGreaterThan
	}
	return f, nil
}

func number(v string) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, fault.New(fault.Failed, "count inventory", "the service gave %q as a count", v)
	}
	return n, nil
}
