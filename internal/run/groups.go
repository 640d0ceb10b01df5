package run

import (
	"slices"
	"unique"
)

// Group is a set of nodes that ended alike: same state, same exit code, and the
// same text on stdout and stderr.
type Group struct {
	State    State  `json:"state"`
	Reason   string `json:"reason,omitempty"`
	ExitCode int    `json:"exit_code"`
	Stdout   string `json:"stdout"`
	Stderr   string `json:"stderr"`
	// Truncated is set when the texts are equal only as far as they are known.
	Truncated bool        `json:"truncated"`
	Preview   bool        `json:"preview,omitempty"` // there is a longer form that was not fetched
	More      string      `json:"more,omitempty"`    // where the rest is, of the first node
	Nodes     []GroupNode `json:"nodes"`
}

// GroupNode is a node in a group.
type GroupNode struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// CommandID is the command of the run that reached the node; see Board.Row.
	CommandID string `json:"-"`
}

// groupKey is what must be equal for nodes to be folded. Texts that are cut
// fold with texts cut the same way only.
type groupKey struct {
	state          State
	reason         string
	exitCode       int
	hasOutput      bool
	truncated      bool
	preview        bool
	stdout, stderr unique.Handle[string]
}

// Groups folds the nodes that are done. Groups that did not succeed come first,
// then the larger ones; nodes keep the order of Rows. A node whose output is
// still on its way appears once it is there, or when the run is done.
func (b *Board) Groups() []Group {
	index := make(map[groupKey]int)
	var groups []Group
	for _, r := range b.rows {
		if !r.State.Final() || !r.hasOutput && !b.done && ran(r.State, r.Detail) {
			continue
		}
		key := groupKey{r.State, r.Reason, r.ExitCode, r.hasOutput, r.truncated, r.preview, r.stdout, r.stderr}
		i, ok := index[key]
		if !ok {
			i = len(groups)
			index[key] = i
			row := r.public()
			groups = append(groups, Group{
				State: r.State, Reason: r.Reason, ExitCode: r.ExitCode,
				Stdout: row.Stdout, Stderr: row.Stderr, Truncated: r.truncated, Preview: r.preview, More: r.more,
			})
		}
		groups[i].Nodes = append(groups[i].Nodes, GroupNode{ID: r.NodeID, Name: r.NodeName, CommandID: r.CommandID})
	}
	slices.SortStableFunc(groups, func(x, y Group) int {
		if d := urgency(x.State) - urgency(y.State); d != 0 {
			return d
		}
		return len(y.Nodes) - len(x.Nodes)
	})
	return groups
}
