package param

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramtemplate"
)

// argumentsHelp is what help texts say about the arguments.
const argumentsHelp = `An argument is a path, for everything below it, or the name of a parameter; one
with a slash at its end is a path in any case. A name may end in :VERSION or
:LABEL, and may be an ARN, a name of AWS's own below /aws/service, or a secret
of Secrets Manager as /aws/reference/secretsmanager/SECRET.`

// argument is one argument that means parameters.
type argument struct {
	arg  string
	name string // empty: a path for certain
	path string // empty: a name for certain
}

// parseParamArgument reads one argument without asking anybody.
func parseParamArgument(arg string) (argument, error) {
	s := argument{arg: arg}
	trimmed := strings.TrimRight(arg, "/")
	switch {
	case arg == "/", strings.HasPrefix(arg, "/") && trimmed != arg && trimmed != "":
		s.path = arg
		if trimmed != "" {
			s.path = trimmed
		}
		return s, parameter.CheckPath(s.path)
	case strings.HasPrefix(arg, "arn:"):
		s.name = arg
		return s, nil
	case strings.HasPrefix(arg, "/aws/"):
		s.name = arg
		return s, nil
	}
	name, selector, colon := strings.Cut(arg, ":")
	s.name = arg
	if err := parameter.CheckName(name); err != nil {
		return s, err
	}
	if colon && selector == "" {
		return s, fault.Usagef("%s: there is no version or label behind the colon", arg)
	}
	if selector == "" && strings.HasPrefix(arg, "/") {
		s.path = arg
	}
	return s, nil
}

// parseParamArguments reads arguments; all faults at once.
func parseParamArguments(args []string) (sources []argument, err error) {
	var errs []error
	for _, arg := range args {
		s, err := parseParamArgument(arg)
		sources, errs = append(sources, s), append(errs, err)
	}
	return sources, errors.Join(errs...)
}

// listed reports whether lists have the parameter: they lack AWS's own, and what a
// version or an ARN stands for.
func (s argument) listed() bool {
	return !strings.HasPrefix(s.name, "/aws/") && !strings.Contains(s.name, ":")
}

// isReference reports whether a name means a secret of Secrets Manager.
func isReference(name string) bool { return strings.HasPrefix(name, parameter.SecretPath) }

// paramFound is a parameter that an argument means.
type paramFound struct {
	parameter.Parameter
	asked    string // the name that was asked for, or its own
	relative string // below the path, or the last part of the name
	explicit bool   // it was named, and is not only below a path
	source   int    // which of the arguments means it
}

// paramReading says how the parameters of arguments are read.
type paramReading struct {
	values  bool     // else only what lists have
	decrypt bool     // SecureStrings, too
	types   []string // of what is below paths; nil: all
	both    bool     // a name that is a path, too, means both; else it is an error
}

// read reads what arguments mean, in their order, below paths by name. All that is
// missing is one NotFound error. Parameters that are named by several arguments come
// once for each.
func (o paramReading) read(ctx context.Context, svc *parameter.Service, sources []argument) ([]paramFound, error) {
	known, err := o.names(ctx, svc, sources)
	if err != nil {
		return nil, err
	}
	var (
		out     []paramFound
		missing []error
	)
	for i, s := range sources {
		var below []parameter.Parameter
		if s.path != "" {
			if below, err = o.below(ctx, svc, s.path); err != nil {
				return nil, err
			}
		}
		p, named := known[s.name]
		switch {
		case named && len(below) > 0 && !o.both:
			return nil, fault.Usagef("%s is a parameter, and there are others below it", s.arg).
				WithHint("%s/ means those; name a version for the parameter itself: %s:%d", s.arg, s.arg, max(p.Version, 1))
		case !named && len(below) == 0:
			missing = append(missing, s.missing(o.types))
		}
		if named {
			last, _, _ := strings.Cut(path.Base(p.Name), ":")
			out = append(out, paramFound{p, s.name, last, true, i})
		}
		for _, p := range below {
			out = append(out, paramFound{p, p.Name, strings.TrimPrefix(strings.TrimPrefix(p.Name, s.path), "/"), false, i})
		}
	}
	return out, errors.Join(missing...)
}

func (s argument) missing(types []string) error {
	what, folder := "parameter", path.Dir(strings.TrimSuffix(s.arg, "/"))
	if len(types) == 1 {
		what = types[0]
	}
	var e *fault.Error
	switch {
	case isReference(s.name):
		return fault.New(fault.NotFound, "", "%s", paramtemplate.Missing(s.name))
	case s.path == "":
		e = fault.New(fault.NotFound, "", "there is no parameter %s", s.arg)
	case s.name == "":
		e = fault.New(fault.NotFound, "", "there is no %s below %s", what, s.arg)
	default:
		e = fault.New(fault.NotFound, "", "there is no %s %s, and none below it", what, s.arg)
	}
	if !strings.HasPrefix(folder, "/") {
		return e
	}
	return e.WithHint("list what there is: ssmdeck param list %s", folder)
}

// names reads those of the arguments that name a parameter, by the name as asked for.
func (o paramReading) names(ctx context.Context, svc *parameter.Service, sources []argument) (map[string]parameter.Parameter, error) {
	known := map[string]parameter.Parameter{}
	var certain, maybe []string
	for _, s := range sources {
		switch {
		case s.name == "":
		case s.path == "" && (o.values || !s.listed()):
			certain = append(certain, s.name)
		default:
			maybe = append(maybe, s.name)
		}
	}
	listed, _, err := svc.Describe(ctx, uniqueSorted(maybe))
	if o.values && fault.KindOf(err) == fault.Auth && strings.Contains(err.Error(), "ssm:DescribeParameters") {
		return nil, fault.New(fault.Auth, "", "%w", err).
			WithHint("%[1]s/ needs ssm:GetParametersByPath alone, for what is below it; %[1]s may be a parameter, too, which only ssm:DescribeParameters tells", maybe[0])
	}
	if err != nil {
		return nil, err
	}
	for _, p := range listed {
		known[p.Name] = p
		if o.values {
			certain = append(certain, p.Name)
		}
	}
	if !o.values { // what cannot be looked for in lists is taken for granted
		for _, name := range certain {
			known[name] = parameter.Parameter{Name: name}
			if isReference(name) {
				known[name] = parameter.Parameter{Name: name, Type: parameter.SecureString}
			}
		}
		return known, nil
	}
	certain = uniqueSorted(certain)
	found, missing, err := svc.Get(ctx, certain, o.decrypt)
	if err != nil {
		return nil, err
	}
	at := 0
	for _, name := range certain { // found is in this order
		if slices.Contains(missing, name) {
			delete(known, name)
			continue
		}
		known[name] = found[at]
		at++
	}
	return known, nil
}

func (o paramReading) below(ctx context.Context, svc *parameter.Service, path string) ([]parameter.Parameter, error) {
	q := parameter.Query{Path: path, Types: o.types}
	seq := svc.List(ctx, q)
	if o.values {
		seq = svc.Read(ctx, q, o.decrypt)
	}
	list, err := awsapi.Collect(seq)
	slices.SortFunc(list, func(a, b parameter.Parameter) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

func uniqueSorted(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
