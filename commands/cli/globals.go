package cli

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// Globals are the flags that every command takes.
type Globals struct {
	Set *pflag.FlagSet

	config    string
	Query     string
	columns   []string
	sortBy    string
	noHeaders bool
	limit     int
	profiles  repeated
	regions   several
	parallel  int
	Quiet     bool
	Yes       bool
	Progress  string
}

// Bind declares the flags on a command's persistent set.
func (g *Globals) Bind(fs *pflag.FlagSet) {
	g.Set = fs
	for _, f := range []struct{ name, short, usage string }{
		{"endpoint-url", "", "`URL` of Systems Manager: the simulator, a VPC endpoint"},
		{"context", "", "named `context` of the configuration file"},
		{"output", "o", "output `format`: table, wide, json, jsonl, yaml, csv, text, name"},
		{"color", "", "`when` to use colour: auto, always, never"},
		{"theme", "", "colour `theme`: auto, dark, light, dusk, dawn, contrast, contrast-light, plain, or your own"},
		{"log-file", "", "write the log to `file`"},
	} {
		fs.VarP(&once{name: f.name}, f.name, f.short, f.usage)
	}
	g.profiles, g.regions = nil, nil
	fs.VarP(&g.profiles, "profile", "p", "AWS `profile` to use; lists take several")
	fs.VarP(&g.regions, "region", "r", "AWS `Region` to work in; lists take several, or all")
	fs.Var(&several{}, "regions", "list from these `Regions`, with commas, or all")
	fs.Bool("all-regions", false, "list from every Region that is enabled")
	fs.Var(&several{}, "accounts", "list from these `accounts`: ids with commas, ou:ID, org")
	fs.Var(&once{name: "role"}, "role", "`name` or ARN of the role to assume in each of --accounts")
	fs.Var(&once{name: "external-id"}, "external-id", "external `id` that the role wants")
	fs.IntVar(&g.parallel, "parallel", grid.DefaultParallel, "ask `n` accounts and Regions at a time")
	fs.StringVar(&g.config, "config", "", "configuration `file`")
	fs.StringVar(&g.Query, "query", "", "JMESPath `expression` applied to the answer before it is printed")
	fs.StringSliceVar(&g.columns, "columns", nil, "`columns` to show, in this order")
	fs.StringVar(&g.sortBy, "sort-by", "", "`column` to sort by; -column reverses")
	fs.BoolVar(&g.noHeaders, "no-headers", false, "leave out the header line")
	fs.IntVar(&g.limit, "limit", 0, "stop after `n` items")
	fs.Bool("json", false, "short for -o json")
	fs.Bool("ascii", false, "draw with ASCII characters only")
	fs.Bool("no-color", false, "short for --color never")
	fs.Bool("read-only", false, "refuse every operation that changes something")
	fs.Bool("no-input", false, "never ask; fail instead")
	fs.Bool("debug", false, "log every API call, with secrets masked")
	fs.BoolVarP(&g.Quiet, "quiet", "q", false, "print results and errors only")
	fs.BoolVarP(&g.Yes, "yes", "y", false, "answer yes to confirmations")
	fs.StringVar(&g.Progress, "progress", "auto", "`kind` of progress on standard error: auto, bar, plain, json, none")
}

// Typed returns the flags that were typed and are settings.
func (g *Globals) Typed() map[config.Key]string {
	typed := map[config.Key]string{}
	if g.Set == nil {
		return typed
	}
	keys := map[string]config.Key{
		"accounts": config.Accounts, "role": config.Role, "external-id": config.ExternalID, "endpoint-url": config.EndpointURL, "context": config.Context,
		"output": config.Output, "color": config.Color, "theme": config.Theme, "log-file": config.LogFile,
		"ascii": config.ASCII, "read-only": config.ReadOnly, "no-input": config.NoPrompt, "debug": config.Debug,
	}
	g.Set.VisitAll(func(f *pflag.Flag) {
		if !f.Changed { // a flag is set on the set of the command that was called
			return
		}
		switch f.Name {
		case "json":
			if on, _ := strconv.ParseBool(f.Value.String()); on {
				typed[config.Output] = "json"
			}
		case "profile":
			if len(g.profiles) == 1 {
				typed[config.Profile] = g.profiles[0]
			}
		case "region", "regions", "all-regions":
			if all := g.typedRegions(); len(all) == 1 && all[0] != grid.All {
				typed[config.Region] = all[0]
			} else if len(all) > 0 {
				typed[config.Regions] = strings.Join(all, ",")
			}
		case "no-color":
			if on, _ := strconv.ParseBool(f.Value.String()); on {
				typed[config.Color] = "never"
			}
		default:
			if key, ok := keys[f.Name]; ok {
				typed[key] = f.Value.String()
			}
		}
	})
	return typed
}

// typedRegions are the Regions of -r, --regions and --all-regions together.
func (g *Globals) typedRegions() []string {
	all := slices.Clone([]string(g.regions))
	if f := g.Set.Lookup("regions"); f != nil {
		all = append(all, *f.Value.(*several)...)
	}
	if on, _ := g.Set.GetBool("all-regions"); on {
		all = append(all, grid.All)
	}
	return grid.Words(all...)
}

// repeated is a text flag that may be given several times, each word once.
type repeated []string

func (r *repeated) String() string { return strings.Join(*r, ",") }
func (r *repeated) Type() string   { return "string" }

func (r *repeated) Set(v string) error {
	if !slices.Contains(*r, v) {
		*r = append(*r, v)
	}
	return nil
}

// several is a text flag that may be given several times, and takes several words
// with commas between them. The order is kept, and each word is there once.
type several []string

func (s *several) String() string { return strings.Join(*s, ",") }
func (s *several) Type() string   { return "string" }

func (s *several) Set(v string) error {
	words := grid.Words(v)
	if len(words) == 0 {
		return errors.New("is empty")
	}
	*s = grid.Words(append(*s, words...)...)
	return nil
}

// once is a text flag that may be given once only: of two profiles or Regions
// the last must not silently win.
type once struct {
	name  string
	value string
	given bool
}

func (o *once) String() string { return o.value }
func (o *once) Type() string   { return "string" }

func (o *once) Set(v string) error {
	if o.given && v != o.value {
		return errors.New("given twice, with different values")
	}
	o.value, o.given = v, true
	return nil
}
