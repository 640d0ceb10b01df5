package cp

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/transfer"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// copyReceive bounds what each of a copy's sessions keeps while the disk is slow.
const copyReceive = 4 << 20

type cpOptions struct {
	req      transfer.Request
	noPack   bool
	dryRun   bool
	reason   string
	payload  int
	sources  []transfer.Place
	dest     transfer.Place
	download bool
}

// NewCmd is `ssmdeck cp`.
func NewCmd(env *cli.Env) *cobra.Command {
	var o cpOptions
	cmd := &cobra.Command{
		Use:     "cp <source>... <destination>",
		Aliases: []string{"copy", "scp"},
		Short:   "Copy files to and from nodes",
		Long: `Copy files and folders between this machine and nodes, through Session Manager
alone: no S3, no sshd, nothing to install on the node.

One side is NODE:PATH, the other a path of this machine, or - for standard input
or output. NODE is a target as ` + "`ssmdeck help targets`" + ` shows it; with several nodes
a file goes to each, and what comes from each is put into a folder of its name. A
path without a leading slash begins in the home folder of whoever runs commands
there (ssm-user).

Files arrive under a random name that only their owner can read, are checked with
SHA-256, get their permissions and times and move into place last. What fails, or
is interrupted, leaves nothing behind; with --resume it leaves what the same
command, repeated, goes on from.

Large files travel over several sessions at once. -o json prints what became of
every file. Some failed: exit 6. (Behind cp -r is --recursive: write --region there.)`,
		Example: `  # A file to a node, and back
  $ ssmdeck cp app.tar.gz web-1:/tmp/
  $ ssmdeck cp web-1:/var/log/nginx/error.log .

  # A folder
  $ ssmdeck cp -r ./site web-1:/srv/www

  # One file to many nodes, a log from many nodes
  $ ssmdeck cp motd tag:role=web:/etc/motd
  $ ssmdeck cp 'tag:role=web:/var/log/syslog' ./logs

  # A large file over a bad line
  $ ssmdeck cp --resume db.dump db-admin:/data/

  # Pipes
  $ pg_dump shop | gzip | ssmdeck cp - web-1:/tmp/shop.sql.gz
  $ ssmdeck cp web-1:/etc/hosts - | grep db`,
		Args:              cli.MinArgs("the source", "the destination"),
		ValidArgsFunction: completeCopy(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, args)
		},
	}
	f := cmd.Flags()
	freeShorthand(env, cmd, "region")
	f.BoolVarP(&o.req.Recursive, "recursive", "r", false, "copy folders with what is in them")
	f.BoolVarP(&o.req.NoClobber, "no-clobber", "n", false, "leave files alone that are there already")
	f.BoolVar(&o.req.Resume, "resume", false, "keep what arrives when the copy fails, and go on from it")
	f.BoolVar(&o.noPack, "no-compress", false, "do not even try whether data get smaller")
	f.BoolVar(&o.dryRun, "dry-run", false, "list what would be copied and copy nothing")
	f.IntVar(&o.req.Lanes, "lanes", 0, "sessions with a node at once: `n` from 1 to 8 (default: one for every 16 MiB, up to 4)")
	f.IntVar(&o.req.Nodes, "concurrency", 8, "how many nodes at a time: a number `n`")
	f.IntVar(&o.payload, "payload-size", 0, "largest message to a node in `bytes` (default 1024, which every agent takes)")
	f.StringVar(&o.reason, "reason", "", "`text` for the sessions' history, up to 256 characters")
	env.BindAccess(cmd)
	return cmd
}

// freeShorthand takes the shorthand of a global flag away for one command, which
// has a better use for it: nobody types cp --recursive. The flag itself stays.
func freeShorthand(env *cli.Env, cmd *cobra.Command, name string) {
	global := env.Flags.Set.Lookup(name)
	local := *global
	local.Shorthand, local.Value, local.Hidden = "", globalValue{global.Value, env.Flags.Set, name}, true
	cmd.Flags().AddFlag(&local)
}

// globalValue sets the global flag that it stands for.
type globalValue struct {
	pflag.Value
	set  *pflag.FlagSet
	name string
}

func (g globalValue) Set(v string) error { return g.set.Set(g.name, v) }

// validate checks everything that needs no call.
func (o *cpOptions) validate(args []string) error {
	windows := runtime.GOOS == "windows"
	for i, arg := range args {
		p, err := transfer.ParsePlace(arg, windows)
		if err != nil {
			return err
		}
		if i == len(args)-1 {
			o.dest = p
		} else {
			o.sources = append(o.sources, p)
		}
	}
	local := 0
	for _, p := range o.sources {
		if p.Local() {
			local++
		}
		if p.Standard() && len(o.sources) > 1 {
			return fault.Usagef("cp: - is standard input, and stands alone")
		}
	}
	o.download = local == 0
	switch {
	case local == len(o.sources) && o.dest.Local():
		return fault.Usagef("cp: nothing here is on a node").WithHint("write NODE:PATH for one side: ssmdeck cp %s web-1:%s", args[0], o.dest.Path)
	case local == 0 && !o.dest.Local():
		return fault.Usagef("cp: both sides are on nodes").WithHint("copy to this machine first, then to the other node")
	case local > 0 && local < len(o.sources):
		return fault.Usagef("cp: some sources are on this machine and some on nodes").WithHint("copy them with one command each")
	case o.req.Lanes < 0 || o.req.Lanes > transfer.MaxLanes:
		return fault.Usagef("--lanes %d is not between 1 and %d", o.req.Lanes, transfer.MaxLanes)
	case o.req.Nodes < 1:
		return fault.Usagef("--concurrency %d is not a number of nodes", o.req.Nodes)
	case o.payload < 0 || o.payload > 256<<10:
		return fault.Usagef("--payload-size %d is not between 1 and %d", o.payload, 256<<10)
	case o.dest.Standard() && (len(o.sources) > 1 || o.req.Recursive || o.req.Resume):
		return fault.Usagef("cp: standard output takes one file, without --recursive and --resume")
	case o.sources[0].Standard() && o.req.Resume:
		return fault.Usagef("cp: standard input cannot be resumed").WithHint("write it into a file first")
	}
	shell := connect.ShellOptions{Reason: o.reason}
	_, err := shell.Request()
	return err
}

func (o *cpOptions) run(ctx context.Context, env *cli.Env, args []string) error {
	if err := o.validate(args); err != nil {
		return err
	}
	view, err := newView(env)
	if err != nil {
		return err
	}
	defer view.progress.Close()
	o.req.Compress, o.req.Dest = !o.noPack, o.dest.Path
	svc, err := o.service(ctx, env, view)
	if err != nil {
		return err
	}
	if o.download {
		return o.fromNodes(ctx, env, svc, view)
	}
	return o.toNodes(ctx, env, svc, view)
}

func (o *cpOptions) service(ctx context.Context, env *cli.Env, view *cpView) (*transfer.Service, error) {
	svc, err := env.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	log, err := env.Log()
	if err != nil {
		return nil, err
	}
	return transfer.New(svc, transfer.Options{
		Reason: o.reason, Log: log,
		Session: func(n transfer.Node) []sessionclient.Option {
			opts := []sessionclient.Option{sessionclient.WithEvents(view.link(n)), sessionclient.WithReceiveBuffer(copyReceive)}
			if o.payload > 0 {
				opts = append(opts, sessionclient.WithPayloadSize(o.payload))
			}
			return opts
		},
	}), nil
}

// toNodes copies sources of this machine to every node of the target.
func (o *cpOptions) toNodes(ctx context.Context, env *cli.Env, svc *transfer.Service, view *cpView) error {
	var sources []string
	for _, p := range o.sources {
		sources = append(sources, p.Path)
	}
	if o.sources[0].Standard() {
		if strings.HasSuffix(o.req.Dest, "/") || o.req.Dest == "." {
			return fault.Usagef("cp: standard input has no name").WithHint("give the destination one: %sdata", o.dest)
		}
		if o.dryRun {
			return fault.Usagef("cp: --dry-run does not read standard input")
		}
		spool, err := o.spool(ctx, env)
		if err != nil {
			return err
		}
		defer os.RemoveAll(filepath.Dir(spool))
		sources, o.req.Nameless = []string{spool}, true
	} else if _, _, err := svc.Scan(ctx, sources, o.req.Recursive); err != nil {
		return err // before anything is asked
	}
	nodes, offline, err := o.nodes(ctx, env, o.dest.Target)
	if err != nil {
		return err
	}
	if o.dryRun {
		trees, _, err := svc.Scan(ctx, sources, o.req.Recursive)
		if err != nil {
			return err
		}
		var rows []transfer.Listed
		for _, n := range nodes {
			rows = append(rows, transfer.Plan("", copyLabel(n)+":"+o.req.Dest, trees)...)
		}
		return view.planned(rows)
	}
	if n := len(nodes) + len(offline); n > 1 && (env.CanAsk() || n >= runview.AlwaysAsk || o.dest.Target == "all") {
		if err := env.Confirm(ctx, fmt.Sprintf("copy to %s", cli.Plural(n, "node"))); err != nil {
			return err
		}
	}
	view.start("copy to", nodes)
	results, err := svc.Upload(ctx, sources, nodes, o.req, view.watch())
	return view.finish(ctx, append(results, offline...), err)
}

// fromNodes copies paths of nodes to this machine.
func (o *cpOptions) fromNodes(ctx context.Context, env *cli.Env, svc *transfer.Service, view *cpView) error {
	var (
		sources []transfer.Source
		all     []transfer.Node
		offline []*transfer.Result
	)
	at := map[string]int{}
	for _, p := range o.sources {
		nodes, off, err := o.nodes(ctx, env, p.Target)
		if err != nil {
			return err
		}
		offline = append(offline, off...)
		for _, n := range nodes {
			i, seen := at[n.ID]
			if !seen {
				i = len(sources)
				at[n.ID] = i
				sources, all = append(sources, transfer.Source{Node: n}), append(all, n)
			}
			sources[i].Paths = append(sources[i].Paths, p.Path)
		}
	}
	// Where things go depends on the nodes that were meant, not on those that
	// happen to be online.
	o.req.Apart = len(sources)+len(offline) > 1
	if o.dryRun {
		rows, err := svc.PlanDownload(ctx, sources, o.req)
		if err != nil {
			return err
		}
		return view.planned(rows)
	}
	if o.dest.Standard() {
		return o.toStdout(ctx, env, svc, view, sources)
	}
	view.start("copy from", all)
	results, err := svc.Download(ctx, sources, o.req, view.watch())
	return view.finish(ctx, append(results, offline...), err)
}

// toStdout fetches one file, whole and checked, before a byte of it is printed.
func (o *cpOptions) toStdout(ctx context.Context, env *cli.Env, svc *transfer.Service, view *cpView, sources []transfer.Source) error {
	if o.req.Apart || len(sources) != 1 || len(sources[0].Paths) != 1 {
		return fault.Usagef("cp: standard output takes one file of one node")
	}
	dir, err := os.MkdirTemp("", "ssmdeck-cp-")
	if err != nil {
		return fault.New(fault.Failed, "make a temporary folder", "%w", err)
	}
	defer os.RemoveAll(dir)
	o.req.Dest = filepath.Join(dir, "stdout")
	view.start("copy from", []transfer.Node{sources[0].Node})
	view.silent = true
	results, err := svc.Download(ctx, sources, o.req, view.watch())
	if err := view.finish(ctx, results, err); err != nil {
		return err
	}
	_ = os.Chmod(o.req.Dest, 0o600) // it may be one that only root can read, there
	f, err := os.Open(o.req.Dest)
	if err != nil {
		return fault.New(fault.Failed, "read what was copied", "%w", err)
	}
	defer f.Close()
	_, err = io.Copy(env.Out, f)
	return err
}

// spool reads standard input into a file that only its owner can read: its size
// and checksum must be known, and it may be needed several times.
func (o *cpOptions) spool(ctx context.Context, env *cli.Env) (string, error) {
	dir, err := os.MkdirTemp("", "ssmdeck-cp-")
	if err != nil {
		return "", fault.New(fault.Failed, "make a temporary folder", "%w", err)
	}
	fail := func(err error) (string, error) {
		_ = os.RemoveAll(dir)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fault.New(fault.Failed, "read standard input", "%w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "stdin"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fail(err)
	}
	in, release := env.Input()
	defer release()
	defer context.AfterFunc(ctx, release)()
	_, err = io.Copy(f, in)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fail(err)
	}
	return f.Name(), nil
}

// nodes finds the nodes of a target. Those that are offline are results already,
// unless there is no other.
func (o *cpOptions) nodes(ctx context.Context, env *cli.Env, expr string) (nodes []transfer.Node, offline []*transfer.Result, err error) {
	t, err := fleet.ParseTarget(expr)
	if err != nil {
		return nil, nil, err
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return nil, nil, err
	}
	switch t.Kind {
	case fleet.KindID, fleet.KindName, fleet.KindECS:
		n, err := nodechoice.Settle(ctx, env, expr, svc.Resolve)
		if err != nil {
			return nil, nil, err
		}
		return []transfer.Node{transferNode(n)}, nil, nil
	}
	sel, err := svc.Members(ctx, []fleet.Target{t}, fleet.Filter{})
	if err != nil {
		return nil, nil, err
	}
	for _, n := range sel.Nodes {
		if !n.Offline() {
			nodes = append(nodes, transferNode(n))
			continue
		}
		offline = append(offline, &transfer.Result{Node: transferNode(n), Err: fault.New(fault.Offline, "reach "+n.String(),
			"%s", n.Absence(time.Now())).WithHint("%s", n.OfflineHint())})
	}
	return nodes, offline, nil
}

func transferNode(n fleet.Node) transfer.Node {
	return transfer.Node{ID: n.ID, Name: n.Name, Platform: n.Platform}
}

func copyLabel(n transfer.Node) string {
	if n.Name != "" {
		return n.Name
	}
	return n.ID
}

// completeCopy completes nodes, with a colon, and files of this machine.
func completeCopy(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		if word == "" || strings.ContainsAny(word, "./~:") {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var words []string
		for _, w := range nodechoice.Words(cmd.Context(), env) {
			name, about, _ := strings.Cut(w, "\t")
			if strings.HasPrefix(name, word) {
				words = append(words, name+":\t"+about)
			}
		}
		if len(words) == 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return words, cobra.ShellCompDirectiveNoSpace
	}
}
