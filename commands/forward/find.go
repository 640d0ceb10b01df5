package forward

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newFindCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "find [<service>...]",
		Short: "List what can be forwarded to, and the node that would carry it",
		Long: `List databases, caches, warehouses and search domains, each with the node that a
forward would go through. The services are rds, cache, redshift and search.

What may not be listed is left out, is said on standard error, and makes the exit
status 6.`,
		Example: `  $ ssmdeck forward find
  $ ssmdeck forward find rds cache -o wide
  $ ssmdeck forward find -o json --query '[?via].name'`,
		ValidArgs: database.Services,
		Args: func(_ *cobra.Command, args []string) error {
			for _, a := range args {
				if !slices.Contains(database.Services, a) {
					return fault.Usagef("%q is no service that can be searched", a).WithHint("the services are %s", strings.Join(database.Services, ", "))
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = database.Services
			}
			return forwardFind(cmd.Context(), env, args)
		},
	}
}

// reachable is a database with the way to it.
type reachable struct {
	database.Database
	Via     string `json:"via,omitempty"` // node id
	ViaName string `json:"via_name,omitempty"`
	Why     string `json:"why,omitempty"` // why that node; or why none
}

func forwardFind(ctx context.Context, env *cli.Env, services []string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	svc, err := openDatabases(ctx, env)
	if err != nil {
		return err
	}
	found, errs := svc.List(ctx, services...)
	if len(found) == 0 && len(errs) > 0 {
		return errs[0]
	}
	site, err := siteOf(ctx, env, found...)
	looked := err == nil
	if err != nil {
		errs = append(errs, err)
	}
	for _, n := range site.Notes {
		env.Note("ssmdeck: warning: %s", render.Visible(n))
	}
	rows := make([]reachable, len(found))
	for i, d := range found {
		rows[i] = reachable{Database: d}
		rows[i].VPC = site.VPC(d)
		if !looked {
			continue
		}
		route, err := site.Choose(d, d.Port)
		if err != nil {
			rows[i].Why = cli.FirstLine(err)
			continue
		}
		rows[i].Via, rows[i].ViaName, rows[i].Why = route.Node.ID, route.Node.Name, route.Why
	}
	if err := cli.WriteList(env, databaseTable, ro, rows); err != nil {
		return err
	}
	if len(errs) == 0 {
		return nil
	}
	for _, e := range errs {
		env.Note("ssmdeck: warning: %s", cli.FirstLine(e))
	}
	return fault.New(fault.RemoteFailed, "list what can be forwarded to", "the list is not complete").WithHint("%s", fault.HintOf(errs[0]))
}

func databaseTable(o render.Options) render.Table[reachable] {
	return render.Table[reachable]{
		ID:    func(r reachable) string { return r.Name },
		Empty: "no databases",
		Columns: []render.Column[reachable]{
			{
				Name: "STATUS", Text: func(r reachable) string { return r.Status },
				Human: func(r reachable) string { return o.Styles.Status(databaseLevel(r.Database), r.Status) },
			},
			{Name: "SERVICE", Text: func(r reachable) string { return r.Service }},
			{Name: "KIND", Text: func(r reachable) string { return strings.TrimSpace(r.Kind + " " + r.Role) }},
			{Name: "NAME", ID: true, Text: func(r reachable) string { return r.Name }},
			{Name: "ENGINE", Text: func(r reachable) string { return r.Engine }},
			{Name: "VIA", Text: func(r reachable) string {
				if r.ViaName != "" {
					return r.ViaName
				}
				return r.Via
			}},
			{Name: "ENDPOINT", Text: func(r reachable) string { return r.Endpoint }},
			{Name: "PORT", Text: func(r reachable) string { return strconv.Itoa(r.Port) }},
			{Name: "VPC", Wide: true, Text: func(r reachable) string { return r.VPC }},
			{Name: "READER", Wide: true, Text: func(r reachable) string { return r.Reader }},
			{Name: "WHY", Wide: true, Text: func(r reachable) string { return r.Why }},
		},
	}
}

func databaseLevel(d database.Database) theme.Level {
	note, err := d.Usable()
	switch {
	case err != nil && (d.Status == "stopped" || d.Status == "paused"):
		return theme.Idle
	case err != nil:
		return theme.Bad
	case note != "":
		return theme.Busy
	default:
		return theme.Good
	}
}
