package cp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/transfer"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// cpView shows a copy: progress and remarks on standard error, results on
// standard output for those who ask.
type cpView struct {
	env      *cli.Env
	options  render.Options
	progress *render.Progress
	began    time.Time
	silent   bool // standard output is for the file

	mu          sync.Mutex
	label       string
	nodes       int
	over        int // nodes
	done, total int64
}

func newView(env *cli.Env) (*cpView, error) {
	ro, err := env.RenderOptions()
	if err != nil {
		return nil, err
	}
	p, err := env.Progress()
	if err != nil {
		return nil, err
	}
	return &cpView{env: env, options: ro, progress: p, began: time.Now()}, nil
}

func (v *cpView) start(what string, nodes []transfer.Node) {
	v.nodes = len(nodes)
	v.label = what + " " + cli.Plural(len(nodes), "node")
	if len(nodes) == 1 {
		v.label = what + " " + copyLabel(nodes[0])
	}
	v.show()
}

// show is called with mu held, or before anybody else is there.
func (v *cpView) show() {
	s := render.Status{Label: v.label, Done: v.done, Total: v.total, Bytes: true}
	if took := time.Since(v.began).Seconds(); v.done > 0 && took > 0.5 {
		s.Note = render.Bytes(int64(float64(v.done)/took)) + "/s"
	}
	if v.nodes > 1 {
		s.Note += fmt.Sprintf(" %d/%d nodes", v.over, v.nodes)
	}
	v.progress.Set(s)
}

func (v *cpView) watch() transfer.Watch {
	return transfer.Watch{
		Total: func(n int64) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.total += n
			v.show()
		},
		Add: func(n int64) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.done += n
			v.show()
		},
		Done: func(r *transfer.Result) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.over++
			v.show()
			if v.nodes > 1 {
				v.progress.Event(copyLabel(r.Node)+": "+outcomeOf(r), nil)
			}
		},
	}
}

func (v *cpView) warn(text string) {
	v.progress.Println(v.env.ErrStyles().Warn.Render("ssmdeck: " + render.Visible(text)))
}

// link tells of the connections of a node's sessions.
func (v *cpView) link(n transfer.Node) func(sessionclient.Event) {
	status := connect.NewLinkStatus(v.env, false)
	status.Say = func(text string) { v.warn(copyLabel(n) + ": " + text) }
	return status.Event
}

func outcomeOf(r *transfer.Result) string {
	if r.Err != nil {
		return "failed"
	}
	text := fmt.Sprintf("%s, %s", cli.Plural(r.Count(transfer.Copied), "file"), render.Bytes(r.Bytes))
	if n := r.Count(transfer.Skipped); n > 0 {
		text += fmt.Sprintf(", %d skipped", n)
	}
	if n := r.Count(transfer.Failed); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	return text
}

// row is a file, or a node that failed as a whole, as programs read it.
type row struct {
	Node string `json:"node"`
	Name string `json:"name,omitempty"`
	transfer.File
}

// finish prints what became of everything and returns what the exit code is
// made of.
func (v *cpView) finish(ctx context.Context, results []*transfer.Result, err error) error {
	v.progress.Close()
	if err != nil {
		return err
	}
	var (
		rows   []row
		failed int // nodes
		files  int
		broken int
		size   int64
		only   error
	)
	for _, r := range results {
		for _, f := range r.Files {
			rows = append(rows, row{Node: r.Node.ID, Name: r.Node.Name, File: f})
			if f.State == transfer.Failed && r.Err == nil {
				broken++
				v.warn(cmp.Or(f.Source, f.Destination) + ": " + f.Error)
			}
		}
		files, size = files+r.Count(transfer.Copied), size+r.Bytes
		if r.Err != nil {
			failed++
			only = r.Err
			rows = append(rows, row{Node: r.Node.ID, Name: r.Node.Name, File: transfer.File{State: transfer.Failed, Error: r.Err.Error()}})
		}
	}
	if printErr := v.print(rows); printErr != nil {
		return printErr
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case failed == 1 && len(results) == 1:
		return only
	case failed > 0:
		if v.options.Format == render.FormatAuto {
			v.explain(results)
		}
		return fault.New(fault.RemoteFailed, "copy", "%d of %s failed", failed, cli.Plural(len(results), "node"))
	case broken > 0:
		return fault.New(fault.RemoteFailed, "copy", "%d of %s failed", broken, cli.Plural(files+broken, "file"))
	}
	if !v.silent && cli.IsTerminal(v.env.Err) {
		took := time.Since(v.began)
		v.env.Note("%s", v.env.ErrStyles().Dim.Render(fmt.Sprintf("copied %s, %s in %s (%s/s)", cli.Plural(files, "file"), render.Bytes(size),
			render.Duration(took), render.Bytes(int64(float64(size)/max(took.Seconds(), 0.001))))))
	}
	return nil
}

// explain says why nodes failed, once for all that did for the same reason.
func (v *cpView) explain(results []*transfer.Result) {
	var order []string
	alike := map[string][]*transfer.Result{}
	for _, r := range results {
		if r.Err == nil {
			continue
		}
		why := r.Err.Error()
		var known *fault.Error
		if errors.As(r.Err, &known) && known.Err != nil {
			why = known.Err.Error()
		}
		if alike[why] == nil {
			order = append(order, why)
		}
		alike[why] = append(alike[why], r)
	}
	for _, why := range order {
		group := alike[why]
		err := group[0].Err
		if len(group) > 1 {
			nodes := make([]fleet.Node, len(group))
			for i, r := range group {
				nodes[i] = fleet.Node{ID: r.Node.ID, Name: r.Node.Name}
			}
			err = fault.New(fault.KindOf(err), fmt.Sprintf("copy on %s (%s)", cli.Plural(len(group), "node"), cli.SomeNames(nodes)), "%s", why)
		}
		render.Error(v.env.Err, v.env.ErrStyles(), err, v.env.WantsJSONErrors(), v.env.Debugging())
	}
}

// print prints the rows when a format was asked for: cp, like cp, is silent.
func (v *cpView) print(rows []row) error {
	if v.silent || v.options.Format == render.FormatAuto {
		return nil
	}
	return cli.WriteList(v.env, table, v.options, rows)
}

func table(o render.Options) render.Table[row] {
	return render.Table[row]{
		ID: func(r row) string { return r.Destination },
		Columns: []render.Column[row]{
			{
				Name: "STATE", Text: func(r row) string { return r.State },
				Human: func(r row) string { return o.Styles.Status(level(r.State), r.State) },
			},
			{Name: "NODE", Text: func(r row) string { return cmp.Or(r.Name, r.Node) }},
			{Name: "SOURCE", Text: func(r row) string { return r.Source }},
			{Name: "DESTINATION", Text: func(r row) string { return r.Destination }},
			{
				Name: "SIZE", Text: func(r row) string { return fmt.Sprint(r.Size) },
				Human: func(r row) string { return render.Bytes(r.Size) },
			},
			{Name: "ERROR", Text: func(r row) string { return r.Error }},
			{Name: "SHA256", Wide: true, Text: func(r row) string { return r.SHA256 }},
		},
	}
}

func level(state string) theme.Level {
	switch state {
	case transfer.Copied:
		return theme.Good
	case transfer.Failed:
		return theme.Bad
	default:
		return theme.Idle
	}
}

// planned prints what --dry-run found.
func (v *cpView) planned(rows []transfer.Listed) error {
	v.progress.Close()
	var size int64
	for _, r := range rows {
		size += r.Size
	}
	v.env.Note("would copy %s, %s; nothing was copied", cli.Plural(len(rows), "item"), render.Bytes(size))
	return cli.WriteList(v.env, func(render.Options) render.Table[transfer.Listed] {
		return render.Table[transfer.Listed]{
			ID: func(l transfer.Listed) string { return l.Destination },
			Columns: []render.Column[transfer.Listed]{
				{Name: "KIND", Text: func(l transfer.Listed) string { return l.Kind }},
				{Name: "SOURCE", Text: func(l transfer.Listed) string { return l.Source }},
				{Name: "DESTINATION", Text: func(l transfer.Listed) string { return l.Destination }},
				{
					Name: "SIZE", Text: func(l transfer.Listed) string { return fmt.Sprint(l.Size) },
					Human: func(l transfer.Listed) string { return render.Bytes(l.Size) },
				},
			},
		}
	}, v.options, rows)
}
