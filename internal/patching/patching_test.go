package patching

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

func TestOptionsAreChecked(t *testing.T) {
	for _, good := range []Options{
		{}, {OverrideList: "s3://bucket/list.yaml"}, {OverrideList: "https://example.com/list.yaml"}, {BaselineOverride: "s3://bucket/a/b.json"}, {Snapshot: snapshot}, {Snapshot: NewSnapshot()},
	} {
		if err := good.Check(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for want, bad := range map[string]Options{
		"no URL of a list":      {OverrideList: "list.yaml"},
		"no object in S3":       {BaselineOverride: "https://bucket.s3.amazonaws.com/b.json"},
		"backticks, quotes":     {BaselineOverride: "s3://bucket/$x.json"},
		"exclude each other":    {BaselineOverride: "s3://bucket/x.json", OverrideList: "s3://bucket/y"},
		"is not a GUID":         {Snapshot: "x"},
		"s3://bucket\" is no":   {OverrideList: "s3://bucket"},
		"http://x/y\" is no":    {OverrideList: "http://x/y"},
		"not a GUID":            {OverrideList: "s3://b/k", Snapshot: "12345678-1234"},
		"x y\" is no object in": {BaselineOverride: "s3://b/x y"},
	} {
		if err := bad.Check(); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", bad, err, want)
		}
	}
	for word, want := range map[string]Reboot{"never": Never, "if-needed": IfNeeded, "NoReboot": Never, "rebootifneeded": IfNeeded, "": "", "always": ""} {
		got, err := ParseReboot(word)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", word, got, err)
		}
	}
}

func TestWordsSayWhy(t *testing.T) {
	for name, tt := range map[string]struct {
		stdout, stderr string
		patches        []string
		want           []string
	}{
		"lines that name the patch come first": {
			stdout: "Installed (1/2): curl\nError: no mirror\nerror: kernel-5.10 scriptlet failed\nFailedCount : 1\n", patches: []string{"kernel.x86_64"},
			want: []string{"error: kernel-5.10 scriptlet failed", "Error: no mirror"},
		},
		"standard error first, each line once": {
			stdout: "E: broken\n", stderr: "E: broken\r\nE: Could not get lock\n", want: []string{"E: broken", "E: Could not get lock"},
		},
		"counts are no reasons": {
			stdout: "FailedCount : 0\nMissingCount : 3\n0 errors\nall is well\n", want: []string{"MissingCount : 3", "0 errors", "all is well"},
		},
		"codes of Windows": {stdout: "Patch KB1 HRESULT 0x80070643\n", want: []string{"Patch KB1 HRESULT 0x80070643"}},
		"nothing":          {},
	} {
		got := Words(tt.stdout, tt.stderr, tt.patches...)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if got := Words(strings.Repeat("error ä\n", 3)+strings.Repeat("x error "+strings.Repeat("ä", 400)+"\n", 1), ""); len(got) != 2 || len(got[1]) > longestWord+4 {
		t.Errorf("%d lines", len(got))
	}
}

func TestRebootsAreTold(t *testing.T) {
	for text, want := range map[string]bool{
		"A reboot is needed: restarting the system.": true, "Rebooting the instance": true, "System rebooted": true,
		"RebootOption : RebootIfNeeded": false, "not rebooting: NoReboot": false, "a reboot is needed": false, "": false,
		"Skipped rebooting": false,
	} {
		if got := tellsOfReboot("first\n" + text + "\n"); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestARebootIsNotDeniedForWantOfOutput(t *testing.T) {
	for name, tt := range map[string]struct {
		row  run.Row
		want string
	}{
		"all of it says nothing":  {run.Row{HasOutput: true, Stdout: "done"}, "no"},
		"a part says nothing":     {run.Row{HasOutput: true, Stdout: "done", Truncated: true}, ""},
		"the short form":          {run.Row{HasOutput: true, Stdout: "done", Preview: true}, ""},
		"a part tells of it":      {run.Row{HasOutput: true, Stdout: "Rebooting", Preview: true}, "yes"},
		"there was no output yet": {run.Row{}, ""},
	} {
		got := ""
		if r := rebooted(tt.row); r != nil {
			got = map[bool]string{true: "yes", false: "no"}[*r]
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestPlan(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	w := newFakeWorld(
		&fakeNode{Node: fleet.Node{ID: "a", Platform: "linux"}, before: &fleet.PatchState{Missing: 2, Failed: 1, Ended: at, Operation: "Scan"}, failedPatches: []string{"kernel.x86_64"}},
		&fakeNode{Node: fleet.Node{ID: "b", Platform: "linux"}, before: &fleet.PatchState{PendingReboot: 1, Ended: at.Add(time.Hour)}},
		&fakeNode{Node: fleet.Node{ID: "c", Platform: "windows"}},
		&fakeNode{Node: fleet.Node{ID: "d", Ping: fleet.Lost}, before: &fleet.PatchState{Missing: 9, Ended: at}},
		&fakeNode{Node: fleet.Node{ID: "e", Platform: "linux"}, before: &fleet.PatchState{Ended: at}},
	)
	sizes, err := waves.ParseSizes("1,100%")
	if err != nil {
		t.Fatal(err)
	}
	plan := func(o Options, names bool) *Plan {
		p, err := Planner{Fleet: w, Patches: w, Names: names}.Plan(t.Context(), w.all(), o, sizes)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := plan(Options{Reboot: IfNeeded}, true)
	if p.Install != 1 || p.Patches != 3 || p.Reboots != 2 || p.Unknown != 1 || p.Offline != 1 || !p.Oldest.Equal(at) || !p.Newest.Equal(at.Add(time.Hour)) {
		t.Errorf("plan %+v", p)
	}
	var got []string
	for _, n := range p.Nodes {
		got = append(got, strings.Join([]string{n.ID, n.Status, string(n.Reboot), string(rune('0' + n.Wave))}, " "))
	}
	want := []string{"a install will 1", "b nothing will 2", "c never_scanned unknown 2", "e nothing no 2", "d offline no 0"}
	if !slices.Equal(got, want) {
		t.Errorf("nodes %q, want %q", got, want)
	}
	p = plan(Options{Reboot: Never}, true)
	if p.Reboots != 0 || p.Nodes[0].Reboot != LeftFor || p.Nodes[0].Why != "kernel.x86_64" || p.Nodes[1].Reboot != LeftFor {
		t.Errorf("never: %+v", p.Nodes)
	}
	if p = plan(Options{Reboot: Never}, false); p.Nodes[0].Reboot != MayReboot || p.Nodes[0].Named {
		t.Errorf("without names: %+v", p.Nodes[0])
	}
	w.gap = fault.New(fault.Auth, "", "no")
	if _, err := (Planner{Fleet: w, Patches: w}).Plan(t.Context(), w.all(), Options{}, sizes); fault.KindOf(err) != fault.Auth {
		t.Errorf("without the right to read states: %v", err)
	}
	for name, want := range map[string]bool{"kernel-tools.x86_64": true, "linux-image-aws": true, "curl.x86_64": false, "glibc.x86_64": true} {
		if wantsReboot("linux", patch.Patch{ID: name}) != want {
			t.Errorf("%s", name)
		}
	}
}

func TestScanReadsStatesInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWorld()
		var sel fleet.Selection
		for i := range 130 {
			n := lacking(string(rune('A'+i/26)) + string(rune('a'+i%26)))
			n.Ping = fleet.Online
			if i == 7 {
				n.lag = 20 * time.Second
			}
			if i == 9 {
				n.after = nil
				n.before = nil
			}
			w.nodes[n.ID] = n
			w.order = append(w.order, n.ID)
			sel.InstanceIDs = append(sel.InstanceIDs, n.ID)
			sel.Nodes = append(sel.Nodes, n.Node)
		}
		seen := map[string]int{}
		var board run.Board
		states, err := Scanner{Run: w, Fleet: w}.Scan(t.Context(), Scan{Selection: sel, Snapshot: snapshot, Comment: "x"}, board.Apply, func(id string, s *fleet.PatchState) {
			if s.Installed != 13 {
				t.Errorf("%s: %+v", id, s)
			}
			seen[id]++
		})
		if err != nil || len(states) != 129 || len(seen) != 129 || !board.Done() {
			t.Errorf("%d states, %d seen, %v", len(states), len(seen), err)
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%s was seen %d times", id, n)
			}
		}
		if w.commands[0].Params["Operation"][0] != "Scan" || w.commands[0].Params["SnapshotId"][0] != snapshot || w.commands[0].Params["RebootOption"] != nil {
			t.Errorf("sent %v", w.commands[0].Params)
		}
	})
}

func TestScanThatCannotBeReadSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWorld(lacking("a"))
		w.gap = fault.New(fault.Auth, "", "not allowed")
		_, err := Scanner{Run: w, Fleet: w}.Scan(t.Context(), Scan{Selection: fleet.Selection{InstanceIDs: []string{"a"}}, Snapshot: snapshot}, func(run.Event) {}, func(string, *fleet.PatchState) {})
		if fault.KindOf(err) != fault.Auth {
			t.Errorf("got %v", err)
		}
	})
}

func TestCalendars(t *testing.T) {
	ctrl := gomock.NewController(t)
	client := NewMockapi(ctrl)
	s := NewSchedules(client)
	if err := s.Open(t.Context(), nil); err != nil {
		t.Error(err) // without a call
	}
	client.EXPECT().GetCalendarState(gomock.Any(), gomock.Any()).Return(&ssm.GetCalendarStateOutput{State: types.CalendarStateOpen}, nil)
	if err := s.Open(t.Context(), []string{"a"}); err != nil {
		t.Error(err)
	}
	client.EXPECT().GetCalendarState(gomock.Any(), gomock.Any()).Return(&ssm.GetCalendarStateOutput{State: types.CalendarStateClosed, NextTransitionTime: aws.String("2026-03-29T02:00:00Z")}, nil)
	if err := s.Open(t.Context(), []string{"a"}); fault.KindOf(err) != fault.Refused || !strings.Contains(fault.HintOf(err), "2026-03-29") {
		t.Error(err)
	}
	client.EXPECT().GetCalendarState(gomock.Any(), gomock.Any()).Return(nil, errors.New("boom"))
	if err := s.Open(t.Context(), []string{"a"}); err == nil {
		t.Error("an unknown state is open")
	}
}

func TestWindowsOfNodes(t *testing.T) {
	ctrl := gomock.NewController(t)
	client := NewMockapi(ctrl)
	ids := make([]string, 120)
	for i := range ids {
		ids[i] = string(rune('a' + i%26))
	}
	window := func(id string) types.MaintenanceWindowIdentityForTarget {
		return types.MaintenanceWindowIdentityForTarget{WindowId: aws.String(id)}
	}
	client.EXPECT().DescribeMaintenanceWindowsForTarget(gomock.Any(), gomock.Any()).Times(3).Return(
		&ssm.DescribeMaintenanceWindowsForTargetOutput{WindowIdentities: []types.MaintenanceWindowIdentityForTarget{window("mw-1"), window("mw-2"), window("mw-4")}}, nil)
	client.EXPECT().DescribeMaintenanceWindows(gomock.Any(), gomock.Any()).Return(&ssm.DescribeMaintenanceWindowsOutput{WindowIdentities: []types.MaintenanceWindowIdentity{
		{WindowId: aws.String("mw-4"), Name: aws.String("never"), Enabled: true},
		{WindowId: aws.String("mw-1"), Name: aws.String("later"), Enabled: true, NextExecutionTime: aws.String("2026-03-29T02:00:00Z")},
		{WindowId: aws.String("mw-3"), Name: aws.String("other"), Enabled: true, NextExecutionTime: aws.String("2026-03-28T02:00Z")},
		{WindowId: aws.String("mw-2"), Name: aws.String("soon"), NextExecutionTime: aws.String("2026-03-28T02:00Z")},
	}}, nil)
	got, all, err := NewSchedules(client).Windows(t.Context(), ids)
	var names []string
	for _, w := range got {
		names = append(names, w.Name)
	}
	if err != nil || !all || !slices.Equal(names, []string{"soon", "later", "never"}) {
		t.Errorf("%q, %v, %v", names, all, err)
	}
}

func TestAssociationsOfNodes(t *testing.T) {
	target := func(key string, values ...string) []types.Target {
		return []types.Target{{Key: aws.String(key), Values: values}}
	}
	ctrl := gomock.NewController(t)
	client := NewMockapi(ctrl)
	client.EXPECT().ListAssociations(gomock.Any(), gomock.Any()).Return(&ssm.ListAssociationsOutput{Associations: []types.Association{
		{AssociationName: aws.String("all"), Targets: target("InstanceIds", "*")},
		{AssociationName: aws.String("mine"), Targets: target("InstanceIds", "i-1")},
		{AssociationName: aws.String("theirs"), Targets: target("InstanceIds", "i-9")},
		{AssociationName: aws.String("prod"), Targets: target("tag:env", "prod")},
		{AssociationName: aws.String("dev"), Targets: target("tag:env", "dev")},
		{AssociationName: aws.String("group"), Targets: target("resource-groups:Name", "x")},
		{AssociationName: aws.String("old"), InstanceId: aws.String("i-9")},
	}}, nil)
	client.EXPECT().ListAssociations(gomock.Any(), gomock.Any()).Times(2).Return(&ssm.ListAssociationsOutput{}, nil)
	got, err := NewSchedules(client).Associations(t.Context(), []fleet.Node{{ID: "i-1", Tags: map[string]string{"env": "prod"}}})
	var names []string
	for _, a := range got {
		names = append(names, a.Name)
	}
	if err != nil || !slices.Equal(names, []string{"all", "mine", "prod", "group"}) {
		t.Errorf("%q, %v", names, err)
	}
}

func TestCommandsAtWork(t *testing.T) {
	ctrl := gomock.NewController(t)
	client := NewMockapi(ctrl)
	client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).Return(&ssm.ListCommandsOutput{Commands: []types.Command{
		{CommandId: aws.String("c1"), InstanceIds: []string{"i-1", "i-2"}}, {CommandId: aws.String("c2"), InstanceIds: []string{"i-9"}},
	}}, nil)
	got, err := NewSchedules(client).AtWork(t.Context(), []fleet.Node{{ID: "i-2"}})
	if err != nil || !slices.Equal(got, []string{"c1"}) {
		t.Errorf("%q, %v", got, err)
	}
}
