package parameter

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// PublicPath is where parameters are that AWS itself publishes.
const PublicPath = "/aws/service"

// Selection says which parameters are meant, by what the service can be asked and by
// what it cannot be. The zero Selection is all.
type Selection struct {
	Query
	Pattern *Pattern  // of the whole name
	Label   string    // that a version has; it is this version, then, whose value is read
	Since   time.Time // changed at this moment or later
	By      string    // changed by somebody whose ARN contains this, in any case
	// Seen, where it is set, is told how many have been read so far.
	Seen func(n int)
}

// counted tells Seen of what comes by.
func (s Selection) counted(list iter.Seq2[Parameter, error]) iter.Seq2[Parameter, error] {
	if s.Seen == nil {
		return list
	}
	return func(yield func(Parameter, error) bool) {
		n := 0
		for p, err := range list {
			if err == nil {
				n++
				s.Seen(n)
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// Select reads where parameters are: a path, below which all are meant; a name; or a
// pattern. "" and "/" are all.
func Select(where string) (s Selection, err error) {
	switch {
	case where == "" || where == "/":
	case IsPattern(where):
		p, err := ParsePattern(where)
		if err != nil {
			return s, err
		}
		s.Pattern = &p
		if s.Path = p.folder(); s.Path != "" {
			s.OneLevel = len(p.parts) == strings.Count(s.Path, "/")+2 && p.parts[len(p.parts)-1] != "**"
		} else if p.literal() != "" {
			s.Contains = []string{p.literal()}
		}
	case strings.HasPrefix(where, "/"):
		s.Path = strings.TrimSuffix(where, "/")
		if s.Path == "/aws" {
			return s, fault.Usagef("the path /aws is too wide for the service").WithHint("name more of it: %s, %s/global-infrastructure/regions", PublicPath, PublicPath)
		}
		return s, CheckPath(where)
	default:
		s.Names = []string{where}
		return s, CheckName(where)
	}
	return s, nil
}

// public reports whether it is what AWS publishes, which is no parameter of an account:
// DescribeParameters does not know it.
func (s Selection) public() bool {
	return strings.HasPrefix(s.Path, "/aws/")
}

// whole reports whether the service alone decides what is meant.
func (s Selection) whole() bool {
	return s.Pattern == nil && s.Label == "" && s.Since.IsZero() && s.By == ""
}

// All reports whether every parameter of the account and Region is meant.
func (s Selection) All() bool {
	q := s.Query
	return s.whole() && (q.Path == "" || q.Path == "/" && !q.OneLevel) && !q.Shared && len(q.Tags) == 0 &&
		len(slices.Concat(q.Names, q.Prefixes, q.Contains, q.Types, q.Tiers, q.KeyIDs, q.Data)) == 0
}

func (s Selection) keeps(p Parameter) bool {
	return (s.Pattern == nil || s.Pattern.Match(p.Name)) && !p.Modified.Before(s.Since) &&
		(s.By == "" || strings.Contains(strings.ToLower(p.ModifiedBy), strings.ToLower(s.By)))
}

// Find lists the parameters of a selection, without values, sorted by name. A path that
// has nothing below it, but is the name of a parameter, is that parameter.
func (s *Service) Find(ctx context.Context, sel Selection) ([]Parameter, error) {
	found, err := s.findNamed(ctx, sel)
	if err == nil && sel.Label != "" {
		found, err = s.attach(ctx, found, sel.Label, false)
		for i := range found {
			found[i].Value = ""
		}
	}
	return found, err
}

// findNamed is Find, of which parameters with a label are still in their latest version.
func (s *Service) findNamed(ctx context.Context, sel Selection) ([]Parameter, error) {
	found, err := s.find(ctx, sel)
	if err == nil && len(found) == 0 && sel.maybeName() {
		found, err = s.find(ctx, sel.asName())
	}
	slices.SortFunc(found, func(a, b Parameter) int { return strings.Compare(a.Name, b.Name) })
	return found, err
}

// maybeName reports whether the path may be the name of a parameter.
func (s Selection) maybeName() bool {
	return s.Path != "" && s.Path != "/" && s.Pattern == nil && !s.public()
}

// asName takes the path for a name.
func (s Selection) asName() Selection {
	s.Names, s.Path, s.OneLevel = []string{s.Path}, "", false
	return s
}

func (s *Service) find(ctx context.Context, sel Selection) (found []Parameter, err error) {
	if sel.public() {
		for p, err := range sel.counted(s.byPath(ctx, sel.Path, !sel.OneLevel, "", false)) {
			if err != nil {
				return found, err
			}
			if p.Value = ""; sel.keeps(p) && sel.asked(p) {
				found = append(found, p)
			}
		}
		return found, nil
	}
	labelled := map[string]bool{}
	if sel.Label != "" {
		path := sel.Path
		if path == "" {
			path = "/"
		}
		for p, err := range s.byPath(ctx, path, true, sel.Label, false) {
			if err != nil {
				return nil, err
			}
			labelled[p.Name] = true
		}
		if len(labelled) == 0 {
			return nil, nil
		}
	}
	for p, err := range sel.counted(s.List(ctx, sel.Query)) {
		if err != nil {
			return found, err
		}
		if sel.keeps(p) && (sel.Label == "" || labelled[p.Name]) {
			found = append(found, p)
		}
	}
	return found, nil
}

// asked does for public parameters what the service does for others.
func (s Selection) asked(p Parameter) bool {
	among := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	return among(s.Types, p.Type) && among(s.Data, p.DataType) && s.named(p.Name) &&
		len(s.Tiers) == 0 && len(s.KeyIDs) == 0 && len(s.Tags) == 0
}

// FindValues is Find with values; those of SecureStrings only with decrypt. Of a
// selection that the service cannot narrow, only the values of those that are meant are
// read: a secret that nobody asked for is not decrypted.
func (s *Service) FindValues(ctx context.Context, sel Selection, decrypt bool) ([]Parameter, error) {
	var found []Parameter
	var err error
	switch {
	case sel.public():
		for p, err := range sel.counted(s.byPath(ctx, sel.Path, !sel.OneLevel, "", decrypt)) {
			if err != nil {
				return found, err
			}
			if sel.keeps(p) && sel.asked(p) {
				found = append(found, p)
			}
		}
	case sel.whole():
		found, err = s.readAll(ctx, sel, decrypt)
		if err == nil && len(found) == 0 && sel.maybeName() {
			found, err = s.readAll(ctx, sel.asName(), decrypt)
		}
	default:
		if found, err = s.findNamed(ctx, sel); err == nil {
			found, err = s.attach(ctx, found, sel.Label, decrypt)
		}
	}
	slices.SortFunc(found, func(a, b Parameter) int { return strings.Compare(a.Name, b.Name) })
	return found, err
}

// readAll is Read to its end. Names are read by who may not list them, too.
func (s *Service) readAll(ctx context.Context, sel Selection, decrypt bool) ([]Parameter, error) {
	found, err := awsapi.Collect(sel.counted(s.Read(ctx, sel.Query, decrypt)))
	if denied(err) && len(sel.Names) > 0 && len(sel.filters()) == 1 && !sel.Shared {
		if got, _, again := s.Get(ctx, sel.Names, decrypt); again == nil {
			return got, nil
		}
	}
	return found, err
}

// attach reads the values of parameters: of the latest version, or of that with a label.
// Those that have gone meanwhile are left out. Values of SecureStrings are read with
// decrypt only.
func (s *Service) attach(ctx context.Context, list []Parameter, label string, decrypt bool) (out []Parameter, err error) {
	if label != "" {
		label = ":" + label
	}
	names := make([]string, len(list))
	for i, p := range list {
		if names[i] = p.Name; strings.HasPrefix(p.ARN, "arn:") && strings.Contains(p.Name, ":parameter/") {
			names[i] = p.ARN // what another account shares
		}
		names[i] += label
	}
	got, _, err := s.Get(ctx, names, decrypt)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]Parameter, len(got))
	for _, v := range got {
		byName[v.Name] = v
	}
	for _, p := range list {
		if v, ok := byName[p.Name]; ok {
			p = p.with(v)
			p.Selector = v.Selector
			out = append(out, p)
		}
	}
	return out, nil
}

// byPath lists what is below a path with its values, the only way to public parameters
// and to labels; with label those of which a version has it.
func (s *Service) byPath(ctx context.Context, path string, recursive bool, label string, decrypt bool) iter.Seq2[Parameter, error] {
	in := &ssm.GetParametersByPathInput{Path: &path, Recursive: &recursive, WithDecryption: &decrypt, MaxResults: aws.Int32(byPathPage)}
	if label != "" {
		in.ParameterFilters = []types.ParameterStringFilter{{Key: aws.String("Label"), Option: aws.String("Equals"), Values: []string{label}}}
	}
	return awsapi.Pages("read the parameters below "+path, func(token *string) ([]types.Parameter, *string, error) {
		next := *in
		next.NextToken = token
		out, err := s.api.GetParametersByPath(ctx, &next)
		if err != nil {
			return nil, nil, err
		}
		return out.Parameters, out.NextToken, nil
	}, func(p types.Parameter) Parameter { return valueOf(p, decrypt) })
}

// One reads one parameter. It asks for it alone, for which many have the right that have
// none to ask for several at once. A NotFound error says that there is none, or no such
// version.
func (s *Service) One(ctx context.Context, r Ref, decrypt bool) (Parameter, error) {
	out, err := s.api.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(r.String()), WithDecryption: &decrypt})
	if err != nil {
		return Parameter{}, awsapi.Explain("read parameter "+r.String(), err)
	}
	if out.Parameter == nil {
		return Parameter{}, fault.New(fault.Failed, "read parameter "+r.String(), "the service's answer has none")
	}
	return valueOf(*out.Parameter, decrypt), nil
}

// Describe is what the service says of parameters by their names, without values, in
// the order of the names. One at the root is found with its slash and without it.
func (s *Service) Describe(ctx context.Context, names []string) (found []Parameter, missing []string, err error) {
	byPlace := map[string]Parameter{}
	if len(names) == 0 {
		return nil, nil, nil // a query without names means all
	}
	for p, err := range s.List(ctx, Query{Names: slices.Compact(slices.Sorted(slices.Values(names)))}) {
		if err != nil {
			return nil, nil, err
		}
		byPlace[Place(p.Name)] = p
	}
	for _, name := range names {
		if p, ok := byPlace[Place(name)]; ok {
			found = append(found, p)
		} else {
			missing = append(missing, name)
		}
	}
	return found, missing, nil
}

// nearPage is how many names are looked at to say what may have been meant.
const nearPage = describePage

// Near returns names that may have been meant by one that there is not, best first: of
// known names, or else of one page of those beside it. It is for hints, and silent about
// its own errors.
func (s *Service) Near(ctx context.Context, name string, known []string) []string {
	if len(known) == 0 {
		q := Query{}
		if i := strings.LastIndex(name, "/"); i > 0 {
			q.Path, q.OneLevel = name[:i], true
		}
		for p, err := range s.List(ctx, q) {
			if err != nil {
				break
			}
			if known = append(known, p.Name); len(known) == nearPage {
				break
			}
		}
	}
	return fault.Closest(name, known, 3)
}
