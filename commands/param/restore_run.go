package param

import (
	"context"
	"fmt"
	"slices"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// restoredParam is what a restoration does to one parameter.
type restoredParam struct {
	Do      string `json:"do"` // create, update, delete, same
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"`
	Writes  int    `json:"writes,omitempty"`  // versions that are written
	Version int64  `json:"version,omitempty"` // of what is there
	Status  string `json:"status,omitempty"`  // done, failed, left
	Error   string `json:"error,omitempty"`
}

func restoreTable(render.Options) render.Table[restoredParam] {
	type row = restoredParam
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return itoa(n)
	}
	return render.Table[row]{
		ID: func(p row) string { return p.Name }, Empty: "no parameters",
		Columns: []render.Column[row]{
			{Name: "DO", Text: func(p row) string { return p.Do }},
			{Name: "NAME", ID: true, Text: func(p row) string { return p.Name }},
			{Name: "TYPE", Text: func(p row) string { return p.Type }},
			{Name: "WRITES", Text: func(p row) string { return number(int64(p.Writes)) }},
			{Name: "VERSION", Text: func(p row) string { return number(p.Version) }},
			{Name: "STATUS", Text: func(p row) string { return p.Status }},
			{Name: "ERROR", Wide: true, Text: func(p row) string { return p.Error }},
		},
	}
}

// rows are the parameters as they would be restored.
func (r *restoring) rows() (rows []restoredParam) {
	for i := range r.list {
		c := &r.list[i]
		row := restoredParam{Do: "update", Name: c.Target, Type: c.Source.Type, Writes: len(c.Versions) - c.Done}
		switch {
		case c.Same():
			row.Do = "same"
		case c.New():
			row.Do = "create"
		}
		if c.Current != nil {
			row.Version = c.Current.Version
		}
		rows = append(rows, row)
	}
	for _, name := range r.extra {
		rows = append(rows, restoredParam{Do: "delete", Name: name})
	}
	return rows
}

// make shows what is to be done, asks, and does it.
func (o *restore) make(ctx context.Context, env *cli.Env, ro render.Options, svc *parameter.Service, r *restoring, file string) error {
	rows := r.rows()
	counts, pending := map[string]int{}, []restoredParam{}
	for _, row := range rows {
		if counts[row.Do]++; row.Do != "same" {
			pending = append(pending, row)
		}
	}
	summary := fmt.Sprintf("%s: %d to create, %d to update, %d to delete, %d the same", r.backup, counts["create"], counts["update"], counts["delete"], counts["same"])
	if len(pending) == 0 || o.dryRun {
		env.Note("%s", summary)
		if o.dryRun {
			env.Note("dry run: nothing was written")
		}
		return cli.WriteList(env, restoreTable, ro, rows)
	}
	for _, row := range pending {
		text := map[string]string{"create": "+", "update": "~", "delete": "-"}[row.Do] + " " + row.Do + " " + row.Name
		if row.Writes > 1 {
			text += ", " + cli.Plural(row.Writes, "version")
		}
		env.Note("%s", render.Visible(text))
	}
	env.Note("%s", summary)
	advanced := 0
	for i := range r.list {
		if r.list[i].BecomesAdvanced() {
			advanced++
		}
	}
	if text := parameter.AdvancedNote(advanced); text != "" {
		env.Note("%s", text)
	}
	what := "restore " + cli.Plural(counts["create"]+counts["update"], "parameter")
	if n := counts["delete"]; n > 0 {
		what += " and delete " + itoa(int64(n)) + " that are not in the backup"
	}
	what += ", " + r.site
	if err := confirmMany(ctx, env, what, counts["update"]+counts["delete"]); err != nil {
		return err
	}
	return o.write(ctx, env, ro, svc, r, file)
}

// write restores, and deletes when all of it is there.
func (o *restore) write(ctx context.Context, env *cli.Env, ro render.Options, svc *parameter.Service, r *restoring, file string) error {
	rows := r.rows()
	versions, failures, failed := copyParams(ctx, env, "restore parameters", svc, r.list)
	done, all := 0, 0
	for i := range r.list {
		row := &rows[i]
		if row.Do == "same" {
			continue
		}
		all++
		switch {
		case failures[i] != nil:
			row.Status, row.Error = "failed", failures[i].Error()
		case versions[i] == 0:
			row.Status = "left"
		default:
			row.Status, row.Version = "done", versions[i]
			done++
		}
	}
	if len(failed) == 0 && ctx.Err() == nil && len(r.extra) > 0 {
		deleted, _, err := svc.Delete(ctx, r.extra)
		if err != nil {
			failed = append(failed, err)
		}
		for i := len(r.list); i < len(rows); i++ {
			if rows[i].Status = "left"; slices.Contains(deleted, rows[i].Name) {
				rows[i].Status = "done"
			}
		}
	}
	if err := cli.WriteList(env, restoreTable, ro, rows); err != nil {
		return err
	}
	if len(failed) == 0 {
		failed = append(failed, ctx.Err())
	}
	if failed[0] == nil {
		env.Note("done: %s restored", cli.Plural(done, "parameter"))
		return nil
	}
	if done == 0 && len(failed) == 1 {
		return failed[0]
	}
	return fault.New(fault.RemoteFailed, "restore "+file, "%d of %s restored: %w", done, cli.Plural(all, "parameter"), &cli.Lines{Err: failed[0], Text: cli.JoinLines(failed)}).
		WithHint("give the command again to go on")
}
