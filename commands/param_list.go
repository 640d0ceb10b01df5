package commands

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newParamListCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:               "list [path]",
		Aliases:           []string{"ls"},
		Short:             "List parameters, without their values",
		Long:              `List parameters by name. No value is read.`,
		Example:           `  $ ssmdeck param list /app/prod`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeParamPath(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := listOptions(env, parameterTable)
			if err != nil {
				return err
			}
			svc, err := env.Parameters(cmd.Context())
			if err != nil {
				return err
			}
			var q parameter.Query
			if len(args) > 0 {
				q.Path = args[0]
			}
			return writeSeq(env, parameterTable, ro, svc.List(cmd.Context(), q))
		},
	}
}

func parameterTable(o render.Options) render.Table[parameter.Parameter] {
	type row = parameter.Parameter
	return render.Table[row]{
		ID: func(p row) string { return p.Name }, Empty: "no parameters",
		Columns: []render.Column[row]{
			{Name: "NAME", ID: true, Text: func(p row) string { return p.Name }},
			{Name: "TYPE", Text: func(p row) string { return p.Type }},
			agoColumn(o, "MODIFIED", func(p row) time.Time { return p.Modified }),
		},
	}
}
