package commands

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/commands/escapekeys"
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

Which nodes are meant, wherever nodes are named:

  i-… mi-…               id
  web-1                  name (Name tag), computer name or private IP address
  web-*, name:web-*      names by pattern
  web-[01-20], w-[1-5,8] every one of these names
  10.0.0.0/16, ip:ADDR   nodes with an address in the block
  tag:env=prod,staging   nodes with the tag; --tag env=prod is short for it
  tag:env                nodes that have the tag at all
  @GROUP                 members of a resource group
  all                    every online node; always asks
  file:PATH, -           ids and names, one a line; - is standard input

Terms can be put together, in single quotes, from left to right:

  'web-1,db-1'           both; | is the same
  'web-*&tag:env=prod'   those of the first that are in the second, too
  'all!web-3'            those of the first that are not in the second
  'web-*&tag:env=prod!web-[1-3]'

A backslash before & ! | , [ ] makes it an ordinary character: R\&D.

Where one node is wanted (shell, exec, ssh, forward, node get), a target that fits
several is an error that lists them, never a guess; on a terminal you choose among
them, and among all when no node is named. A term that fits nothing is an
error that shows near names, also one that is to be left out; so is a range of
which a name is missing.

Several -t add up. Several tags narrow: a node must carry all of them. Both
together are the named nodes within the tags.

--filter narrows further, on this side. Terms are separated by spaces and all
must hold: KEY, one of = != ~ < <= > >=, and a value. The last four are for
versions, numbers and ages. A ! in front turns a term round; a | stands between
alternatives and binds weaker than a space.

  --filter 'platform=linux agent<3.4 name~^web'
  --filter '!tag:env=prod ping=lost | missing>0 critical>0'
  --filter 'tag:env=prod vpc=vpc-0a1b2c3d launched>30d missing>0'

Keys: ` + wrapWords(append(fleet.FilterKeys(), "tag:KEY"), len("Keys: "), 78) + `
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

// wrapWords joins words with commas in lines of a width, the first of which has
// begun already.
func wrapWords(words []string, begun, width int) string {
	var b strings.Builder
	column := begun
	for i, w := range words {
		if i < len(words)-1 {
			w += ","
		}
		switch {
		case i > 0 && column+1+len(w) > width:
			b.WriteString("\n  ")
			column = 2
		case i > 0:
			b.WriteString(" ")
			column++
		}
		b.WriteString(w)
		column += len(w)
	}
	return b.String()
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
	for _, k := range escapekeys.Keys {
		fmt.Fprintf(&b, "  ~%-3s %s\n", k.Name, k.Text)
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
