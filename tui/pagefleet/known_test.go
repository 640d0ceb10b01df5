package pagefleet_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
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
