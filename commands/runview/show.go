package runview

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// Found opens Run Command and finds what args name.
func Found(ctx context.Context, env *cli.Env, args []string) (*run.Service, run.Run, error) {
	svc, err := env.Runner(ctx)
	if err != nil {
		return nil, run.Run{}, err
	}
	r, err := svc.FindAll(ctx, args)
	if err == nil && r.Unsent() > 0 {
		env.Note("ssmdeck: %d of the run's %d commands were not sent; their nodes are not known to the service", r.Unsent(), r.Of)
	}
	return svc, r, err
}

// Show shows runs as they stand.
func Show(ctx context.Context, env *cli.Env, args []string, vo ViewOptions) error {
	view, err := NewView(env, vo)
	if err != nil {
		return err
	}
	defer view.Close()
	svc, r, err := Found(ctx, env, args)
	if err != nil {
		return err
	}
	if err := view.Load(ctx, svc, r); err != nil {
		return err
	}
	if view.Dir != nil {
		if err := view.Save(ctx, svc); err != nil {
			return err
		}
	}
	if view.Events != nil {
		return view.Err
	}
	err = render.Object(env.Out, view.Options, details{Run: r, Nodes: view.answer().Nodes}, func(d *render.Detail) { runHead(d, view.Options, r) })
	if err != nil || !view.People() {
		return err
	}
	if _, err := io.WriteString(env.Out, "\n"); err != nil {
		return err
	}
	return view.Print(env.Out, true)
}

// Load reads a run as it stands into the view.
func (v *View) Load(ctx context.Context, svc *run.Service, r run.Run) error {
	if err := v.Prepare(); err != nil {
		return err
	}
	v.Learn(ctx)
	v.Keeps(r)
	v.past = true
	err := svc.Show(ctx, r, v.Event)
	v.Progress.Close()
	return err
}

// Keeps notes where the commands put their outputs.
func (v *View) Keeps(r run.Run) {
	v.kept = map[string]run.Command{}
	for _, c := range r.Commands {
		v.kept[c.ID] = c
	}
}

// details is `run show -o json`.
type details struct {
	run.Run
	Nodes []row `json:"nodes"`
}

func runHead(d *render.Detail, o render.Options, r run.Run) {
	d.ID(r.Ref())
	d.Field("Run", r.ID)
	d.Human("State", string(r.State), StateCell(o, r.State, r.Detail))
	d.Field("Document", strings.Join(r.Documents, ", "))
	if len(r.Commands) > 0 {
		d.Field("Script", r.Commands[0].ScriptLine(60))
	}
	d.Field("Comment", r.Comment)
	cli.Moment(d, o, "Requested", r.Requested)
	d.Field("Nodes", fmt.Sprintf("%d, %d done, %d failed", r.Targets, r.Completed, r.Errors+r.DeliveryTimedOut))
	switch n := len(r.Commands); {
	case r.Unsent() > 0:
		d.Field("Commands", fmt.Sprintf("%d of %d; the others were not sent", n, r.Of))
	case n == 1:
		d.Field("Command", r.Commands[0].ID)
	default:
		d.Field("Commands", fmt.Sprint(n))
	}
}
