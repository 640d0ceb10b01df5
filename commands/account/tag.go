package account

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/accountdata"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// tagKind is a kind of thing that Systems Manager keeps tags of.
type tagKind struct {
	api    string   // ResourceType
	words  []string // what people may write before the slash, the usual one first
	prefix string   // of its ids, when they tell what they are
}

var tagKinds = []tagKind{
	{api: "ManagedInstance", words: []string{"node", "instance"}, prefix: "mi-"},
	{api: "Parameter", words: []string{"param", "parameter"}},
	{api: "Document", words: []string{"document", "doc"}},
	{api: "MaintenanceWindow", words: []string{"window"}, prefix: "mw-"},
	{api: "PatchBaseline", words: []string{"baseline"}, prefix: "pb-"},
	{api: "OpsItem", words: []string{"opsitem"}, prefix: "oi-"},
	{api: "OpsMetadata", words: []string{"opsmetadata"}},
	{api: "Automation", words: []string{"automation", "auto"}},
	{api: "Association", words: []string{"association", "assoc"}},
	{api: "CloudConnector", words: []string{"cloud-connector", "connector"}},
}

// NewTagCmd is `ssmdeck tag`.
func NewTagCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tag <command>",
		Aliases: []string{"tags"},
		Short:   "Tags of nodes, parameters, documents and the rest",
		Long: `Show and change the tags that Systems Manager keeps. A thing is named by its type
and its id: param//app/prod/url, document/restart, window/mw-0123456789abcdef0.
Where the id tells what it is (mi-, mw-, pb-, oi-) the type may be left out.

Types: ` + strings.Join(tagKindWords(), ", ") + `

EC2 instances (i-...) have their tags in EC2: ` + "`ssmdeck node tag`" + ` changes those.`,
		Example: `  $ ssmdeck tag list document/restart
  $ ssmdeck tag add param//app/prod/url team=shop env=prod
  $ ssmdeck tag remove mi-0123456789abcdef0 env`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, tagList.command, tagAdd.command, tagRemove.command)
	return cmd
}

func tagKindWords() []string {
	words := make([]string, len(tagKinds))
	for i, k := range tagKinds {
		words[i] = k.words[0]
	}
	return words
}

// tagThing is the argument that names what has the tags. It fills two fields, so
// thingFields does it.
var tagThing = declaredInput{name: "type/id", value: func(text string) (any, error) {
	_, _, err := thing(text)
	return nil, err
}, words: func() []string {
	words := tagKindWords()
	for i := range words {
		words[i] += "/"
	}
	return words
}}

var tagList = declared{
	use: "list <type/id>", aliases: []string{"ls"}, short: "List the tags of a thing",
	example:   "  $ ssmdeck tag list param//app/prod/url\n  $ ssmdeck tag list mi-0123456789abcdef0 -o json",
	operation: "ListTagsForResource", args: []declaredInput{tagThing}, before: thingFields,
	about: "tags of %s", items: "TagList", id: "Key", empty: "it has no tags",
	columns: []declaredColumn{{name: "KEY", path: "Key"}, {name: "VALUE", path: "Value"}},
}

var tagAdd = declared{
	use: "add <type/id> <key=value>...", short: "Give a thing tags",
	long: `Give a thing tags. A key that it has already gets the new value; which those are
is shown and asked about.`,
	example:   "  $ ssmdeck tag add document/restart team=shop\n  $ ssmdeck tag add mi-0123456789abcdef0 env=prod role=web --yes",
	operation: "AddTagsToResource",
	args:      []declaredInput{tagThing, {name: "key=value", field: "Tags", value: cli.ParseTag, rest: true}},
	about:     "tag %s",
	before:    overwriting, done: "%s has the tags",
}

var tagRemove = declared{
	use: "remove <type/id> <key>...", aliases: []string{"rm"}, short: "Take tags from a thing",
	example:   "  $ ssmdeck tag remove document/restart team",
	operation: "RemoveTagsFromResource",
	args:      []declaredInput{tagThing, {name: "key", field: "TagKeys", value: cli.TagKey, rest: true}},
	about:     "untag %s",
	before:    thingFields, confirm: "take these tags from %s", done: "%s has the tags no more",
}

// thing reads TYPE/ID.
func thing(word string) (kind tagKind, id string, err error) {
	if strings.HasPrefix(word, "i-") || strings.HasPrefix(word, "node/i-") {
		return kind, "", fault.Usagef("%s is an EC2 instance: EC2 keeps its tags, not Systems Manager", strings.TrimPrefix(word, "node/")).
			WithHint("`ssmdeck node tag %s key=value` changes them", strings.TrimPrefix(word, "node/"))
	}
	head, id, cut := strings.Cut(word, "/")
	if cut && id != "" {
		for _, k := range tagKinds {
			if slices.Contains(k.words, strings.ToLower(head)) || strings.EqualFold(k.api, head) {
				return k, id, nil
			}
		}
	}
	for _, k := range tagKinds {
		if k.prefix != "" && strings.HasPrefix(word, k.prefix) {
			return k, word, nil
		}
	}
	e := fault.Usagef("%q does not say what it is", word)
	if slices.ContainsFunc(tagKinds, func(k tagKind) bool { return slices.Contains(k.words, strings.ToLower(head)) }) {
		return kind, "", e.WithHint("write the id behind it, in one word: %s/ID", head)
	}
	if near := fault.Nearest(head, tagKindWords()); cut && near != "" {
		return kind, "", e.WithHint("did you mean %s/%s?", near, id)
	}
	return kind, "", e.WithHint("write the type before the id: param/%s; types are %s", strings.TrimPrefix(word, "/"), strings.Join(tagKindWords(), ", "))
}

func thingFields(_ context.Context, _ *cli.Env, _ *rawapi.Service, r *rawapi.Request, args []string) (ask string, err error) {
	kind, id, err := thing(args[0])
	if err != nil {
		return "", err
	}
	r.Set("ResourceType", kind.api)
	r.Set("ResourceId", id)
	return "", nil
}

// overwriting shows which values a new tag replaces, and has it asked when there are
// any.
func overwriting(ctx context.Context, env *cli.Env, svc *rawapi.Service, r *rawapi.Request, args []string) (ask string, err error) {
	if _, err := thingFields(ctx, env, svc, r, args); err != nil {
		return "", err
	}
	given := map[string]string{}
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		if old, twice := given[key]; twice && old != value {
			return "", fault.Usagef("the tag %s is given two values", key)
		}
		given[key] = value
	}
	kind, id, _ := thing(args[0])
	answer, err := svc.Do(ctx, "ListTagsForResource", map[string]any{"ResourceType": kind.api, "ResourceId": id})
	switch {
	case fault.KindOf(err) == fault.Auth:
		return "give " + args[0] + " tags, and replace those it has under these keys (they could not be read)", nil
	case err != nil:
		return "", accountdata.About("tag "+args[0], err)
	}
	var now struct {
		TagList []struct{ Key, Value string }
	}
	if err := json.Unmarshal(answer, &now); err != nil {
		return "", fault.New(fault.Failed, "list tags of "+args[0], "%w", err)
	}
	replaced, same := 0, 0
	for _, t := range now.TagList {
		switch value, ok := given[t.Key]; {
		case ok && value == t.Value:
			same++
		case ok:
			replaced++
			env.Note("  %s: %s -> %s", render.Visible(t.Key), render.Visible(t.Value), render.Visible(value))
		}
	}
	if same == len(given) {
		env.Note("no change: %s has these tags already", args[0])
		return "", errNoChange
	}
	if replaced == 0 {
		return "", nil
	}
	return "replace " + cli.Plural(replaced, "tag") + " of " + args[0], nil
}
