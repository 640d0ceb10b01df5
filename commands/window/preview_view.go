package window

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// workView shows a person what windows will do.
type workView struct {
	w     io.Writer
	o     render.Options
	zone  *time.Location
	names map[string]string // of nodes, by id

	b strings.Builder
}

// namedNodes is how many nodes are named before the others are counted.
const namedNodes = 5

func (v *workView) write(work []agenda.Work) error {
	nodes, offline := map[string]bool{}, map[string]bool{}
	windows := 0
	for group := range workGroups(work) {
		if windows > 0 {
			v.b.WriteByte('\n')
		}
		windows++
		v.window(group)
		for _, w := range group {
			if !w.Enabled {
				continue
			}
			for _, id := range w.NodeIDs {
				nodes[id] = true
			}
			for _, id := range w.Offline {
				offline[id] = true
			}
		}
	}
	sum := fmt.Sprintf("%s, %s", cli.Plural(windows, "opening"), cli.Plural(len(nodes), "node"))
	if len(offline) > 0 {
		sum += fmt.Sprintf(", %d offline now", len(offline))
	}
	if r := reboots(slices.DeleteFunc(slices.Clone(work), func(w agenda.Work) bool { return !w.Enabled })); len(r) > 0 {
		sum += fmt.Sprintf(", %d may reboot", len(r))
	}
	v.b.WriteString("\n" + v.o.Styles.Strong.Render(sum) + "\n")
	_, err := io.WriteString(v.w, v.b.String())
	return err
}

// window writes one opening and its tasks.
func (v *workView) window(group []agenda.Work) {
	st := v.o.Styles
	first := group[0]
	v.b.WriteString(st.Title.Render(render.Visible(first.Window)) + "  " + localMoment(first.Start, v.zone))
	if first.Start.After(v.o.Now) {
		v.b.WriteString("  " + st.Dim.Render(render.Ago(v.o.Now, first.Start)))
	}
	if !first.Enabled {
		v.b.WriteString("  " + st.Warn.Render(st.Glyphs.Warn+" disabled: nothing of this will happen"))
	}
	v.b.WriteByte('\n')
	clock := func(t time.Time) string { return t.In(v.zone).Format("15:04") }
	line := fmt.Sprintf("open %s to %s (%s)", clock(first.Start), clock(first.End), hours(int(first.End.Sub(first.Start)/time.Hour)))
	switch {
	case !first.Cutoff.After(first.Start):
		line += ", and the cutoff leaves no time: no task begins"
	case first.Cutoff.Before(first.End):
		line += fmt.Sprintf("; tasks begin until %s, %s after it opens", clock(first.Cutoff), hours(int(first.Cutoff.Sub(first.Start)/time.Hour)))
	}
	v.b.WriteString("  " + st.Dim.Render(line) + "\n")
	for _, s := range first.Shared {
		v.b.WriteString("  " + st.Warn.Render(fmt.Sprintf("%s open with %s on %s, %s to %s", st.Glyphs.Warn, render.Visible(s.Window), cli.Plural(s.Nodes, "node"),
			clock(s.Start), clock(s.End))) + "\n")
	}
	if first.TaskID == "" {
		v.b.WriteString("  " + st.Warn.Render(st.Glyphs.Warn+" it has no task: nothing happens") + "\n")
		return
	}
	for i, w := range group {
		v.task(w, i > 0 && group[i-1].Step == w.Step)
	}
}

// task writes what one task does.
func (v *workView) task(w agenda.Work, together bool) {
	st := v.o.Styles
	number := fmt.Sprintf("%d.", w.Step)
	if together {
		number = " +" // at the same time as the one above
	}
	kind := map[string]string{
		string(window.RunCommand): "run", string(window.Automation): "runbook", string(window.Lambda): "Lambda", string(window.StepFunctions): "Step Functions",
	}[w.Type]
	head := render.Visible(w.Label())
	if w.Task != "" {
		head = st.Strong.Render(head) + "  " + cmp.Or(kind, render.Visible(w.Type)) + " " + render.Visible(agenda.Document(w.Run))
	} else {
		head = cmp.Or(kind, render.Visible(w.Type)) + " " + st.Strong.Render(head)
	}
	if w.Version != "" {
		head += " version " + render.Visible(w.Version)
	}
	v.b.WriteString("  " + number + " " + head + "\n")
	put := func(text string) { v.b.WriteString("     " + text + "\n") }
	if len(w.ParameterNames) > 0 {
		text := render.Visible(parameterText(w))
		if width := v.o.Width - 5; width > 20 && !strings.Contains(text, "\n") && len(w.Parameters) < len(w.ParameterNames) {
			text = render.CutEnd(text, width, st.Glyphs.Ellipsis)
		}
		put(st.Dim.Render(text))
	}
	switch {
	case !w.Targeted && w.Type == string(window.RunCommand):
		put(st.Warn.Render(st.Glyphs.Warn + " it has no target: nothing happens"))
	case !w.Targeted:
		put("once, not on nodes")
	case len(w.NodeIDs) == 0 && len(w.Unassociated) == 0:
		put(st.Warn.Render(st.Glyphs.Warn + " no managed node matches its targets"))
	case len(w.NodeIDs) > 0:
		text := "on " + cli.Plural(len(w.NodeIDs), "node") + ": " + v.nodes(w.NodeIDs)
		if w.Concurrency != "" {
			text += st.Dim.Render(fmt.Sprintf("  %s at a time, max errors %s", render.Visible(w.Concurrency), render.Visible(cmp.Or(w.MaxErrors, "0"))))
		}
		put(text)
	}
	if n := len(w.Unassociated); n > 0 {
		put(st.Warn.Render(fmt.Sprintf("%s not on %s that it names: in no target of the window, which does not allow that: ", st.Glyphs.Warn, cli.Plural(n, "node"))) +
			v.nodes(w.Unassociated))
	}
	if w.Unsure {
		put(st.Warn.Render(st.Glyphs.Warn + " tags or groups could not be read: there may be more nodes"))
	}
	if len(w.Offline) > 0 {
		put(st.Warn.Render(fmt.Sprintf("%s %d offline now: ", st.Glyphs.Warn, len(w.Offline))) + v.nodes(w.Offline))
	}
	switch {
	case len(w.MayReboot) > 0:
		put(st.Warn.Render(fmt.Sprintf("%s %d may reboot: ", st.Glyphs.Warn, len(w.MayReboot))) + v.nodes(w.MayReboot))
	case w.Patching == "Install" && w.Reboot == "NoReboot":
		put("no node reboots (NoReboot)")
	case w.Patching == "Install":
		put("no node has a patch to install as of its last scan")
	case w.Patching == "Scan":
		put("only looks for missing patches: nothing is installed, no node reboots")
	}
	switch w.AtCutoff {
	case window.CancelTask:
		put(st.Dim.Render("cancelled at the cutoff if it still runs"))
	case window.ContinueTask:
		put(st.Dim.Render("goes on after the cutoff if it still runs"))
	}
}

// nodes names the first of some nodes.
func (v *workView) nodes(ids []string) string {
	var all []string
	for _, id := range ids {
		if len(all) == namedNodes {
			all = append(all, fmt.Sprintf("and %d more", len(ids)-namedNodes))
			break
		}
		all = append(all, render.Visible(cmp.Or(v.names[id], id)))
	}
	return strings.Join(all, ", ")
}
