package pagepatch

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// age says how old something is in a few cells: "5 h", "25 d".
func age(now, t time.Time) string {
	return strings.TrimSuffix(render.Ago(now, t), " ago")
}

// stateWord is the state of a patch for people, and how it looks.
func stateWord(s patch.State) (theme.Level, string) {
	level := levels.Patch(s)
	switch s {
	case patch.InstalledPendingReboot:
		return level, "reboot pending"
	case patch.AvailableSecurityUpdate:
		return level, "not approved"
	}
	return level, strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(string(s), "INSTALLED_"), "_", " "))
}

// shortTitle is the title of a patch beside its id: of a package its version.
func shortTitle(id, title string) string {
	return strings.TrimPrefix(strings.TrimPrefix(title, id+":"), "0:")
}

// percent is the share of compliant nodes: "15.3 %"; "-" where none is known.
func percent(c patch.Counts) string {
	f, known := c.Percent()
	if !known {
		return "-"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") + " %"
}

// names are the first few of nodes: "web-1, web-2 and 3 more".
func names(nodes []*node) string {
	const most = 4
	var out []string
	for _, n := range nodes[:min(len(nodes), most)] {
		out = append(out, render.Visible(n.label()))
	}
	text := strings.Join(out, ", ")
	if more := len(nodes) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func itoa(n int) string { return strconv.Itoa(n) }
