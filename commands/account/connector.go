package account

import (
	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
)

// NewConnectorCmd is `ssmdeck connector`.
func NewConnectorCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "cloud-connector <command>",
		Aliases: []string{"cloud-connectors"},
		Short:   "Connectors to other clouds, whose machines become nodes",
		Example: "  $ ssmdeck cloud-connector list",
		Args:    cobra.ArbitraryArgs,
		RunE:    cli.RunGroup,
	}
	env.Subcommands(cmd, connectorList.command, connectorGet.command, connectorCreate.command, connectorUpdate.command,
		connectorValidate.command, connectorDelete.command)
	return cmd
}

var (
	connectorID     = declaredInput{name: "id", field: "CloudConnectorId"}
	connectorConfig = declaredInput{name: "configuration", field: "Configuration", usage: "`configuration` as JSON, YAML or file://path"}
)

var connectorList = declared{
	use: "list", aliases: []string{"ls"}, short: "List the connectors",
	example:   "  $ ssmdeck cloud-connector list",
	operation: "ListCloudConnectors", id: "CloudConnectorId", empty: "there is no cloud connector",
	columns: []declaredColumn{
		{name: "CONNECTOR ID", path: "CloudConnectorId", id: true},
		{name: "NAME", path: "DisplayName"},
		{name: "DESCRIPTION", path: "Description"},
		{name: "UPDATED", path: "UpdatedAt", time: true},
		{name: "CREATED", path: "CreatedAt", time: true, wide: true},
		{name: "ROLE", path: "RoleArn", wide: true, id: true},
	},
}

var connectorGet = declared{
	use: "get <id>", aliases: []string{"show"}, short: "Show a connector",
	example:   "  $ ssmdeck cloud-connector get cc-0123456789abcdef0 -o yaml",
	operation: "GetCloudConnector", args: []declaredInput{connectorID}, about: "get cloud connector %s", id: "CloudConnectorArn",
	columns: []declaredColumn{
		{name: "NAME", path: "DisplayName"},
		{name: "ARN", path: "CloudConnectorArn"},
		{name: "DESCRIPTION", path: "Description"},
		{name: "ROLE", path: "RoleArn"},
		{name: "CONFIG CONNECTOR", path: "ConfigConnectorArn"},
		{name: "CONFIGURATION", path: "Configuration"},
		{name: "CREATED", path: "CreatedAt", time: true},
		{name: "UPDATED", path: "UpdatedAt", time: true},
	},
}

var connectorCreate = declared{
	use: "create <name>", aliases: []string{"new"}, short: "Make a connector",
	example: "  $ ssmdeck cloud-connector create azure --role arn:aws:iam::123456789012:role/connector " +
		"--config-connector arn:aws:config:us-east-1:123456789012:connector/azure --configuration file://azure.json --dry-run",
	operation: "CreateCloudConnector", args: []declaredInput{{name: "name", field: "DisplayName"}},
	flags: []declaredInput{
		{name: "role", field: "RoleArn", usage: "`ARN` of the role that the connector works with"},
		{name: "config-connector", field: "ConfigConnectorArn", usage: "`ARN` of the connector of AWS Config"},
		connectorConfig,
		{name: "description", field: "Description", usage: "`text` that says what it is for"},
		{name: "tags", field: "Tags", usage: "the connector", value: cli.ParseTag},
	},
	columns: []declaredColumn{{name: "CONNECTOR ID", path: "CloudConnectorId"}}, id: "CloudConnectorId",
	about: "create cloud connector %s", done: "%s is made",
}

var connectorUpdate = declared{
	use: "update <id>", short: "Change a connector's name, description or configuration",
	example:   "  $ ssmdeck cloud-connector update cc-0123456789abcdef0 --description 'production subscriptions'",
	operation: "UpdateCloudConnector", args: []declaredInput{connectorID},
	flags: []declaredInput{
		{name: "name", field: "DisplayName", usage: "new `name`"}, {name: "description", field: "Description", usage: "new `text`"}, connectorConfig,
	},
	about: "update cloud connector %s", done: "%s is changed",
}

var connectorValidate = declared{
	use: "validate <id>", short: "Have the service check a connector",
	example:   "  $ ssmdeck cloud-connector validate cc-0123456789abcdef0",
	operation: "ValidateCloudConnector", args: []declaredInput{connectorID}, about: "validate cloud connector %s", empty: "the service finds nothing wrong",
	columns: []declaredColumn{{name: "TYPE", path: "Type"}, {name: "CODE", path: "Code"}, {name: "MESSAGE", path: "Message"}, {name: "PROVIDER", path: "ProviderMessage", wide: true}},
}

var connectorDelete = declared{
	use: "delete <id>", aliases: []string{"rm"}, short: "Delete a connector",
	example:   "  $ ssmdeck cloud-connector delete cc-0123456789abcdef0",
	operation: "DeleteCloudConnector", args: []declaredInput{connectorID},
	about: "delete cloud connector %s", confirm: "delete the cloud connector %s: the machines behind it are nodes no more", done: "%s is deleted",
}
