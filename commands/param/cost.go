package param

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/accountdata"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// cost is what `param cost` says. The JSON names are part of the output contract.
type cost struct {
	Path string `json:"path,omitempty"` // when not all were counted
	parameter.Cost
	StandardLimit int           `json:"standard_limit"`
	AdvancedLimit int           `json:"advanced_limit"`
	AllAdvanced   parameter.USD `json:"usd_per_month_if_all_advanced"`
	DefaultTier   string        `json:"default_tier,omitempty"` // of new parameters; empty: not known
	// HighThroughput is true or false; empty when it is not known.
	HighThroughput string        `json:"high_throughput,omitempty"`
	CallPrice      parameter.USD `json:"usd_per_10000_calls"` // of what is not free
	// NearLimit and Unneeded are there when sizes were looked at.
	NearLimit []paramSize `json:"near_limit,omitempty"`
	Unneeded  []paramSize `json:"advanced_without_need,omitempty"`
	Prices    string      `json:"prices"`
}

// paramSize is a parameter and how large its value is.
type paramSize struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
}

// nearStandard is how large the value of a standard parameter is that will soon need the
// advanced tier, in bytes of 4,096.
const nearStandard = 3584

func newCostCmd(env *cli.Env) *cobra.Command {
	var sizes bool
	cmd := &cobra.Command{
		Use:   "cost [path | name | pattern]",
		Short: "What parameters cost, and how far the limits are",
		Long: `Count parameters by tier, and say what they cost in a month, how far the limits of the
account and Region are, and what its settings mean for new parameters and for calls.

--sizes reads the values, and shows none: standard parameters near 4 KB, which will need
the advanced tier, and advanced ones that do not need theirs, because they have no
policies, are small enough, and would be free as standard ones. An advanced parameter
cannot become standard again: it is deleted and made anew. Whether one is shared with
other accounts, which needs the tier, too, ` + "`ssmdeck param shared`" + ` knows.`,
		Example: `  $ ssmdeck param cost
  $ ssmdeck param cost /app/prod --sizes
  $ ssmdeck param cost --query usd_per_month`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeParamPath(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return costs(cmd.Context(), env, strings.Join(args, ""), sizes)
		},
	}
	cmd.Flags().BoolVar(&sizes, "sizes", false, "read the values, of SecureStrings too, and say which are near a limit")
	return cmd
}

func costs(ctx context.Context, env *cli.Env, where string, sizes bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := render.Object(io.Discard, ro, cost{}, func(d *render.Detail) { costDetails(d, cost{}) }); err != nil {
		return err
	}
	sel, err := parameter.Select(where)
	if err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	list, err := findParams(ctx, env, svc, sel, sizes, sizes)
	if err != nil {
		return err
	}
	c := cost{
		Cost: parameter.CostOf(list), StandardLimit: parameter.MaxStandard, AdvancedLimit: parameter.MaxAdvanced,
		AllAdvanced: parameter.AdvancedPrice(len(list)), CallPrice: parameter.AdvancedCalls, Prices: parameter.PricesOf,
	}
	if !sel.All() {
		c.Path = where
	}
	c.sizes(list)
	c.settings(ctx, env)
	return render.Object(env.Out, ro, c, func(d *render.Detail) { costDetails(d, c) })
}

// sizes finds the parameters near a limit among those whose values were read.
func (c *cost) sizes(list []parameter.Parameter) {
	for _, p := range list {
		size := paramSize{p.Name, len(p.Value)}
		switch {
		case p.Value == "":
		case p.Tier != parameter.Advanced && size.Bytes >= nearStandard:
			c.NearLimit = append(c.NearLimit, size)
		case p.Tier == parameter.Advanced && size.Bytes <= parameter.StandardBytes && len(p.Policies) == 0:
			c.Unneeded = append(c.Unneeded, size)
		}
	}
	slices.SortFunc(c.NearLimit, func(a, b paramSize) int { return b.Bytes - a.Bytes })
}

// settings reads what the account has decided; what it may not read stays empty.
func (c *cost) settings(ctx context.Context, env *cli.Env) {
	read := func(name string) string {
		id, err := accountdata.SettingID(name)
		if err != nil {
			return ""
		}
		svc, err := env.API(ctx)
		if err != nil {
			return ""
		}
		answer, err := svc.Do(ctx, "GetServiceSetting", map[string]any{"SettingId": id})
		if err != nil {
			env.Note("ssmdeck: note: the setting %s is not known: %s", name, cli.FirstLine(err))
			return ""
		}
		var out struct {
			ServiceSetting struct{ SettingValue string }
		}
		_ = json.Unmarshal(answer, &out) // of the model's shape
		return out.ServiceSetting.SettingValue
	}
	c.DefaultTier, c.HighThroughput = read("default-parameter-tier"), read("high-throughput-enabled")
}

func costDetails(d *render.Detail, c cost) {
	count := func(n, limit int) string {
		if c.Path != "" {
			return strconv.Itoa(n) + " below " + render.Visible(c.Path)
		}
		return fmt.Sprintf("%d of %s (%.1f %%)", n, thousands(limit), 100*float64(n)/float64(limit))
	}
	d.Human("standard", strconv.Itoa(c.Standard), count(c.Standard, c.StandardLimit)+", free")
	d.Human("advanced", strconv.Itoa(c.Advanced), fmt.Sprintf("%s, %v each", count(c.Advanced, c.AdvancedLimit), parameter.AdvancedMonth))
	d.Human("usd per month", usd(c.Monthly), c.Monthly.String()+", calls not counted")
	d.Human("if all were advanced", usd(c.AllAdvanced), c.AllAdvanced.String()+" a month")
	tiers := map[string]string{
		parameter.Standard:    "Standard: new parameters are free; one that needs more is refused unless it is asked for",
		parameter.Advanced:    fmt.Sprintf("Advanced: every new parameter costs %v a month", parameter.AdvancedMonth),
		parameter.Intelligent: fmt.Sprintf("Intelligent-Tiering: a new parameter over 4 KB or with policies becomes advanced by itself, %v a month", parameter.AdvancedMonth),
	}
	d.Human("default tier", c.DefaultTier, tiers[c.DefaultTier])
	calls := map[string]string{
		"true":  fmt.Sprintf("on: %v for each %s reads and writes, of standard parameters too", c.CallPrice, thousands(parameter.CallsUnit)),
		"false": fmt.Sprintf("off: only calls for advanced parameters cost, %v for each %s", c.CallPrice, thousands(parameter.CallsUnit)),
	}
	d.Human("higher throughput", c.HighThroughput, calls[c.HighThroughput])
	d.Field("prices", c.Prices)
	section := func(heading string, list []paramSize) {
		if len(list) == 0 {
			return
		}
		d.Section(heading)
		for _, p := range list {
			d.Human(p.Name, strconv.Itoa(p.Bytes), strconv.Itoa(p.Bytes)+" bytes")
		}
	}
	section("Standard, near 4 KB", c.NearLimit)
	section("Advanced, small and without policies", c.Unneeded)
}
