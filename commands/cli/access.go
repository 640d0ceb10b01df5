package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/access"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Access returns the service that knows access requests.
func (e *Env) Access(ctx context.Context) (*access.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return access.New(scope.SSM()), nil
}

// BindAccess declares --access-request on a command that opens sessions.
func (e *Env) BindAccess(cmd *cobra.Command) {
	cmd.Flags().StringVar(&e.AccessRequest, "access-request", "", "open sessions with the approved access request of this `id`")
	_ = cmd.RegisterFlagCompletionFunc("access-request", e.CompleteAccessRequest)
}

// accessScope is scope with the credentials of --access-request. They are
// fetched once now, so that a request without them is told before anything else
// is tried.
func (e *Env) accessScope(ctx context.Context, scope *awsapi.Scope) (*awsapi.Scope, error) {
	if err := access.CheckID(e.AccessRequest); err != nil {
		return nil, err
	}
	with := scope.With(access.New(scope.SSM()).Credentials(e.AccessRequest))
	if _, err := with.Config().Credentials.Retrieve(ctx); err != nil {
		return nil, awsapi.Explain("use access request "+e.AccessRequest, err)
	}
	return with, nil
}

// CompleteAccessRequest completes the ids of requests that are not over.
func (e *Env) CompleteAccessRequest(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	ctx, cancel := context.WithTimeout(cmd.Context(), CompletionWait)
	defer cancel()
	svc, err := e.Access(ctx)
	if err != nil {
		return nil, none
	}
	var words []string
	for r, err := range svc.List(ctx, access.Filter{}) {
		if err != nil {
			return nil, none
		}
		if r.Status == "Approved" || r.Status == "PendingApproval" {
			words = append(words, r.ID+"\t"+r.Node+" "+r.Status)
		}
	}
	return words, none
}
