package inventory

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

func newPutCmd(env *cli.Env) *cobra.Command {
	var (
		put    inventory.Put
		texts  []string
		path   string
		dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "put <node>",
		Short: "Write inventory of a type of your own",
		Long: `Write what a node has of a type that begins with Custom:. It takes the place of what
is there of that type, which is asked first: give all entries at once, each with
--entry, or as a JSON or YAML list of objects with --file.`,
		Example: `  $ ssmdeck inventory put web-1 --type Custom:Rack --entry Row=7,Slot=B
  $ ssmdeck inventory put web-1 --type Custom:Licences --file licences.yaml
  $ ssmdeck inventory put web-1 --type Custom:Rack --entry Row=8,Slot=A --dry-run`,
		Args:              cli.ExactArgs("the node"),
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			if put.Entries, err = readEntries(env, texts, path); err != nil {
				return err
			}
			if err := put.Check(); err != nil {
				return err
			}
			if err := env.RefuseChange("PutInventory", dryRun); err != nil { // before anything is asked
				return err
			}
			n, svc, err := node(ctx, env, args[0])
			if err != nil {
				return err
			}
			if dryRun {
				env.Note("dry run: nothing was written for %s", render.Visible(n.String()))
				data, err := json.Marshal(put.Entries)
				if err != nil {
					return err
				}
				return render.JSON(env.Out, cli.JSONUnlessAsked(ro), data)
			}
			there, err := svc.OfNode(ctx, n.ID, put.Type)
			if err != nil && fault.KindOf(err) != fault.Usage { // a type that nobody has reported yet is none
				return err
			}
			if old := len(there.Entries); old > 0 {
				if err := env.Confirm(ctx, fmt.Sprintf("replace %s of %s on %s by %s", cli.Plural(old, "entry"), put.Type, render.Visible(n.String()), cli.Plural(len(put.Entries), "entry"))); err != nil {
					return err
				}
			}
			if err := svc.Put(ctx, n.ID, put, time.Now()); err != nil {
				return err
			}
			env.Note("%s: %s of %s", render.Visible(n.String()), cli.Plural(len(put.Entries), "entry"), put.Type)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&put.Type, "type", "", "the `type`, which begins with Custom:")
	f.StringVar(&put.Schema, "schema-version", "1.0", "`version` of the type")
	f.StringArrayVar(&texts, "entry", nil, "an entry as `ATTRIBUTE=VALUE,...`; repeat for more")
	f.StringVarP(&path, "file", "f", "", "read the entries from `file`, JSON or YAML; - is standard input")
	f.BoolVar(&dryRun, "dry-run", false, "show what would be written, and write nothing")
	cli.CompleteFlag(cmd, "type", typeNames(true))
	return cmd
}

// readEntries reads entries from flags or a file.
func readEntries(env *cli.Env, texts []string, path string) ([]inventory.Entry, error) {
	switch {
	case len(texts) > 0 && path != "":
		return nil, fault.Usagef("--entry and --file exclude each other")
	case len(texts) == 0 && path == "":
		return nil, fault.Usagef("there is nothing to write").WithHint("give --entry ATTRIBUTE=VALUE,... or --file; an empty list in a file removes what is there")
	}
	entries := []inventory.Entry{}
	for _, text := range texts {
		e := inventory.Entry{}
		for pair := range strings.SplitSeq(text, ",") {
			k, v, ok := strings.Cut(pair, "=")
			if !ok || strings.TrimSpace(k) == "" {
				return nil, fault.Usagef("--entry %q: %q is no ATTRIBUTE=VALUE", text, pair).WithHint("values with commas can be given in a --file")
			}
			if _, twice := e[k]; twice {
				return nil, fault.Usagef("--entry %q names %s twice", text, k)
			}
			e[k] = v
		}
		entries = append(entries, e)
	}
	if path == "" {
		return entries, nil
	}
	data, err := env.ReadInput()(path)
	if err != nil {
		return nil, err
	}
	v, err := untyped.YAML(path, data) // JSON is YAML
	if err != nil {
		return nil, fault.New(fault.Usage, "read the entries", "%w", err)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fault.Usagef("%s is not a list", path).WithHint(`for instance [{"Row": "7", "Slot": "B"}]`)
	}
	for i, item := range list {
		fields, ok := item.(untyped.Object)
		if !ok {
			return nil, fault.Usagef("%s: entry %d is not an object of attributes and values", path, i+1)
		}
		e := inventory.Entry{}
		for _, m := range fields {
			switch v := m.Value.(type) {
			case string:
				e[m.Key] = v
			case untyped.Word: // numbers and the like, as they are written
				e[m.Key] = string(v)
			default:
				return nil, fault.Usagef("%s: entry %d: %s is not a plain value", path, i+1, m.Key)
			}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func newDeleteCmd(env *cli.Env) *cobra.Command {
	var (
		disable, whole bool
		dryRun         bool
	)
	cmd := &cobra.Command{
		Use:     "delete <type>",
		Aliases: []string{"rm"},
		Short:   "Delete a type of your own from all nodes",
		Long: `Delete what all nodes reported of a type that begins with Custom:. The service is
first asked what would be deleted (its own dry run), and that is shown. The type itself
stays, unless --delete-schema; with --disable-schema, nodes that go on reporting this
version are not listened to.`,
		Example: "  $ ssmdeck inventory delete Custom:Rack --dry-run\n  $ ssmdeck inventory delete Custom:Rack --delete-schema",
		Args:    cli.ExactArgs("the type"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return typeNames(true)(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			if err := inventory.CheckType(args[0], true); err != nil {
				return err
			}
			if disable && whole {
				return fault.Usagef("--disable-schema and --delete-schema exclude each other")
			}
			if err := env.RefuseChange("DeleteInventory", dryRun); err != nil { // before its dry run is asked for
				return err
			}
			svc, err := openInventory(ctx, env)
			if err != nil {
				return err
			}
			schema := inventory.KeepSchema
			switch {
			case disable:
				schema = inventory.DisableSchema
			case whole:
				schema = inventory.DeleteSchema
			}
			d, err := svc.Delete(ctx, args[0], schema, true)
			if err != nil {
				return err
			}
			if dryRun {
				env.Note("dry run: nothing was deleted")
				return showDeletion(env, ro, d)
			}
			if err := env.Confirm(ctx, fmt.Sprintf("delete %s from %s", d.Type, cli.Plural(d.Total, "node"))); err != nil {
				return err
			}
			if d, err = svc.Delete(ctx, args[0], schema, false); err != nil {
				return err
			}
			env.Note("ssmdeck: see `ssmdeck inventory deletions %s` for how far it is", d.ID)
			return showDeletion(env, ro, d)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&disable, "disable-schema", false, "also take nothing more of this version of the type")
	f.BoolVar(&whole, "delete-schema", false, "also delete the type")
	f.BoolVar(&dryRun, "dry-run", false, "ask the service what would be deleted, and delete nothing")
	return cmd
}

func showDeletion(env *cli.Env, ro render.Options, d inventory.Deletion) error {
	return render.Object(env.Out, ro, d, func(v *render.Detail) {
		v.ID(d.ID)
		if d.ID != "" {
			v.Field("deletion", d.ID)
		}
		v.Field("type", d.Type)
		v.Field("nodes", fmt.Sprint(d.Total))
	})
}

func newDeletionsCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "deletions [deletion]",
		Short:   "See how far deletions of inventory are",
		Example: "  $ ssmdeck inventory deletions\n  $ ssmdeck inventory deletions -o json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return cli.NoArgs(cmd, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := cli.ListOptions(env, deletionTable)
			if err != nil {
				return err
			}
			if err := inventory.CheckDeletion(strings.Join(args, "")); err != nil {
				return err
			}
			svc, err := openInventory(cmd.Context(), env)
			if err != nil {
				return err
			}
			return cli.WriteSeq(env, deletionTable, ro, svc.Deletions(cmd.Context(), strings.Join(args, "")))
		},
	}
}

func deletionTable(o render.Options) render.Table[inventory.Deletion] {
	type d = inventory.Deletion
	return render.Table[d]{
		ID: func(r d) string { return r.ID }, Empty: "nothing was deleted",
		Columns: []render.Column[d]{
			{Name: "DELETION", ID: true, Text: func(r d) string { return r.ID }},
			{Name: "TYPE", Text: func(r d) string { return r.Type }},
			{Name: "STATUS", Text: func(r d) string { return r.Status }},
			{Name: "NODES", Right: true, Text: func(r d) string { return fmt.Sprint(r.Total) }},
			{Name: "REMAINING", Right: true, Text: func(r d) string { return fmt.Sprint(r.Left) }},
			cli.AgoColumn(o, "STARTED", func(r d) time.Time { return r.Started }),
			{Name: "MESSAGE", Wide: true, Text: func(r d) string { return r.Message }},
		},
	}
}
