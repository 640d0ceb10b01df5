package doctor

import (
	"context"
	"strings"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/doctor"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// runUnmanaged lists the instances that Systems Manager does not know.
func (o *options) runUnmanaged(ctx context.Context, env *cli.Env, ro render.Options) error {
	found, err := o.examineUnmanaged(ctx, env)
	if err != nil {
		return err
	}
	if o.fix {
		var checks []doctor.Check
		for _, u := range found {
			checks = append(checks, u.Checks...)
		}
		changed, err := o.repair(ctx, env, doctor.Plan(checks), checks)
		if err != nil {
			return err
		}
		if changed {
			env.Note("checking again")
			if found, err = o.examineUnmanaged(ctx, env); err != nil {
				return err
			}
		}
	}
	if ro.Format == render.FormatJUnit {
		var checks []doctor.Check
		for _, u := range found {
			checks = append(checks, u.Checks...)
		}
		err = writeJUnit(env.Out, checks)
	} else {
		err = cli.WriteList(env, unmanagedCauses, ro, found)
	}
	if err != nil || len(found) == 0 {
		return err
	}
	note := ""
	for i := 0; i < len(found); {
		n := i
		for n < len(found) && found[n].Cause == found[i].Cause {
			n++
		}
		note += cli.Plural(n-i, "instance") + " " + orText(found[i].Cause, "for reasons that could not be read") + ", "
		i = n
	}
	env.Note("%s", strings.TrimSuffix(note, ", "))
	return &fault.Exit{Code: fault.RemoteFailed.ExitCode()}
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (o *options) examineUnmanaged(ctx context.Context, env *cli.Env) ([]doctor.Unmanaged, error) {
	d, err := openDoctor(ctx, env, o.profile)
	if err != nil {
		return nil, err
	}
	p, err := env.Progress()
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return d.Unmanaged(ctx, func(done, total int) {
		p.Set(render.Status{Label: "examining instances", Done: int64(done), Total: int64(total)})
	})
}

func unmanagedCauses(render.Options) render.Table[doctor.Unmanaged] {
	return render.Table[doctor.Unmanaged]{
		ID:    func(u doctor.Unmanaged) string { return u.ID },
		Empty: "Systems Manager knows every running instance",
		Columns: []render.Column[doctor.Unmanaged]{
			{Name: "CAUSE", Text: func(u doctor.Unmanaged) string { return u.Cause }},
			{Name: "INSTANCE ID", ID: true, Text: func(u doctor.Unmanaged) string { return u.ID }},
			{Name: "NAME", Text: func(u doctor.Unmanaged) string { return u.Name }},
			{Name: "EVIDENCE", Text: func(u doctor.Unmanaged) string { return u.Evidence }},
			{Name: "VPC", Wide: true, ID: true, Text: func(u doctor.Unmanaged) string { return u.VPC }},
			{Name: "SUBNET", Wide: true, ID: true, Text: func(u doctor.Unmanaged) string { return u.Subnet }},
			{Name: "CAUSES", Wide: true, Text: func(u doctor.Unmanaged) string { return strings.Join(u.Causes, ",") }},
			{Name: "FIX", Wide: true, Text: func(u doctor.Unmanaged) string { return strings.Join(u.Fix, "; ") }},
		},
	}
}
