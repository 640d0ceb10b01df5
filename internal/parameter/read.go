package parameter

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Limits of one call (API reference).
const (
	describePage = 50
	namesACall   = 10
	byPathPage   = 10
	historyPage  = 50
	filterValues = 50
)

// Query says which parameters are meant, by what DescribeParameters can be asked; labels
// are not among it, see Selection. Empty fields do not narrow it; what is asked for must
// all be true, and of several words in one field one.
type Query struct {
	Path     string // a path of the hierarchy: everything below it; "" and "/" are all
	OneLevel bool   // with Path: only what is directly below
	Names    []string
	Prefixes []string          // names that begin with one of these
	Contains []string          // names that contain one of these
	Types    []string          // String, StringList, SecureString
	Tiers    []string          // Standard, Advanced
	KeyIDs   []string          // as parameters have them
	Data     []string          // data types
	Tags     map[string]string // a value of "" is any value
	Shared   bool              // what other accounts share with this one, instead of its own

	// ValuesOnly says that Read need not find more than names, types, values and
	// versions: of a path with few parameters one call is enough then.
	ValuesOnly bool
}

func (q Query) filters() (out []types.ParameterStringFilter) {
	add := func(key, option string, values ...string) {
		if len(values) > 0 {
			out = append(out, types.ParameterStringFilter{Key: aws.String(key), Option: aws.String(option), Values: values})
		}
	}
	if q.Path != "" && (q.Path != "/" || q.OneLevel) {
		option := "Recursive"
		if q.OneLevel {
			option = "OneLevel"
		}
		add("Path", option, q.Path)
	}
	switch { // the service takes one filter of a key; named holds names against the others
	case len(q.Names) > 0:
		add("Name", "Equals", q.Names...)
	case len(q.Prefixes) > 0:
		add("Name", "BeginsWith", q.Prefixes...)
	default:
		add("Name", "Contains", q.Contains...)
	}
	add("Type", "Equals", q.Types...)
	add("Tier", "Equals", q.Tiers...)
	add("KeyId", "Equals", q.KeyIDs...)
	add("DataType", "Equals", q.Data...)
	for k, v := range q.Tags {
		if v == "" {
			out = append(out, types.ParameterStringFilter{Key: aws.String("tag:" + k)})
		} else {
			add("tag:"+k, "Equals", v)
		}
	}
	return out
}

// named reports whether a name is what the query asks for.
func (q Query) named(name string) bool {
	among := func(list []string, has func(name, text string) bool) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(text string) bool { return has(name, text) })
	}
	return among(q.Names, func(a, b string) bool { return a == b }) && among(q.Prefixes, strings.HasPrefix) && among(q.Contains, strings.Contains)
}

// List lists the parameters of a query, without values, in the service's order.
func (s *Service) List(ctx context.Context, q Query) iter.Seq2[Parameter, error] {
	if len(q.Names) > filterValues {
		return s.listParts(ctx, q)
	}
	in := &ssm.DescribeParametersInput{ParameterFilters: q.filters(), MaxResults: aws.Int32(describePage)}
	if q.Shared {
		in.Shared = aws.Bool(true)
	}
	list := awsapi.Unique(awsapi.Pages("list parameters", func(token *string) ([]types.ParameterMetadata, *string, error) {
		next := *in
		next.NextToken = token
		out, err := s.api.DescribeParameters(ctx, &next)
		if err != nil {
			return nil, nil, err
		}
		return out.Parameters, out.NextToken, nil
	}, metadataOf), func(p Parameter) string { return cmp.Or(p.ARN, p.Name) })
	if min(1, len(q.Names))+min(1, len(q.Prefixes))+min(1, len(q.Contains)) < 2 {
		return list
	}
	return func(yield func(Parameter, error) bool) {
		for p, err := range list {
			if err == nil && !q.named(p.Name) {
				continue
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// listParts lists more names than one filter takes.
func (s *Service) listParts(ctx context.Context, q Query) iter.Seq2[Parameter, error] {
	return func(yield func(Parameter, error) bool) {
		for names := range slices.Chunk(q.Names, filterValues) {
			part := q
			part.Names = names
			for p, err := range s.List(ctx, part) {
				if !yield(p, err) || err != nil {
					return
				}
			}
		}
	}
}

func metadataOf(m types.ParameterMetadata) Parameter {
	return Parameter{
		Name: aws.ToString(m.Name), Type: string(m.Type), Version: m.Version, Tier: string(m.Tier), DataType: aws.ToString(m.DataType),
		KeyID: aws.ToString(m.KeyId), Description: aws.ToString(m.Description), AllowedPattern: aws.ToString(m.AllowedPattern),
		Policies: policiesOf(m.Policies), Modified: aws.ToTime(m.LastModifiedDate), ModifiedBy: aws.ToString(m.LastModifiedUser), ARN: aws.ToString(m.ARN),
	}
}

// with is p with the value of v, and what belongs to it.
func (p Parameter) with(v Parameter) Parameter {
	p.Type, p.Value, p.Version, p.Modified, p.DataType = v.Type, v.Value, v.Version, v.Modified, v.DataType
	return p
}

// Get reads parameters with their values by name, in the order of the names. A name may
// be a full ARN, and may end in :VERSION or :LABEL. Those that are not there are in
// missing; that is no error of Get.
func (s *Service) Get(ctx context.Context, names []string, decrypt bool) (found []Parameter, missing []string, err error) {
	unique := slices.Compact(slices.Sorted(slices.Values(names)))
	batches := slices.Collect(slices.Chunk(unique, namesACall))
	results := make([]map[string]Parameter, len(batches))
	err = awsapi.Parallel(ctx, len(batches), func(ctx context.Context, i int) (err error) {
		results[i], _, err = s.values(ctx, batches[i], decrypt)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	byName := map[string]Parameter{}
	for _, r := range results {
		for name, p := range r {
			byName[name] = p
		}
	}
	for _, name := range names {
		if p, ok := byName[name]; ok {
			found = append(found, p)
		} else {
			missing = append(missing, name)
		}
	}
	return found, missing, nil
}

// values reads up to ten parameters; found is by the name as asked for.
func (s *Service) values(ctx context.Context, names []string, decrypt bool) (found map[string]Parameter, missing []string, err error) {
	out, err := s.api.GetParameters(ctx, &ssm.GetParametersInput{Names: names, WithDecryption: aws.Bool(decrypt)})
	if err != nil {
		return nil, nil, awsapi.Explain("read parameters", err)
	}
	found = make(map[string]Parameter, len(out.Parameters))
	for _, p := range out.Parameters {
		v := valueOf(p, decrypt)
		for _, name := range names {
			switch {
			case Place(name) == Place(v.Name+v.Selector):
				v.Name = strings.TrimSuffix(name, v.Selector)
				found[name] = v
			case name == v.ARN+v.Selector: // it answers with names to ARNs, too
				found[name] = v
			}
		}
	}
	return found, out.InvalidParameters, nil
}

func valueOf(p types.Parameter, decrypt bool) Parameter {
	v := Parameter{
		Name: aws.ToString(p.Name), Type: string(p.Type), Value: aws.ToString(p.Value), Version: p.Version, Selector: aws.ToString(p.Selector),
		DataType: aws.ToString(p.DataType), Modified: aws.ToTime(p.LastModifiedDate), ARN: aws.ToString(p.ARN),
	}
	if v.Secure() && !decrypt {
		v.Value = "" // it is ciphertext
	}
	if v.Selector != "" && !strings.HasPrefix(v.Selector, ":") {
		v.Selector = ":" + v.Selector
	}
	return v
}

// History lists the versions of a parameter, the oldest first, with their values and
// labels; the service keeps 100.
func (s *Service) History(ctx context.Context, name string, decrypt bool) iter.Seq2[Parameter, error] {
	return awsapi.Pages("read the history of "+name, func(token *string) ([]types.ParameterHistory, *string, error) {
		out, err := s.api.GetParameterHistory(ctx, &ssm.GetParameterHistoryInput{
			Name: &name, WithDecryption: aws.Bool(decrypt), MaxResults: aws.Int32(historyPage), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Parameters, out.NextToken, nil
	}, func(h types.ParameterHistory) Parameter {
		p := Parameter{
			Name: aws.ToString(h.Name), Type: string(h.Type), Value: aws.ToString(h.Value), Version: h.Version, Tier: string(h.Tier),
			DataType: aws.ToString(h.DataType), KeyID: aws.ToString(h.KeyId), Description: aws.ToString(h.Description),
			AllowedPattern: aws.ToString(h.AllowedPattern), Policies: policiesOf(h.Policies), Labels: h.Labels,
			Modified: aws.ToTime(h.LastModifiedDate), ModifiedBy: aws.ToString(h.LastModifiedUser),
		}
		if p.Secure() && !decrypt {
			p.Value = ""
		}
		return p
	})
}

// Exists is the metadata of one parameter by its name, which at the root may lack its
// slash (see Place); a NotFound error when there is none.
func (s *Service) Exists(ctx context.Context, name string) (Parameter, error) {
	for p, err := range s.List(ctx, Query{Names: []string{name}}) {
		if err != nil {
			return Parameter{}, err
		}
		if Place(p.Name) == Place(name) {
			return p, nil
		}
	}
	return Parameter{}, fault.New(fault.NotFound, "", "there is no parameter %s", name).WithHint("list them with `ssmdeck param list`")
}
