package param

import (
	"context"
	"strings"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// paramPlace is a parameter or a path in an account and Region, as commands with two
// sides take it: [PROFILE@][REGION:]NAME-OR-PATH. Empty fields are those of the
// command line and its settings.
type paramPlace struct{ profile, region, path string }

// placeHelp is what help texts say about places.
const placeHelp = `A place is a name or a path, with a Region and a profile in front of it where they are
others: /app/prod, eu-west-1:/app/prod, prod@eu-west-1:/app/prod, prod@:/app/prod.`

// regionShape is how names of Regions look in all partitions.
var regionShape = pattern.Lazy(`^[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}$`)

// parseParamPlace reads a place. What follows the name, :VERSION or :LABEL, stays with
// it, and so does an ARN as a whole.
func parseParamPlace(text string) (paramPlace, error) {
	var p paramPlace
	bad := func(format string, args ...any) (paramPlace, error) {
		return paramPlace{}, fault.Usagef(format, args...).WithHint("a place is [PROFILE@][REGION:]NAME, such as /app/prod, eu-west-1:/app/prod or prod@:/app/prod")
	}
	rest := text
	if before, after, ok := strings.Cut(rest, "@"); ok {
		p.profile, rest = before, after
		if p.profile == "" {
			return bad("%q has no profile before the @", text)
		}
	}
	before, after, colon := strings.Cut(rest, ":")
	switch {
	case !colon || before == "arn":
		p.path = rest
	case before == "" && p.profile != "", regionShape().MatchString(before):
		p.region, p.path = before, after
	case strings.HasPrefix(after, "/"):
		return bad("%q is not the name of a Region", before)
	default:
		p.path = rest // NAME:VERSION, NAME:LABEL
	}
	if p.path == "" {
		return bad("%q names no parameter or path", text)
	}
	return p, nil
}

// String is the place as it is typed.
func (p paramPlace) String() string {
	text := p.path
	if p.region != "" || p.profile != "" {
		text = p.region + ":" + text
	}
	if p.profile != "" {
		text = p.profile + "@" + text
	}
	return text
}

// paramSide is a place that is open.
type paramSide struct {
	paramPlace
	env *cli.Env // in which services are those of the place
	svc *parameter.Service
}

// openParamPlaces opens places in their order. Those in the same account and Region
// share a scope, and with it the pace; those of one profile the credentials.
func openParamPlaces(ctx context.Context, env *cli.Env, places ...paramPlace) ([]paramSide, error) {
	bases := map[string]*awsapi.Scope{}
	scopes := map[[2]string]*awsapi.Scope{}
	sides := make([]paramSide, len(places))
	for _, regional := range []bool{false, true} { // those without a Region decide which one a profile is opened in
		for i, p := range places {
			if regional != (p.region != "") {
				continue
			}
			base, err := bases[p.profile], error(nil)
			if base == nil {
				if base, err = paramBase(ctx, env, p); err != nil {
					return nil, err
				}
				bases[p.profile] = base
				scopes[[2]string{p.profile, base.Region()}] = base
			}
			region := p.region
			if region == "" {
				region = base.Region()
			}
			at := [2]string{p.profile, region}
			if scopes[at] == nil {
				scopes[at] = base.In(region)
			}
			sides[i] = paramSide{p, env.At(scopes[at]), parameter.New(scopes[at].SSM())}
		}
	}
	return sides, nil
}

// paramBase opens the scope of a place's profile, in its Region when it names one.
func paramBase(ctx context.Context, env *cli.Env, p paramPlace) (*awsapi.Scope, error) {
	if p.profile != "" && env.Local != nil {
		return nil, fault.Usagef("%s: the demo has one caller, and no profiles", p)
	}
	if p.profile == "" && p.region == "" {
		return env.Scope(ctx)
	}
	there, err := env.For(p.profile, p.region)
	if err != nil {
		return nil, err
	}
	return there.Scope(ctx)
}
