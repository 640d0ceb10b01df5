package patch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// account is Patch Manager in memory: so many missing patches of each node.
type account struct {
	missing map[string]int
	cves    bool // its compliance items tell CVEs
	hidden  map[string]bool
	broken  map[string]error
	deny    error // for a sweep

	single, pages atomic.Int32
}

func (a *account) rows() (rows []Row) {
	for id, n := range a.missing {
		rows = append(rows, RowOf(&fleet.Node{ID: id, Name: id, Patch: &fleet.PatchState{Missing: n, Other: n, Ended: now}}, now, StaleAfter, nil))
	}
	slices.SortFunc(rows, CompareRows)
	return rows
}

func (a *account) serve(t *testing.T) *Service {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().DescribeInstancePatches(gomock.Any(), gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
		func(_ context.Context, in *ssm.DescribeInstancePatchesInput, _ ...func(*ssm.Options)) (*ssm.DescribeInstancePatchesOutput, error) {
			a.single.Add(1)
			id := aws.ToString(in.InstanceId)
			out := &ssm.DescribeInstancePatchesOutput{}
			for i := range a.missing[id] {
				out.Patches = append(out.Patches, types.PatchComplianceData{
					KBId: aws.String(fmt.Sprint("p", i)), Title: aws.String(fmt.Sprint("p", i, ":1")), State: types.PatchComplianceDataStateMissing,
					Severity: aws.String("Important"), CVEIds: aws.String("CVE-2026-1000,CVE-2026-1001"),
				})
			}
			return out, a.broken[id]
		})
	m.EXPECT().ListComplianceItems(gomock.Any(), gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
		func(_ context.Context, in *ssm.ListComplianceItemsInput, _ ...func(*ssm.Options)) (*ssm.ListComplianceItemsOutput, error) {
			a.pages.Add(1)
			if a.deny != nil {
				return nil, a.deny
			}
			var all []types.ComplianceItem
			for _, r := range a.rows() {
				for i := range r.Missing {
					item := types.ComplianceItem{
						ResourceId: aws.String(r.ID), ComplianceType: aws.String("Patch"), Id: aws.String(fmt.Sprint("p", i, ":1")), Title: aws.String(fmt.Sprint("p", i, ":1")),
						Details: map[string]string{"PatchState": "MISSING", "PatchSeverity": "Important"},
					}
					if a.cves {
						item.Details["CVEIds"] = "CVE-2026-1000"
					}
					if !a.hidden[r.ID] {
						all = append(all, item)
					}
				}
			}
			from := 0
			_, _ = fmt.Sscan(aws.ToString(in.NextToken), &from)
			to := min(from+sweepPage, len(all))
			out := &ssm.ListComplianceItemsOutput{ComplianceItems: all[from:to]}
			if to < len(all) {
				out.NextToken = aws.String(fmt.Sprint(to))
			}
			return out, nil
		})
	return New(m)
}

// large is an account of n nodes with two missing patches each.
func large(n int) *account {
	a := &account{missing: map[string]int{}, cves: true, hidden: map[string]bool{}, broken: map[string]error{}}
	for i := range n {
		a.missing[fmt.Sprintf("i-%04d", i)] = 2
	}
	return a
}

func total(nodes []NodePatches) (n int) {
	for _, x := range nodes {
		n += len(x.Patches)
	}
	return n
}

func TestFewNodesAreReadOneByOne(t *testing.T) {
	a := large(10)
	a.missing["i-well"] = 0
	got, err := a.serve(t).OfNodes(t.Context(), a.rows(), Wanted{Whole: true, CVEs: true})
	if err != nil || len(got.Nodes) != 10 || total(got.Nodes) != 20 {
		t.Fatalf("%d nodes with %d patches, %v", len(got.Nodes), total(got.Nodes), err)
	}
	if a.single.Load() != 10 || a.pages.Load() != 0 {
		t.Errorf("%d single calls and %d pages, want 10 and 0: the node without missing patches costs none", a.single.Load(), a.pages.Load())
	}
}

func TestManyNodesAreReadInOneSweep(t *testing.T) {
	a := large(400)
	got, err := a.serve(t).OfNodes(t.Context(), a.rows(), Wanted{Whole: true, CVEs: true})
	if err != nil || len(got.Nodes) != 400 || total(got.Nodes) != 800 || got.Changed != 0 {
		t.Fatalf("%d nodes with %d patches, %d changed, %v", len(got.Nodes), total(got.Nodes), got.Changed, err)
	}
	if a.single.Load() != 0 || a.pages.Load() != 16 {
		t.Errorf("%d single calls and %d pages, want 0 and 16", a.single.Load(), a.pages.Load())
	}
	if p := got.Nodes[0].Patches[0]; p.ID != "p0" || p.Title != "p0:1" || p.Severity != "Important" || len(p.CVEs) != 1 {
		t.Errorf("patch %+v", p)
	}
}

func TestWhatASweepDoesNotFindIsReadOneByOne(t *testing.T) {
	tests := []struct {
		name   string
		change func(*account)
		w      Wanted
		single int32
	}{
		{"nodes that it leaves out", func(a *account) { a.hidden["i-0003"], a.hidden["i-0007"] = true, true }, Wanted{Whole: true}, 2},
		{"CVEs that it does not tell", func(a *account) { a.cves = false }, Wanted{Whole: true, CVEs: true}, 400},
		{"CVEs that nobody wants", func(a *account) { a.cves = false }, Wanted{Whole: true}, 0},
		{"all, without the right to it", func(a *account) { a.deny = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"} }, Wanted{Whole: true}, 400},
		{"all, where the nodes are some of many", func(*account) {}, Wanted{}, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := large(400)
			tt.change(a)
			got, err := a.serve(t).OfNodes(t.Context(), a.rows(), tt.w)
			if err != nil || len(got.Nodes) != 400 || total(got.Nodes) != 800 || len(got.Failed) != 0 {
				t.Fatalf("%d nodes with %d patches, failed %v, %v", len(got.Nodes), total(got.Nodes), got.Failed, err)
			}
			if a.single.Load() != tt.single {
				t.Errorf("%d single calls, want %d", a.single.Load(), tt.single)
			}
			if a.pages.Load() > 30 {
				t.Errorf("%d pages", a.pages.Load())
			}
		})
	}
}

func TestAFailureOfOneNodeIsTold(t *testing.T) {
	a := large(5)
	a.broken["i-0002"] = &smithy.GenericAPIError{Code: "InternalServerError", Message: "no"}
	got, err := a.serve(t).OfNodes(t.Context(), a.rows(), Wanted{})
	if err != nil || len(got.Nodes) != 4 || got.Failed["i-0002"] == nil {
		t.Errorf("%d nodes, failed %v, %v", len(got.Nodes), got.Failed, err)
	}
	a.broken["i-0002"] = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
	if _, err = a.serve(t).OfNodes(t.Context(), a.rows(), Wanted{}); fault.KindOf(err) != fault.Auth {
		t.Errorf("a missing right: %v", err)
	}
	if got, err := a.serve(t).OfNodes(cancelled(t), a.rows(), Wanted{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted reading: %v, %v", got, err)
	}
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// A node that is scanned while it is read has other patches than its state counts:
// what the service says last is shown, and said to have changed.
func TestANodeThatChangesMeanwhile(t *testing.T) {
	a := large(3)
	rows := a.rows()
	a.missing["i-0001"] = 5
	got, err := a.serve(t).OfNodes(t.Context(), rows, Wanted{})
	if err != nil || got.Changed != 1 || total(got.Nodes) != 2+5+2 {
		t.Errorf("%d patches, %d changed, %v", total(got.Nodes), got.Changed, err)
	}
}

// catalogued is a catalogue that knows when one patch of a product was released.
type catalogued struct {
	mu    sync.Mutex
	asked []string
}

func (c *catalogued) Enrich(_ context.Context, os, product string, patches []baseline.Patch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range patches {
		c.asked = append(c.asked, os+" "+product+" "+patches[i].Key())
		if os != "UBUNTU" {
			patches[i].Released = now
		}
	}
	if os == "UBUNTU" {
		return fault.Usagef("unknown product")
	}
	return nil
}

func TestReleased(t *testing.T) {
	var c catalogued
	nodes := []NodePatches{
		{Row{ID: "i-1", Platform: "windows", System: "Microsoft Windows Server 2022 Datacenter 10.0.20348"}, []Patch{{ID: "KB5034123", Title: "Cumulative"}}},
		{Row{ID: "i-2", Platform: "linux", System: "Amazon Linux 2"}, []Patch{{ID: "curl.x86_64", Title: "curl.x86_64:0:8.3.0-1.amzn2"}}},
		{Row{ID: "i-4", Platform: "linux", System: "Amazon Linux 2"}, []Patch{{ID: "curl.x86_64", Title: "curl.x86_64:0:8.3.0-1.amzn2"}}},
		{Row{ID: "i-3", Platform: "linux", System: "Ubuntu 24.04"}, []Patch{{ID: "curl", Title: "curl:0:8"}}},
		{Row{ID: "i-5", Platform: "linux", System: "Plan 9"}, []Patch{{ID: "rc", Title: "rc"}}},
	}
	tallies := Tallies(nodes, ByPatch, now)
	untold, err := Released(t.Context(), &c, tallies, nodes)
	if err != nil || untold != 2 {
		t.Errorf("%d are not told, %v, want those of Ubuntu and Plan 9", untold, err)
	}
	slices.Sort(c.asked)
	if got, want := strings.Join(c.asked, "; "), "AMAZON_LINUX_2 AmazonLinux2 curl.x86_64:0:8.3.0-1.amzn2; UBUNTU Ubuntu24.04 curl.:0:8-; WINDOWS WindowsServer2022 KB5034123"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	for _, tally := range tallies {
		if tally.Released.IsZero() != (tally.Key == "curl" || tally.Key == "rc") {
			t.Errorf("%s was released %s", tally.Key, tally.Released)
		}
	}
}
