package commands

import (
	"errors"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/internal/config"
)

// globals are the flags that every command takes.
type globals struct {
	set *pflag.FlagSet

	config    string
	query     string
	columns   []string
	sortBy    string
	noHeaders bool
	limit     int
	quiet     bool
	yes       bool
	progress  string
}

// bind declares the flags on a command's persistent set.
func (g *globals) bind(fs *pflag.FlagSet) {
	g.set = fs
	for _, f := range []struct{ name, short, usage string }{
		{"profile", "p", "AWS `profile` to use"},
		{"region", "r", "AWS `Region` to work in"},
		{"endpoint-url", "", "`URL` of Systems Manager: the simulator, a VPC endpoint"},
		{"context", "", "named `context` of the configuration file"},
		{"output", "o", "output `format`: table, wide, json, jsonl, yaml, csv, text, name"},
		{"color", "", "`when` to use colour: auto, always, never"},
		{"theme", "", "colour `theme`: dark, light, plain"},
		{"log-file", "", "write the log to `file`"},
	} {
		fs.VarP(&once{name: f.name}, f.name, f.short, f.usage)
	}
	fs.StringVar(&g.config, "config", "", "configuration `file`")
	fs.StringVar(&g.query, "query", "", "JMESPath `expression` applied to the answer before it is printed")
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
	fs.BoolVarP(&g.quiet, "quiet", "q", false, "print results and errors only")
	fs.BoolVarP(&g.yes, "yes", "y", false, "answer yes to confirmations")
	fs.StringVar(&g.progress, "progress", "auto", "`kind` of progress on standard error: auto, bar, plain, json, none")
}

// typed returns the flags that were typed and are settings.
func (g *globals) typed() map[config.Key]string {
	typed := map[config.Key]string{}
	if g.set == nil {
		return typed
	}
	keys := map[string]config.Key{
		"profile": config.Profile, "region": config.Region, "endpoint-url": config.EndpointURL, "context": config.Context,
		"output": config.Output, "color": config.Color, "theme": config.Theme, "log-file": config.LogFile,
		"ascii": config.ASCII, "read-only": config.ReadOnly, "no-input": config.NoPrompt, "debug": config.Debug,
	}
	g.set.VisitAll(func(f *pflag.Flag) {
		if !f.Changed { // a flag is set on the set of the command that was called
			return
		}
		switch f.Name {
		case "json":
			if on, _ := strconv.ParseBool(f.Value.String()); on {
				typed[config.Output] = "json"
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
