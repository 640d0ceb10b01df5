package commands

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
)

// topic is a page of `ssmdeck help` that is not a command.
type topic struct {
	name, short string
	text        func() string
}

var topics = []topic{
	{"exit-codes", "what the exit codes mean", exitCodesText},
	{"targets", "how to say which nodes are meant", targetsText},
	{"regions", "lists over several Regions and accounts", regionsText},
	{"environment", "the environment variables that are read", environmentText},
	{"escapes", "keys that a shell understands after Enter", escapesText},
}

func exitCodesText() string {
	return `Exit codes

    0  done; also "nothing to list"
    1  failed: anything that has no code of its own
    2  wrong usage: a bad flag, argument or value; nothing was changed
    3  not found, ambiguous, or no node matched
    4  credentials missing, expired or not sufficient
    5  the node's agent is not connected
    6  ran, and failed on some or all nodes, or in some accounts or Regions
    7  refused by a guard: not confirmed, read-only
    8  still running when the wait ended
  130  interrupted

` + "`exec`" + ` exits with the status of the remote command, and with 255 when ssmdeck
itself failed, as ssh does; so does ` + "`run --remote-exit`" + ` on one node. A command
killed by signal n counts as 128+n. ` + "`forward … -- COMMAND`" + ` exits with the status of the
local command, ` + "`ssh`" + ` with that of ssh, ` + "`ssh-proxy`" + ` with 255 for every failure.

With -o json or jsonl an error is one JSON object on standard error:
{"error":{"kind":"offline","message":"…","hint":"…","code":"…","request_id":"…"}}
`
}

func targetsText() string {
	return `Targets

One node (shell, exec, ssh, forward, node get):

  i-0123456789abcdef0    instance id; mi-… for hybrid nodes
  web-1                  name (Name tag), computer name or private IP address

A name that fits several nodes is an error that lists them, never a guess.

Many nodes (run): -t, --target, given once or more

  i-… mi-… web-1         as above
  name:web-*, web-*      names by pattern
  tag:env=prod,staging   nodes with the tag; --tag env=prod is short for it
  tag:env                nodes that have the tag at all
  @GROUP                 members of a resource group
  all                    every online node; always asks
  file:PATH, -           ids and names, one a line; - is standard input

Several tags narrow: a node must carry all of them. Ids, names, patterns and
files add up. Both together are the named nodes within the tags.

--filter narrows further, on this side. Terms are separated by spaces and all
must hold: KEY, one of = != ~ < <= > >=, and a value.

  --filter 'platform=linux agent<3.4 name~^web'

Keys: ` + strings.Join(fleet.FilterKeys(), ", ") + `
`
}

func regionsText() string {
	return `Several Regions and accounts

Lists and node get take several places at once; their rows say where they are from.

  --regions A,B          these Regions; -r A -r B is the same
  --all-regions, -r all  every Region that is enabled (ec2:DescribeRegions)
  -p A -p B              several profiles
  --accounts A,B         these accounts, by id; needs --role
  --accounts org         every active account of the organization
  --accounts ou:ID       those of an organizational unit and the units below it
  --role NAME            the role that is assumed in each account, by name or ARN
  --external-id ID       what the role wants to be given
  --parallel 8           how many places are asked at a time

A place that fails does not stop the others: it is named at the end, and the exit
code is 6. Whatever opens sessions or changes something works in one account and
Region, and refuses these flags. In the configuration file the keys of a context
are regions, accounts, role and external_id.
`
}

func environmentText() string {
	var b strings.Builder
	b.WriteString(`Environment

Settings are taken from flags, then SSMDECK_* variables, then the configuration
file, then AWS's own defaults.

`)
	for _, v := range append(config.Variables(), config.Variable{Name: forwards.Variable, Doc: "file of saved forwards, in place of the usual one"}) {
		fmt.Fprintf(&b, "  %-22s %s\n", v.Name, v.Doc)
	}
	b.WriteString(`
Read by the AWS SDK, and obeyed: AWS_PROFILE, AWS_REGION, AWS_ACCESS_KEY_ID and
its kin, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AWS_ENDPOINT_URL,
AWS_ENDPOINT_URL_SSM, AWS_CA_BUNDLE, HTTPS_PROXY, NO_PROXY.

Colour: --color, then NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM=dumb, then whether
the output is a terminal.
`)
	return b.String()
}

func escapesText() string {
	var b strings.Builder
	b.WriteString(`Escapes

What only ssmdeck can do is asked for after Enter, or at the very start, with the
escape character and a key, as in ssh:

`)
	for _, k := range escapeKeys {
		fmt.Fprintf(&b, "  ~%-3s %s\n", k.name, k.text)
	}
	b.WriteString(`  ~~   a tilde

Anything else after the tilde is typed, tilde included. Pasted text is typed as it
is where the node's shell has asked for bracketed paste, as most do.

--escape-char chooses another character: % or ^], say, or none. SSMDECK_ESCAPE_CHAR
and escape_char in the configuration file do so for good. In a shell within a shell
type ~~. to leave the inner one.

Suspending takes job control: it stops ssmdeck as Ctrl-Z stops other programs, and
` + "`fg`" + ` goes on. The session lives on at the service meanwhile, until its idle time
is over. Windows has no job control.
`)
	return b.String()
}
