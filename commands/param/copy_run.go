package param

import (
	"context"
	"strings"
	"sync"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// copiedParam is a parameter that was copied or moved.
type copiedParam struct {
	Source  string `json:"source"`
	Target  string `json:"target"`
	Type    string `json:"type"`
	Version int64  `json:"version,omitempty"` // at the target
	Result  string `json:"result"`            // created, updated, unchanged, failed, left; would_create, would_update
}

func copiedTable() render.Table[copiedParam] {
	type row = copiedParam
	return render.Table[row]{
		ID: func(p row) string { return p.Target }, Empty: "no parameters",
		Columns: []render.Column[row]{
			{Name: "SOURCE", ID: true, Text: func(p row) string { return p.Source }},
			{Name: "TARGET", ID: true, Text: func(p row) string { return p.Target }},
			{Name: "TYPE", Text: func(p row) string { return p.Type }},
			{Name: "VERSION", Text: func(p row) string {
				if p.Version == 0 {
					return ""
				}
				return itoa(p.Version)
			}},
			{Name: "RESULT", Text: func(p row) string { return strings.ReplaceAll(p.Result, "_", " ") }},
		},
	}
}

// copiedRows says what became of each; versions and failures are by their place.
func copiedRows(list []parameter.Copying, versions []int64, failures []error, would string) (rows []copiedParam) {
	for i := range list {
		c := &list[i]
		r := copiedParam{Source: c.Source.Name, Target: c.Target, Type: c.Source.Type}
		verb := [2]string{"create", "update"}
		if would == "" {
			verb = [2]string{"created", "updated"}
			r.Version = versions[i]
		}
		switch {
		case failures != nil && failures[i] != nil:
			r.Result = "failed"
		case c.Same():
			r.Result, r.Version = "unchanged", c.Current.Version
		case would == "" && versions[i] == 0:
			r.Result = "left"
		case c.New():
			r.Result = would + verb[0]
		default:
			r.Result = would + verb[1]
		}
		rows = append(rows, r)
	}
	return rows
}

// copyThese writes, several at once, and for a move deletes what was copied.
func copyThese(ctx context.Context, env *cli.Env, ro render.Options, f *copyFlags, from, to paramSide, list []parameter.Copying) error {
	versions, failures, failed := copyParams(ctx, env, f.word()+" parameters", to.svc, list)
	if err := copiedTable().Write(env.Out, ro, cli.Each(copiedRows(list, versions, failures, ""))); err != nil {
		return err
	}
	if len(failed) > 0 || ctx.Err() != nil {
		done := 0
		for i := range list {
			if list[i].Same() || versions[i] > 0 && failures[i] == nil {
				done++
			}
		}
		what := f.word() + " parameters"
		kept := ""
		if f.move {
			kept = ", and no source is deleted"
		}
		if len(failed) == 0 {
			failed = []error{ctx.Err()}
		}
		if done == 0 && len(failed) == 1 {
			return failed[0]
		}
		return fault.New(fault.RemoteFailed, what, "%d of %d are at the target%s: %w", done, len(list), kept, &cli.Lines{Err: failed[0], Text: cli.JoinLines(failed)}).
			WithHint("give the command again to go on")
	}
	if !f.move {
		return nil
	}
	return paramMoved(ctx, env, from, to, list)
}

// copyParams copies several at once. After a failure nothing new is begun; what is under
// way is seen through, since nobody could say what became of it.
func copyParams(ctx context.Context, env *cli.Env, label string, svc *parameter.Service, list []parameter.Copying) (versions []int64, failures, failed []error) {
	versions, failures = make([]int64, len(list)), make([]error, len(list))
	told, end, err := env.Counted(label)
	if err != nil {
		return versions, failures, []error{err}
	}
	defer end()
	var mu sync.Mutex
	done := 0
	stopped := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(failed) > 0
	}
	_ = awsapi.Parallel(ctx, len(list), func(ctx context.Context, i int) error {
		if stopped() {
			return nil
		}
		version, err := svc.Copy(ctx, &list[i])
		mu.Lock()
		defer mu.Unlock()
		versions[i], failures[i] = version, err
		if err != nil {
			failed = append(failed, err)
			return nil
		}
		done++
		if told != nil {
			told(done, len(list))
		}
		return nil
	})
	return versions, failures, failed
}

// paramMoved deletes the sources of a move, when everything is at the target and nobody
// has written a source meanwhile.
func paramMoved(ctx context.Context, env *cli.Env, from, to paramSide, list []parameter.Copying) error {
	wrong, err := to.svc.Verify(ctx, list)
	if err == nil && len(wrong) > 0 {
		err = fault.New(fault.RemoteFailed, "", "%s do not have the value of their source", cli.SomeOf(wrong, 5))
	}
	sources := make([]parameter.Parameter, len(list))
	names := make([]string, len(list))
	for i := range list {
		sources[i], names[i] = list[i].Source, list[i].Source.Name
	}
	if err == nil {
		var now []parameter.Parameter
		now, _, err = from.svc.Describe(ctx, uniqueSorted(names))
		versions := map[string]int64{}
		for _, p := range now {
			versions[parameter.Place(p.Name)] = p.Version
		}
		for _, p := range sources {
			if v, ok := versions[parameter.Place(p.Name)]; ok && v != p.Version && err == nil {
				err = fault.New(fault.Conflict, "", "%s was written meanwhile", p.Name)
			}
		}
	}
	if err != nil {
		return fault.New(fault.RemoteFailed, "move parameters", "all are written at the target, but no source was deleted: %w", err).
			WithHint("give the command again to go on, with --overwrite if a source was written")
	}
	gone, err := deleteParams(ctx, env, from.svc, sources)
	if err != nil {
		return fault.New(fault.RemoteFailed, "move parameters", "all are at the target, and %d of %d sources are deleted: %w", len(gone), len(list), err).
			WithHint("give the command again to go on")
	}
	env.Note("%s moved", cli.Plural(len(list), "parameter"))
	return nil
}
