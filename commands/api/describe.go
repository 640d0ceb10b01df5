package api

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// row is an operation in `api list`.
type row struct {
	Operation   string   `json:"operation"`
	Name        string   `json:"name"`
	Family      string   `json:"family"`
	Access      string   `json:"access"` // read, write, destructive
	Paged       bool     `json:"paged"`
	Commands    []string `json:"commands"` // that do it, `ssmdeck api` when no other does
	IAMAction   string   `json:"iam_action"`
	Description string   `json:"url"`
}

// NewRow is an operation as a row of the list of them.
func NewRow(op *rawapi.Operation) row {
	access := "read"
	switch {
	case op.Destructive:
		access = "destructive"
	case op.Writes:
		access = "write"
	}
	commands := []string{"api " + op.Kebab}
	if len(op.Commands) > 0 {
		commands = op.Commands
	}
	return row{op.Kebab, op.Name, op.Family, access, op.Paged(), commands, op.IAMAction(), op.Page()}
}

func newListCmd(env *cli.Env) *cobra.Command {
	var (
		family string
		writes bool
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the operations",
		Long: `List the operations of the API with their family, whether they read or write ("destructive"
also overwrites, removes, stops, or runs something on nodes, and is asked about),
and the everyday commands that call it.`,
		Example: "  $ ssmdeck api list --family maintenance-window\n  $ ssmdeck api list --writes -o name",
		Args:    cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			if families := rawapi.Families(); family != "" && !slices.Contains(families, family) {
				err := fault.Usagef("--family %q is none of %s", family, strings.Join(families, ", "))
				if near := fault.Nearest(family, families); near != "" {
					return err.WithHint("did you mean %s?", near)
				}
				return err
			}
			var rows []row
			for _, op := range rawapi.Operations() {
				if (family == "" || op.Family == family) && (!writes || op.Writes) {
					rows = append(rows, NewRow(op))
				}
			}
			return cli.WriteList(env, table, ro, rows)
		},
	}
	cmd.Flags().StringVar(&family, "family", "", "only operations of this `family`")
	cmd.Flags().BoolVar(&writes, "writes", false, "only operations that change something")
	cli.CompleteFlag(cmd, "family", rawapi.Families)
	return cmd
}

func table(render.Options) render.Table[row] {
	return render.Table[row]{
		ID: func(r row) string { return r.Operation },
		Columns: []render.Column[row]{
			{Name: "OPERATION", Text: func(r row) string { return r.Operation }},
			{Name: "FAMILY", Text: func(r row) string { return r.Family }},
			{Name: "ACCESS", Text: func(r row) string { return r.Access }},
			{Name: "COMMANDS", Text: func(r row) string { return strings.Join(r.Commands, ", ") }},
			{Name: "NAME", Wide: true, Text: func(r row) string { return r.Name }},
			{Name: "PAGED", Wide: true, Text: func(r row) string { return fmt.Sprint(r.Paged) }},
			{Name: "IAM ACTION", Wide: true, Text: func(r row) string { return r.IAMAction }},
			{Name: "URL", Wide: true, Text: func(r row) string { return r.Description }},
		},
	}
}

// description is what `api describe` prints as JSON.
type description struct {
	row
	Note   string     `json:"note,omitempty"`
	Items  []string   `json:"items,omitempty"` // lists of the answer that go on page by page
	Fields []apiField `json:"fields"`
	Answer []apiField `json:"answer"`
}

type apiField struct {
	Name     string   `json:"name"`
	Flag     string   `json:"flag,omitempty"`
	Type     string   `json:"type"`
	Required bool     `json:"required,omitempty"`
	Secret   bool     `json:"secret,omitempty"`
	Min      *int64   `json:"min,omitempty"`
	Max      *int64   `json:"max,omitempty"`
	Pattern  string   `json:"pattern,omitempty"`
	Enum     []string `json:"enum,omitempty"`
	Form     string   `json:"form,omitempty"`
	limits   string
}

func describeFields(fields []rawapi.Field, flags bool) []apiField {
	out := make([]apiField, 0, len(fields))
	for i := range fields {
		f := &fields[i]
		a := apiField{Name: f.Name, Type: f.Type, Enum: f.Enum}
		if flags {
			a.Flag, a.Required, a.Secret, a.Min, a.Max, a.Pattern = "--"+f.Flag, f.Required, f.Secret, f.Min, f.Max, f.Pattern
			a.Form, a.limits = f.Form(), f.Limits()
		}
		out = append(out, a)
	}
	return out
}

func newDescribeCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "describe <operation>",
		Aliases: []string{"get", "show"},
		Short:   "Show an operation: its fields, limits, pages, IAM action",
		Example: "  $ ssmdeck api describe send-command\n  $ ssmdeck api describe PutParameter -o json --query 'fields[?required].name'",
		Args:    cli.ExactArgs("the operation"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var words []string
			for _, op := range rawapi.Operations() {
				if len(args) == 0 {
					words = append(words, op.Kebab+"\t"+short(op))
				}
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			op, err := rawapi.Find(args[0])
			if err != nil {
				return err
			}
			d := description{
				row: NewRow(op), Note: op.Note, Items: op.Items,
				Fields: describeFields(op.Fields, true), Answer: describeFields(op.Answer(), false),
			}
			return render.Object(env.Out, ro, d, func(v *render.Detail) { describeOperation(v, op, d) })
		},
	}
}

func describeOperation(v *render.Detail, op *rawapi.Operation, d description) {
	v.ID(d.Operation)
	v.Field("operation", d.Operation)
	v.Field("name", d.Name)
	v.Field("family", d.Family)
	v.Field("access", d.Access)
	v.Field("note", d.Note)
	v.Field("pages", pages(op))
	v.Field("IAM action", d.IAMAction)
	v.Field("commands", strings.Join(d.Commands, ", "))
	v.Field("url", d.Description)
	v.Section("fields")
	for _, f := range d.Fields {
		parts := []string{f.Type}
		if f.Required {
			parts = append(parts, "required")
		}
		if f.Secret {
			parts = append(parts, "secret")
		}
		if f.limits != "" {
			parts = append(parts, f.limits)
		}
		if f.Form != "" {
			parts = append(parts, "as "+f.Form)
		}
		v.Field(f.Flag, strings.Join(parts, "; "))
	}
	v.Section("answer")
	for _, f := range d.Answer {
		v.Field(f.Name, f.Type)
	}
}

// pages says how the answer comes.
func pages(op *rawapi.Operation) string {
	if !op.Paged() {
		return "none"
	}
	text := "of " + strings.Join(op.Items, " and ")
	if f := op.Field("MaxResults"); f != nil {
		if limits := f.Limits(); limits != "" {
			text += ", " + limits + " items each"
		}
	}
	return text
}
