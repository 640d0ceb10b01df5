package account

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
)

// NewSyncCmd is `ssmdeck sync`.
func NewSyncCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "sync <command>",
		Aliases: []string{"syncs", "resource-data-sync"},
		Short:   "Resource data syncs: inventory to S3, Explorer from other accounts",
		Long: `A resource data sync either writes the inventory of the account to an S3 bucket
(--bucket), or collects OpsData from Regions and accounts of an organization for
Explorer (--source).`,
		Example: "  $ ssmdeck sync list\n  $ ssmdeck sync create inventory --bucket company-inventory --bucket-region eu-west-1",
		Args:    cobra.ArbitraryArgs,
		RunE:    cli.RunGroup,
	}
	env.Subcommands(cmd, syncList.command, newSyncCreateCmd, syncUpdate.command, syncDelete.command)
	return cmd
}

// The types of syncs (API reference, CreateResourceDataSync).
const (
	syncToDestination = "SyncToDestination"
	syncFromSource    = "SyncFromSource"
)

var syncTypes = func() []string { return []string{syncToDestination, syncFromSource} }

var syncList = declared{
	use: "list", aliases: []string{"ls"}, short: "List the syncs and how they last went",
	example:   "  $ ssmdeck sync list\n  $ ssmdeck sync list --type SyncFromSource -o wide",
	operation: "ListResourceDataSync", id: "SyncName", empty: "there is no resource data sync",
	flags: []declaredInput{{name: "type", field: "SyncType", usage: "only syncs of this `type`: SyncToDestination, SyncFromSource", words: syncTypes}},
	columns: []declaredColumn{
		{name: "NAME", path: "SyncName"},
		{name: "TYPE", path: "SyncType"},
		{name: "STATUS", path: "LastStatus"},
		{name: "LAST SYNC", path: "LastSyncTime", time: true},
		{name: "LAST SUCCESS", path: "LastSuccessfulSyncTime", time: true},
		{name: "BUCKET", path: "S3Destination.BucketName"},
		{name: "SOURCE", path: "SyncSource.SourceType"},
		{name: "STATE", path: "SyncSource.State", wide: true},
		{name: "MESSAGE", path: "LastSyncStatusMessage", wide: true},
		{name: "CREATED", path: "SyncCreatedTime", wide: true, time: true},
	},
}

var syncUpdate = declared{
	use: "update <name>", short: "Change where a sync from other Regions and accounts collects",
	long: `Change the source of a sync of type SyncFromSource. The source is replaced as a
whole; write it as JSON, YAML, file://path, or in the AWS CLI's shorthand.`,
	example: "  $ ssmdeck sync update explorer --source SourceType=SingleAccountMultiRegions,SourceRegions=us-east-1,eu-west-1\n" +
		"  $ ssmdeck sync update explorer --source file://source.json --dry-run",
	operation: "UpdateResourceDataSync",
	args:      []declaredInput{{name: "name", field: "SyncName"}},
	flags:     []declaredInput{{name: "source", field: "SyncSource", usage: "the whole `source`"}},
	about:     "update sync %s", fixed: map[string]any{"SyncType": syncFromSource}, done: "%s collects from its new source",
}

var syncDelete = declared{
	use: "delete <name>", aliases: []string{"rm"}, short: "Delete a sync; what it has written stays",
	example:   "  $ ssmdeck sync delete inventory\n  $ ssmdeck sync delete explorer --type SyncFromSource",
	operation: "DeleteResourceDataSync", args: []declaredInput{{name: "name", field: "SyncName"}},
	flags: []declaredInput{{name: "type", field: "SyncType", usage: "`type` of the sync, where two have one name", words: syncTypes}},
	about: "delete sync %s", confirm: "delete the resource data sync %s", done: "%s is deleted; what it has written stays",
}

// newSyncCreateCmd is declared but for the flags that make up the destination.
func newSyncCreateCmd(env *cli.Env) *cobra.Command {
	var bucket, prefix, region, key string
	d := declared{
		use: "create <name>", aliases: []string{"new"}, short: "Make a sync to a bucket, or from other Regions and accounts",
		long: `Make a sync. With --bucket the inventory of the account is written to S3, whose
policy must let Systems Manager write. With --source, Explorer collects from
Regions and accounts; write the source as JSON, YAML, file://path, or in the AWS
CLI's shorthand.`,
		example: `  $ ssmdeck sync create inventory --bucket company-inventory --bucket-region eu-west-1 --prefix ssm
  $ ssmdeck sync create explorer --source SourceType=SingleAccountMultiRegions,SourceRegions=us-east-1,eu-west-1`,
		operation: "CreateResourceDataSync", args: []declaredInput{{name: "name", field: "SyncName"}},
		flags: []declaredInput{{name: "source", field: "SyncSource", usage: "collect from this `source` instead of writing to a bucket"}},
		about: "create sync %s", done: "%s is made; `ssmdeck sync list` shows how its first run went",
		before: func(ctx context.Context, env *cli.Env, _ *rawapi.Service, r *rawapi.Request, _ []string) (ask string, err error) {
			source := r.Given("SyncSource")
			switch {
			case source == (bucket != ""):
				return "", fault.Usagef("give either --bucket or --source").WithHint("--bucket writes inventory to S3; --source collects for Explorer")
			case source && prefix+region+key != "":
				return "", fault.Usagef("--prefix, --bucket-region and --key belong to --bucket")
			case source:
				r.Set("SyncType", syncFromSource)
				return "", nil
			}
			if region == "" {
				region = regionName(ctx, env)
			}
			to := map[string]any{"BucketName": bucket, "Region": region, "SyncFormat": "JsonSerDe"}
			if prefix != "" {
				to["Prefix"] = prefix
			}
			if key != "" {
				to["AWSKMSKeyARN"] = key
			}
			r.Set("S3Destination", to)
			return "", nil
		},
	}
	cmd := d.command(env)
	cmd.Flags().StringVar(&bucket, "bucket", "", "write to this S3 `bucket`")
	cmd.Flags().StringVar(&prefix, "prefix", "", "`prefix` of the objects")
	cmd.Flags().StringVar(&region, "bucket-region", "", "`Region` of the bucket; this one when not given")
	cmd.Flags().StringVar(&key, "key", "", "`ARN` of the KMS key for the objects")
	return cmd
}
