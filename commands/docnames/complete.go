package docnames

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// RunnableVersions ends the help of --doc-version where a version is run, which the
// service takes by number alone.
const RunnableVersions = " `version` of the document: its number, latest or default"

// BindVersion declares --doc-version.
func BindVersion(env *cli.Env, cmd *cobra.Command, to *string, usage string) {
	cmd.Flags().StringVar(to, "doc-version", "", usage+" `version`: its number, latest, default, or its name")
	_ = cmd.RegisterFlagCompletionFunc("doc-version", func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return VersionWords(cmd.Context(), env, args[0]), cobra.ShellCompDirectiveNoFileComp
	})
}

// VersionWords are the versions of a document for completion.
func VersionWords(ctx context.Context, env *cli.Env, name string) []string {
	const most = 50
	ctx, cancel := context.WithTimeout(ctx, cli.CompletionWait)
	defer cancel()
	words := []string{"latest", "default"}
	svc, err := env.Documents(ctx)
	if err != nil {
		return words
	}
	for v, err := range svc.Versions(ctx, name) {
		if err != nil || len(words) > most {
			break
		}
		about := render.Timestamp(v.Created)
		if v.IsDefault {
			about += " default"
		}
		words = append(words, v.Number+"\t"+about)
		if v.Name != "" {
			words = append(words, v.Name+"\tversion "+v.Number)
		}
	}
	return words
}

// WrongKind says how a document of another type is run.
func WrongKind(doc document.Document, want string) error {
	err := fault.Usagef("document %s is of type %s, and this runs those of type %s", doc.Name, doc.Type, want)
	switch doc.Type {
	case "Automation":
		return err.WithHint("run it with `ssmdeck automation start %s`", doc.Name)
	case "Command":
		return err.WithHint("run it with `ssmdeck run --document %s`", doc.Name)
	}
	return err
}

// RememberDocument keeps a document's parameters for completion.
func RememberDocument(env *cli.Env, doc document.Document, name, version string) {
	s, err := env.Settings()
	if err != nil || s.CacheDir == "" || env.Opened() == nil || doc.BuiltIn {
		return
	}
	doc.Name = name
	_ = document.Cache{Dir: s.CacheDir}.StoreDocument(documentCacheKey(env), version, time.Now(), doc)
}

func documentCacheKey(env *cli.Env) string {
	k := env.CacheKey(env.Opened())
	return fmt.Sprintf("%s\n%s\n%s", k.Profile, k.Region, k.Endpoint)
}

// CachedDocument is a document for completion: from the cache, or asked for in the
// time that a key press may take.
func CachedDocument(ctx context.Context, env *cli.Env, name, version string) (document.Document, bool) {
	if name == "" {
		return document.Document{}, false
	}
	s, err := env.Settings()
	if err != nil {
		return document.Document{}, false
	}
	if _, err := env.Scope(ctx); err != nil { // it calls nobody
		return document.Document{}, false
	}
	if doc, ok := (document.Cache{Dir: s.CacheDir}).Document(documentCacheKey(env), name, version, time.Now()); ok {
		return doc, true
	}
	ctx, cancel := context.WithTimeout(ctx, cli.CompletionWait)
	defer cancel()
	svc, err := env.Documents(ctx)
	if err != nil {
		return document.Document{}, false
	}
	doc, err := svc.Describe(ctx, name, version)
	if err != nil {
		return document.Document{}, false
	}
	RememberDocument(env, doc, name, version)
	return doc, true
}

// documentNames are the names for completion, of a type or of all: from the cache
// that `document list` fills, or those that begin with what was typed.
func documentNames(ctx context.Context, env *cli.Env, kind, typed string) []string {
	s, err := env.Settings()
	if err != nil {
		return nil
	}
	if _, err := env.Scope(ctx); err != nil {
		return nil
	}
	names, ok := document.Cache{Dir: s.CacheDir}.Names(documentCacheKey(env), time.Now())
	if !ok {
		names = someDocuments(ctx, env, document.Filter{Prefix: typed}, kind)
	}
	var words []string
	for _, n := range names {
		if kind == "" || n.Type == kind {
			words = append(words, n.Name+"\t"+n.Type)
		}
	}
	return words
}

// someDocuments asks for a page of names.
func someDocuments(ctx context.Context, env *cli.Env, f document.Filter, kind string) (names []document.CachedName) {
	const most = 50
	if kind != "" {
		f.Types = []string{kind}
	}
	ctx, cancel := context.WithTimeout(ctx, cli.CompletionWait)
	defer cancel()
	svc, err := env.Documents(ctx)
	if err != nil {
		return nil
	}
	for d, err := range svc.List(ctx, f) {
		if err != nil || len(names) == most {
			break
		}
		names = append(names, document.CachedName{Name: d.Name, Type: d.Type})
	}
	return names
}

// RememberNames keeps all names, which were listed anyway, for completion.
func RememberNames(env *cli.Env, all []document.CachedName) {
	s, err := env.Settings()
	if err != nil || s.CacheDir == "" || env.Opened() == nil {
		return
	}
	_ = document.Cache{Dir: s.CacheDir}.StoreNames(documentCacheKey(env), time.Now(), all)
}

// CompleteDocuments completes names of documents of a type; "" is any.
func CompleteDocuments(env *cli.Env, kind string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return documentNames(cmd.Context(), env, kind, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteDocument completes the first argument.
func CompleteDocument(env *cli.Env, kind string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return CompleteDocuments(env, kind)(cmd, args, typed)
	}
}

// ParamWords completes NAME=VALUE for a document.
func ParamWords(doc document.Document, typed string) (words []string) {
	given, _, hasValue := strings.Cut(typed, "=")
	for _, p := range doc.Parameters {
		switch {
		case !hasValue:
			words = append(words, p.Name+"=\t"+p.Description)
		case p.Name == given:
			for _, v := range p.AllowedValues {
				words = append(words, p.Name+"="+v)
			}
		}
	}
	return words
}
