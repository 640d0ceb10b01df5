package dash_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// refusing is a simulated account in which nothing may be read.
func refusing(t *testing.T) *world.Scenario {
	t.Helper()
	sc := world.LivingDemo()
	sc.Alive = nil
	sc.Denied = []string{"ssm:*", "ec2:*"}
	return sc
}

// Where nothing may be read, no view says that there is nothing: no zero, no "nobody",
// and each says which action is missing.
func TestWhatMayNotBeReadIsNotZero(t *testing.T) {
	s, opts, _ := onSimulator(t, refusing(t))
	s.Size(140, 40)
	for i, p := range opts.Pages {
		s.Press(fmt.Sprint(i + 1))
		s.Wait(time.Second)
		plain := p.Plain()
		text := s.Frame() + "\n" + strings.Join(plain.Summary, "\n")
		for _, item := range plain.Items {
			text += "\n" + item.Text
		}
		for _, lie := range []string{
			"0 node", "0 sessions", "0 %", "nobody", "no managed node", "there are no", "there is no", "no command and", "no automation was", "nothing was run",
			"no window", "Automations: 0", "windows: 0", "are kept",
		} {
			if strings.Contains(text, lie) {
				t.Errorf("%s says %q:\n%s", p.ID(), lie, text)
			}
		}
		if !strings.Contains(text, "not allowed: ssm:") {
			t.Errorf("%s does not name the action:\n%s", p.ID(), text)
		}
		if !strings.Contains(s.Frame(), "ask for an IAM policy that allows ssm:") {
			t.Errorf("%s does not say what to do:\n%s", p.ID(), s.Frame())
		}
	}
}

// everywhere is a simulated organization: the same fleet in two Regions and two
// accounts, with the same ids.
func everywhere(t *testing.T) *world.Scenario {
	t.Helper()
	copied := func(account, region string) *world.Scenario {
		sc := world.LivingDemo()
		sc.Alive, sc.Account, sc.Region = nil, account, region
		return sc
	}
	sc := world.LivingDemo()
	sc.Alive = nil
	sc.Regions = map[string]*world.Scenario{"eu-west-1": copied(sc.Account, "eu-west-1")}
	sc.Accounts = []world.AccountSpec{{ID: "222222222222", Status: world.AccountActive, Regions: map[string]*world.Scenario{sc.Region: copied("222222222222", sc.Region)}}}
	return sc
}

// Each number of the overview is what the command line that is copied from it lists,
// and the rows of the page behind it, over several accounts and Regions, too.
func TestTheOverviewSaysWhatTheCommandLineSays(t *testing.T) {
	regions := []string{"--regions", "us-east-1,eu-west-1"}
	for name, at := range map[string]struct {
		flags  []string
		denied []string // in eu-west-1
	}{
		"one place":                     {},
		"two Regions":                   {flags: regions},
		"another account":               {flags: []string{"--accounts", "123456789012,222222222222", "--role", "Reader"}},
		"a Region that is closed":       {regions, []string{"ssm:Describe*", "ssm:List*"}},
		"patches that may not be read":  {regions, []string{"ssm:DescribeInstancePatchStates*"}},
		"commands that may not be read": {regions, []string{"ssm:ListCommand*"}},
		"a Region without EC2":          {regions, []string{"ec2:*"}},
	} {
		t.Run(name, func(t *testing.T) {
			sc := everywhere(t)
			sc.Regions["eu-west-1"].Denied = at.denied
			s, opts, _ := onSimulator(t, sc, at.flags...)
			compared := 0
			for _, item := range opts.Pages[0].Plain().Items {
				rows := 0
				words, err := cli.SplitWords(detail(item, "Command"))
				if err != nil {
					t.Fatal(err)
				}
				page, filter, _ := strings.Cut(detail(item, "Opens"), " ")
				if _, err := fmt.Sscan(detail(item, "Rows there"), &rows); err != nil {
					continue
				}
				item.Choose()
				s.Press("enter")
				for _, p := range opts.Pages {
					if p.ID() == page && p.Status().Shown != rows {
						t.Errorf("%q: %s %s shows %d rows", item.Text, page, filter, p.Status().Shown)
					}
				}
				s.Press("1")
				if len(words) < 4 || words[2] == "get" || words[2] == "show" || words[2] == "coverage" || words[2] == "expiring" || words[3] == "--by" {
					continue
				}
				var out, errs bytes.Buffer
				if code := opts.Run.Run(t.Context(), append(words[1:], "-o", "json"), grid.Place{}, strings.NewReader(""), &out, &errs); code != 0 && (at.denied == nil || out.Len() == 0) {
					t.Errorf("%s: exit code %d: %s", strings.Join(words, " "), code, errs.String())
					continue
				}
				if listed := listedIn(t, out.Bytes()); listed != rows {
					t.Errorf("%q counts %d, and %s lists %d", item.Text, rows, strings.Join(words, " "), listed)
				}
				compared++
			}
			if compared < 8 {
				t.Errorf("%d numbers were compared:\n%s", compared, s.Frame())
			}
		})
	}
}

// listedIn counts what a command has listed: an array, or the nodes of a report.
func listedIn(t *testing.T, data []byte) int {
	t.Helper()
	var list []json.RawMessage
	if json.Unmarshal(data, &list) == nil {
		return len(list)
	}
	var report struct {
		Nodes []json.RawMessage `json:"nodes"`
	}
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatalf("%v: %.300s", err, data)
	}
	return len(report.Nodes)
}
