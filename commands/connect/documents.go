package connect

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
)

// sessionParams checks what was given for a session document against it, before
// a session is started. Where the document may not be read, the values go to
// the service as they are. provided names parameters that the caller fills in.
func sessionParams(ctx context.Context, env *cli.Env, name string, given docnames.Params, provided ...string) (map[string][]string, error) {
	svc, err := env.Documents(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := svc.Describe(ctx, name, "")
	switch {
	case fault.KindOf(err) == fault.Auth:
		return given.Unchecked(env)
	case fault.KindOf(err) == fault.NotFound:
		return nil, fault.New(fault.NotFound, "", "session document %s does not exist here", name).
			WithHint("check the name, and that the document is in this Region")
	case err != nil:
		return nil, err
	case doc.Type != "" && doc.Type != "Session":
		return nil, fault.Usagef("document %s is of type %s: sessions need one of type Session", name, doc.Type).
			WithHint("for a document of type Command there is `ssmdeck run --document %s`", name)
	}
	params, err := given.Checked(env, doc, provided...)
	if err != nil {
		return nil, err
	}
	for _, p := range provided {
		if _, ok := doc.Parameter(p); !ok {
			return nil, fault.Usagef("document %s has no parameter %s", name, p)
		}
	}
	return params, nil
}

// documentParams checks the parameters for the document of a session, and turns
// --user into a document and its parameter.
func (o *ShellOptions) documentParams(ctx context.Context, env *cli.Env, req *sessions.Request, provided ...string) (map[string][]string, error) {
	if o.user == "" {
		if o.document == "" {
			return nil, nil
		}
		return sessionParams(ctx, env, o.document, o.params, provided...)
	}
	if req.Document == "" {
		req.Document = preferences.RunAsDocument
	}
	with := o.params
	with.Pairs = append([]string{preferences.UserParameter + "=" + o.user}, with.Pairs...)
	params, err := sessionParams(ctx, env, req.Document, with)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.NotFound, "run the shell as "+o.user, "document %s does not exist here", req.Document).
			WithHint("make it with `ssmdeck session prefs create-run-as-document --allow %s`", o.user)
	}
	return params, err
}

// completeRunAs completes the users that the run-as document allows.
func completeRunAs(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		ctx, cancel := context.WithTimeout(cmd.Context(), cli.CompletionWait)
		defer cancel()
		svc, err := env.Documents(ctx)
		if err != nil {
			return nil, none
		}
		name, _ := cmd.Flags().GetString("document")
		doc, err := svc.Describe(ctx, cmp.Or(name, preferences.RunAsDocument), "")
		if err != nil {
			return nil, none
		}
		p, _ := doc.Parameter(preferences.UserParameter)
		return p.AllowedValues, none
	}
}

// CompleteSessionDocument completes the names of Session documents.
func CompleteSessionDocument(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		return docnames.CompleteDocuments(env, "Session")(cmd, args, typed)
	}
}

// completeParam completes the parameters of the document in --document.
func completeParam(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		name, _ := cmd.Flags().GetString("document")
		doc, ok := docnames.CachedDocument(cmd.Context(), env, name, "")
		if !ok {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return docnames.ParamWords(doc, typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}
