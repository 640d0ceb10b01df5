package dash_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// expressions are filters that must mean the same on the command line and in the
// dashboard; some fits at least one row and not all.
var expressions = []struct {
	filter string
	some   bool
}{
	{"ping=online", true},
	{"ping=lost", true},
	{"!ping=online", true},
	{"ping!=online,lost", false},
	{"platform=windows", true},
	{"platform=linux agent<3.3", false},
	{"agent>=3.3 | platform=windows", false},
	{"name~^web", true},
	{"name~^WEB | name=db-1", true},
	{"tag:env=prod", true},
	{"!tag:env=prod", true},
	{"tag:env!=prod", true},
	{"tag:env~^p ping=online", true},
	{"state=running", false},
	{"!state=running", false},
	{"vpc~.", false},
	{"type=ManagedInstance", true},
	{"association=Success", false},
	{"last_ping<1h", false},
	{"registered>1d", false},
	{"missing>0", true},
	{"critical>0 | failed>0", true},
	{"!critical>0", true},
	{"critical!=0", true},
	{"pending_reboot>0 security=0", false},
	{"patch_group=web-prod | !ping=online", true},
	{"patched>1d", false},
	{"region=eu-west-1", true},
	{"!region=eu-west-1", true},
	{"region!=us-east-1", true},
	{"region~^us", true},
	{"region=us-east-1,eu-west-1", false},
	{"region=ap-south-1", false},
	{"region=eu-west-1 ping=lost", true},
	{"region=eu-west-1 | ping=lost", true},
	{"region=eu-west-1 tag:env=prod | region=us-east-1 !tag:env=prod", true},
	{"!region=eu-west-1 critical>0 | account=222222222222 ping=lost", true},
	{"account=222222222222", true},
	{"account!=222222222222", true},
	{"!account=123456789012 | region=eu-west-1", true},
	{"account=999999999999 | name~^web", true},
}

// Rows of the Fleet view are those of `ssmdeck ls --filter`, whatever the expression.
func TestAFilterHasTheSameRowsOnBothFaces(t *testing.T) {
	flags := []string{"--accounts", "123456789012,222222222222", "--role", "Reader", "--regions", "us-east-1,eu-west-1"}
	sc := everywhere(t)
	other := everywhere(t) // whose second account has but one Region
	sc.Accounts[0].Regions["eu-west-1"] = other.Regions["eu-west-1"]
	sc.Accounts[0].Regions["eu-west-1"].Account = "222222222222"
	s, opts, _ := onSimulator(t, sc, flags...)
	s.Press("2")
	var page deck.Page
	for _, p := range opts.Pages {
		if p.ID() == "fleet" {
			page = p
		}
	}
	all := page.Status().Of
	if all == 0 {
		t.Fatalf("no nodes:\n%s", s.Frame())
	}
	for _, e := range expressions {
		var out, errs bytes.Buffer
		words := slices.Concat([]string{"ls", "--filter", e.filter, "-o", "json"}, flags)
		if code := opts.Run.Run(t.Context(), words, grid.Place{}, strings.NewReader(""), &out, &errs); code != 0 {
			t.Errorf("%s: exit code %d: %s", e.filter, code, errs.String())
			continue
		}
		var listed []struct{ ID, Account, Region string }
		if err := json.Unmarshal(out.Bytes(), &listed); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, n := range listed {
			want = append(want, grid.Place{Account: n.Account, Region: n.Region}.String()+" "+n.ID)
		}
		if err := page.SetFilter(e.filter); err != nil {
			t.Errorf("%s: %v", e.filter, err)
			continue
		}
		var got []string
		for _, item := range page.Plain().Items {
			at := item.Text[strings.LastIndex(item.Text, ", ")+2:]
			id, _, _ := strings.Cut(item.Text, ":")
			id = strings.TrimSuffix(id[strings.LastIndexAny(id, " (")+1:], ")")
			got = append(got, at+" "+id)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s shows %d rows, and ls lists %d\n got %v\nwant %v", e.filter, len(got), len(want), got, want)
		}
		if some := len(got) > 0 && len(got) < all; e.some && !some {
			t.Errorf("%s fits %d of %d rows: that shows nothing", e.filter, len(got), all)
		}
	}
}
