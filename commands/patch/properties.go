package patch

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// properties are the properties that the service lists values of.
var properties = []string{"product", "product-family", "classification", "msrc-severity", "priority", "severity"}

// propertyRow is a value of a property, with what else the service says of it.
type propertyRow struct {
	OS       string            `json:"os"`
	Property string            `json:"property"`
	Value    string            `json:"value"`
	Fields   map[string]string `json:"fields"`
}

func newPropertiesCmd(env *cli.Env) *cobra.Command {
	var (
		os            osFlag
		property, set string
	)
	cmd := &cobra.Command{
		Use:   "properties --os <system>",
		Short: "List the values that rules of baselines can name, as the service knows them",
		Long: `List the products, classifications, severities or priorities that the service knows
for an operating system: what filters of rules can name. --property chooses among
product, product-family, classification, msrc-severity, priority and severity, of which
each system has some.`,
		Example: `  $ ssmdeck patch properties --os windows --property product --patch-set application
  $ ssmdeck patch properties --os al2023 --property severity`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			system, err := os.parse()
			switch {
			case err != nil:
				return err
			case system == "":
				return fault.Usagef("%s: missing --os", cmd.CommandPath()).WithHint("name the operating system, such as --os al2023")
			}
			return listProperties(cmd.Context(), env, system, property, set)
		},
	}
	os.bind(cmd, "of this")
	cmd.Flags().StringVar(&property, "property", "product", "the `property` whose values are listed")
	cmd.Flags().StringVar(&set, "patch-set", "", "of Windows only the `set` os or application")
	cli.CompleteFlag(cmd, "property", func() []string { return properties })
	cli.CompleteFlag(cmd, "patch-set", func() []string { return []string{"os", "application"} })
	return cmd
}

func listProperties(ctx context.Context, env *cli.Env, os, property, set string) error {
	word := strings.ToLower(strings.ReplaceAll(property, "_", "-"))
	if !slices.Contains(properties, word) {
		err := fault.Usagef("--property %q is none that the service lists", property)
		if near := fault.Nearest(word, properties); near != "" {
			return err.WithHint("did you mean %s?", near)
		}
		return err.WithHint("there are %s", strings.Join(properties, ", "))
	}
	key := strings.ToUpper(strings.ReplaceAll(word, "-", "_"))
	set = strings.ToUpper(set)
	switch {
	case !slices.Contains(baseline.Keys(os), key):
		return baseline.Fault("", baseline.CheckValues(os, "--property "+word, key, []string{baseline.Any}))
	case set != "" && os != "WINDOWS":
		return fault.Usagef("--patch-set is for Windows only")
	case set != "" && set != "OS" && set != "APPLICATION":
		return fault.Usagef("--patch-set %q is neither os nor application", strings.ToLower(set))
	}
	ro, err := cli.ListOptions(env, propertyTable)
	if err != nil {
		return err
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	return cli.WriteSeq(env, propertyTable, ro, iter.Seq2[propertyRow, error](func(yield func(propertyRow, error) bool) {
		for fields, err := range svc.Properties(ctx, os, key, set) {
			if !yield(propertyRow{os, word, propertyName(fields), fields}, err) {
				return
			}
		}
	}))
}

// propertyName is the value among the fields: Name, else the first there is.
func propertyName(fields map[string]string) string {
	if name := fields["Name"]; name != "" {
		return name
	}
	least := ""
	for k := range fields {
		if least == "" || k < least {
			least = k
		}
	}
	return fields[least]
}

func propertyTable(render.Options) render.Table[propertyRow] {
	return render.Table[propertyRow]{
		ID: func(r propertyRow) string { return r.Value }, Empty: "the service knows no value",
		Columns: []render.Column[propertyRow]{
			{Name: "VALUE", Text: func(r propertyRow) string { return r.Value }},
			{Name: "PRODUCT FAMILY", Text: func(r propertyRow) string { return r.Fields["ProductFamily"] }},
			{Name: "OS", Wide: true, Text: func(r propertyRow) string { return r.OS }},
		},
	}
}
