package param

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// paramSelect are the flags that narrow a choice of parameters.
type paramSelect struct {
	types, tiers []string
	keys, data   []string
	tags         []string
	names        []string
	prefixes     []string
	label, by    string
	since        cli.SinceFlag
	oneLevel     bool
	shared       bool
}

func (o *paramSelect) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.types, "type", nil, "only parameters of this `type`: string, stringlist, securestring")
	f.StringSliceVar(&o.tiers, "tier", nil, "only parameters of this `tier`: standard, advanced")
	f.StringSliceVar(&o.keys, "key", nil, "only SecureStrings under this KMS `key`, named as they name it")
	f.StringSliceVar(&o.data, "data-type", nil, "only parameters of this data `type`: text, aws:ec2:image, aws:ssm:integration")
	f.StringArrayVar(&o.tags, "tag", nil, "only parameters with the tag `KEY=VALUE`, or KEY with any value; several narrow")
	f.StringVar(&o.label, "label", "", "only parameters of which a version has this `label`; it is that version which is shown")
	f.StringArrayVar(&o.names, "name", nil, "only names that contain `text`; of several one")
	f.StringArrayVar(&o.prefixes, "prefix", nil, "only names that begin with `text`; of several one")
	f.StringVar(&o.by, "by", "", "only parameters last changed by somebody whose ARN contains `text`")
	o.since.Bind(cmd, "parameters changed")
	f.BoolVar(&o.oneLevel, "one-level", false, "only what is directly below the path")
	f.BoolVar(&o.shared, "shared", false, "what other accounts share with this one, instead of its own")
	cli.CompleteFlag(cmd, "type", func() []string { return cli.LowerAll(parameter.Types) })
	cli.CompleteFlag(cmd, "tier", func() []string { return cli.LowerAll(keptTiers) })
	cli.CompleteFlag(cmd, "data-type", func() []string { return parameter.DataTypes })
}

// keptTiers are the tiers that a parameter has; one more is for writing alone.
var keptTiers = []string{parameter.Standard, parameter.Advanced}

// selection reads the flags and the path, name or pattern that is given with them; all
// that is wrong is said at once.
func (o *paramSelect) selection(where string, now time.Time) (parameter.Selection, error) {
	s, err := parameter.Select(where)
	var faults faultList
	faults.add(err)
	s.Types, err = knownWords("--type", o.types, parameter.Types)
	faults.add(err)
	s.Tiers, err = knownWords("--tier", o.tiers, keptTiers)
	faults.add(err)
	s.Data, err = knownWords("--data-type", o.data, parameter.DataTypes)
	faults.add(err)
	s.Since, err = o.since.Time(now)
	faults.add(err)
	s.Tags, err = chosenTags(o.tags)
	faults.add(err)
	s.KeyIDs, s.Prefixes, s.Contains = o.keys, o.prefixes, append(s.Contains, o.names...)
	if len(o.names) > 0 {
		s.Contains = o.names // the pattern is held against names here, too
	}
	if o.label != "" {
		faults.add(parameter.CheckLabel(o.label))
	}
	s.Label, s.By, s.Shared = o.label, o.by, o.shared
	if o.oneLevel {
		s.OneLevel = true
		switch {
		case s.Pattern != nil:
			faults.add(fault.Usagef("--one-level and the pattern %q: the pattern says it", where).WithHint("* stays in one level, ** goes through all"))
		case s.Path == "":
			s.Path = "/"
		}
	}
	if o.shared && o.label != "" {
		faults.add(fault.Usagef("--shared and --label exclude each other: labels of other accounts cannot be looked for"))
	}
	return s, cli.AllFaults("choose parameters", faults)
}

// findParams finds the parameters of a selection, with values or without, and says on
// standard error how many it has read. Of several scopes none says so: they would write
// over each other. Values that are denied do not hide the others: they are missing, and
// the error says so.
func findParams(ctx context.Context, env *cli.Env, svc *parameter.Service, sel parameter.Selection, values, decrypt bool) ([]parameter.Parameter, error) {
	if env.Placed() == nil {
		progress, err := env.Progress()
		if err != nil {
			return nil, err
		}
		defer progress.Close()
		sel.Seen = func(n int) { progress.Set(render.Status{Label: "read parameters", Done: int64(n)}) }
	}
	if values {
		return svc.FindAllowed(ctx, sel, decrypt)
	}
	return svc.Find(ctx, sel)
}

// knownWords are words, in any case, as the service writes them.
func knownWords(flag string, words, known []string) (out []string, err error) {
	for _, w := range words {
		one, err := knownWord(flag, w, known)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func knownWord(flag, word string, known []string) (string, error) {
	for _, k := range known {
		if strings.EqualFold(k, strings.TrimSpace(word)) {
			return k, nil
		}
	}
	err := fault.Usagef("%s: %q is none", flag, word)
	if near := fault.Nearest(word, known); near != "" {
		return "", err.WithHint("did you mean %s?", strings.ToLower(near))
	}
	return "", err.WithHint("use: %s", strings.ToLower(strings.Join(known, ", ")))
}

// chosenTags reads --tag: KEY=VALUE, or KEY for any value.
func chosenTags(words []string) (map[string]string, error) {
	tags := map[string]string{}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		if _, again := tags[key]; again || key == "" {
			return nil, fault.Usagef("--tag %q: a key, once each", w).WithHint("write --tag KEY=VALUE, or --tag KEY for any value; several narrow")
		}
		tags[key] = value
	}
	return tags, nil
}
