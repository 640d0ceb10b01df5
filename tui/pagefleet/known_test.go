package pagefleet_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// A term about what has not been read, or may not be read, is not true, and neither is
// its opposite: who marks everything but production must not mark what may be it.
func TestWhatIsNotKnownFitsNoFilter(t *testing.T) {
	nodes := []fleet.Node{
		{ID: "i-0000000000000000a", Name: "known", Ping: "online", State: "running", Tags: map[string]string{"env": "dev"}},
		{ID: "i-0000000000000000b", Name: "fresh", Ping: "online"},
		{ID: "i-0000000000000000c", Name: "closed", Ping: "lost", Unknown: []string{"ec2"}},
		{ID: "mi-0000000000000000d", Name: "hybrid", Ping: "online", Unknown: []string{"tags"}},
		{ID: "mi-0000000000000000e", Name: "bare", Ping: "online", Tags: map[string]string{}},
	}
	patched := []fleet.Node{
		{ID: nodes[0].ID, Patch: &fleet.PatchState{Critical: 1}},
		{ID: nodes[2].ID, Unknown: []string{"patch"}},
		{ID: nodes[4].ID},
	}
	f := open(t)
	f.set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	f.Changed(sources.Nodes)
	f.Type("/")
	f.Type("critical>0")
	f.Press("enter")
	f.Has("none of 5 nodes fits the filter; 5 not known: patches are being read")
	f.set.Patches.Set(tuitest.Place, patched, tuitest.Now)
	f.Changed(sources.Patches)
	for filter, want := range map[string]string{
		"tag:env!=prod":             "bare known",
		"!tag:env=prod":             "bare known",
		"tag:env=dev":               "known",
		"!state=stopped":            "bare hybrid known",
		"ping=lost | tag:env=dev":   "closed known",
		"critical!=0":               "bare known",
		"!critical>0":               "bare",
		"!critical>0 tag:env!=prod": "bare",
	} {
		if err := f.page.SetFilter(filter); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, item := range f.page.Plain().Items {
			name, _, _ := strings.Cut(item.Text, " ")
			got = append(got, name)
		}
		if names := strings.Join(slices.Sorted(slices.Values(got)), " "); names != want {
			t.Errorf("%s shows %q, want %q", filter, names, want)
		}
		if summary := strings.Join(f.page.Plain().Summary, "\n"); !strings.Contains(summary, "it is not known whether they fit") {
			t.Errorf("%s does not say that something is not known: %s", filter, summary)
		}
	}
}

// What patching found belongs to its node, in whatever order the two feeds have them,
// and in its own place alone.
func TestPatchesBelongToTheirNodes(t *testing.T) {
	f := open(t)
	other := grid.Place{Account: "222222222222", Region: "us-east-1"}
	node := func(i int) fleet.Node {
		return fleet.Node{ID: fmt.Sprintf("i-%017x", i), Name: fmt.Sprintf("web-%d", i), Ping: fleet.Online, Platform: "linux", Tags: map[string]string{}, State: "running"}
	}
	var nodes, patched []fleet.Node
	for i := range 30 {
		nodes = append(nodes, node(i))
		if n := node(i); i%7 != 3 { // some were not there when patches were read
			n.Patch = &fleet.PatchState{Critical: i, Missing: i}
			patched = append(patched, n)
		}
	}
	slices.Reverse(patched[5:20])
	f.set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	f.set.Nodes.Set(other, nodes, tuitest.Now) // with the same ids and names
	f.set.Patches.Set(tuitest.Place, patched, tuitest.Now)
	f.Deck.Where.Scopes = 2
	f.Changed(sources.Nodes)
	for i := range nodes {
		if err := f.page.SetFilter(fmt.Sprintf("name=web-%d", i)); err != nil {
			t.Fatal(err)
		}
		for _, item := range f.page.Plain().Items {
			want := fmt.Sprintf("%d critical", i)
			switch {
			case strings.Contains(item.Text, "us-east-1"), i%7 == 3:
				want = "not read yet"
			case i == 0:
				want = "compliant"
			}
			if !strings.Contains(item.Text, "patches "+want) {
				t.Errorf("%q, want %s", item.Text, want)
			}
		}
	}
}

// Only the baseline can say whether a node is compliant while updates are available that
// it does not approve: until then it is not called so.
func TestUpdatesThatAreNotApprovedAreNotCompliance(t *testing.T) {
	f := open(t)
	nodes := []fleet.Node{{ID: "i-0000000000000000a", Name: "win", Ping: fleet.Online, Platform: "windows", Tags: map[string]string{}, State: "running", Patch: &fleet.PatchState{Available: 2}}}
	f.set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	f.set.Patches.Set(tuitest.Place, nodes, tuitest.Now)
	f.Changed(sources.Nodes)
	f.Has("2 not approved")
	f.Lacks("compliant")
}

// A ping status of tomorrow says neither that a node is there nor that it is not in use.
func TestAPingStatusThatIsNotKnown(t *testing.T) {
	f := open(t).fill()
	n := someNodes()[0]
	n.Ping = "impaired"
	f.set.Nodes.Set(tuitest.Place, []fleet.Node{n}, tuitest.Now)
	f.Changed(sources.Nodes)
	f.Send(deck.Tick{})
	f.Size(140, 40)
	f.Has("impaired", "it can be reached is not known: AWS says", `"impaired", last ping`)
	f.Lacks("not in use any more")
	for _, a := range f.page.Actions() {
		if a.Name == "shell" && a.Off != "whether its agent is connected is not known: d says more" {
			t.Errorf("a shell is off because %q", a.Off)
		}
	}
}
