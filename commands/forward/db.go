package forward

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/portforward"
)

// databaseCommand is what differs between the forwards to the services.
type databaseCommand struct {
	service, what  string
	aliases        []string
	long, example  string
	readers, token bool // there are reader endpoints; there are IAM tokens
}

var databaseCommands = []databaseCommand{
	{
		service: database.RDS, what: "an RDS or Aurora database", readers: true, token: true,
		long: "NAME is a cluster, an instance or a proxy of RDS; Aurora, Neptune and DocumentDB\nare among them.",
		example: `  # The writer of an Aurora cluster, on local port 5432 when it is free
  $ ssmdeck forward rds orders-prod --user app

  # psql through it, with an IAM token; its exit status becomes ours
  $ ssmdeck forward rds orders-prod --iam-user app -- psql -c 'select 1'

  # The reader endpoint, on a port and through a node of your choice
  $ ssmdeck forward rds orders-prod --reader --port 15432 --via bastion

  # A token for a client that runs elsewhere
  $ PGPASSWORD=$(ssmdeck forward rds orders-prod --iam-user app --print-token)`,
	},
	{
		service: database.Cache, what: "an ElastiCache cache", aliases: []string{"elasticache"}, readers: true, token: true,
		long: "NAME is a replication group, a cache cluster or a serverless cache.",
		example: `  $ ssmdeck forward cache carts
  $ ssmdeck forward cache carts -- redis-cli info server
  $ ssmdeck forward cache carts --reader --port 0`,
	},
	{
		service: database.Redshift, what: "a Redshift cluster",
		long: "NAME is a provisioned cluster.",
		example: `  $ ssmdeck forward redshift reports --user analyst
  $ ssmdeck forward redshift reports --user analyst -- psql -c 'select 1'`,
	},
	{
		service: database.Search, what: "an OpenSearch domain", aliases: []string{"opensearch"},
		long: "NAME is a domain of OpenSearch Service with an endpoint in a VPC.",
		example: `  $ ssmdeck forward search shop-logs --port 9200
  $ ssmdeck forward search shop-logs -- sh -c 'curl --connect-to ::127.0.0.1:$SSMDECK_PORT https://$SSMDECK_REMOTE_HOST/_cat/indices'`,
	},
}

// databaseOptions are those of one forward to a database.
type databaseOptions struct {
	databaseCommand
	forward        forwardOptions
	choice         database.Choice
	writer         bool
	port           int
	via            string
	database, user string
	iamUser        string
	printToken     bool
	printURL       bool
}

func newDatabaseCmds(env *cli.Env) []*cobra.Command {
	var all []*cobra.Command
	for _, c := range databaseCommands {
		all = append(all, newDatabaseCmd(env, c))
	}
	return append(all, newFindCmd(env))
}

func newDatabaseCmd(env *cli.Env, c databaseCommand) *cobra.Command {
	o := databaseOptions{databaseCommand: c}
	cmd := &cobra.Command{
		Use:     c.service + " <name> [-- <command>...]",
		Aliases: c.aliases,
		Short:   "Forward a local port to " + c.what,
		Long: "Forward a local port to " + c.what + ", found by its name.\n" + c.long + `

The node that carries it is chosen: online, in the same VPC or a peered one, and
let in by the security groups; standard error says which and why. --via names
another. Where two things share the name, write KIND/NAME.

A command behind -- runs when the tunnel is ready and is pointed at it; see
` + "`ssmdeck forward --help`" + ` and docs/databases.md.`,
		Example: c.example,
		Args:    cobra.ArbitraryArgs, // what stands before -- is checked below
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return completeDatabase(cmd.Context(), env, c.service, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			words, command, err := cli.CutCommand(cmd, args, "the name")
			if err != nil {
				return err
			}
			if len(words) > 1 {
				return fault.Usagef("%s: unexpected argument %q", cmd.CommandPath(), words[1]).WithHint("put a command behind --")
			}
			if err := o.check(cmd.Flags().Changed("port"), command); err != nil {
				return err
			}
			return o.run(cmd.Context(), env, words[0], command)
		},
	}
	f := cmd.Flags()
	o.forward.flags(env, cmd)
	f.IntVar(&o.port, "port", -1, "local `port`; 0 picks a free one (default: the database's own, else a free one)")
	f.Lookup("port").DefValue = "0" // for the help, which leaves such a default out
	f.StringVar(&o.via, "via", "", "`node` to go through, in place of a chosen one")
	if c.service != database.Search {
		f.StringVar(&o.user, "user", "", "`name` of the database user")
	}
	if c.service == database.RDS || c.service == database.Redshift {
		f.StringVar(&o.database, "db", "", "`name` of the database to use (default: the one made with it, where known)")
	}
	if c.readers {
		f.BoolVar(&o.choice.Reader, "reader", false, "the reader endpoint")
		f.BoolVar(&o.writer, "writer", false, "the writer endpoint (the default)")
	}
	if c.service == database.RDS {
		f.StringVar(&o.choice.Endpoint, "endpoint", "", "custom endpoint of a cluster, by `name` or host name")
	}
	if c.token {
		f.StringVar(&o.iamUser, "iam-user", "", "database `user` that signs in with an IAM token, made here")
		f.BoolVar(&o.printToken, "print-token", false, "print the token for --iam-user and open nothing")
	}
	f.BoolVar(&o.printURL, "print-url", false, "print a client's URL on standard output when the tunnel is ready")
	cli.CompleteFlag(cmd, "via", func() []string { return nodechoice.Words(cmd.Context(), env) })
	return cmd
}

// check refuses what does not go together.
func (o *databaseOptions) check(port bool, command []string) error {
	switch {
	case o.choice.Reader && o.writer, o.choice.Endpoint != "" && (o.choice.Reader || o.writer):
		return fault.Usagef("--reader, --writer and --endpoint exclude each other")
	case port && (o.port < 0 || o.port > 65535):
		return fault.Usagef("--port %d is not between 0 and 65535", o.port)
	case o.iamUser != "" && o.user != "" && o.user != o.iamUser:
		return fault.Usagef("--user and --iam-user name two users").WithHint("leave out --user")
	case o.printToken && o.iamUser == "":
		return fault.Usagef("--print-token needs --iam-user: a token is for one user")
	case (o.printToken || o.printURL) && command != nil:
		return fault.Usagef("--print-token and --print-url write to standard output, which the command behind -- has")
	case o.printToken && o.printURL:
		return fault.Usagef("--print-token opens no tunnel that --print-url could tell of")
	}
	if o.iamUser != "" {
		o.user = o.iamUser
	}
	return nil
}

func (o *databaseOptions) run(ctx context.Context, env *cli.Env, name string, command []string) error {
	r, err := o.forward.prepare(env, command)
	if err != nil {
		return err
	}
	if o.printURL && r.view.json != nil {
		return fault.Usagef("--print-url and -o json both want standard output")
	}
	d, host, err := o.find(ctx, env, name)
	if err != nil {
		return r.failed(err)
	}
	token, err := o.makeToken(ctx, env, d, host)
	if err != nil {
		return r.failed(err)
	}
	if o.printToken {
		_, err := fmt.Fprintln(env.Out, token)
		return err
	}
	node, svc, err := o.route(ctx, env, d)
	if err != nil {
		return r.failed(err)
	}
	spec := portforward.Spec{Host: host, Port: d.Port, Local: d.Port, Same: true}
	if o.port >= 0 {
		spec.Local, spec.Same = o.port, false
	}
	r.specs, r.label = []portforward.Spec{spec}, d.Name
	r.client = &database.Client{
		Family: database.FamilyOf(d.Engine), Host: host, Port: d.Port, User: o.user, Database: o.database, Token: token, TLS: d.TLS,
	}
	if r.client.Database == "" {
		r.client.Database = d.Database
	}
	o.show(env, r, name)
	return r.run(ctx, node, svc)
}

// find looks the database up and picks the endpoint that is meant.
func (o *databaseOptions) find(ctx context.Context, env *cli.Env, name string) (d database.Database, host string, err error) {
	svc, err := openDatabases(ctx, env)
	if err != nil {
		return d, "", err
	}
	d, denied, err := svc.Find(ctx, o.service, name)
	if err != nil {
		return d, "", err
	}
	for _, e := range denied {
		env.Note("ssmdeck: warning: %s", cli.FirstLine(e))
	}
	note, err := d.Usable()
	if err != nil {
		return d, "", err
	}
	if note != "" {
		env.Note("ssmdeck: %s: %s", render.Visible(d.String()), render.Visible(note))
	}
	if d.ClusterMode {
		env.Note("ssmdeck: %s has many shards: redirects to others name addresses that this tunnel does not carry", render.Visible(d.String()))
	}
	if host, err = d.Host(o.choice); err != nil {
		return d, "", err
	}
	// The same rules as for a typed spec: what the service said goes to the node.
	if _, err := portforward.ParseSpec(net.JoinHostPort(host, strconv.Itoa(d.Port))); err != nil {
		return d, "", fault.New(fault.Failed, "connect to "+d.String(), "its endpoint %s:%d cannot be forwarded to", host, d.Port)
	}
	return d, host, nil
}

// makeToken makes the token that --iam-user asks for, "" without it.
func (o *databaseOptions) makeToken(ctx context.Context, env *cli.Env, d database.Database, host string) (string, error) {
	if o.iamUser == "" {
		return "", nil
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return "", err
	}
	if o.service == database.Cache {
		query := url.Values{"User": {o.iamUser}}
		if d.Kind == database.Serverless {
			query.Set("ResourceType", "ServerlessCache")
		}
		return scope.ConnectToken(ctx, "elasticache", strings.ToLower(d.Name), query)
	}
	if !d.IAM {
		return "", fault.New(fault.Failed, "sign in to "+d.String(), "IAM authentication is not enabled for it").
			WithHint("use --user and a password, or enable IAM database authentication")
	}
	return scope.ConnectToken(ctx, "rds-db", net.JoinHostPort(host, strconv.Itoa(d.Port)), url.Values{"DBUser": {o.iamUser}})
}

// route finds the node to go through.
func (o *databaseOptions) route(ctx context.Context, env *cli.Env, d database.Database) (node fleet.Node, s *sessions.Service, err error) {
	if o.via != "" {
		return connect.SessionNode(ctx, env, o.via)
	}
	site, err := siteOf(ctx, env, d)
	if err != nil {
		return node, nil, err
	}
	for _, n := range site.Notes {
		env.Note("ssmdeck: warning: %s", render.Visible(n))
	}
	route, err := site.Choose(d, d.Port)
	if err != nil {
		return node, nil, err
	}
	env.Note("via %s: %s", render.Visible(route.Node.String()), render.Visible(route.Why))
	s, err = env.Sessions(ctx)
	return route.Node, s, err
}

// show says how to use the tunnel.
func (o *databaseOptions) show(env *cli.Env, r *forwardRun, name string) {
	r.view.hint = func(string) string {
		c := r.pointed()
		if o.printURL {
			fmt.Fprintln(env.Out, c.URL())
		}
		line := c.Line()
		if line == "" || r.child != nil || env.Flags.Quiet {
			return ""
		}
		text := "\n  " + render.Visible(line)
		if o.iamUser != "" {
			text += fmt.Sprintf("\n  a password, good for 15 min: ssmdeck forward %s %s --iam-user %s --print-token", o.service, render.ShellWord(name), render.ShellWord(o.iamUser))
		}
		return text
	}
}

// openDatabases returns the service that finds databases.
func openDatabases(ctx context.Context, env *cli.Env) (*database.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return database.New(scope.Config()), nil
}

// siteOf lists the nodes and looks at the network around databases.
func siteOf(ctx context.Context, env *cli.Env, dbs ...database.Database) (database.Site, error) {
	nodes, err := env.Fleet(ctx)
	if err != nil {
		return database.Site{}, err
	}
	all, err := fleet.All(nodes.List(ctx, fleet.Query{}))
	if err != nil {
		return database.Site{}, err
	}
	svc, err := openDatabases(ctx, env)
	if err != nil {
		return database.Site{}, err
	}
	site, err := svc.Site(ctx, all, dbs...)
	if err != nil && fault.KindOf(err) == fault.Auth {
		// What stands in the way is right; how to do without it is ours to say.
		err = fault.New(fault.Auth, "choose a node", "%w", err).WithHint("name one with --via NODE, or %s", fault.HintOf(err))
	}
	return site, err
}

// completeDatabase completes the name of a database; errors are silent.
func completeDatabase(ctx context.Context, env *cli.Env, service string, args []string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(ctx, cli.CompletionWait)
	defer cancel()
	svc, err := openDatabases(ctx, env)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, _ := svc.List(ctx, service)
	var words []string
	for _, d := range all {
		words = append(words, d.Name+"\t"+d.Kind+" "+d.Engine+" "+d.Status)
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
