package param

import (
	"context"
	"path"
	"strings"
	"sync/atomic"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// readParams reads the values of a selection, sorted by name, and shows how far it is.
func readParams(ctx context.Context, env *cli.Env, svc *parameter.Service, sel parameter.Selection, decrypt bool, label string) ([]parameter.Parameter, error) {
	progress, err := env.Progress()
	if err != nil {
		return nil, err
	}
	defer progress.Close()
	progress.Set(render.Status{Label: label})
	sel.Seen = func(n int) { progress.Set(render.Status{Label: label, Done: int64(n)}) }
	if sel.Path == "" && len(sel.Names) == 0 {
		sel.Path = "/" // a walk of it is open to who may not list
	}
	return svc.FindValues(ctx, sel, decrypt)
}

// secretRule says what becomes of SecureStrings where values are written to a file.
type secretRule struct {
	decrypt, without bool
}

// apply refuses SecureStrings without their values, or leaves them out, and counts
// those. what is what would lack them.
func (r secretRule) apply(list []parameter.Parameter, what string) (kept []parameter.Parameter, left int, err error) {
	if r.decrypt && !r.without {
		return list, 0, nil
	}
	for _, p := range list {
		if p.Secure() {
			left++
		} else {
			kept = append(kept, p)
		}
	}
	if left > 0 && !r.without {
		return nil, left, fault.Usagef("%s would lack the values of %s", what, cli.Plural(left, parameter.SecureString)).
			WithHint("add --decrypt to read them, or --no-secrets to leave them out")
	}
	return kept, left, nil
}

// paramRoot is the path that names of a selection are relative to: the path that was
// given, or the folder of the parameter that it named.
func paramRoot(where string, sel parameter.Selection, list []parameter.Parameter) string {
	if sel.Pattern != nil || !strings.HasPrefix(where, "/") {
		return ""
	}
	root := sel.Path
	if len(list) == 1 && list[0].Name == root {
		root = path.Dir(root)
	}
	return root
}

// nothingBelow is the error of a place where there are no parameters.
func nothingBelow(where string) error {
	return fault.New(fault.NotFound, "", "there are no parameters at %s", where).WithHint("`ssmdeck param list` shows what there is")
}

// onlyValues reports whether nothing but values could be read: DescribeParameters, which
// tells the rest, is allowed separately.
func onlyValues(list []parameter.Parameter) bool { return len(list) > 0 && list[0].Tier == "" }

// warnWithoutMetadata says when only values could be read.
func warnWithoutMetadata(env *cli.Env, sel parameter.Selection, list []parameter.Parameter) {
	if onlyValues(list) && !strings.HasPrefix(sel.Path, "/aws") {
		env.Note("ssmdeck: warning: only names, types and values could be read: ssm:DescribeParameters, which tells tiers, keys and policies, is denied")
	}
}

// withTags reads the tags of parameters.
func withTags(ctx context.Context, env *cli.Env, svc *parameter.Service, list []parameter.Parameter) ([]parameter.Parameter, error) {
	return eachParam(ctx, env, list, "read tags", func(ctx context.Context, p *parameter.Parameter) (err error) {
		p.Tags, err = svc.Tags(ctx, p.Name)
		return err
	})
}

// eachParam does something with each parameter of a copy of a list, several at a time,
// and shows how far it is.
func eachParam(ctx context.Context, env *cli.Env, list []parameter.Parameter, label string, do func(context.Context, *parameter.Parameter) error) ([]parameter.Parameter, error) {
	out := append([]parameter.Parameter(nil), list...)
	progress, err := env.Progress()
	if err != nil {
		return nil, err
	}
	defer progress.Close()
	var done atomic.Int64
	err = awsapi.Parallel(ctx, len(out), func(ctx context.Context, i int) error {
		defer func() { progress.Set(render.Status{Label: label, Done: done.Add(1), Total: int64(len(out))}) }()
		return do(ctx, &out[i])
	})
	return out, err
}
