// Package sources names the feeds of the dashboard, which several pages share.
package sources

import (
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// The names of the feeds, for deck.Line.Refresh.
const (
	Nodes      = "nodes"
	Patches    = "patches"
	Attempts   = "patch runs"
	Commands   = "commands"
	Sessions   = "sessions"
	Past       = "past sessions"
	Forwards   = "forwards"
	Saved      = "saved forwards"
	Parameters = "parameters"
	Executions = "executions"
	Windows    = "windows"
	Documents  = "documents"
	Databases  = "databases"
)

// Set is every feed. Who wants one says how old it may become; one that nobody
// wants costs nothing.
type Set struct {
	// Nodes are all managed nodes, joined with EC2 and tags as soon as those are
	// known: the first rows come without.
	Nodes *feed.Source[fleet.Node]
	// AgentNews is what the service has said of agents, of nodes that were looked at
	// one by one: an agent that is behind on one page is so on all.
	AgentNews fleet.AgentNews
	// Patches are the nodes with what patching found, as Nodes joined with
	// PartPatch: a call for every 50 nodes, so that it is not wanted often.
	Patches *feed.Source[fleet.Node]
	// Attempts are the newest scans and installations of nodes that have failed or are
	// under way: the patch state of a node is that of the last one that reported.
	Attempts *feed.Source[patching.Attempt]
	// Commands are those of the last day, newest first.
	Commands *feed.Source[run.Command]
	// Sessions are those that run; Past those of the last 30 days.
	Sessions *feed.Source[sessions.Entry]
	Past     *feed.Source[sessions.Entry]
	// Forwards are those that run on this machine, in this process or others; Saved
	// those in files. Their place is the zero one.
	Forwards *feed.Source[forwards.Running]
	Saved    *feed.Source[forwards.Entry]
	// Parameters are all names with what describes them, without any value.
	Parameters *feed.Source[parameter.Parameter]
	// Executions are automations of the last days, newest first, without their steps.
	Executions *feed.Source[automation.Execution]
	// Windows are maintenance windows with targets and tasks.
	Windows *feed.Source[window.Whole]
	// Documents are those that can be run or started, Databases what can be forwarded
	// to. They are read when somebody looks for one by its name.
	Documents *feed.Source[document.Summary]
	Databases *feed.Source[database.Database]
}

// How often each is read while it is on the screen and something runs; see Age.
const (
	fast   = 3 * time.Second
	normal = 10 * time.Second
	slow   = time.Minute
	rare   = 5 * time.Minute
	seldom = time.Hour
)

// Want is a feed of the set with the age it should have where nothing hurries.
func Want(f feed.Feed) feed.Want { return feed.Want{Feed: f, Every: Age(f.Name(), false)} }

// Hurry is Want for while something is under way.
func Hurry(f feed.Feed) feed.Want { return feed.Want{Feed: f, Every: Age(f.Name(), true)} }

// Age is how old a feed may become while it is shown, and while something in it is
// under way.
func Age(name string, hurry bool) time.Duration {
	switch name {
	case Commands, Executions, Sessions:
		if hurry {
			return fast
		}
		return normal
	case Forwards:
		return time.Second // a few small files of this machine
	case Saved, Nodes:
		return normal
	case Patches:
		if hurry {
			return slow
		}
		return rare
	case Databases:
		return rare
	case Documents:
		return seldom
	default:
		return slow
	}
}

// Find looks a node up by its id in a place; the zero Node with only the id when it
// is not known.
func (s *Set) Find(at grid.Place, id string) (fleet.Node, bool) {
	nodes, _ := s.Nodes.At(at)
	for i := range nodes {
		if nodes[i].ID == id {
			return nodes[i], true
		}
	}
	return fleet.Node{ID: id}, false
}

// Label is what a node is called: its name when it has one, else its id.
func Label(n fleet.Node) string {
	if strings.TrimSpace(n.Name) != "" {
		return n.Name
	}
	return n.ID
}
