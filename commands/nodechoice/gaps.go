package nodechoice

import (
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// NoteGaps says what could not be read, each once.
func NoteGaps(env *cli.Env, gaps []fleet.Gap) {
	what := map[fleet.Part]string{
		fleet.PartEC2: "state, VPC and what else EC2 knows", fleet.PartTags: "tags", fleet.PartPatch: "the state of patching",
	}
	for _, g := range gaps {
		env.Note("ssmdeck: note: %s of %s: unknown: %s", what[g.Part], cli.Plural(g.Nodes, "node"), cli.FirstLine(g.Err))
	}
}
