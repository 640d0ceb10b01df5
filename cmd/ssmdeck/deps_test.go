package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ssmdeck/ssmdeck/"

// room is what one package, or a tree of packages (name ending in /...), may
// import: of ours, and of others. The table is the architecture; a package that
// is not in it fails the test, so that nobody moves in unnoticed.
type room struct {
	name   string
	ours   []string // beside what its floor allows: explicit names only
	others []string // module paths, by prefix
}

const (
	sdk    = "github.com/aws/"
	cobra  = "github.com/spf13/"
	socket = "github.com/coder/websocket"
	smux   = "github.com/xtaci/smux"
	yaml   = "go.yaml.in/yaml/v4"
	xsys   = "golang.org/x/sys"
	xterm  = "golang.org/x/term"
	charm  = "charm.land/lipgloss/v2"
	tea    = "charm.land/bubbletea/v2"
	ansi   = "github.com/charmbracelet/x/ansi"
	color  = "github.com/charmbracelet/colorprofile"
	posix  = "mvdan.cc/sh/v3"
	vt     = "github.com/charmbracelet/x/vt"
	ptys   = "github.com/creack/pty"
)

// Floors, lowest first. A room may import the floors below it and what it names.
var floors = [][]room{
	{
		{name: "internal/fault"},
		{name: "internal/wait"},
		{name: "internal/vt"},
		{name: "internal/pattern"},
		{name: "internal/textdiff"},
		{name: "internal/diskindex"},
		{name: "internal/filelock"},
		{name: "internal/pkgversion"},
		{name: "internal/terms", ours: []string{"internal/fault"}},
		{name: "internal/schedule", ours: []string{"internal/fault"}},
		{name: "internal/strictyaml", ours: []string{"internal/fault"}, others: []string{yaml}},
		{name: "internal/redact", ours: []string{"internal/fault", "internal/pattern"}},
		{name: "internal/environ", ours: []string{"internal/fault", "internal/pattern"}},
		{name: "internal/paramtemplate", ours: []string{"internal/fault"}},
		{name: "internal/untyped", ours: []string{"internal/strictyaml"}, others: []string{yaml}},
		{name: "sessionclient/wire"},
		{name: "sessionclient/reliable"},
	},
	{
		{name: "internal/config", others: []string{yaml}},
		{name: "internal/recording"},
		{name: "internal/terminal", others: []string{xterm, xsys}},
		{name: "internal/sshconfig"},
		{name: "internal/theme", others: []string{charm, color, yaml}},
		{name: "internal/render", ours: []string{"internal/theme"}, others: []string{charm, ansi, yaml, "github.com/jmespath/go-jmespath"}},
		{name: "internal/awsapi", others: []string{sdk}},
		{name: "sessionclient", others: []string{socket}},
		{name: "portforward", ours: []string{"sessionclient"}, others: []string{smux, xsys}},
	},
	{
		{name: "internal/fleet", others: []string{sdk}},
		{name: "internal/document", ours: []string{"internal/fleet"}, others: []string{sdk, yaml}},
		{name: "internal/document/lint", others: []string{yaml}},
		{name: "internal/run", ours: []string{"internal/fleet", "internal/document", "internal/logstore"}, others: []string{sdk}},
		{name: "internal/logstore", others: []string{sdk}},
		{name: "internal/automation", others: []string{sdk}},
		{name: "internal/window", others: []string{sdk, yaml}},
		{name: "internal/agenda", ours: []string{"internal/fleet", "internal/window"}},
		{name: "internal/network", ours: []string{"internal/fleet"}, others: []string{sdk}},
		{name: "internal/iam", others: []string{sdk}},
		{name: "internal/grid", ours: []string{"internal/network"}, others: []string{sdk}},
		{name: "internal/waves"},
		{name: "internal/inventory", ours: []string{"internal/fleet"}, others: []string{sdk}},
		{name: "internal/history"},
		{name: "internal/htmlpage"},
		{name: "internal/metrics", ours: []string{"internal/patch"}, others: []string{sdk}},
		{name: "internal/configrules", others: []string{sdk}},
		{name: "internal/eventrules", others: []string{sdk}},
		{name: "internal/secrets", others: []string{sdk}},
		{name: "internal/advice", ours: []string{"internal/parameter"}},
		{name: "internal/patchreport", ours: []string{"internal/fleet", "internal/history", "internal/htmlpage", "internal/patch"}},
		{name: "internal/patch", ours: []string{"internal/fleet", "internal/baseline"}, others: []string{sdk}},
		{name: "internal/parameter", others: []string{sdk}},
		{name: "internal/paramdiff", ours: []string{"internal/parameter"}},
		{name: "internal/parambackup", ours: []string{"internal/parameter", "internal/paramfile"}},
		{name: "internal/paramfile", ours: []string{"internal/parameter"}, others: []string{yaml}},
		{name: "internal/paramplan", ours: []string{"internal/parameter"}, others: []string{yaml}},
		{name: "internal/compliance", others: []string{sdk, yaml}},
		{name: "internal/agentupdate", ours: []string{"internal/fleet", "internal/run", "internal/rollout"}},
		{name: "internal/rollout", ours: []string{"internal/fleet", "internal/run"}},
		{name: "internal/patching", ours: []string{"internal/fleet", "internal/run", "internal/rollout", "internal/patch", "internal/waves", "internal/baseline", "internal/logstore"}, others: []string{sdk}},
		{name: "internal/baseline", others: []string{sdk, yaml}},
		{name: "internal/database", ours: []string{"internal/fleet", "internal/network"}, others: []string{sdk}},
		{name: "internal/forwards", others: []string{yaml}},
		{name: "internal/dashfile", others: []string{yaml}},
		{name: "internal/sessions", ours: []string{"internal/fleet"}, others: []string{sdk}},
		{name: "internal/instanceconnect", others: []string{sdk}},
		{name: "internal/transfer", ours: []string{"internal/sessions"}},
		{name: "internal/preferences", others: []string{sdk, yaml}},
		{name: "internal/access", others: []string{sdk}},
		{name: "internal/activation", ours: []string{"internal/iam"}, others: []string{sdk}},
		{name: "internal/doctor", ours: []string{"internal/fleet", "internal/network", "internal/iam", "internal/preferences"}, others: []string{sdk}},
		{name: "internal/sessionlog", ours: []string{"internal/preferences", "internal/sessions", "internal/logstore"}, others: []string{sdk}},
		{name: "internal/rawapi", others: []string{sdk}},
	},
	{ // the dashboard: what its pages share, the pages, the root
		{name: "internal/levels"},
		{name: "tui/feed", others: []string{tea}},
		{name: "tui/window", others: []string{tea}},
		{name: "tui/deck", ours: []string{"tui/feed"}, others: []string{tea}},
		{name: "tui/palette", ours: []string{"tui/feed", "tui/deck"}, others: []string{tea}},
		{name: "tui/widget", others: []string{tea, ansi, charm}},
		{name: "tui/sources", ours: []string{"tui/feed"}},
	},
	{
		{name: "tui", others: []string{tea, ansi, charm, color}},
		{name: "tui/plain", others: []string{tea}},
		{name: "tui/pageautomation", others: []string{tea, ansi, charm}},
		{name: "tui/pagecommands", others: []string{tea, ansi, charm}},
		{name: "tui/pagefleet", others: []string{tea, ansi, charm}},
		{name: "tui/pageoverview", others: []string{tea, ansi, charm}},
		{name: "tui/pageparams", others: []string{tea, ansi, charm}},
		{name: "tui/pagepatch", others: []string{tea, ansi, charm}},
		{name: "tui/pagesessions", others: []string{tea, ansi, charm}},
		{name: "tui/pagewindows", others: []string{tea, ansi, charm}},
	},
	{
		{name: "tui/picker", others: []string{tea, charm, ansi, color}},
		{name: "commands/junit"},
		{name: "commands/escapekeys"},
		{name: "commands/cli", ours: []string{"commands/escapekeys"}, others: []string{cobra}},
		{name: "commands/accountdata"},
		{name: "commands/nodechoice", ours: []string{"tui/picker", "commands/cli"}, others: []string{cobra}},
		{name: "commands/docnames", ours: []string{"commands/cli"}, others: []string{cobra}},
		{name: "commands/rolling", ours: []string{"commands/cli"}, others: []string{cobra}},
		{name: "commands/savedforwards", ours: []string{"commands/cli"}, others: []string{cobra}},
		{name: "commands/runview", ours: []string{"commands/cli"}, others: []string{cobra}},
		{name: "commands/connect", ours: []string{"commands/cli", "commands/docnames", "commands/escapekeys", "commands/nodechoice"}, others: []string{cobra}},
	},
	{ // nouns, which never import each other
		{name: "commands/access", others: []string{cobra}},
		{name: "commands/account", others: []string{cobra}},
		{name: "commands/activation", others: []string{cobra}},
		{name: "commands/api", others: []string{cobra}},
		{name: "commands/automation", others: []string{cobra}},
		{name: "commands/compliance", others: []string{cobra}},
		{name: "commands/cp", others: []string{cobra}},
		{name: "commands/dash", others: []string{cobra, tea}},
		{name: "commands/doctor", others: []string{cobra}},
		{name: "commands/document", others: []string{cobra}},
		{name: "commands/forward", others: []string{cobra}},
		{name: "commands/inventory", others: []string{cobra}},
		{name: "commands/node", others: []string{cobra}},
		{name: "commands/param", others: []string{cobra}},
		{name: "commands/patch", others: []string{cobra}},
		{name: "commands/plugin", others: []string{cobra}},
		{name: "commands/run", others: []string{cobra}},
		{name: "commands/session", others: []string{cobra}},
		{name: "commands/ssh", others: []string{cobra}},
		{name: "commands/window", others: []string{cobra}},
	},
	{
		{name: "commands", ours: []string{"internal/simulator", "internal/simulator/control", "internal/simulator/world"}, others: []string{cobra}},
	},
	{
		{name: "cmd/ssmdeck"},
		{name: "commands/cli/clitest"},                                   // only tests import it
		{name: "tui/tuitest", others: []string{tea, ansi}},               // only tests import it
		{name: "internal/terminal/termtest", others: []string{ptys, vt}}, // only tests import it
	},
}

// annex is the simulator: it stands beside the house and shares only the ground
// floor, never the SDK, so that it disagrees with us when we are wrong.
var annex = room{name: "internal/simulator/...", others: []string{socket, smux, yaml, posix, ptys, xsys}}

func TestImportsFollowTheArchitecture(t *testing.T) {
	packages := list(t)
	below := map[string]bool{}
	seen := map[string]bool{}
	for _, floor := range floors {
		for _, r := range floor {
			imports, ok := packages[r.name]
			if !ok {
				t.Errorf("%s is in the table and not in the tree", r.name)
				continue
			}
			seen[r.name] = true
			check(t, r.name, imports, r, func(ours string) bool { return below[ours] })
		}
		for _, r := range floor {
			below[r.name] = true
		}
	}
	ground := func(ours string) bool {
		return strings.HasPrefix(ours, "internal/simulator") ||
			slices.ContainsFunc(floors[0], func(r room) bool { return r.name == ours })
	}
	for name, imports := range packages {
		switch {
		case name == "internal/simulator" || strings.HasPrefix(name, "internal/simulator/"):
			check(t, name, imports, annex, ground)
		case !seen[name]:
			t.Errorf("%s has no room in the table", name)
		}
	}
}

// check names each forbidden edge.
func check(t *testing.T, name string, imports []string, r room, floor func(string) bool) {
	t.Helper()
	for _, imp := range imports {
		first, _, _ := strings.Cut(imp, "/")
		ours, isOurs := strings.CutPrefix(imp, module)
		switch {
		case !strings.Contains(first, "."): // the standard library
			if imp == "text/template" || imp == "html/template" {
				t.Errorf("%s imports %s, which keeps every method of the SDK in the binary", name, imp)
			}
		case isOurs:
			if !floor(ours) && !slices.Contains(r.ours, ours) {
				t.Errorf("%s must not import %s", name, ours)
			}
		case !slices.ContainsFunc(r.others, func(p string) bool { return imp == p || strings.HasPrefix(imp, strings.TrimSuffix(p, "/")+"/") }):
			t.Errorf("%s must not import %s", name, imp)
		}
	}
}

// list returns the imports of every package of the module, for all platforms we
// build for, without those of tests.
func list(t *testing.T) map[string][]string {
	t.Helper()
	packages := map[string][]string{}
	for _, goos := range []string{"linux", "darwin", "windows"} {
		cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
		cmd.Dir = "../.."
		cmd.Env = append(cmd.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", goos, err)
		}
		dec := json.NewDecoder(bytes.NewReader(out))
		for {
			var p struct {
				ImportPath string
				Imports    []string
			}
			if err := dec.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimPrefix(p.ImportPath, module)
			for _, imp := range p.Imports {
				if !slices.Contains(packages[name], imp) {
					packages[name] = append(packages[name], imp)
				}
			}
		}
	}
	return packages
}
